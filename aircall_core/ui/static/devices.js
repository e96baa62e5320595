// Which microphone and loudspeaker calls use in this browser, and where the ring is heard. Kept by the browser.

import { h, listeners, mounter } from './dom.js';
import { explain } from './explain.js';
import { shared } from './shared.js';

function build(host, { data }) {
  const live = shared(data);
  const { phone, tone } = live;
  const t = (key, values) => live.t(key, values);
  const subs = listeners();

  const meter = h('div', { class: 'meter', role: 'img', 'aria-label': t('devices.level') }, h('span', {}));
  const problem = h('p', { class: 'error', role: 'alert', hidden: true });
  const allow = h('button', { type: 'button', onclick: () => attempt(() => phone.arm()) }, t('devices.allow'));
  const chooser = (label, choose) => {
    const select = h('select', { 'aria-label': label });
    select.addEventListener('change', () => attempt(() => choose(select.value)));
    return { select, row: h('label', {}, h('span', { text: label }), select) };
  };
  const mic = chooser(t('devices.mic'), (id) => phone.setMic(id));
  const speaker = chooser(t('devices.speaker'), (id) => phone.setSpeaker(id));
  const ring = chooser(t('devices.ring'), (id) => tone.choose(id));
  const clean = h('input', { type: 'checkbox' });
  clean.addEventListener('change', () => attempt(() => phone.setProcessing(clean.checked)));
  const test = h('button', { type: 'button', onclick: () => attempt(ringOnce) }, t('devices.test'));
  const fields = h(
    'div',
    { class: 'fields' },
    mic.row,
    meter,
    speaker.row,
    ring.row,
    h('label', { class: 'check' }, clean, h('span', { text: t('devices.clean') })),
    test,
  );
  host.append(allow, fields, problem);

  async function attempt(deed) {
    problem.hidden = true;
    try {
      await deed();
    } catch (error) {
      problem.textContent = error.name === 'NotSupportedError' ? t('devices.no_choice') : explain(error, t);
      problem.hidden = false;
    }
    await draw();
  }

  async function ringOnce() {
    await tone.unlock();
    tone.start();
    setTimeout(() => live.ringer.update(), 1200); // stops it, unless a call rings
  }

  async function draw() {
    const { mics, speakers } = await phone.devices();
    allow.hidden = phone.armed;
    fields.hidden = !phone.armed;
    fill(mic.select, mics, phone.chosen.mic);
    fill(speaker.select, speakers, phone.chosen.speaker);
    fill(ring.select, speakers, tone.chosen);
    speaker.row.hidden = !speakers.length;
    ring.row.hidden = !speakers.length || !tone.canChoose;
    clean.checked = phone.chosen.processing !== 'off';
  }

  function fill(select, devices, chosen) {
    const listed = devices.filter((one) => one.id && one.id !== 'default');
    select.replaceChildren(
      h('option', { value: '', text: t('devices.default') }),
      ...listed.map((one) => h('option', { value: one.id, text: one.label || t('devices.unnamed') })),
    );
    select.value = listed.some((one) => one.id === chosen) ? chosen : '';
  }

  let frame;
  function level() {
    if (phone.armed) meter.firstChild.style.transform = `scaleX(${Math.min(1, phone.levels().mic * 1.5).toFixed(3)})`;
    frame = requestAnimationFrame(level);
  }
  subs.on(phone, 'mic', draw);
  subs.on(phone, 'devices', draw);
  draw();
  level();
  return {
    destroy() {
      cancelAnimationFrame(frame);
      subs.stop();
    },
  };
}

export const mount = mounter(build, 'devices.css');

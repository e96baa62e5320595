// "Go on duty": one click that makes the microphone, the sound and the notifications ready and then tells the desk. What
// is missing is said in words, with what to do; nothing is asked for before the click.

import { aboveDialogs, h, icon, listeners, mounter } from './dom.js';
import { explain } from './explain.js';
import { notifyHint } from './notify_hint.js';
import { shared } from './shared.js';

function build(host, { data }) {
  const live = shared(data);
  const t = (key, values) => live.t(key, values);
  const subs = listeners();
  let busy = false;
  let resuming = false;
  let problem = '';

  const dot = h('span', { class: 'dot', 'aria-hidden': 'true' });
  const title = h('p', { class: 'title cut' });
  const hint = h('p', { class: 'hint soft cut' });
  const button = h('button', { type: 'button', onclick: toggle });
  const arm = h('button', { type: 'button', class: 'plain arm', hidden: true, onclick: () => ready().then(draw) }, icon('sound'), h('span', { text: t('duty.arm') }));
  const text = h('p', {});
  const notice = h(
    'div',
    { class: 'notice', hidden: true, role: 'alert' },
    icon('warn'),
    text,
    h('button', { class: 'plain', type: 'button', 'aria-label': t('close'), onclick: () => ((problem = ''), draw()) }, icon('close')),
  );
  const quiet = notifyHint(live);
  const dock = h('section', { class: 'dock', 'aria-label': t('duty.title'), popover: 'manual' }, notice, quiet.node, h('div', { class: 'line' }, dot, h('div', { class: 'lines', role: 'status' }, title, hint), arm, button));
  aboveDialogs(host);
  host.append(dock);

  /** Microphone, sound, permission: asked for in one go, since a browser counts only what begins within the click. */
  async function ready() {
    const [mic, sound] = await Promise.allSettled([live.phone.arm(), live.tone.unlock(), live.notifier.ask()]);
    if (mic.status === 'rejected') {
      problem = explain(mic.reason, t);
      return false;
    }
    if (sound.value !== 'ok') {
      problem = t('duty.no_sound');
      return false;
    }
    return true;
  }

  async function toggle() {
    if (busy) return;
    const on = !live.view.duty;
    busy = true;
    problem = '';
    draw();
    try {
      if (!on || (await ready())) {
        await live.command('/desk/duty', { on, tab: live.tab }, { until: (view) => view.duty === on });
      }
    } catch (error) {
      problem = explain(error, t);
    } finally {
      busy = false;
      draw();
    }
  }

  /** After a reload: what was allowed before needs no click, except sound in strict browsers. */
  async function resume() {
    if (!live.view.duty || resume.done) return;
    resume.done = true;
    try {
      const asked = await navigator.permissions?.query({ name: 'microphone' });
      if (asked?.state !== 'granted') return;
      resuming = true;
      draw();
      await live.phone.arm();
      await live.tone.unlock(); // after the microphone: while it is captured, browsers let a page sound without a click
    } catch (error) {
      console.warn('aircall: the microphone was not taken up again', error); // the button beside asks with a click
    }
    resuming = false;
    draw();
  }

  function draw() {
    const { status, view, device } = live;
    const online = status === 'online';
    const weak = view.duty && !device.armed;
    const look = !online ? 'away' : !view.duty ? 'off' : weak && resuming ? 'soon' : weak ? 'warn' : 'on';
    dock.dataset.look = look;
    title.textContent = online || status === 'gone' ? t(view.duty ? 'duty.on' : 'duty.off') : t(status === 'connecting' ? 'loading' : 'reconnecting');
    const missing = live.phone.armed ? 'duty.warn_sound' : 'duty.warn_mic';
    hint.textContent = !online ? '' : t({ off: 'duty.off_hint', soon: 'duty.resuming', warn: missing, on: 'duty.on_hint' }[look]);
    const label = t(view.duty ? 'duty.go_off' : 'duty.go_on');
    if (button.textContent !== label) button.textContent = label;
    button.className = view.duty ? '' : 'accept';
    button.setAttribute('aria-busy', String(busy));
    if (busy || !online) button.setAttribute('aria-disabled', 'true');
    else button.removeAttribute('aria-disabled');
    arm.hidden = look !== 'warn' || busy;
    notice.hidden = !problem;
    if (text.textContent !== problem) text.textContent = problem;
    quiet.draw();
    if (!dock.matches(':popover-open')) dock.showPopover();
  }

  const height = new ResizeObserver(() => document.documentElement.style.setProperty('--aircall-dock', `${dock.offsetHeight}px`));
  height.observe(dock);
  subs.add(() => height.disconnect());
  const sidebar = document.querySelector('[data-testid="stSidebar"]');
  const measure = () => {
    const open = sidebar && sidebar.getBoundingClientRect().right > 40;
    const width = open ? sidebar.getBoundingClientRect().width : 300;
    document.documentElement.style.setProperty('--aircall-sidebar', `${width}px`);
  };
  if (sidebar) {
    const watch = new ResizeObserver(measure);
    watch.observe(sidebar);
    subs.add(() => watch.disconnect());
  }
  measure();

  subs.on(live, 'view', () => (resume(), draw()));
  subs.on(live, 'status', draw);
  subs.on(live, 'device', draw);
  subs.on(live.notifier, 'change', draw);
  draw();
  return { destroy: () => subs.stop() };
}

export const mount = mounter(build, 'dock.css', 'duty.css');

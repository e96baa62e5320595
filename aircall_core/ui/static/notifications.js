// The switch of the profile menu: whether this browser notifies, why not, and how to mend it.

import { h, icon, listeners, mounter } from './dom.js';
import { shared } from './shared.js';

function build(host, { data }) {
  const live = shared(data);
  const t = (key, values) => live.t(key, values);
  const subs = listeners();
  const { notifier } = live;
  let problem = '';

  const lever = h('button', { class: 'switch', type: 'button', role: 'switch', 'aria-labelledby': 'label', 'aria-describedby': 'state', onclick: toggle }, h('span', { class: 'knob' }));
  const state = h('p', { class: 'soft', id: 'state', role: 'status' });
  const sample = h('button', { class: 'sample', type: 'button', onclick: show }, icon('bell'), t('notify.try'));
  host.append(h('div', { class: 'line' }, h('span', { id: 'label', text: t('notify.label') }), lever), state, sample);

  async function toggle() {
    if (lever.getAttribute('aria-disabled') === 'true') return;
    problem = '';
    await notifier.turn(notifier.state !== 'granted');
    draw();
  }

  async function show() {
    problem = '';
    try {
      await notifier.try();
    } catch (error) {
      console.warn('aircall: the notification for show failed', error);
      problem = t('notify.try_failed');
    }
    draw();
  }

  function draw() {
    const now = notifier.state;
    lever.setAttribute('aria-checked', String(now === 'granted'));
    if (['denied', 'none', 'insecure'].includes(now)) lever.setAttribute('aria-disabled', 'true');
    else lever.removeAttribute('aria-disabled');
    state.textContent = problem || t(`notify.state.${now}`);
    state.classList.toggle('warn', now === 'denied' || Boolean(problem));
    sample.hidden = now !== 'granted';
  }

  subs.on(notifier, 'change', draw);
  draw();
  return { destroy: () => subs.stop() };
}

export const mount = mounter(build, 'switch.css', 'notifications.css');

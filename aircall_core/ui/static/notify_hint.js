// Beside the duty switch: that calls would ring unseen, and what to do about it. Shown on duty only, and not where the
// browser has no notifications at all, or to who switched them off or hid this line.

import { h, icon } from './dom.js';

const HIDDEN = 'aircall.notify.hint';

/** A node for the dock; it draws itself anew by `draw()`. */
export function notifyHint(live) {
  const t = (key, values) => live.t(key, values);
  const { notifier } = live;
  const words = h('p', { id: 'notify-how', hidden: true, text: t('notify.unblock') });
  const title = h('p', { class: 'grow' });
  const how = h('button', { class: 'plain', type: 'button', 'aria-controls': 'notify-how', onclick: more });
  const hide = h('button', { class: 'plain square', type: 'button', 'aria-label': t('notify.hide'), title: t('notify.hide'), onclick: forget }, icon('close'));
  const node = h('div', { class: 'quiet', hidden: true, role: 'note' }, h('div', { class: 'first' }, icon('quiet'), title, how, hide), words);

  function more() {
    if (notifier.state === 'default') return notifier.turn(true).then(draw);
    words.hidden = !words.hidden;
    return draw();
  }

  function forget() {
    notifier.env.storage?.setItem(HIDDEN, notifier.state);
    node.hidden = true;
  }

  function draw() {
    const { state } = notifier;
    const hidden = node.hidden && notifier.env.storage?.getItem(HIDDEN) === state;
    node.hidden = hidden || !live.view.duty || !['denied', 'default'].includes(state);
    title.textContent = t(state === 'denied' ? 'notify.blocked' : 'notify.not_on');
    how.textContent = t(state === 'default' ? 'notify.turn_on' : words.hidden ? 'notify.how' : 'notify.less');
    if (state === 'denied') how.setAttribute('aria-expanded', String(!words.hidden));
    else how.removeAttribute('aria-expanded');
    if (state !== 'denied') words.hidden = true;
  }
  draw();
  return { node, draw };
}

// Beside the duty switch: the window of its own for calls is offered in words when the user goes on duty, so that it is
// there when the phone rings, and by a small button at any time.

import { h, icon } from './dom.js';
import { active } from './view.js';

/** A line for the dock and a button for beside the duty switch; both are drawn anew by `draw()`. */
export function detachOffer(live) {
  const t = (key, values) => live.t(key, values);
  const { detached } = live;
  const text = h('p', { class: 'grow' });
  const open = h('button', { class: 'show', type: 'button', onclick: () => detached.show() }, icon('detach'), t('detach.show'));
  const hide = h('button', { class: 'plain square', type: 'button', 'aria-label': t('detach.decline'), title: t('detach.decline'), onclick: () => detached.decline() }, icon('close'));
  const node = h('div', { class: 'offer', hidden: true, role: 'note' }, text, open, hide);
  const button = h('button', { class: 'plain apart', type: 'button', 'aria-pressed': 'false', hidden: true, onclick: () => detached.toggle() }, icon('detach'));

  function draw() {
    const { duty } = live.view;
    node.hidden = !duty || !detached.offered;
    const words = t(detached.left ? 'detach.again' : 'detach.offer');
    if (text.textContent !== words) text.textContent = words;
    const inToolbar = Boolean(active(live.view)); // which has a button of its own
    button.hidden = inToolbar || (!(duty && node.hidden) && !detached.open);
    button.setAttribute('aria-pressed', String(detached.open));
    const name = t(detached.open ? 'detach.back_hint' : 'detach.open_hint');
    if (button.title !== name) {
      button.title = name;
      button.setAttribute('aria-label', name);
    }
  }
  draw();
  return { node, button, draw };
}

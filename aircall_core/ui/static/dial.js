// Calling somebody back: the desk is told who does it, so that two colleagues do not, and the number is shown to be
// dialled. A box over the page, which goes with Escape or a click beside it and leaves the ringer usable.

import { h, icon } from './dom.js';
import { explain } from './explain.js';

/** `node` belongs into the view's host; `callBack` resolves when the desk has answered. */
export function dialBox(live) {
  const t = (key, values) => live.t(key, values);
  const name = h('p', { class: 'dial-name' });
  const number = h('p', { class: 'dial-number num' });
  const copy = h('button', { type: 'button', onclick: toClipboard }, icon('copy'), h('span', { text: t('dial.copy') }));
  const call = h('a', { class: 'button dial-call' }, icon('phone'), t('dial.call'));
  const close = h('button', { class: 'plain dial-close', type: 'button', 'aria-label': t('close'), onclick: () => node.hidePopover() }, icon('close'));
  const node = h('div', { class: 'dial', popover: 'auto', role: 'dialog', 'aria-label': t('dial.title') }, close, name, number, h('div', { class: 'dial-deeds' }, copy, call), h('p', { class: 'soft', text: t('dial.note') }));
  let shown = {};

  async function toClipboard() {
    const said = copy.querySelector('span');
    try {
      await navigator.clipboard.writeText(shown.number);
      said.textContent = t('dial.copied');
    } catch (error) {
      console.warn('aircall: the clipboard is closed to this page', error);
      getSelection().selectAllChildren(number);
      said.textContent = t('dial.copy_by_hand');
    }
  }

  /** Take a missed call (or the callback its caller asked for), then show whom to dial. Resolves to whether it is ours. */
  async function callBack(call_, who) {
    const path = call_.callback?.state === 'waiting' ? `/desk/callbacks/${call_.callback.id}/take` : `/desk/calls/${call_.id}/call-back`;
    try {
      await live.command(path);
    } catch (error) {
      live.toast(error.by ? t('dial.taken', { name: error.by.name }) : explain(error, t), { kind: 'error', key: 'dial' });
      return false;
    }
    show(who);
    return true;
  }

  /** @param who {name, number: E.164, spoken: as people read it} */
  function show(who) {
    shown = who;
    name.textContent = who.name && who.name !== who.spoken ? who.name : '';
    number.textContent = who.spoken;
    call.href = `tel:${who.number}`;
    copy.querySelector('span').textContent = t('dial.copy');
    if (!node.matches(':popover-open')) node.showPopover();
    call.focus();
  }

  return { node, callBack, show };
}

// Calling a known number: first this agent, then the far end; the toolbar shows what comes of it. On a line that cannot call
// out, the number is shown instead, to be dialled by another phone: a box over the page, which leaves the ringer usable.

import { dialLines } from './dial_lines.js';
import { h, icon } from './dom.js';
import { explain } from './explain.js';

/** `node` belongs into the view's host. `who`: {line: id, number: E.164, spoken: as people read it, name}. */
export function dialBox(live) {
  const t = (key, values) => live.t(key, values);
  const lines = dialLines(live);
  const name = h('p', { class: 'dial-name' });
  const number = h('p', { class: 'dial-number num' });
  const copy = h('button', { type: 'button', onclick: toClipboard }, icon('copy'), h('span', { text: t('dial.copy') }));
  const call = h('a', { class: 'button dial-call' }, icon('phone'), t('dial.call'));
  const note = h('p', { class: 'soft' });
  const close = h('button', { class: 'plain dial-close', type: 'button', 'aria-label': t('close'), onclick: () => node.hidePopover() }, icon('close'));
  const node = h('div', { class: 'dial', popover: 'auto', role: 'dialog', 'aria-label': t('dial.title') }, close, name, number, h('div', { class: 'dial-deeds' }, copy, call), note);
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

  /** Do it; whether it was done. What the desk refuses is said in words. */
  async function attempt(deed) {
    try {
      await deed();
      return true;
    } catch (error) {
      live.toast(error.by ? t('dial.taken', { name: error.by.name }) : explain(error, t), { kind: 'error', key: 'dial' });
      return false;
    }
  }

  /** Whether the line calls out from here. */
  async function callsOut(line) {
    await lines.ready;
    return lines.of(line) !== null;
  }

  /** Call; resolves to whether the desk took it. */
  async function dial(who, callback) {
    if (await callsOut(who.line)) return attempt(() => live.calls.dial({ line: who.line, number: who.number, callback }));
    show(who, 'dial.by_hand');
    return false;
  }

  /**
   * Call back who was missed. A caller who waits for it keeps the place until they answer. Where the line cannot call out,
   * the callback is taken, so that two colleagues do not both do it, and the number is shown.
   */
  async function callBack(missed, who) {
    const waits = missed.callback?.state === 'waiting' ? missed.callback.id : undefined;
    if (await callsOut(who.line)) return dial(who, waits);
    const path = waits ? `/desk/callbacks/${waits}/take` : `/desk/calls/${missed.id}/call-back`;
    const done = await attempt(() => live.command(path));
    if (done) show(who, 'dial.note');
    return done;
  }

  function show(who, why = 'dial.note') {
    shown = who;
    name.textContent = who.name && who.name !== who.spoken ? who.name : '';
    number.textContent = who.spoken;
    call.href = `tel:${who.number}`;
    copy.querySelector('span').textContent = t('dial.copy');
    note.textContent = t(why);
    if (!node.matches(':popover-open')) node.showPopover();
    call.focus();
  }

  return { node, dial, callBack, show };
}

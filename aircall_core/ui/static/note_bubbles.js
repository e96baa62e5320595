// Notes under a call's bubble: what colleagues wrote, and the own one, which can be written here too, long after the call.

import { h, icon } from './dom.js';
import { notePad } from './note_pad.js';

/** `update(call, writes)`: the call as its bubble has it, and whether this user may write about it. */
export function noteBubbles(live, { stamp }) {
  const t = (key, values) => live.t(key, values);
  const list = h('div', { class: 'others' });
  const add = h('button', { type: 'button', class: 'plain small add', hidden: true, onclick: write }, icon('chat'), t('note.add'));
  const node = h('div', { class: 'notes' }, list, add);
  let pad = null; // while this user writes
  let drawn = '';
  let last = [];

  const mine = (note) => note.by?.id === live.view.user;

  function write() {
    if (pad) return;
    pad = notePad(live);
    pad.of(last[0].id, (last[0].notes ?? []).find(mine));
    pad.box = card(t('note.mine'), pad.node, h('button', { type: 'button', class: 'plain small', text: t('note.done'), onclick: done }));
    node.insertBefore(pad.box, add);
    redraw();
    pad.focus();
  }

  function done() {
    pad.stop();
    pad.box.remove();
    pad = null;
    redraw();
    (list.querySelector('.own button') ?? add).focus();
  }

  function card(name, body, deed, when = null) {
    return h('article', { class: 'note' }, h('div', { class: 'said' }, h('span', { class: 'grow', text: name }), when, deed ?? ''), body);
  }

  function show(note) {
    const own = mine(note);
    const name = own ? t('note.mine') : t('note.by', { name: note.by?.name || t('someone') });
    const edit = own && last[1] ? h('button', { type: 'button', class: 'plain small', text: t('note.edit'), onclick: write }) : null;
    const one = card(name, h('p', { class: 'words', text: note.text }), edit, stamp(note.updated_at));
    one.classList.toggle('own', own);
    return one;
  }

  function redraw() {
    const [call, writes] = last;
    const notes = call.notes ?? [];
    const now = JSON.stringify([notes, writes, Boolean(pad)]);
    if (now === drawn) return;
    drawn = now;
    list.replaceChildren(...notes.filter((note) => !(pad && mine(note))).map(show));
    const talked = !['ringing', 'queued', 'flow', 'accepting', 'dialling'].includes(call.state);
    add.hidden = Boolean(pad) || !writes || !talked || notes.some(mine);
  }
  return { node, update: (call, writes) => ((last = [call, writes]), redraw()), writing: () => Boolean(pad), stop: () => pad?.stop() };
}

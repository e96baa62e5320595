// A place to write a note on a call. The words are the Notes' (notes.js); this draws them, and says quietly whether the
// desk has them.

import { h, icon } from './dom.js';
import { caret } from './note_merge.js';
import { LONGEST, notesOf } from './notes.js';

const LINES = { min: 3, max: 12 };

/** `of(call id)` shows a note, `of(null)` none; `of(call id, seen)` one that the page shows already; `label` names the field. */
export function notePad(live, { label = live.t('note.label'), hint = live.t('note.hint') } = {}) {
  const t = (key, values) => live.t(key, values);
  const notes = notesOf(live);
  let note = null;
  let unwatch = null;

  const area = h('textarea', { rows: LINES.min, maxlength: LONGEST, placeholder: hint, 'aria-label': label, oninput: () => note?.write(area.value), onkeydown: inside });
  const words = h('span');
  const state = h('p', { class: 'saved soft' }, words);
  const said = h('p', { class: 'sr', role: 'status' }); // only what is wrong is spoken
  const node = h('div', { class: 'pad' }, area, state, said);

  function draw() {
    if (!note) return;
    if (area.value !== note.text) {
      const [start, end] = [area.selectionStart, area.selectionEnd].map((at) => caret(area.value, note.text, at));
      area.value = note.text;
      if (area.matches(':focus')) area.setSelectionRange(start, end);
    }
    area.rows = Math.min(LINES.max, Math.max(LINES.min, note.text.split('\n').length));
    area.readOnly = note.state === 'refused' && !note.loaded;
    const text = t(`note.${note.state}`);
    if (state.dataset.state === note.state && words.textContent === text) return;
    state.dataset.state = note.state;
    const glyph = { saved: 'check', waiting: 'warn', refused: 'warn' }[note.state];
    state.replaceChildren(...(glyph ? [icon(glyph)] : []), words);
    words.textContent = note.state === 'refused' ? t('note.refused', { why: note.problem }) : text;
    said.textContent = ['waiting', 'refused'].includes(note.state) ? words.textContent : '';
  }

  function of(call, seen = null) {
    if ((note?.call ?? null) === call) return;
    unwatch?.();
    note = call ? notes.of(call, seen) : null;
    unwatch = note?.watch(draw) ?? null;
    if (!note) area.value = '';
    draw();
  }
  return { node, of, focus: () => area.focus(), state: () => note?.state ?? '', stop: () => of(null) };
}

/** Keys that move within a field are not those of the toolbar around it. */
export function inside(event) {
  if (['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End'].includes(event.key)) event.stopPropagation();
}

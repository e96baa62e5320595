// A note on the customer in the timeline: everybody reads it, who wrote it changes it in its place or takes it away; leaders
// take away anybody's, since those who wrote them may have left.

import { h } from './dom.js';
import { explain } from './explain.js';
import { newId } from './live.js';

/** `update(note)`: as the desk has it; null: it was taken away. */
export function customerNote(live, { stamp, writes, leads = false }) {
  const t = (key, values) => live.t(key, values);
  const node = h('article', { class: 'note' });
  let note = null;
  let field = null;
  let removed = null; // while it is rewritten: what is done when somebody takes it away meanwhile

  function update(now) {
    const [was, writing] = [note, removed && field];
    note = now;
    if (!now && was && writing) removed();
    else if (!field || !now) draw();
  }

  function draw() {
    field = removed = null;
    node.hidden = !note;
    if (!note) return node.replaceChildren();
    const own = note.by?.id === live.view.user;
    const name = own ? t('note.mine') : t('note.by', { name: note.by?.name || t('someone') });
    const deed = (key, deed) => h('button', { type: 'button', class: 'plain small edit', text: t(key), onclick: deed });
    const edit = own && writes ? deed('note.edit', write) : leads ? deed('note.remove', ask) : '';
    node.replaceChildren(h('div', { class: 'said' }, h('span', { class: 'grow', text: name }), stamp(note.updated_at), edit), h('p', { class: 'words', dir: 'auto', text: note.text }));
    return null;
  }

  /** Somebody else's words go for everybody: not by one press. */
  function ask() {
    const shown = note;
    const problem = h('p', { class: 'problem', role: 'alert' });
    const leave = h('button', { type: 'button', class: 'plain small', text: t('note.cancel'), onclick: back });
    const sure = h('button', { type: 'button', class: 'small danger', text: t('note.remove_sure'), onclick: remove });
    const name = shown.by?.name || t('someone');
    field = h('div', { class: 'deeds', role: 'group', 'aria-label': t('note.remove_ask', { name }) }, h('span', { class: 'grow small', text: t('note.remove_ask', { name }) }), leave, sure);
    field.addEventListener('keydown', (event) => {
      event.stopPropagation();
      if (event.key === 'Escape') back();
    });
    node.append(field, problem);
    node.querySelector('.edit').hidden = true;
    leave.focus();

    async function remove() {
      if (sure.getAttribute('aria-busy') === 'true') return;
      sure.setAttribute('aria-busy', 'true');
      problem.textContent = '';
      try {
        await live.request(`/desk/notes/${shown.id}`, { text: '', version: shown.version, command: newId() }, { method: 'PUT' });
        note = null;
        draw();
      } catch (error) {
        if (error.code === 'changed') note = { ...note, version: error.details.version, text: error.details.text };
        if (error.code === 'changed') draw(); // what it says now is to be read first
        else problem.textContent = explain(error, t);
        sure.removeAttribute('aria-busy');
      }
    }
  }

  function write() {
    let { version } = note; // what is written is written from this one, whatever another tab has saved meanwhile
    const { id } = note;
    field = h('textarea', { class: 'rewrite', rows: '3', maxlength: '20000', 'aria-label': t('note.mine') });
    field.value = note.text;
    field.addEventListener('keydown', (event) => {
      event.stopPropagation();
      if (event.key === 'Escape') back();
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) save();
    });
    const problem = h('p', { class: 'problem', role: 'alert' });
    const keep = h('button', { type: 'button', class: 'small', text: t('note.save'), onclick: save });
    const leave = h('button', { type: 'button', class: 'plain small', text: t('note.cancel'), onclick: back });
    node.replaceChildren(h('div', { class: 'said' }, h('span', { class: 'grow', text: t('note.mine') })), field, problem, h('div', { class: 'deeds' }, leave, keep));
    field.focus();
    removed = () => {
      keep.hidden = true; // there is nothing to save it in
      problem.textContent = t('note.removed');
    };

    async function save() {
      if (keep.getAttribute('aria-busy') === 'true') return;
      keep.setAttribute('aria-busy', 'true');
      problem.textContent = '';
      try {
        const text = field.value.trim();
        const kept = await live.request(`/desk/notes/${id}`, { text, version, command: newId() }, { method: 'PUT' });
        note = text ? { ...note, text, version: kept.version, updated_at: live.now() } : null;
        draw();
        node.querySelector('.edit')?.focus();
      } catch (error) {
        if (error.code === 'changed') version = error.details.version;
        problem.textContent = error.code === 'changed' ? t('note.changed') : explain(error, t);
        keep.removeAttribute('aria-busy');
      }
    }
  }

  function back() {
    draw();
    node.querySelector('.edit')?.focus();
  }

  return { node, update, busy: () => field !== null };
}

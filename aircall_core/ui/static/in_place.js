// A value that is read until it is clicked, and edited in its place: Enter or leaving it saves, Escape takes it back. What is
// refused is said below it, and stays as typed.

import { h, icon } from './dom.js';
import { explain } from './explain.js';

/**
 * `save(value)` resolves when the desk has it. `kind`: text, lines, number, date, link, choice, email, tel; `add`: what the
 * button says while there is nothing. `show(value)` gives what stands there to read; without `writes` it cannot be edited.
 */
export function inPlace(live, { label, add = label, kind = 'text', choices = [], save, show = (value) => value, writes = true, most = 200, fieldName = '' }) {
  const t = (key, values) => live.t(key, values);
  let value = '';
  let field = null;
  let busy = false;

  const problem = h('p', { class: 'wrong', role: 'alert' });
  const place = h('div', { class: 'place' });
  const node = h('div', { class: 'in-place' }, place, problem);

  function draw() {
    if (field) return;
    node.hidden = !value && !writes;
    const shown = value ? show(value) : h('span', { class: 'none' }, icon('plus'), add);
    if (!writes) return void place.replaceChildren(h('span', { class: 'value' }, shown));
    const edit = h('button', { type: 'button', class: 'plain edit', 'aria-label': value ? t('profile.edit', { what: label }) : add, title: value ? t('profile.edit', { what: label }) : null, onclick: open }, ...(value && kind !== 'link' ? [h('span', { class: 'value' }, shown)] : value ? [] : [shown]), value ? icon('edit') : null);
    place.replaceChildren(...(kind === 'link' && value ? [h('span', { class: 'value' }, shown)] : []), edit);
  }

  function made() {
    const common = { class: 'field', 'aria-label': label, onkeydown: keys, onblur: leave };
    if (kind === 'lines') return h('textarea', { ...common, rows: 3, maxlength: 5000 });
    if (kind === 'choice') return h('select', { ...common, onchange: () => commit() }, h('option', { value: '', text: t('profile.nothing') }), ...choices.map((one) => h('option', { value: one, text: one })));
    const type = { date: 'date', link: 'url', email: 'email', tel: 'tel' }[kind] ?? 'text';
    return h('input', { ...common, type, maxlength: most, inputmode: kind === 'number' ? 'decimal' : null, autocomplete: 'off' });
  }

  function open() {
    field = made();
    field.value = value;
    problem.textContent = '';
    place.replaceChildren(field);
    field.focus();
    field.select?.();
  }

  function close(focus) {
    field = null;
    problem.textContent = '';
    draw();
    if (focus) place.querySelector('.edit')?.focus();
  }

  function keys(event) {
    event.stopPropagation();
    if (event.isComposing) return;
    if (event.key === 'Escape') {
      event.preventDefault();
      close(true);
    }
    if (event.key === 'Enter' && !(kind === 'lines' && event.shiftKey)) {
      event.preventDefault();
      commit(true);
    }
  }

  function leave() {
    if (field && !busy) commit();
  }

  async function commit(focus = false) {
    if (busy || !field) return;
    const wanted = field.value.trim();
    if (wanted === value) return void close(focus);
    busy = true;
    field.setAttribute('aria-busy', 'true');
    field.readOnly = true;
    try {
      await save(wanted);
      value = wanted;
      close(focus);
    } catch (error) {
      if (!field) return;
      const fields = error.details?.fields ?? {};
      problem.textContent = fields[fieldName] ?? Object.values(fields)[0] ?? explain(error, t);
      field.readOnly = false;
      field.removeAttribute('aria-busy');
      if (focus) field.focus();
    } finally {
      busy = false;
    }
  }

  return {
    node,
    /** What the desk says; what is just being edited is left alone. */
    set(next) {
      value = next ?? '';
      draw();
    },
    get editing() {
      return field !== null;
    },
    open,
  };
}

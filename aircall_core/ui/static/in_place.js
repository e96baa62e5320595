// A value that is read until it is clicked, and edited in its place: Enter or leaving it saves, Escape takes it back. What is
// refused is said below it, and stays as typed; what a colleague has changed meanwhile is asked about.

import { Overtaken } from './contact_change.js';
import { h, icon } from './dom.js';
import { explain } from './explain.js';

let made = 0;

/**
 * `save(value, seen, force)` resolves when the desk has it; `seen` is what stood there when it was opened, and Overtaken says
 * that something else does now. `kind`: text, lines, number, date, link, choice, email, tel; `add`: what the button says while
 * there is nothing (`short` in few words); `hints`: values to choose from or not. `show(value)` gives what stands there to
 * read; without `writes` it cannot be edited. `closed()`: it is not edited any more.
 */
export function inPlace(live, { label, add = label, short = add, kind = 'text', choices = [], hints = [], save, show = (value) => value, writes = true, most = 200, fieldName = '', closed = () => {} }) {
  const t = (key, values) => live.t(key, values);
  let value = '';
  let seen = ''; // the value when it was opened: only what differs from it was typed
  let overtaken = false;
  let field = null;
  let busy = false;

  const problem = h('div', { class: 'wrong', role: 'alert' });
  const place = h('div', { class: 'place' });
  const node = h('div', { class: 'in-place' }, place, problem);

  function draw() {
    if (field) return;
    node.hidden = !value && !writes;
    const shown = value ? show(value) : h('span', { class: 'none' }, icon('plus'), short);
    if (!writes) return void place.replaceChildren(h('span', { class: 'value' }, shown));
    const edit = h('button', { type: 'button', class: 'plain edit', 'aria-label': value ? t('profile.edit', { what: label }) : add, title: value ? t('profile.edit', { what: label }) : null, onclick: open }, ...(value && kind !== 'link' ? [h('span', { class: 'value' }, shown)] : value ? [] : [shown]), value ? icon('edit') : null);
    place.replaceChildren(...(kind === 'link' && value ? [h('span', { class: 'value' }, shown)] : []), edit);
  }

  function makeField() {
    const common = { class: 'field', 'aria-label': label, onkeydown: keys, onblur: leave };
    if (kind === 'lines') return [h('textarea', { ...common, rows: 3, maxlength: 5000 })];
    if (kind === 'choice') return [h('select', { ...common, onchange: () => commit() }, h('option', { value: '', text: t('profile.nothing') }), ...choices.map((one) => h('option', { value: one, text: one })))];
    const type = { date: 'date', link: 'url', email: 'email', tel: 'tel' }[kind] ?? 'text';
    const list = hints.length ? h('datalist', { id: `hints-${(made += 1)}` }, ...hints.map((one) => h('option', { value: one }))) : null;
    return [h('input', { ...common, type, maxlength: most, inputmode: kind === 'number' ? 'decimal' : null, autocomplete: 'off', list: list?.id, placeholder: list ? short : null }), list];
  }

  function open() {
    const parts = makeField();
    [field] = parts;
    seen = value;
    field.value = value;
    problem.replaceChildren();
    place.replaceChildren(...parts.filter(Boolean));
    field.focus();
    field.select?.();
  }

  function close(focus) {
    field = null;
    overtaken = false;
    problem.replaceChildren();
    draw();
    if (focus) place.querySelector('.edit')?.focus();
    closed();
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

  /** Leaving it saves; but who was asked whose words stand answers, and does not by looking elsewhere. */
  function leave() {
    if (field && !busy && !overtaken) commit();
  }

  async function commit(focus = false) {
    if (busy || !field) return;
    const wanted = field.value.trim();
    if (wanted === seen) return void close(focus);
    busy = true;
    field.setAttribute('aria-busy', 'true');
    field.readOnly = true;
    try {
      await save(wanted, seen, overtaken);
      value = wanted;
      close(focus);
    } catch (error) {
      if (!field) return;
      if (!node.isConnected) lost(wanted, error);
      else if (error instanceof Overtaken) ask(error);
      else refused(error);
      field.readOnly = false;
      field.removeAttribute('aria-busy');
      if (focus) field.focus();
    } finally {
      busy = false;
    }
  }

  function reason(error) {
    if (error instanceof Overtaken) return error.now ? t('profile.overtaken', { value: error.now }) : t('profile.overtaken_empty');
    const fields = error.details?.fields ?? {};
    return fields[fieldName] ?? Object.values(fields)[0] ?? explain(error, t);
  }

  function refused(error) {
    problem.replaceChildren(reason(error));
  }

  /** Its user looks at something else by now: they are told where they are. */
  function lost(wanted, error) {
    live.toast(t('profile.unsaved', { what: label, value: wanted, why: reason(error) }), { kind: 'error' });
  }

  function ask(error) {
    overtaken = true;
    problem.replaceChildren(
      h('p', { text: reason(error) }),
      h('div', { class: 'form-deeds' }, h('button', { type: 'button', onclick: () => close(true) }, t('profile.theirs')), h('button', { type: 'button', onclick: () => commit(true) }, t('profile.mine'))),
    );
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

// Small forms beside the list of contacts: a new one, the one that is the same, a first text.

import { h, icon } from './dom.js';
import { explain } from './explain.js';
import { newId } from './live.js';

/** A form of labelled fields whose refusals stand at their field. `send(values)` resolves when it is done. */
export function fields(live, { title, names, button, look = 'primary', send, close, above = null, below = null }) {
  const t = (key, values) => live.t(key, values);
  const inputs = new Map();
  const rows = names.map(({ name, label, type = 'text', most = 200 }) => {
    const wrong = h('span', { class: 'wrong', role: 'alert' });
    const input = type === 'lines' ? h('textarea', { class: 'field', rows: 4, maxlength: most }) : h('input', { class: 'field', type, maxlength: most, autocomplete: 'off' });
    inputs.set(name, { input, wrong });
    return h('label', { class: 'labelled' }, h('span', { class: 'small', text: label }), input, wrong);
  });
  const problem = h('p', { class: 'wrong', role: 'alert' });
  const done = h('button', { class: look, type: 'submit' }, button);
  const node = h('form', { class: 'small-form', novalidate: true, 'aria-label': title }, h('h2', { class: 'form-title', text: title }), above ?? '', ...rows, below ?? '', problem, h('div', { class: 'form-deeds' }, h('button', { type: 'button', onclick: close }, t('contacts.cancel')), done));
  node.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    close();
  });
  node.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (done.getAttribute('aria-busy') === 'true') return;
    done.setAttribute('aria-busy', 'true');
    for (const { wrong } of inputs.values()) wrong.textContent = '';
    problem.textContent = '';
    try {
      await send(Object.fromEntries([...inputs].map(([name, { input }]) => [name, input.value])));
    } catch (error) {
      const told = Object.entries(error.details?.fields ?? {});
      for (const [name, words] of told) (inputs.get(name)?.wrong ?? problem).textContent = words;
      if (!told.length) problem.textContent = explain(error, t);
      [...inputs.values()].find(({ wrong }) => wrong.textContent)?.input.focus();
    }
    done.removeAttribute('aria-busy');
  });
  return { node, focus: () => inputs.values().next().value?.input.focus(), inputs };
}

const framed = (form) => ({ ...form, node: h('section', { class: 'snapshot card' }, h('div', { class: 'part' }, form.node)) });

/** `done(id)`: it was made. */
export function newContactForm(live, { done, close }) {
  const t = (key, values) => live.t(key, values);
  const names = [['name'], ['company'], ['numbers', 'number', 'tel', 80], ['emails', 'email', 'email', 254]];
  return framed(
    fields(live, {
      title: t('contacts.new'),
      names: names.map(([name, label = name, type, most]) => ({ name, label: t(`contacts.col_${label}`), type, most })),
      button: t('contacts.new'),
      close,
      send: async ({ name, company, numbers, emails }) => {
        const body = { name, company, numbers: numbers.trim() ? [{ number: numbers }] : [], emails: emails.trim() ? [{ email: emails }] : [] };
        done((await live.request('/desk/contacts', body)).id);
      },
    }),
  );
}

/** `done(conversation)`: the first text to a number with which there is no conversation. `preferred`: the line to begin with. */
export function textForm(live, { number, lines: { preferred }, done, close }) {
  const t = (key, values) => live.t(key, values);
  const by = h('select', { class: 'field', disabled: true });
  const none = h('p', { class: 'wrong', role: 'alert' });
  const above = h('div', {}, h('label', { class: 'labelled' }, h('span', { class: 'small', text: t('contacts.by_line') }), by), none);
  let asked = { command: '' };
  const form = fields(live, {
    title: t('contacts.text_number', { number: number.spoken }),
    names: [{ name: 'text', label: t('contacts.text_body'), type: 'lines', most: 6400 }], // the desk says what is too long
    button: t('contacts.send'),
    above,
    close,
    send: async ({ text }) => {
      if (by.disabled && !(await choices())) return;
      // One text is asked for by one command, however often its button is pressed: the answer may have been lost.
      if (asked.line !== by.value || asked.text !== text) asked = { line: by.value, text, command: newId() };
      const { conversation } = await live.request(`/desk/lines/${asked.line}/messages`, { to: number.number, text, command: asked.command });
      done(conversation);
    },
  });

  /** Texts do not go by the lines that calls go by. Whether there is one to choose. */
  async function choices() {
    const { lines } = await live.request('/desk/text-lines');
    by.replaceChildren(...lines.map((line) => h('option', { value: line.id, text: line.name })));
    if (lines.some((line) => line.id === preferred?.id)) by.value = preferred.id;
    by.disabled = !lines.length;
    none.textContent = lines.length ? '' : t('contacts.text_no_line');
    return lines.length > 0;
  }

  choices().catch((error) => (none.textContent = explain(error, t)));
  return form;
}

/** `done()`: both are one. */
export function mergeForm(live, { contact, done, close }) {
  const t = (key, values) => live.t(key, values);
  const name = (one) => one.name || one.company || one.numbers[0]?.spoken || t('contacts.unnamed');
  const input = h('input', { class: 'field', type: 'search', 'aria-label': t('contacts.merge_find'), maxlength: 200, autocomplete: 'off' });
  const list = h('ul', { class: 'lines-of candidates' });
  const problem = h('p', { class: 'wrong', role: 'alert' });
  const node = h('div', { class: 'small-form' }, h('h2', { class: 'form-title', text: t('contacts.merge_find') }), input, list, problem, h('div', { class: 'form-deeds' }, h('button', { type: 'button', onclick: close }, t('contacts.cancel'))));
  let asked = 0;
  let soon = null;

  async function find() {
    const mine = ++asked;
    try {
      const page = await live.request(`/desk/contacts?${new URLSearchParams({ search: input.value, limit: 8 })}`);
      if (mine !== asked) return;
      const others = page.contacts.filter((one) => one.id !== contact.id);
      problem.textContent = '';
      list.replaceChildren(...(others.length ? others.map(candidate) : [h('li', { class: 'soft small', text: t('contacts.merge_none') })]));
    } catch (error) {
      problem.textContent = explain(error, t);
    }
  }

  function candidate(one) {
    const about = [one.company, one.numbers[0]?.spoken, one.emails[0]?.email].filter(Boolean).join(' · ');
    return h('li', {}, h('button', { type: 'button', class: 'plain item', onclick: () => ask(one) }, h('span', { class: 'sign' }, icon('person')), h('span', { class: 'two' }, h('span', { class: 'first cut', text: name(one) }), h('span', { class: 'soft small detail', text: about }))));
  }

  function ask(one) {
    const sure = h('button', { type: 'button', class: 'primary', onclick: merge }, t('contacts.merge_do'));
    async function merge() {
      if (sure.getAttribute('aria-busy') === 'true') return;
      sure.setAttribute('aria-busy', 'true');
      try {
        await live.request(`/desk/contacts/${contact.id}/merge`, { with: one.id });
        done();
      } catch (error) {
        sure.removeAttribute('aria-busy');
        problem.textContent = Object.values(error.details?.fields ?? {})[0] ?? explain(error, t);
      }
    }
    node.replaceChildren(h('p', { text: t('contacts.merge_ask', { name: name(one), into: name(contact) }) }), problem, h('div', { class: 'form-deeds' }, h('button', { type: 'button', onclick: close }, t('contacts.cancel')), sure));
    sure.focus();
  }

  input.addEventListener('input', () => {
    clearTimeout(soon);
    soon = setTimeout(find, 200);
  });
  input.value = contact.name.split(' ').at(-1); // whoever is called alike first
  find();
  return { node, focus: () => (input.focus(), input.select()) };
}

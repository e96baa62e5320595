// Who the customer is: name, company, numbers, e-mails, the company's own fields and a description, each edited in its place; or,
// of a number that is nobody's, who it may be, and a way to say so.

import { h, icon, initials } from './dom.js';
import { explain } from './explain.js';
import { inPlace } from './in_place.js';

/** `changed()`: look at the desk again. `writes`: may change contacts. */
export function profile(live, { writes, changed }) {
  const t = (key, values) => live.t(key, values);
  const node = h('section', { class: 'part profile', 'aria-label': t('profile.title') });
  const declined = new Set(); // "maybe" contacts of whom the user said no, for as long as the page is there
  let now = null; // the snapshot
  let drawn = '';
  let rows = []; // those on show, with what each shows of a contact

  const editing = () => rows.some(({ row }) => row.editing);

  async function patch(body) {
    try {
      await live.request(`/desk/contacts/${now.contact.id}`, body, { method: 'PATCH' });
    } catch (error) {
      if (error.code === 'changed') changed();
      throw error;
    }
    changed();
  }

  function row(label, options, value, name = '') {
    const made = inPlace(live, { label, writes, fieldName: name, ...options });
    rows.push({ row: made, value });
    made.set(value(now));
    return made.node;
  }

  const simple = (name, options = {}) => row(t(`profile.${name}`), { add: t(`profile.add.${name}`), save: (value) => patch({ [name]: value }), ...options }, (found) => found.contact?.[name] ?? '', name);

  /** One of several: emptied, it goes. The list is sent whole, so it must be the one that was looked at. */
  function several(list, key, kind) {
    const entries = now.contact[list];
    const send = (i, value) => {
      const next = now.contact[list].map((one) => ({ [key]: one[key], label: one.label ?? '' }));
      if (i === null) next.push({ [key]: value, label: '' });
      else if (value) next[i] = { ...next[i], [key]: value };
      else next.splice(i, 1);
      return patch({ [list]: next, version: now.contact.version });
    };
    const label = t(`profile.${key}`);
    const shown = (one) => (value) => h('span', {}, value === one[key] && one.spoken ? `${one.flag ? `${one.flag} ` : ''}${one.spoken}` : value, one.label ? h('span', { class: 'soft', text: ` ${one.label}` }) : '');
    return [
      ...entries.map((one, i) => row(`${label} ${one.spoken ?? one[key]}`, { kind, save: (value) => send(i, value), show: shown(one) }, () => one[key], list)),
      writes ? row(label, { kind, add: t(`profile.add.${key}`), save: (value) => send(null, value) }, () => '', list) : null,
    ];
  }

  function custom(field) {
    const kind = field.kind === 'text' ? 'text' : field.kind;
    const options = { kind, choices: field.choices, add: t('profile.add.value'), save: (value) => patch({ custom: { [field.id]: value } }), show: field.kind === 'link' ? link : (value) => value };
    return h('div', { class: 'pair' }, h('span', { class: 'soft small', text: field.name }), row(field.name, options, (found) => String(found.contact?.custom[field.id] ?? ''), `custom.${field.id}`));
  }

  function link(value) {
    let safe = null;
    try {
      const url = new URL(value);
      if (['http:', 'https:'].includes(url.protocol)) safe = url.href;
    } catch {
      /* shown as it is */
    }
    return safe ? h('a', { href: safe, target: '_blank', rel: 'noopener noreferrer', class: 'cut', text: value }) : value;
  }

  // ---- a contact

  function known() {
    const { contact, fields } = now;
    const shown = fields.filter((field) => writes || contact.custom[field.id]);
    return [
      h('div', { class: 'top' }, h('span', { class: 'face', 'aria-hidden': 'true' }, initials(contact.name) || icon('person')), h('div', { class: 'grow' }, h('div', { class: 'name' }, simple('name')), simple('company'))),
      h('div', { class: 'ways' }, h('div', { class: 'way-of' }, icon('phone'), h('div', { class: 'list' }, ...several('numbers', 'number', 'tel').filter(Boolean))), h('div', { class: 'way-of' }, icon('mail'), h('div', { class: 'list' }, ...several('emails', 'email', 'email').filter(Boolean)))),
      shown.length ? h('div', { class: 'custom' }, ...shown.map(custom)) : null,
      simple('description', { kind: 'lines', show: (value) => h('span', { class: 'lines', text: value }) }),
    ];
  }

  // ---- nobody's number

  function stranger() {
    const { party } = now;
    const spoken = `${party.flag ? `${party.flag} ` : ''}${party.spoken}`;
    const [title, more] = party.anonymous ? [t('caller.anonymous'), t('profile.hidden')] : party.display ? [party.display, `${spoken} · ${t('profile.unknown')}`] : [spoken, t('profile.unknown')];
    const top = h('div', { class: 'top' }, h('span', { class: 'face', 'aria-hidden': 'true' }, icon('person')), h('div', { class: 'grow' }, h('p', { class: 'name', text: title }), h('p', { class: 'soft small', text: more })));
    if (party.anonymous) return [top];
    const candidates = (now.maybe ?? []).filter((one) => !declined.has(one.id));
    return [top, ...candidates.map(maybe), writes && !candidates.length ? newContact() : null];
  }

  function maybe(one) {
    const problem = h('p', { class: 'wrong', role: 'alert' });
    const name = one.name || one.company || t('profile.unnamed');
    const yes = h('button', { type: 'button', onclick: confirm }, t('profile.maybe.yes'));
    const no = h('button', { type: 'button', class: 'plain', onclick: () => (declined.add(one.id), redraw()) }, t('profile.maybe.no'));
    const why = one.why === 'name' ? t('profile.maybe.name') : t('profile.maybe.number', { numbers: one.numbers.map((each) => each.spoken ?? each.number).join(', ') });
    async function confirm() {
      if (yes.getAttribute('aria-busy') === 'true') return;
      yes.setAttribute('aria-busy', 'true');
      problem.textContent = '';
      try {
        await live.request(`/desk/contacts/${one.id}/numbers`, { number: now.party.number });
        changed();
      } catch (error) {
        problem.textContent = explain(error, t);
      } finally {
        yes.removeAttribute('aria-busy');
      }
    }
    return h('div', { class: 'maybe' }, h('p', {}, h('strong', { text: t('profile.maybe', { name }) }), one.name && one.company ? h('span', { class: 'soft', text: ` · ${one.company}` }) : ''), h('p', { class: 'soft small', text: why }), writes ? h('div', { class: 'deeds' }, yes, no) : null, problem);
  }

  function newContact() {
    const create = (name) => live.request('/desk/contacts', { name, numbers: [{ number: now.party.number }] }).then(changed);
    return row(t('profile.name'), { add: t('profile.create'), save: create }, () => '', 'name');
  }

  // ---- drawing

  function redraw() {
    drawn = '';
    update(now);
  }

  /** Drawn anew only when something is not as it was, and never under somebody who is typing. */
  function update(found) {
    now = found;
    const all = JSON.stringify([found.contact, found.fields, found.party, found.maybe, [...declined]]);
    if (all === drawn) return;
    if (editing()) {
      for (const { row: one, value } of rows) if (!one.editing) one.set(value(found));
      return;
    }
    drawn = all;
    rows = [];
    const inside = node.contains(node.getRootNode().activeElement) ? node.getRootNode().activeElement.getAttribute('aria-label') : null;
    node.replaceChildren(...(found.contact ? known() : stranger()).filter(Boolean));
    if (inside) [...node.querySelectorAll('button')].find((one) => one.getAttribute('aria-label') === inside)?.focus();
  }
  return { node, update };
}

// Who the customer is: name, company, numbers, e-mails, the company's own fields and a description, each edited in its place; or,
// of a number that is nobody's, who it may be.

import { changeContact, setEntry, setLabel, setValue } from './contact_change.js';
import { h, icon, initials } from './dom.js';
import { inPlace } from './in_place.js';
import { stranger } from './profile_stranger.js';

const PRESS_MS = 400; // whoever left a field by a click is still pressing: nothing is drawn anew under it
const PRIORITIES = ['1', '2', '3', '4', '5', '6', '7', '8', '9'];

/**
 * `changed()`: look at the desk again. `writes`: may change contacts; `leads`: may say who is served first, and erase.
 * `here`: the conversation it stands beside.
 */
export function profile(live, { writes, leads = false, here = '', changed }) {
  const t = (key, values) => live.t(key, values);
  const node = h('section', { class: 'part profile', 'aria-label': t('profile.title') });
  let now = null; // the snapshot
  let drawn = '';
  let shown = null; // whose profile is drawn
  let rows = []; // those on show, with what each shows of a contact

  const nobody = stranger(live, { writes, leads, here, changed, row, redraw });
  const editing = () => nobody.editing || rows.some(({ row }) => row.editing);
  const closed = () => setTimeout(() => node.isConnected && update(now), PRESS_MS);

  function row(label, options, value, name = '') {
    const made = inPlace(live, { label, writes, fieldName: name, closed, ...options });
    rows.push({ row: made, value });
    made.set(value(now));
    return made.node;
  }

  /** `set(seen, wanted, force)` makes the change: always of the contact whose row it is, whoever is on show by then. */
  function saver(set) {
    const mine = now.contact;
    return async (wanted, seen, force) => {
      try {
        await changeContact(live, now.contact?.id === mine.id ? now.contact : mine, set(seen, wanted, force));
      } finally {
        changed();
      }
    };
  }

  const of = (found, name) => found.contact?.[name] ?? '';
  const simple = (name, options = {}) => {
    const save = saver(setValue((contact) => contact[name] ?? '', (text) => ({ [name]: text })));
    return row(t(`profile.${name}`), { add: t(`profile.add.${name}`), save, ...options }, (found) => of(found, name), name);
  };

  /** Numbers or e-mails, each with what it is; one that is emptied goes. */
  function several(list, key, kind) {
    const label = t(`profile.${key}`);
    const entry = (one) => {
      const spoken = one.spoken ?? one[key];
      const show = (value) => h('span', { text: value === one[key] ? `${one.flag ? `${one.flag} ` : ''}${spoken}` : value });
      const about = t('profile.label', { what: spoken });
      const hints = t(`profile.labels.${key}`).split(', ');
      return h('div', { class: 'entry' },
        row(`${label} ${spoken}`, { kind, save: saver(setEntry(list, key)), show }, () => one[key], list),
        row(about, { add: about, short: t('profile.add.label'), most: 40, hints, save: saver(setLabel(list, key, one[key])), show: (value) => h('span', { class: 'soft small', text: value }) }, () => one.label ?? '', list));
    };
    return [...now.contact[list].map(entry), writes ? row(label, { kind, add: t(`profile.add.${key}`), save: saver(setEntry(list, key)) }, () => '', list) : null];
  }

  const pair = (name, content) => h('div', { class: 'pair' }, h('span', { class: 'soft small', text: name }), content);

  function custom(field) {
    const text = (contact) => String(contact?.custom[field.id] ?? '');
    const save = saver(setValue(text, (value) => ({ custom: { [field.id]: value } })));
    const options = { kind: field.kind, choices: field.choices, add: t('profile.add.value'), save, show: field.kind === 'link' ? link : (value) => value };
    return pair(field.name, row(field.name, options, (found) => text(found.contact), `custom.${field.id}`));
  }

  /** Who is served first when many wait: leaders say so. */
  function priority() {
    const text = (contact) => String(contact?.priority ?? '');
    const save = saver(setValue(text, (value) => ({ priority: value ? Number(value) : null })));
    return pair(t('profile.priority'), row(t('profile.priority'), { kind: 'choice', choices: PRIORITIES, add: t('profile.add.priority'), writes: leads, save, show: (value) => (value === '1' ? t('profile.priority_first') : value) }, (found) => text(found.contact), 'priority'));
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
    const further = fields.filter((field) => writes || contact.custom[field.id]).map(custom);
    if (leads || contact.priority) further.push(priority());
    return [
      h('div', { class: 'top' }, h('span', { class: 'face', 'aria-hidden': 'true' }, initials(contact.name) || icon('person')), h('div', { class: 'grow' }, h('div', { class: 'name' }, simple('name')), simple('company'))),
      h('div', { class: 'ways' }, h('div', { class: 'way-of' }, icon('phone'), h('div', { class: 'list' }, ...several('numbers', 'number', 'tel').filter(Boolean))), h('div', { class: 'way-of' }, icon('mail'), h('div', { class: 'list' }, ...several('emails', 'email', 'email').filter(Boolean)))),
      further.length ? h('div', { class: 'custom' }, ...further) : null,
      simple('description', { kind: 'lines', show: (value) => h('span', { class: 'lines', text: value }) }),
    ];
  }

  // ---- drawing

  function redraw() {
    drawn = '';
    update(now);
  }

  /** Drawn anew only when something is not as it was, and never under somebody who is typing about the same customer. */
  function update(found) {
    now = found;
    const whose = found.contact?.id ?? found.party?.number;
    const all = JSON.stringify([found.contact, found.fields, found.party, found.maybe, nobody.state()]);
    if (all === drawn) return;
    if (editing() && whose === shown) {
      for (const { row: one, value } of rows) if (!one.editing) one.set(value(found));
      return;
    }
    [drawn, shown] = [all, whose];
    rows = [];
    nobody.reset();
    const inside = node.contains(node.getRootNode().activeElement) ? node.getRootNode().activeElement.getAttribute('aria-label') : null;
    node.replaceChildren(...(found.contact ? known() : nobody.draw(found)).filter(Boolean));
    if (inside) [...node.querySelectorAll('button')].find((one) => one.getAttribute('aria-label') === inside)?.focus();
  }
  return { node, update };
}

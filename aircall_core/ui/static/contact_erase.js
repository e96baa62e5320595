// Erasing a customer for good: what goes is said first, and the name, or the number once more, is typed.

import { fields } from './contact_forms.js';
import { h } from './dom.js';

/** A contact, or with `contact` null a number that is nobody's (`number`: which one). `done()`: the desk has begun. */
export function eraseFields(live, { contact = null, number = '', done, close }) {
  const t = (key, values) => live.t(key, values);
  const name = contact ? contact.name || contact.company || contact.numbers[0]?.number || contact.emails[0]?.email || '' : '';
  const keep = h('input', { type: 'checkbox' });
  const form = fields(live, {
    title: contact ? t('contacts.erase_title', { name }) : t('contacts.erase_title_number'),
    above: h('p', { class: 'small', text: t('contacts.erase_what') }),
    names: [
      ...(contact ? [] : [{ name: 'number', label: t('contacts.erase_number_label'), type: 'tel', most: 80 }]),
      { name: 'confirm', label: contact ? t('contacts.erase_confirm', { name }) : t('contacts.erase_confirm_number'), most: 400 },
    ],
    below: h('label', { class: 'check small' }, keep, t('contacts.erase_keep')),
    button: t('contacts.erase_do'),
    look: 'reject',
    close,
    send: async (typed) => {
      const body = { confirm: typed.confirm, keep_wishes: keep.checked };
      if (contact) await live.request(`/desk/contacts/${contact.id}`, body, { method: 'DELETE' });
      else await live.request('/desk/erasures', { ...body, number: typed.number });
      done();
    },
  });
  if (number) form.inputs.get('number').input.value = number;
  return form;
}

/** Callers of a line who hid their number: one call of the newest, or all. `line`: its name. */
export function eraseHidden(live, { conversation, line, calls, done, close }) {
  const t = (key, values) => live.t(key, values);
  const locale = document.documentElement.lang || undefined;
  const moment = (at) => new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }).format(at);
  const which = h('select', { class: 'field' }, ...calls.map((one) => h('option', { value: one.id, text: t('erase.call', { at: moment(one.at) }) })), h('option', { value: '', text: t('erase.all', { line }) }));
  return fields(live, {
    title: t('erase.hidden'),
    above: h('div', { class: 'small-form' }, h('p', { class: 'small', text: t('contacts.erase_what') }), h('label', { class: 'labelled' }, h('span', { class: 'small', text: t('erase.which') }), which)),
    names: [{ name: 'confirm', label: t('contacts.erase_confirm', { name: line }), most: 400 }],
    button: t('contacts.erase_do'),
    look: 'reject',
    close,
    send: async ({ confirm }) => {
      await live.request(`/desk/conversations/${conversation}/erase`, { confirm, call: which.value || null });
      done();
    },
  });
}

/** The same beside the list of contacts. */
export function eraseForm(live, what) {
  const form = eraseFields(live, what);
  return { ...form, node: h('section', { class: 'snapshot card' }, h('div', { class: 'part' }, form.node)) };
}

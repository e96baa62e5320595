// Erasing a customer for good: what goes is said first, and the name, or the number once more, is typed.

import { fields } from './contact_forms.js';
import { h } from './dom.js';

/** `contact` null: a number that is no contact's. `done()`: the desk has begun. */
export function eraseForm(live, { contact, done, close }) {
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
    send: async ({ number, confirm }) => {
      const body = { confirm, keep_wishes: keep.checked };
      if (contact) await live.request(`/desk/contacts/${contact.id}`, body, { method: 'DELETE' });
      else await live.request('/desk/erasures', { ...body, number });
      done();
    },
  });
  return { ...form, node: h('section', { class: 'snapshot card' }, h('div', { class: 'part' }, form.node)) };
}

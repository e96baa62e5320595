// Texts that leaders have prepared, filled in for this customer; what could not be filled in is said before it is chosen.

import { h } from './dom.js';

const PLACE = /\{\{\s*([\w.]+)\s*\}\}/g;
const MANY = 6; // from how many on there is a field to search them

/** Names of places in a text that nothing was filled into. */
export function unfilled(text) {
  return [...new Set([...text.matchAll(PLACE)].map(([, name]) => name))];
}

/** What a template's place is called. */
export const placeName = (live, name) => (live.text[`place.${name}`] ? live.t(`place.${name}`) : name);

export function templateList(live, templates, take) {
  const t = (key, values) => live.t(key, values);
  const search = h('input', { type: 'search', class: 'field', placeholder: t('template.search'), 'aria-label': t('template.search'), oninput: draw, 'data-first': true });
  const list = h('ul', { class: 'templates' });

  function one(template) {
    const missing = template.missing ?? unfilled(template.filled);
    return h(
      'li',
      {},
      h(
        'button',
        { type: 'button', class: 'plain template', onclick: () => take(template.filled) },
        h('strong', { class: 'cut', text: template.name }),
        h('span', { class: 'preview', text: template.filled }),
        missing.length ? h('span', { class: 'missing', text: t('template.missing', { names: missing.map((name) => placeName(live, name)).join(', ') }) }) : null,
      ),
    );
  }

  function draw() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = templates.filter(({ name, filled }) => words.every((word) => `${name} ${filled}`.toLowerCase().includes(word)));
    list.replaceChildren(...(found.length ? found.map(one) : [h('li', { class: 'soft', text: t('template.none') })]));
  }
  draw();
  return templates.length >= MANY ? [search, list] : [list];
}

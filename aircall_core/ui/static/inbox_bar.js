// What stands above the inbox's list: the views, the search, the filters, the order, and the categories with their counts.

import { CATEGORIES, FILTERS, TYPES, VIEWS, active, countable } from './inbox_choice.js';
import { h, icon } from './dom.js';
import { menu } from './menu.js';

const TYPING_MS = 250;
const MOST = 999;

/** `known()`: {lines, users, tags}; `changed(what)` is called when `choice` has been changed. */
export function inboxBar(live, choice, { known, changed }) {
  const t = (key, values) => live.t(key, values);
  let soon = null;

  const tabs = h('div', { class: 'views', role: 'group', 'aria-label': t('inbox.views') });
  for (const view of [...VIEWS, 'callbacks']) {
    tabs.append(h('button', { type: 'button', 'data-view': view, onclick: () => change({ view }) }, h('span', { text: t(`inbox.view_${view}`) })));
  }
  const input = h('input', { type: 'search', maxlength: 200, 'aria-label': t('inbox.search'), placeholder: t('inbox.search_hint'), autocomplete: 'off', spellcheck: 'false', oninput: typed, onkeydown: (event) => event.key === 'Enter' && search() });
  const filter = h('button', { type: 'button', class: 'tool' }, icon('filter'), h('span', { text: t('inbox.filters') }), h('span', { class: 'dot', hidden: true }));
  const sort = h('button', { type: 'button', class: 'tool', onclick: () => change({ oldest: !choice.oldest }) }, icon('sort'), h('span', {}));
  const filters = menu(filter, t('inbox.filters'), fields);
  const tools = h('div', { class: 'tools' }, h('div', { class: 'box' }, icon('find'), input), filter, sort);
  const categories = h('div', { class: 'categories', role: 'group', 'aria-label': t('inbox.categories') });
  const chips = h('div', { class: 'chips', hidden: true });
  const node = h('div', { class: 'bar' }, tabs, tools, categories, chips, filters.node);
  for (const category of CATEGORIES) {
    categories.append(h('button', { type: 'button', 'data-category': category, onclick: () => change({ category }) }, h('span', { text: t(`inbox.${category}`) }), h('span', { class: 'count num' })));
  }

  function change(now) {
    Object.assign(choice, now);
    draw();
    changed();
  }

  function typed() {
    clearTimeout(soon);
    soon = setTimeout(search, TYPING_MS);
  }

  function search() {
    clearTimeout(soon);
    if (choice.search.trim() !== input.value.trim()) change({ search: input.value });
  }

  const set = (name, value) => change({ filters: { ...choice.filters, [name]: value } });

  function select(name, options) {
    const node = h('select', { onchange: () => set(name, node.value) }, h('option', { value: '', text: t(`inbox.any_${name}`) }), ...options.map(([value, text]) => h('option', { value, text, selected: choice.filters[name] === value })));
    return h('label', {}, h('span', { text: t(`inbox.by_${name}`) }), node);
  }

  function day(name) {
    const node = h('input', { type: 'date', value: choice.filters[name], onchange: () => set(name, node.value) });
    return h('label', {}, h('span', { text: t(`inbox.${name}`) }), node);
  }

  /** The menu's fields, as the view has them. */
  function fields() {
    const { lines, users, tags } = known();
    const calls = choice.view === 'calls';
    const span = h('div', { class: 'span', hidden: choice.filters.days !== 'span' }, day('from'), day('to'));
    const days = select('days', [['today', t('inbox.today')], ...[7, 30, 90].map((n) => [`${n}`, t('inbox.days', { days: n })]), ['span', t('inbox.span')]]);
    days.querySelector('select').addEventListener('change', (event) => (span.hidden = event.target.value !== 'span'));
    const shown = h('fieldset', {}, h('legend', { text: t('inbox.shown') }), ...CATEGORIES.map((one) => {
      const box = h('input', { type: 'checkbox', checked: choice.shown.includes(one), onchange: () => show(one, box) });
      return h('label', { class: 'check' }, box, h('span', { text: t(`inbox.${one}`) }));
    }));
    return [
      days,
      span,
      lines.length > 1 ? select('line', lines.map((one) => [one.id, one.name])) : null,
      TYPES[choice.view]?.length ? select('type', TYPES[choice.view].map((one) => [one, t(`inbox.type_${one}`)])) : null,
      calls ? select('user', users.map((one) => [one.id, one.name])) : null,
      calls && tags.length ? select('tag', tags.map((one) => [one.id, one.name])) : null,
      shown,
      h('div', { class: 'foot' }, h('button', { type: 'button', onclick: () => (clear(), filters.close()) }, t('inbox.clear')), h('button', { type: 'button', class: 'accept', onclick: () => filters.close() }, t('inbox.done'))),
    ].filter(Boolean);
  }

  function show(category, box) {
    const shown = CATEGORIES.filter((one) => (one === category ? box.checked : choice.shown.includes(one)));
    if (!shown.length) return void (box.checked = true); // one is left at least
    change({ shown, category: shown.includes(choice.category) ? choice.category : shown[0] });
  }

  const clear = () => change({ filters: Object.fromEntries(FILTERS.map((name) => [name, ''])) });

  function said(name) {
    const value = choice.filters[name];
    const { lines, users, tags } = known();
    if (name === 'days') return value === 'span' ? null : value === 'today' ? t('inbox.today') : t('inbox.days', { days: value });
    if (name === 'type') return t(`inbox.type_${value}`);
    if (name === 'from' || name === 'to') return `${t(`inbox.${name}`)} ${new Date(`${value}T00:00`).toLocaleDateString()}`;
    return { line: lines, user: users, tag: tags }[name].find((one) => one.id === value)?.name ?? '';
  }

  function draw() {
    const listed = choice.view !== 'callbacks';
    for (const button of tabs.children) button.setAttribute('aria-pressed', String(button.dataset.view === choice.view));
    for (const button of categories.children) {
      button.setAttribute('aria-pressed', String(button.dataset.category === choice.category));
      button.hidden = !choice.shown.includes(button.dataset.category);
    }
    tools.hidden = categories.hidden = !listed;
    const on = listed ? active(choice) : [];
    filter.querySelector('.dot').hidden = !on.length;
    filter.setAttribute('aria-label', on.length ? t('inbox.filters_on', { count: on.length }) : t('inbox.filters'));
    sort.lastChild.textContent = t(choice.oldest ? 'inbox.oldest' : 'inbox.newest');
    const marks = on.map((name) => [name, said(name)]).filter(([, text]) => text);
    chips.hidden = !marks.length;
    chips.replaceChildren(...marks.map(([name, text]) => h('button', { type: 'button', class: 'chip', 'aria-label': t('inbox.without', { filter: text }), onclick: () => set(name, '') }, h('span', { text }), icon('close'))));
  }

  function counts(now, callbacks) {
    for (const button of categories.children) {
      const count = now?.[button.dataset.category] ?? 0;
      // How many are closed, or are at all, tells nobody anything.
      const told = count && countable(choice) && !['closed', 'all'].includes(button.dataset.category);
      button.lastChild.textContent = told ? (count > MOST ? `${MOST}+` : `${count}`) : '';
    }
    const view = tabs.querySelector('[data-view=callbacks] span');
    view.textContent = callbacks ? `${t('inbox.view_callbacks')} (${callbacks})` : t('inbox.view_callbacks');
  }

  draw();
  return { node, draw, counts, change, clear, focus: () => input.focus(), stop: () => clearTimeout(soon), search: (text) => ((input.value = text), search()) };
}

// Choosing an emoji: the ones used last, then all by group; typing searches them, arrows move, Enter takes.

import { h } from './dom.js';
import { EMOJI, find } from './emoji.js';

const KEY = 'aircall.emoji';
const MOST_RECENT = 16;
const COLUMNS = 8;

/** The contents of the picker's window. `take(emoji)` is told what was chosen. */
export function emojiPicker(live, take) {
  const t = (key, values) => live.t(key, values);
  const search = h('input', { type: 'search', class: 'field', placeholder: t('emoji.search'), 'aria-label': t('emoji.search'), oninput: draw, onkeydown: fromField, 'data-first': true });
  const list = h('div', { class: 'emoji', onkeydown: move });
  const said = h('p', { class: 'sr', role: 'status' });

  function choose(emoji) {
    keep(live, emoji);
    take(emoji);
  }
  const button = ([emoji, name]) => h('button', { type: 'button', class: 'plain one', title: name, 'aria-label': name, tabindex: '-1', text: emoji, onclick: () => choose(emoji) });
  const group = (title, some) => (some.length ? [h('h3', { text: title }), h('div', { class: 'grid', role: 'group', 'aria-label': title }, ...some.map(button))] : []);

  function draw() {
    const found = search.value.trim() ? find(search.value) : null;
    if (found) list.replaceChildren(...(found.length ? group(t('emoji.found'), found) : [h('p', { class: 'soft', text: t('emoji.none') })]));
    else list.replaceChildren(...group(t('emoji.recent'), recent(live)), ...EMOJI.flatMap(([name, some]) => group(t(`emoji.${name}`), some)));
    said.textContent = found ? (found.length ? t('emoji.count', { count: found.length }) : t('emoji.none')) : '';
    list.scrollTop = 0;
    const first = list.querySelector('.one');
    if (first) first.tabIndex = 0;
  }

  function fromField(event) {
    const first = list.querySelector('.one');
    if (event.key === 'ArrowDown' && first) {
      event.preventDefault();
      first.focus();
    }
    if (event.key === 'Enter' && first && search.value.trim()) {
      event.preventDefault();
      first.click();
    }
  }

  function move(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [...list.querySelectorAll('.one')];
    const now = all.indexOf(list.getRootNode().activeElement);
    const next = all[Math.min(all.length - 1, now + step)];
    if (now + step < 0) search.focus();
    else next?.focus();
  }

  draw();
  return [search, list, said];
}

function recent(live) {
  try {
    const names = new Map(EMOJI.flatMap(([, list]) => list));
    const kept = JSON.parse(live.env.localStorage.getItem(KEY) ?? '[]');
    return kept.filter((one) => names.has(one)).map((one) => [one, names.get(one)]);
  } catch {
    return [];
  }
}

function keep(live, emoji) {
  try {
    const list = [emoji, ...recent(live).map(([one]) => one).filter((one) => one !== emoji)];
    live.env.localStorage.setItem(KEY, JSON.stringify(list.slice(0, MOST_RECENT)));
  } catch {
    /* a browser that keeps nothing has no recent ones */
  }
}

// The company's tags as chips: a call's tags in the call and after it, and the choice for one that owes a tag.

import { h, icon, listeners } from './dom.js';
import { explain } from './explain.js';
import { newId } from './live.js';
import { inside } from './note_pad.js';

const SEARCH_FROM = 9; // so many tags are looked through by eye
const AGAIN_MS = 5000;

/**
 * Chips of all tags that can be chosen. `chosen`: a Set of ids, changed by `toggle(id)`; `failed(error)` says why there are none,
 * `came()` that they are there.
 */
export function tagChips(live, { chosen, toggle, failed, came = () => {} }) {
  const t = (key, values) => live.t(key, values);
  let tags = null; // as the desk has them; null: not asked yet
  let broken = false;
  let asking = false;
  const search = h('input', { type: 'search', 'aria-label': t('tags.search'), placeholder: t('tags.search'), autocomplete: 'off', hidden: true, oninput: draw, onkeydown: inside });
  const list = h('div', { class: 'chips', role: 'group', 'aria-label': t('tags.list') });
  const chips = new Map();

  async function load() {
    broken = false;
    asking = true;
    tags = [];
    try {
      tags = (await live.request('/desk/tags')).tags;
    } catch (error) {
      broken = true;
      tags = null;
      failed(error);
    }
    asking = false;
    draw();
    if (tags) came();
  }

  function draw() {
    if (!tags) {
      if (!broken) load();
      return;
    }
    const open = tags.filter((one) => !one.archived || chosen.has(one.id));
    const wanted = search.value.trim().toLowerCase();
    search.hidden = open.length < SEARCH_FROM;
    const shown = open.filter((one) => one.name.toLowerCase().includes(wanted) || chosen.has(one.id));
    const nodes = shown.map(chip);
    const asBefore = nodes.length === list.children.length && nodes.every((one, i) => one === list.children[i]);
    if (!asBefore) list.replaceChildren(...nodes); // one that has the focus would lose it
  }

  function chip(tag) {
    let one = chips.get(tag.id);
    if (!one) {
      const swatch = h('span', { class: 'swatch', 'aria-hidden': 'true' });
      swatch.style.background = tag.color;
      one = h('button', { type: 'button', class: 'chip', onclick: () => toggle(tag.id) }, swatch, h('span', { class: 'cut', text: tag.name }), icon('check'));
      chips.set(tag.id, one);
    }
    one.setAttribute('aria-pressed', String(chosen.has(tag.id)));
    return one;
  }

  return {
    search,
    list,
    draw,
    load,
    get broken() {
      return broken;
    },
    get known() {
      return Boolean(tags) && !asking;
    },
    clear: () => (search.value = ''),
    forget: () => ((tags = null), (broken = false), chips.clear()),
  };
}

/** The tags of a call, changed by a click each. */
export function callTags(live, say) {
  const t = (key, values) => live.t(key, values);
  const subs = listeners();
  const chosen = new Set();
  let call = null;
  let busy = false;
  let reading = 0; // which of our questions counts: an answer that is older than an event does not
  let unread = ''; // why the call's or the company's tags are not known
  let soon = null;
  const chips = tagChips(live, { chosen, toggle, failed: missed, came: settled });
  const node = h('div', { class: 'tags' }, h('p', { class: 'heading', text: t('tags.list') }), chips.search, chips.list);

  function take(ids) {
    reading += 1;
    chosen.clear();
    ids.forEach((id) => chosen.add(id));
    chips.list.inert = false;
    chips.draw();
    settled();
  }

  function settled() {
    if (unread && chips.known && !chips.list.inert) say((unread = ''));
  }

  /** Until the call's tags are known none can be chosen: a choice names all of them, and would take a colleague's away. */
  async function load() {
    live.env.cancel(soon);
    if (chips.broken) chips.forget();
    const mine = (reading += 1);
    try {
      const { tags } = await live.request(`/desk/calls/${call}/tags`);
      if (mine === reading) take(tags);
    } catch (error) {
      if (mine === reading) missed(error);
    }
  }

  function missed(error) {
    unread = explain(error, t);
    say(unread);
    live.env.cancel(soon);
    const final = error.status >= 400 && error.status < 500;
    if (!final) soon = live.env.after(AGAIN_MS, () => call && load());
  }

  /** Absolute: all tags that the call has from now on. The desk's answer means that it has them. */
  async function toggle(id) {
    if (busy) return;
    const wanted = new Set(chosen);
    if (!wanted.delete(id)) wanted.add(id);
    const of = call;
    busy = true;
    chips.list.setAttribute('aria-busy', 'true');
    try {
      await live.request(`/desk/calls/${of}/tags`, { tags: [...wanted], command: newId() });
      if (of === call) take([...wanted]);
      say((unread = ''));
    } catch (error) {
      chips.forget(); // one of them may be gone
      say(error.details?.fields?.tags ?? explain(error, t));
      load();
    } finally {
      busy = false;
      chips.list.removeAttribute('aria-busy');
    }
  }

  subs.on(live, 'event', ({ detail: { event } }) => {
    if (event.kind === 'call.tagged' && event.call_id === call) take(event.data.tags);
    if (event.kind === 'tag.changed') (chips.forget(), chips.draw());
  });
  subs.on(live, 'view', ({ detail }) => detail.snapshot && call && load());

  function of(id) {
    if (id === call) return;
    call = id;
    take([]);
    chips.clear();
    chips.list.inert = Boolean(call);
    if (call) load();
  }
  return { node, of, count: () => chosen.size, stop: () => (subs.stop(), live.env.cancel(soon)) };
}

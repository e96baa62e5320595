// The inbox: conversations, texts and calls as the user wants them listed, read from the desk, and live. What is new takes its
// place when neither the pointer nor the focus is in the list; until then a button says how much there is.

import { callbackCards } from './callbacks.js';
import { dialBox } from './dial.js';
import { h, listeners, mounter } from './dom.js';
import { explain } from './explain.js';
import { inboxBar } from './inbox_bar.js';
import { forget, isLost, kept, query, remember, remembered } from './inbox_choice.js';
import { inboxCounts } from './inbox_counts.js';
import { inboxDeeds } from './inbox_deeds.js';
import { inboxEmpty } from './inbox_empty.js';
import { Rows } from './inbox_list.js';
import { rowMaker } from './inbox_row.js';
import { shared } from './shared.js';
import { advance } from './story.js';

const PAGE = 50;
const MOST = 200; // rows the desk gives at once, and conversations it is asked for
const SOON_MS = 400;
const NAMES_MS = 3000; // an import changes contacts some at a time
const SETTLED_MS = 1500;
const LOOKS = 8; // pages without a hit before the user is asked whether to look further
// What rows are changed by; steps of a flow change a row in its place.
const TELLING = new Set(['call.arrived', 'call.dial_wanted', 'call.ringing', 'call.answered', 'call.overflow', 'call.returned', 'call.transferred', 'call.forwarded', 'call.redirected', 'call.ended', 'call.tagged', 'conversation.read', 'conversation.unread', 'conversation.opened', 'conversation.assigned', 'conversation.closed', 'conversation.reopened', 'message.received', 'message.written', 'message.state', 'message.put_aside', 'callback.requested', 'callback.settled']);
// What stands around the list is the page's: it is asked for that anew.
const AROUND = new Set(['user.status', 'user.changed', 'team.changed', 'line.changed', 'tag.changed', 'checklist.changed', 'company.changed', 'trunk.changed']);

function build(host, { data, trigger, rerun }) {
  const live = shared(data);
  const t = (key, values) => live.t(key, values);
  const subs = listeners();
  const may = data.role !== 'analyst';
  const locale = document.documentElement.lang || undefined;
  const time = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
  const day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
  const older = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year: 'numeric' });
  const storage = kept();
  const choice = remembered(storage, data.user);
  forget(choice, data);
  const rows = new Rows(choice.oldest);
  const views = new Map(); // id -> what rowMaker made
  const picks = new Set();
  let known = data;
  let asked = 0; // answers to a question that was changed since are let go
  let state = 'loading'; // loading, ready, failed
  let looked = 0;
  let partly = false; // a search has hits that were not looked at
  let current = null; // id of the row that the keyboard is on
  let lastPick = null;
  let cards = null;
  const stamps = {
    time,
    of(ms) {
      const [at, now] = [new Date(ms), new Date(live.now())];
      if (at.toDateString() === now.toDateString()) return time.format(at);
      return (at.getFullYear() === now.getFullYear() ? day : older).format(at);
    },
  };
  const lost = () => isLost(choice);
  const make = rowMaker(live, { does, may, stamps });
  const bar = inboxBar(live, choice, { known: () => known, changed });
  const counts = inboxCounts(live, choice, { paint: bar.counts, cards: () => cards });
  const deeds = inboxDeeds(live, { picked: () => rows.items.filter((one) => picks.has(one.id)), unpick, done, people: () => known.users, lost });
  const list = h('ol', { class: 'rows', 'aria-label': t('inbox.title'), onkeydown: keys, onfocusin: focused, onfocusout: () => setTimeout(maybeSettle), onpointerleave: () => setTimeout(maybeSettle) });
  const fresh = h('button', { type: 'button', class: 'fresh', hidden: true, onclick: () => (rows.settle(), draw()) });
  const waits = h('div', { class: 'rows waits', 'aria-hidden': 'true' }, ...Array.from({ length: 6 }, () => h('div', { class: 'ghost' }, h('span', {}), h('span', {}))));
  const none = inboxEmpty(live, choice, bar);
  const failed = h('div', { class: 'failed', role: 'alert', hidden: true }, h('p', {}), h('button', { type: 'button', onclick: () => load() }, t('retry')));
  const offline = h('p', { class: 'offline', role: 'status', hidden: true });
  const more = h('button', { class: 'more', type: 'button', hidden: true, onclick: () => further(true) }, t('inbox.more'));
  const said = h('p', { class: 'sr', role: 'status' });
  const dial = dialBox(live);
  const pane = h('div', { class: 'pane', hidden: true });
  host.append(bar.node, offline, deeds.bulk, failed, fresh, waits, list, none.node, more, none.wider, none.deeper, pane, deeds.notice, said, dial.node);

  // ---- asking

  const path = (extra) => `/desk/inbox?${query(choice, live.now(), extra)}`;

  function changed() {
    remember(storage, data.user, choice);
    picks.clear();
    current = null;
    load();
    counts.read();
  }

  /** The list from its beginning. */
  async function load() {
    const mine = ++asked;
    if (choice.view === 'callbacks') {
      rows.reset([], null); // nothing of a list that is not shown stays behind
      state = 'ready';
      return show();
    }
    state = 'loading';
    rows.reset([], null, choice.oldest);
    looked = 0;
    show();
    const page = await ask(mine, { limit: PAGE });
    if (!page) return;
    state = 'ready';
    rows.reset(page.rows, page.after, choice.oldest);
    show();
    if (!page.rows.length && page.after) further();
    said.textContent = page.rows.length ? '' : none.said();
  }

  async function ask(mine, extra) {
    try {
      const page = await live.request(path(extra));
      if (mine !== asked) return null;
      partly = page.older;
      return page;
    } catch (error) {
      if (mine !== asked) return null;
      state = 'failed';
      failed.firstChild.textContent = explain(error, t);
      show();
      return null;
    }
  }

  /** The next page. A filter that finds little looks at many, some pages at a time. */
  async function further(wanted = false) {
    if (!rows.after || more.getAttribute('aria-busy') === 'true') return;
    if (wanted) looked = 0;
    const mine = asked;
    more.setAttribute('aria-busy', 'true');
    const had = rows.items.length;
    while (mine === asked && rows.after && looked < LOOKS && rows.items.length < had + PAGE / 2) {
      const page = await ask(mine, { after: rows.after, limit: PAGE });
      if (!page) break;
      rows.append(page.rows, page.after);
      looked = page.rows.length ? 0 : looked + 1;
    }
    more.removeAttribute('aria-busy');
    if (mine !== asked) return;
    show();
    if (wanted && rows.items.length > had && more.matches(':focus')) view(rows.items[had]).link.focus();
  }

  /** Something may have been missed: what is new comes, and all that is listed is read anew, where it stands. */
  async function again() {
    if (choice.view === 'callbacks') return;
    if (state !== 'ready') return void load();
    const mine = asked;
    stale();
    try {
      const page = await live.request(path({ limit: PAGE }));
      if (mine !== asked) return;
      rows.change(page.rows, new Set(), { hold: busy() });
      show();
    } catch (error) {
      console.warn('aircall: the list could not be read anew', error.code);
    }
  }

  /** All that is listed may be other now. */
  function stale() {
    for (const one of rows.items) dirty.add(one.conversation);
    if (dirty.size) later();
  }

  let dirty = new Set();
  let soon = null;
  async function refresh() {
    soon = null;
    if (choice.view === 'callbacks' || state !== 'ready') return;
    const ids = [...dirty].slice(0, MOST);
    dirty = new Set([...dirty].slice(MOST));
    const mine = asked;
    let page = null;
    try {
      page = await live.request(path({ conversation: ids, limit: MOST }));
    } catch (error) {
      for (const id of ids) dirty.add(id); // asked again with the next thing that happens, or when the line is back
      console.warn('aircall: changed rows could not be read', error.code);
      return;
    }
    if (mine !== asked) return;
    rows.change(page.rows, new Set(ids), { hold: busy(), complete: !page.after });
    draw();
    if (dirty.size) later();
  }

  const later = () => (soon ??= setTimeout(refresh, SOON_MS));

  let renaming = null;
  function named(event) {
    if (event.data.what !== 'field') renaming ??= setTimeout(() => ((renaming = null), stale()), event.data.what === 'imported' ? NAMES_MS : SOON_MS);
  }

  // ---- drawing

  function show() {
    const listed = choice.view !== 'callbacks';
    if (listed === Boolean(cards)) {
      cards?.stop();
      pane.replaceChildren();
      cards = listed ? null : callbackCards(live, pane, { opens: (id) => trigger('open', id), counted: counts.waiting });
    }
    pane.hidden = listed;
    const ready = listed && state === 'ready';
    const nothing = ready && !rows.items.length;
    waits.hidden = !listed || state !== 'loading';
    failed.hidden = !listed || state !== 'failed';
    list.hidden = !listed || state === 'loading' || !rows.items.length;
    none.node.hidden = !nothing || (rows.after && looked < LOOKS);
    more.hidden = !ready || !rows.after;
    none.wider.hidden = !ready || nothing || !none.elsewhere();
    host.setAttribute('aria-busy', String(listed && state === 'loading'));
    none.draw(ready && !rows.after && partly);
    draw();
  }

  function view(item) {
    let made = views.get(item.id);
    if (!made) {
      made = make(item);
      made.node.dataset.id = item.id;
      views.set(item.id, made);
    }
    return made;
  }

  /** Every row in its place; nothing that is there is made anew, so that the focus stays. */
  function draw() {
    const keep = new Set(rows.items.map((one) => one.id));
    for (const [id, made] of views) {
      if (keep.has(id)) continue;
      made.node.remove();
      views.delete(id);
      picks.delete(id);
    }
    if (!keep.has(current)) current = rows.items[0]?.id ?? null;
    rows.items.forEach((item, index) => {
      const made = view(item);
      made.draw(item, { picked: picks.has(item.id), gone: rows.gone(item.id) });
      made.current(item.id === current);
      if (list.children[index] !== made.node) list.insertBefore(made.node, list.children[index] ?? null);
    });
    list.classList.toggle('picking', picks.size > 0);
    fresh.hidden = !rows.waiting.size || list.hidden;
    fresh.textContent = rows.coming ? t(rows.coming > 1 ? 'inbox.fresh_many' : 'inbox.fresh_one', { count: rows.coming }) : t('inbox.moved');
    list.hidden ||= !rows.items.length;
    deeds.draw();
  }

  // ---- the user

  const inside = () => list.contains(host.getRootNode().activeElement);
  const busy = () => list.matches(':hover') || inside() || picks.size > 0;

  function maybeSettle() {
    if (!busy() && rows.waiting.size) {
      rows.settle();
      show();
    }
  }

  function does(deed, item, event) {
    if (deed === 'open') return trigger('open', item.id === item.conversation ? item.conversation : { id: item.conversation, entry: item.id });
    if (deed === 'pick') return pick(item, event);
    if (deed === 'back') return dial.callBack(item.call, { name: item.name, number: item.party, spoken: item.number, line: item.line_id });
    if (deed === 'mine') return deeds.act('assign', [item], live.view.user);
    return deeds.act(deed, [item]);
  }

  function pick(item, event) {
    const on = !picks.has(item.id);
    const [from, to] = [lastPick, item.id].map((id) => rows.items.findIndex((one) => one.id === id));
    const several = event?.shiftKey && from >= 0 ? rows.items.slice(Math.min(from, to), Math.max(from, to) + 1) : [item];
    for (const one of several) picks[on ? 'add' : 'delete'](one.id);
    lastPick = item.id;
    draw();
  }

  function unpick() {
    picks.clear();
    draw();
    maybeSettle();
  }

  /** After a deed of this user: what left the list goes at once, and the keyboard stays at its place. */
  function done(changedRows, kind) {
    const leaves = { close: ['open', 'mine', 'unassigned', 'outbound', 'unread'], reopen: ['closed'], read: ['unread'], assign: ['unassigned'] }[kind] ?? [];
    const ids = new Set(changedRows.map((one) => one.id));
    const settled = lost() && (kind === 'resend' || kind === 'put_aside');
    if ((settled || leaves.includes(choice.category)) && choice.view !== 'calls') {
      const at = rows.items.findIndex((one) => one.id === current);
      const had = inside();
      rows.remove(ids);
      if (ids.has(current)) current = (rows.items[at] ?? rows.items.at(-1))?.id ?? null;
      show();
      if (had && current) views.get(current)?.link.focus();
    }
    for (const one of changedRows) dirty.add(one.conversation);
    later();
    counts.read();
    if (!rows.items.length) further();
  }

  function focused(event) {
    const id = event.target.closest('li')?.dataset.id;
    if (!id || id === current) return;
    views.get(current)?.current(false);
    current = id;
    views.get(id)?.current(true);
  }

  function keys(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = rows.items.findIndex((one) => one.id === current);
    const item = rows.items[at];
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.items.length - 1 }[event.key];
    if (to !== undefined) {
      const next = rows.items[Math.max(0, Math.min(to, rows.items.length - 1))];
      if (next) views.get(next.id).link.focus();
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    const deed = item && may && { x: 'pick', e: item.closed ? 'reopen' : 'close', u: item.unread ? 'read' : 'unread' }[event.key];
    if (event.key === 'Escape' && picks.size) unpick();
    else if (deed) does(deed, item, event);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // ---- what happens

  function happened(event) {
    if (AROUND.has(event.kind) || (data.checklist && event.kind === 'call.ended')) around(event.seq);
    if (event.kind === 'contact.changed') named(event);
    const id = event.conversation_id;
    if (!id) return;
    for (const item of rows.items) {
      if (item.conversation !== id || !item.call || item.call.id !== event.call_id) continue;
      const call = advance(item.call, event);
      item.call = call.answered_by === item.call.answered_by ? call : { ...call, answered_by: call.answered_by?.name ?? null };
      views.get(item.id)?.draw(item, { picked: picks.has(item.id), gone: rows.gone(item.id) });
    }
    if (!TELLING.has(event.kind)) return;
    dirty.add(id);
    later();
    counts.later();
  }

  let page = null;
  const around = (seq) => (page ??= setTimeout(() => ((page = null), rerun('refresh', seq)), SOON_MS));

  function line() {
    const away = live.status !== 'online' && live.status !== 'connecting';
    offline.hidden = !away;
    if (away) offline.textContent = t('inbox.offline', { time: time.format(new Date(live.now())) });
  }

  const near = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && looked < LOOKS && further(), { rootMargin: '600px' });
  near.observe(more);
  subs.on(live, 'event', (e) => happened(e.detail.event));
  subs.on(live, 'view', (e) => e.detail.snapshot && (again(), counts.read()));
  subs.on(live, 'status', () => {
    line();
    if (live.status !== 'online') return;
    if (state === 'failed') load();
    else if (dirty.size) later();
  });
  line();
  load();
  counts.read();
  // Who can be rung shows on the same page; this very tab counts only once its first beat has been heard.
  const settled = setTimeout(() => live.view.duty && rerun('refresh', Date.now()), SETTLED_MS);
  return {
    update(now) {
      known = now;
      if (forget(choice, known)) changed();
      bar.draw();
    },
    destroy() {
      asked += 1;
      for (const one of [soon, renaming, page, settled]) clearTimeout(one);
      near.disconnect();
      bar.stop();
      counts.stop();
      deeds.stop();
      cards?.stop();
      subs.stop();
    },
  };
}

export const mount = mounter(build, 'details.css', 'dial.css', 'callbacks.css', 'inbox.css');

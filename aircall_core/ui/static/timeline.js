// A conversation's timeline: the newest at the bottom, older entries on scrolling up, live while open. What is in the page is
// a window of the whole (timeline_window.js).

import { callBubble } from './call_bubble.js';
import { customerNote } from './customer_note.js';
import { dialBox } from './dial.js';
import { clock, h, icon, listeners, mounter } from './dom.js';
import { shared } from './shared.js';
import { advance, ASKED, bounced, form, fresh, line, title, TOLD, way } from './story.js';
import { textBubble } from './text_bubble.js';
import { timelineBar } from './timeline_bar.js';
import { timelineReading } from './timeline_reading.js';
import { timelineStamps } from './timeline_stamps.js';
import { slidingWindow } from './timeline_window.js';

const PAGE = 60;
const CHANNEL = { call: 'call', flow: 'call', text: 'text', note: 'note', log: 'log' };

function build(host, { data }) {
  const live = shared(data);
  const id = data.conversation;
  const t = (key, values) => live.t(key, values);
  const subs = listeners();
  const locale = document.documentElement.lang || undefined;
  const dayName = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
  const stamps = timelineStamps(live, id);
  const reading = timelineReading(live, id);
  const bubbles = new Map(); // what is in the page, by call id
  const texts = new Map(); // by message id
  const notes = new Map(); // by note id
  const dial = dialBox(live);
  let together = []; // the customer's conversations, this one first
  const newFrom = new Map(); // by conversation: from which entry on something was new when it was first shown
  let unseen = 0; // entries that came below the view
  let sawNew = false; // the divider has been in view

  const top = h('div', { class: 'top' });
  const list = h('ol', { class: 'entries' });
  const bottom = h('div', { class: 'top' });
  const said = h('p', { class: 'sr', 'aria-live': 'polite' });
  const scroller = h('section', { class: 'scroll', tabindex: '0', 'aria-label': t('timeline.title'), onkeydown: keys }, h('div', { class: 'inner' }, top, list, bottom));
  const jump = h('button', { class: 'jump', type: 'button', hidden: true, onclick: toNewest }, t('timeline.newest'));
  const bar = timelineBar(live, { conversation: id, changed: refilter, jump: jumpTo });
  const toNew = h('button', { class: 'jump up', type: 'button', hidden: true, onclick: () => jumpTo(String(firstNew())) }, icon('up'), t('timeline.first_new'));
  const frame = h('div', { class: 'frame' }, scroller, toNew, jump);
  host.append(said, bar.node, frame, dial.node);

  const pane = slidingWindow({ scroller, list, fetchPage, draw, heading, changed });

  // ---- reading

  async function fetchPage(place) {
    const query = new URLSearchParams({ limit: String(PAGE), ...bar.query(), ...place });
    const page = await live.request(`/desk/conversations/${id}/timeline?${query}`);
    if (page.together) {
      together = page.together;
      bar.offer(together);
      // Reading moves it on: what was new at first stays marked, and what happens while one looks on is not news.
      for (const [one, seq] of Object.entries(page.new ?? {})) if (!newFrom.has(one)) newFrom.set(one, seq);
    }
    return page;
  }

  async function begin(place = {}) {
    const page = await pane.reset(place);
    if (!page) return null;
    unseen = 0;
    marks();
    return page;
  }

  function changed(state, where) {
    const complete = pane.complete;
    if (state === 'loading' && where === 'all') top.replaceChildren(h('p', { class: 'soft', role: 'status', text: t('loading') }));
    else if (state === 'error') failed(where);
    else if (state === 'ready' && pane.begun) {
      const start = pane.items.length ? 'timeline.start' : bar.filtered ? 'timeline.nothing' : 'timeline.empty';
      top.replaceChildren(complete.up ? h('p', { class: 'soft', text: t(start) }) : h('p', { class: 'soft', text: t('loading') }));
      bottom.replaceChildren(...(complete.down ? [] : [h('p', { class: 'soft', text: t('loading') })]));
    }
    if (pane.atNewest) unseen = 0;
    jump.hidden = pane.atNewest || !pane.items.length;
    jump.textContent = unseen ? t(unseen === 1 ? 'timeline.new.one' : 'timeline.new', { count: unseen }) : t('timeline.newest');
    offerNew();
    scroller.toggleAttribute('data-empty', !pane.items.length);
    if (state !== 'scrolled') marks();
  }

  function failed(where) {
    const again = () => (where === 'all' ? begin() : pane.again(where));
    const say = h('p', { class: 'soft', role: 'alert' }, `${t('timeline.error')} `, h('button', { type: 'button', onclick: again }, t('retry')));
    (where === 'down' ? bottom : top).replaceChildren(say);
  }

  /** Who opens at the newest is led to the first new entry, until it has been in view. */
  function offerNew() {
    const seq = firstNew();
    const view = scroller.getBoundingClientRect();
    const head = list.querySelector('.unread')?.getBoundingClientRect();
    const above = head ? head.bottom < view.top : seq !== null && pane.items[0]?.seq > seq;
    if (head && !above && head.top < view.bottom) sawNew = true;
    toNew.hidden = sawNew || !above;
  }

  function toNewest() {
    unseen = 0;
    Promise.resolve(pane.toNewest()).then((page) => page && marks());
    scroller.focus({ preventScroll: true });
  }

  function keys(event) {
    if (event.target !== scroller || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === 'End') toNewest();
    else if (event.key === 'Home') begin({ after: 0 });
    else return;
    event.preventDefault();
  }

  /** What the reader is shown of the whole has changed: stay at the place, as far as it is still there. */
  function refilter() {
    const place = pane.atNewest || pane.place === null ? {} : { around: pane.place };
    begin(place);
  }

  /** To an entry: its number, or the id of a call, a text or a note; `words` in it are marked. */
  async function jumpTo(entry, words = []) {
    let seq = Number(entry) || bubbles.get(entry)?.seq || texts.get(entry)?.seq || notes.get(entry)?.seq;
    if (!seq || !pane.has(seq)) {
      let page = await begin({ around: entry });
      if (page?.around && !pane.has(page.around) && bar.clear()) {
        live.toast(t('timeline.all_shown'), { key: 'timeline' }); // it was not among what is shown
        page = await begin({ around: entry });
      }
      if (!page) return false;
      seq = page.around;
      // A number may be that of an event without an entry of its own: then the one before it.
      if (Number(entry) && !pane.has(seq)) seq = pane.items.findLast((one) => one.seq <= seq)?.seq ?? pane.items[0]?.seq;
      if (!seq || !pane.has(seq)) {
        live.toast(t('timeline.gone'), { key: 'timeline' });
        return false;
      }
    }
    const item = pane.show(seq);
    if (!item) return false;
    list.querySelector('.found')?.classList.remove('found');
    item.node.classList.add('found');
    item.node.tabIndex = -1;
    item.node.focus({ preventScroll: true });
    bar.highlight(item.node, words);
    return true;
  }

  // ---- drawing

  function draw(entry) {
    const shape = form(entry);
    const made = shape && { call: drawCall, text: drawText, note: drawNote, flow: drawFlow, log: drawLog }[shape](entry);
    if (!made) return null;
    if (bar.profile && entry.conversation_id) made.node.prepend(whichLine(entry.conversation_id));
    return made;
  }

  function drawLog(entry) {
    if (!bar.channels.has('log')) return null;
    return { node: h('li', { class: 'log' }, stamps.of(entry)(entry.at), h('span', { text: words(entry) })) };
  }

  function drawFlow(entry) {
    const text = h('span', { text: wayText(entry.call) });
    return { node: h('li', { class: 'log' }, stamps.of(entry)(entry.at), text), text };
  }

  function drawCall(entry) {
    if (bubbles.has(entry.call_id)) return null;
    const bubble = callBubble(live, { stamp: stamps.of(entry), time: stamps.time, writes: Boolean(data.writes), callBack: partyOf(entry).number ? (call) => callBack(call, partyOf(entry)) : null });
    bubble.update(entry.call ?? fresh(entry));
    bubbles.set(entry.call_id, { seq: entry.seq, bubble });
    return { node: bubble.node, busy: bubble.busy, stop: () => (bubbles.delete(entry.call_id), bubble.stop()) };
  }

  function drawText(entry) {
    const bubble = textBubble(live, { stamp: stamps.of(entry), writes: Boolean(data.writes) });
    bubble.update(entry.message);
    texts.set(entry.message.id, { seq: entry.seq, bubble });
    const node = h('li', { class: 'message', 'data-way': entry.message.direction }, bubble.node);
    return { node, stop: () => (texts.delete(entry.message.id), bubble.stop()) };
  }

  function drawNote(entry) {
    const note = customerNote(live, { stamp: stamps.of(entry), writes: Boolean(data.writes), leads: Boolean(data.leads) });
    note.update(entry.note);
    notes.set(entry.note.id, { seq: entry.seq, note });
    return { node: h('li', { class: 'said-note' }, note.node), busy: note.busy, stop: () => notes.delete(entry.note.id) };
  }

  function whichLine(conversation) {
    const one = together.find((known) => known.id === conversation);
    return h('p', { class: 'on-line', text: one ? t('timeline.on_line', { line: one.line.name, number: one.number }) : '' });
  }

  const keyOf = (ms) => {
    const at = new Date(ms);
    return `${at.getFullYear()}-${at.getMonth()}-${at.getDate()}`;
  };

  /** From which of the entries that are shown on something is new, or null. */
  function firstNew() {
    const seqs = [...newFrom].filter(([one, seq]) => seq !== null && concerns(one)).map(([, seq]) => seq);
    return seqs.length ? Math.min(...seqs) : null;
  }

  /** What stands before an entry: the day, where another one begins, and where the unread begin. */
  function heading(entry, previous) {
    const day = !previous || keyOf(previous.at) !== keyOf(entry.at) ? keyOf(entry.at) : '';
    const first = firstNew();
    const unread = first !== null && previous !== null && previous.seq < first && entry.seq >= first;
    if (!day && !unread) return null;
    const node = h('li', { class: 'between', 'data-key': `${day}/${unread}` });
    if (unread) node.append(h('p', { class: 'unread' }, h('span', { text: t('timeline.unread') })));
    if (day) node.append(h('h3', {}, h('span', { text: dayLabel(new Date(entry.at)) })));
    return node;
  }

  function dayLabel(at) {
    const now = new Date(live.now());
    const days = Math.round((new Date(now.getFullYear(), now.getMonth(), now.getDate()) - new Date(at.getFullYear(), at.getMonth(), at.getDate())) / 864e5);
    if (days === 0) return t('today');
    if (days === 1) return t('yesterday');
    return dayName.format(at);
  }

  function words(entry) {
    const [key, values, fallback] = line(entry);
    return live.text[key] ? t(key, values) : t(fallback ?? key, values);
  }

  function wayText(value) {
    const { path, digits, waited: wait } = way(value);
    return [
      path.length ? t('log.menu', { path: path.join(' › ') }) : '',
      ...digits.map(({ label, value: typed }) => t('log.typed', { label: label || t('log.digits'), value: typed })),
      wait === null ? '' : t('call.waited', { time: clock(wait) }),
    ].filter(Boolean).join(', ');
  }

  /** Whom an entry is with and on which line: among all of a customer's, not always those of the page. */
  function partyOf(entry) {
    const own = { name: data.name, number: data.number, spoken: data.spoken, line: data.line };
    if ((entry.conversation_id ?? id) === id) return own;
    const one = together.find((known) => known.id === entry.conversation_id);
    return one ? { name: data.name, number: one.party, spoken: one.number, line: one.line.id } : { ...own, number: '' };
  }

  async function callBack(call, party) {
    await dial.callBack(call, party);
    wanted.add(call.id);
    refreshSoon();
  }

  /** Only the newest call of all can be owed an answer. */
  function marks() {
    const newest = pane.complete.down ? [...bubbles.values()].reduce((a, b) => (!a || b.bubble.call.arrived_at >= a.bubble.call.arrived_at ? b : a), null) : null;
    for (const one of bubbles.values()) one.bubble.mark(one === newest);
  }

  // ---- live

  const wanted = new Set(); // calls, texts and notes of which the desk knows more than the log said
  let stale = false; // more was missed than the log tells
  let soon = null;
  const refreshSoon = () => (soon ??= setTimeout(() => ((soon = null), refresh()), 200));

  /** What happened while the line was down, and what only the desk knows: names, texts, recordings. */
  async function refresh() {
    if (pane.failed) return begin();
    const [asked, all] = [[...wanted].filter((one) => bubbles.has(one) || texts.has(one) || notes.has(one)), stale];
    wanted.clear();
    stale = false;
    const counted = pane.items.length;
    try {
      if (all) await renewAll();
      const pages = await Promise.all(asked.map((one) => live.request(`/desk/conversations/${id}/timeline?${new URLSearchParams({ scope: 'profile', around: one, limit: '1' })}`)));
      pages.flatMap((page) => page.entries).forEach(renew);
      await pane.newer();
    } catch (error) {
      asked.forEach((one) => wanted.add(one)); // the next event tries again, or the desk when it is back
      stale ||= all;
      console.warn('aircall: the timeline could not be read anew', error);
    }
    if (!pane.atNewest) unseen += Math.max(0, pane.items.length - counted);
    changed('ready', 'down');
    return null;
  }

  /** All that is shown, in its place: what plays goes on, what is being written stays. */
  async function renewAll() {
    const last = pane.items.at(-1)?.seq ?? 0;
    let cursor = (pane.items[0]?.seq ?? 1) - 1;
    while (cursor !== null && cursor < last) {
      const page = await fetchPage({ after: cursor });
      page.entries.forEach(renew);
      cursor = page.after ?? null;
    }
  }

  function renew(entry) {
    if (entry.call) {
      bubbles.get(entry.call_id)?.bubble.update(entry.call);
      for (const { entry: other, view } of pane.items) {
        if (view.text && other.call_id === entry.call_id) view.text.textContent = wayText(entry.call);
      }
    }
    if (entry.message) texts.get(entry.message.id)?.bubble.update(entry.message);
    if (entry.kind === 'conversation.noted') notes.get(entry.data.note)?.note.update(entry.note);
  }

  function happened(event) {
    if (!concerns(event.conversation_id)) return;
    const known = bubbles.get(event.call_id)?.bubble;
    if (known) known.update(advance(known.call, event));
    const begins = ['call.arrived', 'call.dial_wanted'].includes(event.kind) && !event.data.parent;
    const asks = ASKED.has(event.kind) || bounced(event);
    // Of a call without a bubble here only the desk knows what it was made for; the event alone holds ids.
    const told = asks || (event.call_id && !known && !begins) ? null : { ...event, way: known?.call.direction };
    const shape = told && form(told);
    if (shape && !bar.past && bar.channels.has(CHANNEL[shape])) {
      const below = !pane.atNewest;
      if (pane.add(told)) {
        said.textContent = shape === 'call' ? t(title(bubbles.get(event.call_id).bubble.call)) : words(told);
        if (below) unseen += 1;
      }
      changed('ready', 'down');
    }
    for (const one of [event.call_id, event.data.message, event.data.note]) if (one) wanted.add(one);
    if ((!told && TOLD.has(event.kind)) || asks || ['call.ended', 'call.recording'].includes(event.kind)) refreshSoon();
    if (TOLD.has(event.kind)) reading.read();
  }

  /** Whether a conversation's entries are among what is shown. */
  function concerns(conversation) {
    if (!bar.profile) return conversation === id;
    return together.some((one) => one.id === conversation && (!bar.line || one.line.id === bar.line));
  }

  // As high as what stands above it on the page leaves room for: a call's details come and go there.
  const page = document.querySelector('[data-testid="stMainBlockContainer"]') ?? document.body;
  const fit = new ResizeObserver(() => {
    const above = frame.getBoundingClientRect().top - page.getBoundingClientRect().top;
    frame.style.setProperty('--above', `${Math.round(above)}px`);
  });
  fit.observe(page);
  fit.observe(bar.node);
  subs.add(() => fit.disconnect());
  let wasAway = false;
  subs.on(live, 'event', (e) => happened(e.detail.event));
  subs.on(live, 'view', ({ detail }) => {
    if (!detail.snapshot || !pane.items.length) return;
    stale = true;
    refreshSoon();
  });
  subs.on(live, 'conversation:entry', ({ detail }) => detail.conversation === id && jumpTo(detail.id));
  subs.on(live, 'status', () => {
    if (live.status === 'online' && (wasAway || pane.failed)) {
      reading.again();
      stale = true;
      if (pane.items.length) refresh();
      else begin();
    }
    wasAway = live.status === 'offline';
  });
  let shown = '';
  function arrive(entry) {
    if (entry === shown) return;
    shown = entry;
    if (entry) jumpTo(entry);
  }
  (data.entry ? ((shown = data.entry), jumpTo(data.entry)) : begin()).then(() => reading.read());
  return {
    update: (now) => arrive(now.entry ?? ''),
    destroy() {
      subs.stop();
      clearTimeout(soon);
      reading.stop();
      pane.stop();
      bar.stop();
    },
  };
}

export const mount = mounter(build, 'dial.css', 'call_panel.css', 'text_bubble.css', 'player.css', 'timeline.css', 'timeline_bar.css');

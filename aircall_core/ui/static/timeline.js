// A conversation's timeline: the newest at the bottom, older entries on scrolling up, live while open. Plain DOM, drawn
// day by day; the browser skips days that are out of sight (content-visibility).

import { clock, h, icon, listeners, mounter } from './dom.js';
import { player } from './player.js';
import { shared } from './shared.js';
import { advance, form, fresh, line, look, title } from './story.js';

const PAGE = 50;

function build(host, { data }) {
  const live = shared(data);
  const id = data.conversation;
  const t = (key, values) => live.t(key, values);
  const subs = listeners();
  const locale = document.documentElement.lang || undefined;
  const dayName = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
  const timeName = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
  const entries = new Map(); // seq -> {entry, node}
  const bubbles = new Map(); // call id -> {call, node, parts}
  const days = new Map(); // day key -> {node, list, first}
  const players = [];
  let before; // cursor of the next older page: undefined = nothing loaded yet, null = the beginning is here
  let loading = null;

  const top = h('div', { class: 'top' });
  const list = h('div', { class: 'days' });
  const said = h('p', { class: 'sr', 'aria-live': 'polite' });
  const scroller = h('section', { class: 'scroll', tabindex: '0', 'aria-label': t('timeline.title') }, h('div', { class: 'inner' }, top, list));
  const jump = h('button', { class: 'jump', type: 'button', hidden: true, onclick: () => (scroller.scrollTop = 0) }, t('timeline.newest'));
  host.append(said, h('div', { class: 'frame' }, scroller, jump));
  note('loading');
  const watch = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && before !== undefined && older(), { root: scroller, rootMargin: '600px' });

  function note(state) {
    const notes = {
      loading: () => h('p', { class: 'soft', role: 'status', text: t('loading') }),
      start: () => h('p', { class: 'soft', text: entries.size ? t('timeline.start') : t('timeline.empty') }),
      error: () => h('p', { class: 'soft', role: 'alert' }, `${t('timeline.error')} `, h('button', { type: 'button', onclick: () => older() }, t('retry'))),
      more: () => h('button', { class: 'plain', type: 'button', onclick: () => older() }, t('timeline.older')),
    };
    top.replaceChildren(notes[state]());
  }

  // ---- loading

  async function older() {
    if (loading || before === null) return loading;
    note('loading');
    const query = before === undefined ? '' : `&before=${before}`;
    loading = live.request(`/desk/conversations/${id}/timeline?limit=${PAGE}${query}`);
    try {
      const page = await loading;
      before = page.before ?? null;
      page.entries.forEach(put);
      note(before === null ? 'start' : 'more');
    } catch (error) {
      console.warn('aircall: the timeline could not be read', error);
      note('error');
      return null;
    } finally {
      loading = null;
    }
    watch.unobserve(top); // an observer tells of changes only: look again, since this page may not have filled the view
    watch.observe(top);
    return null;
  }

  /** What happened while the line was down, and what only the desk knows (recordings): the newest page again. */
  async function refresh() {
    try {
      const page = await live.request(`/desk/conversations/${id}/timeline?limit=${PAGE}`);
      page.entries.forEach(put);
      if (before === undefined) before = page.before ?? null;
    } catch (error) {
      console.warn('aircall: the timeline could not be read anew', error); // the next event tries again
    }
  }
  let soon = null;
  const refreshSoon = () => (soon ??= setTimeout(() => ((soon = null), refresh()), 250));

  // ---- drawing

  function put(entry) {
    if (entry.kind === 'call.arrived') call(entry.call ?? fresh(entry));
    const known = entries.get(entry.seq);
    if (known) return;
    const shape = form(entry);
    if (!shape) return;
    const node = shape === 'call' ? bubbles.get(entry.call_id).node : logLine(entry);
    entries.set(entry.seq, { entry, node });
    node.dataset.seq = entry.seq;
    place(node, entry);
  }

  function place(node, entry) {
    const at = new Date(entry.at);
    const key = `${at.getFullYear()}-${at.getMonth()}-${at.getDate()}`;
    let day = days.get(key);
    if (!day) {
      day = { at: entry.at, list: h('ol', {}) };
      day.node = h('section', { class: 'day' }, h('h3', {}, h('span', { text: dayLabel(at) })), day.list);
      const next = [...days.values()].filter((other) => other.at > day.at).sort((a, b) => a.at - b.at)[0];
      list.insertBefore(day.node, next?.node ?? null);
      days.set(key, day);
    }
    let after = day.list.lastElementChild;
    while (after && Number(after.dataset.seq) > entry.seq) after = after.previousElementSibling;
    if (after) after.after(node);
    else day.list.prepend(node);
  }

  function dayLabel(at) {
    const now = new Date(live.now());
    const days = Math.round((new Date(now.getFullYear(), now.getMonth(), now.getDate()) - new Date(at.getFullYear(), at.getMonth(), at.getDate())) / 864e5);
    if (days === 0) return t('today');
    if (days === 1) return t('yesterday');
    return dayName.format(at);
  }

  function stamp(ms) {
    const at = new Date(ms);
    return h('time', { class: 'num', datetime: at.toISOString(), title: at.toLocaleString(), text: timeName.format(at) });
  }

  function logLine(entry) {
    const [key, values, fallback] = line(entry);
    const text = live.text[key] ? t(key, values) : t(fallback ?? key, values);
    return h('li', { class: 'log' }, stamp(entry.at), h('span', { text }));
  }

  function call(value) {
    const known = bubbles.get(value.id);
    if (known) return redraw(known, { ...known.call, ...value });
    const parts = {
      glyph: h('span', { class: 'glyph' }, icon('phone')),
      title: h('p', { class: 'title' }),
      detail: h('p', { class: 'soft' }),
      sound: h('div', { class: 'sound' }),
    };
    const node = h('li', { class: 'call' }, h('article', { class: 'bubble' }, h('div', { class: 'head' }, parts.glyph, h('div', { class: 'grow' }, parts.title, parts.detail), stamp(value.arrived_at)), parts.sound));
    const bubble = { call: value, node, parts };
    bubbles.set(value.id, bubble);
    redraw(bubble, value);
    return bubble;
  }

  function redraw(bubble, value) {
    bubble.call = value;
    const { parts, node } = bubble;
    const kind = look(value);
    node.dataset.look = kind;
    parts.title.textContent = t(title(value));
    const talk = value.answered_at && value.ended_at ? clock(value.ended_at - value.answered_at) : '';
    const wait = (value.answered_at ?? value.ended_at) ? clock((value.answered_at ?? value.ended_at) - value.arrived_at) : '';
    const name = value.answered_by?.name ?? '';
    parts.detail.textContent = [
      name && t('call.by', { name }),
      talk && t('call.talked', { time: talk }),
      wait && t('call.waited', { time: wait }),
      !name && value.rang?.length ? t('call.rang', { names: value.rang.join(', ') }) : '',
    ].filter(Boolean).join(' · ');
    const files = value.recordings ?? [];
    if (bubble.files !== files.length) {
      bubble.files = files.length;
      parts.sound.replaceChildren(
        ...files.map((file) => {
          const one = player({ url: new URL(`/desk/recordings/${value.id}${files.length > 1 ? `?recording=${file.id}` : ''}`, live.deskUrl).href, durationMs: file.duration_ms, fileName: `call-${new Date(value.arrived_at).toISOString().slice(0, 19).replaceAll(':', '-')}.wav`, t });
          players.push(one);
          return one.node;
        }),
      );
    }
  }

  // ---- live

  function happened(event) {
    if (event.conversation_id !== id) return;
    const bubble = bubbles.get(event.call_id);
    if (bubble) redraw(bubble, advance(bubble.call, event));
    const atEnd = scroller.scrollTop > -40;
    const shape = form(event);
    if (shape) {
      put(event);
      const [key, values, fallback] = line(event);
      said.textContent = shape === 'call' ? t('call.ringing') : live.text[key] ? t(key, values) : t(fallback ?? key, values);
      if (atEnd) scroller.scrollTop = 0;
    }
    if (event.kind === 'call.ended' || event.kind === 'call.recording') refreshSoon();
    if (shape && document.visibilityState === 'visible') read();
  }

  let reading = null;
  function read() {
    reading ??= setTimeout(async () => {
      reading = null;
      try {
        await live.request(`/desk/conversations/${id}/read`, {});
      } catch (error) {
        console.warn('aircall: could not mark the conversation as read', error.code); // the next look does it
      }
    }, 600);
  }

  subs.add(() => watch.disconnect());
  scroller.addEventListener('scroll', () => (jump.hidden = scroller.scrollTop > -400), { passive: true });
  let wasAway = false;
  subs.on(live, 'event', (e) => happened(e.detail.event));
  subs.on(live, 'status', () => {
    if (live.status === 'online' && wasAway) refresh();
    wasAway = live.status === 'offline';
  });
  older().then(() => read());
  return {
    destroy() {
      subs.stop();
      clearTimeout(soon);
      clearTimeout(reading);
      players.forEach((one) => one.stop());
    },
  };
}

export const mount = mounter(build, 'timeline.css');

// A conversation's timeline: the newest at the bottom, older entries on scrolling up, live while open. Plain DOM, drawn
// day by day; the browser skips days that are out of sight (content-visibility).

import { dialBox } from './dial.js';
import { clock, h, icon, listeners, mounter } from './dom.js';
import { noteBubbles } from './note_bubbles.js';
import { player } from './player.js';
import { shared } from './shared.js';
import { advance, ASKED, bounced, form, fresh, line, look, owed, reason, title, TOLD, waited, way } from './story.js';

const PAGE = 50;

function build(host, { data, trigger }) {
  const live = shared(data);
  const id = data.conversation;
  const t = (key, values) => live.t(key, values);
  const subs = listeners();
  const locale = document.documentElement.lang || undefined;
  const dayName = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
  const timeName = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
  const entries = new Map(); // seq -> {entry, node}
  const bubbles = new Map(); // call id -> {call, node, parts}
  const flows = new Map(); // call id -> {node, seq}: all steps of its flow in one line
  const days = new Map(); // day key -> {node, list, first}
  const players = [];
  const dial = dialBox(live);
  let before; // cursor of the next older page: undefined = nothing loaded yet, null = the beginning is here
  let loading = null;

  const top = h('div', { class: 'top' });
  const list = h('div', { class: 'days' });
  const said = h('p', { class: 'sr', 'aria-live': 'polite' });
  const scroller = h('section', { class: 'scroll', tabindex: '0', 'aria-label': t('timeline.title') }, h('div', { class: 'inner' }, top, list));
  const jump = h('button', { class: 'jump', type: 'button', hidden: true, onclick: () => (scroller.scrollTop = 0) }, t('timeline.newest'));
  const frame = h('div', { class: 'frame' }, scroller, jump);
  host.append(said, frame, dial.node);
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
    if (form(entry) === 'call') call(entry.call ?? fresh(entry));
    else if (entry.call && bubbles.has(entry.call_id)) call(entry.call);
    if (entry.call && flows.has(entry.call_id)) flows.get(entry.call_id).text.textContent = wayText(entry.call);
    const known = entries.get(entry.seq);
    if (known) return;
    const shape = form(entry);
    if (!shape) return;
    if (shape === 'flow') return flow(entry);
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
    return h('li', { class: 'log' }, stamp(entry.at), h('span', { text: words(entry) }));
  }

  function words(entry) {
    const [key, values, fallback] = line(entry);
    return live.text[key] ? t(key, values) : t(fallback ?? key, values);
  }

  /** The steps of a call's flow are one line, where the first of them was. */
  function flow(entry) {
    const known = flows.get(entry.call_id);
    if (known && known.seq <= entry.seq) return;
    known?.node.remove();
    const text = h('span', { text: wayText(entry.call) });
    const node = h('li', { class: 'log', 'data-seq': entry.seq }, stamp(entry.at), text);
    flows.set(entry.call_id, { node, text, seq: entry.seq });
    place(node, entry);
  }

  function wayText(value) {
    const { path, digits, waited: wait } = way(value);
    return [
      path.length ? t('log.menu', { path: path.join(' › ') }) : '',
      ...digits.map(({ label, value: typed }) => t('log.typed', { label: label || t('log.digits'), value: typed })),
      wait === null ? '' : t('call.waited', { time: clock(wait) }),
    ].filter(Boolean).join(', ');
  }

  function call(value) {
    const known = bubbles.get(value.id);
    if (known) return redraw(known, { ...known.call, ...value });
    const parts = {
      glyph: h('span', { class: 'glyph' }, icon('phone')),
      title: h('p', { class: 'title' }),
      reason: h('p', { class: 'reason' }),
      detail: h('p', { class: 'soft' }),
      branch: h('p', { class: 'branch' }),
      sound: h('div', { class: 'sound' }),
      back: h('p', { class: 'back' }),
      deed: h('button', { class: 'deed', type: 'button', hidden: true, onclick: () => callBack(bubble) }, icon('back'), t('dial.back')),
    };
    const node = h(
      'li',
      { class: 'call' },
      h('article', { class: 'bubble' }, h('div', { class: 'head' }, parts.glyph, h('div', { class: 'grow' }, parts.title, parts.reason, parts.detail, parts.branch), stamp(value.arrived_at)), parts.sound, h('div', { class: 'foot' }, parts.back, parts.deed)),
    );
    const bubble = { call: value, node, parts, notes: noteBubbles(live, { stamp }) };
    node.append(bubble.notes.node);
    bubbles.set(value.id, bubble);
    redraw(bubble, value);
    return bubble;
  }

  async function callBack(bubble) {
    bubble.parts.deed.setAttribute('aria-busy', 'true');
    await dial.callBack(bubble.call, { name: data.name, number: data.number, spoken: data.spoken, line: data.line });
    bubble.parts.deed.removeAttribute('aria-busy');
    refresh();
  }

  /** Only the newest call can be owed an answer. */
  let newest = null;
  function drawDeed(bubble) {
    if (!newest || bubble.call.arrived_at >= newest.call.arrived_at) {
      if (newest && newest !== bubble) newest.parts.deed.hidden = true;
      newest = bubble;
    }
    bubble.parts.deed.hidden = bubble !== newest || !data.number || !owed(bubble.call);
  }

  function redraw(bubble, value) {
    bubble.call = value;
    const { parts, node } = bubble;
    const kind = look(value);
    node.dataset.look = kind;
    node.dataset.way = value.direction ?? 'inbound';
    parts.title.textContent = t(title(value));
    const why = reason(value);
    parts.reason.textContent = why ? t(why) : '';
    const sign = value.outcome === 'voicemail' ? 'voicemail' : kind === 'missed' ? 'missed' : 'phone';
    if (parts.glyph.dataset.icon !== sign) {
      parts.glyph.dataset.icon = sign;
      parts.glyph.replaceChildren(icon(sign));
    }
    const talk = value.answered_at && value.ended_at ? clock(value.ended_at - value.answered_at) : '';
    const wait = waited(value);
    const dialled = value.direction === 'outbound' ? (value.started_by?.name ?? '') : '';
    const name = value.answered_by?.name ?? '';
    parts.detail.textContent = [
      dialled && t(value.calls_back ? 'call.dialled_back' : 'call.dialled', { name: dialled }),
      name && name !== dialled && t('call.by', { name }),
      talk && t('call.talked', { time: talk }),
      wait !== null && t('call.waited', { time: clock(wait) }),
      !name && !dialled && value.rang?.length ? t('call.rang', { names: value.rang.join(', ') }) : '',
    ].filter(Boolean).join(' · ');
    parts.branch.textContent = [value.path?.at(-1), ...(value.digits ?? []).map((one) => [one.label, one.value].filter(Boolean).join(' '))].filter(Boolean).join(' · ');
    parts.back.textContent = backText(value.callback);
    parts.back.dataset.state = value.callback?.state ?? '';
    drawDeed(bubble);
    bubble.notes.update(value, Boolean(data.writes));
    const files = value.recordings ?? [];
    const drawn = JSON.stringify(files);
    if (bubble.files !== drawn) {
      bubble.files = drawn;
      parts.sound.replaceChildren(...files.map((file) => sound(value, file, files.length > 1)));
    }
  }

  function backText(callback) {
    if (!callback) return '';
    const by = callback.by?.name ?? t('someone');
    return t(`callback.${callback.state}`, { name: by, time: callback.at ? timeName.format(new Date(callback.at)) : '' });
  }

  /** A recording or voicemail in its place: a player, or what became of it. */
  function sound(value, file, several) {
    const voicemail = file.kind === 'voicemail';
    if (file.deleted) return h('p', { class: 'soft gone', text: t(voicemail ? 'player.voicemail_deleted' : 'player.deleted') });
    const url = new URL(`/desk/recordings/${value.id}${several ? `?recording=${file.id}` : ''}`, live.deskUrl).href;
    const day = new Date(value.arrived_at).toISOString().slice(0, 19).replaceAll(':', '-');
    const one = player({ url, durationMs: file.duration_ms, fileName: `${voicemail ? 'voicemail' : 'call'}-${day}.wav`, t, title: t(voicemail ? 'player.voicemail' : 'player.title') });
    players.push(one);
    return one.node;
  }

  // ---- live

  function happened(event) {
    if (event.conversation_id !== id) return;
    if (event.kind === 'conversation.assigned') trigger('refresh', event.seq); // the page's header says whose it is
    const bubble = bubbles.get(event.call_id);
    if (bubble) redraw(bubble, advance(bubble.call, event));
    const atEnd = scroller.scrollTop > -40;
    const begins = ['call.arrived', 'call.dial_wanted'].includes(event.kind) && !event.data.parent;
    // Of a call without a bubble here only the desk knows what it was made for; the event alone holds ids.
    const told = event.call_id && !bubble && !begins && event.kind !== 'conversation.assigned' ? null : { ...event, way: bubble?.call.direction };
    const shape = told && form(told);
    if (shape) {
      put(told);
      said.textContent = shape === 'call' ? t(title(bubbles.get(event.call_id).call)) : words(told);
      if (atEnd) scroller.scrollTop = 0;
    }
    const unknown = !told && TOLD.has(event.kind);
    if (unknown || event.kind === 'call.ended' || event.kind === 'call.recording' || ASKED.has(event.kind) || bounced(event)) refreshSoon();
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
  // As high as what stands above it on the page leaves room for: a call's details come and go there.
  const page = document.querySelector('[data-testid="stMainBlockContainer"]') ?? document.body;
  const fit = new ResizeObserver(() => {
    const above = frame.getBoundingClientRect().top - page.getBoundingClientRect().top;
    frame.style.setProperty('--above', `${Math.round(above)}px`);
  });
  fit.observe(page);
  subs.add(() => fit.disconnect());
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
      bubbles.forEach((one) => one.notes.stop());
    },
  };
}

export const mount = mounter(build, 'dial.css', 'call_panel.css', 'timeline.css');

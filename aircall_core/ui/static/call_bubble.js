// A call in the timeline: what became of it, its tags, its recordings and their words, who calls back, its notes.

import { clock, h, icon } from './dom.js';
import { noteBubbles } from './note_bubbles.js';
import { player } from './player.js';
import { look, owed, reason, title, waited } from './story.js';

/** `update(call)`: as the desk or the log has it. `callBack(call)`: the user wants to; `writes`: may write notes. */
export function callBubble(live, { stamp, time, writes, callBack }) {
  const t = (key, values) => live.t(key, values);
  const parts = {
    glyph: h('span', { class: 'glyph' }, icon('phone')),
    title: h('p', { class: 'title' }),
    reason: h('p', { class: 'reason' }),
    detail: h('p', { class: 'soft' }),
    branch: h('p', { class: 'branch' }),
    when: h('span', { class: 'when' }),
    tags: h('ul', { class: 'tagged', 'aria-label': t('tags.list'), hidden: true }),
    sound: h('div', { class: 'sound' }),
    transcript: transcript(),
    back: h('p', { class: 'back' }),
    deed: h('button', { class: 'deed', type: 'button', hidden: true, onclick: wantBack }, icon('back'), t('dial.back')),
  };
  const head = h('div', { class: 'head' }, parts.glyph, h('div', { class: 'grow' }, parts.title, parts.reason, parts.detail, parts.branch), parts.when);
  const notes = noteBubbles(live, { stamp });
  const node = h('li', { class: 'call' }, h('article', { class: 'bubble' }, head, parts.tags, parts.sound, parts.transcript, h('div', { class: 'foot' }, parts.back, parts.deed)), notes.node);
  let call = null;
  let files = '[]';
  let players = [];
  let newest = false;

  async function wantBack() {
    parts.deed.setAttribute('aria-busy', 'true');
    await callBack(call);
    parts.deed.removeAttribute('aria-busy');
  }

  function update(value) {
    if (!call || call.arrived_at !== value.arrived_at) parts.when.replaceChildren(stamp(value.arrived_at));
    call = call ? { ...call, ...value } : value;
    const kind = look(call);
    node.dataset.look = kind;
    node.dataset.way = call.direction ?? 'inbound';
    parts.title.textContent = t(title(call));
    const why = reason(call);
    parts.reason.textContent = why ? t(why) : '';
    drawSign(kind);
    parts.detail.textContent = details().join(' · ');
    parts.branch.textContent = [call.path?.at(-1), ...(call.digits ?? []).map((one) => [one.label, one.value].filter(Boolean).join(' '))].filter(Boolean).join(' · ');
    parts.back.textContent = backText(call.callback);
    parts.back.dataset.state = call.callback?.state ?? '';
    drawDeed();
    drawTags(call.tags ?? []);
    notes.update(call, writes);
    drawSound(call.recordings ?? []);
  }

  function drawSign(kind) {
    const sign = call.outcome === 'voicemail' ? 'voicemail' : kind === 'missed' ? 'missed' : 'phone';
    if (parts.glyph.dataset.icon === sign) return;
    parts.glyph.dataset.icon = sign;
    parts.glyph.replaceChildren(icon(sign));
  }

  function details() {
    const talk = call.answered_at && call.ended_at ? clock(call.ended_at - call.answered_at) : '';
    const wait = waited(call);
    const dialled = call.direction === 'outbound' ? (call.started_by?.name ?? '') : '';
    const name = call.answered_by?.name ?? '';
    return [
      dialled && t(call.calls_back ? 'call.dialled_back' : 'call.dialled', { name: dialled }),
      name && name !== dialled && t('call.by', { name }),
      talk && t('call.talked', { time: talk }),
      wait !== null && t('call.waited', { time: clock(wait) }),
      !name && !dialled && call.rang?.length ? t('call.rang', { names: call.rang.join(', ') }) : '',
    ].filter(Boolean);
  }

  /** Only the newest call can be owed an answer. */
  function drawDeed() {
    parts.deed.hidden = !newest || !callBack || !owed(call);
  }

  function backText(callback) {
    if (!callback) return '';
    const by = callback.by?.name ?? t('someone');
    return t(`callback.${callback.state}`, { name: by, time: callback.at ? time(callback.at) : '' });
  }

  function drawTags(now) {
    parts.tags.hidden = !now.length;
    parts.tags.replaceChildren(...now.map(({ name, color }) => h('li', { class: 'tag' }, dot(color), h('span', { text: name }))));
  }

  function dot(color) {
    const mark = h('span', { class: 'dot', 'aria-hidden': 'true' });
    mark.style.background = color;
    return mark;
  }

  function drawSound(now) {
    const drawn = JSON.stringify(now);
    if (files === drawn) return;
    files = drawn;
    players.forEach((one) => one.stop());
    players = [];
    parts.transcript.hidden = !now.some((file) => !file.deleted && file.may !== false);
    parts.sound.replaceChildren(...now.map((file) => sound(file, now.length > 1)));
  }

  /** Where the words of a recording will stand: until something writes them, what they need. */
  function transcript() {
    const head = h('summary', {}, icon('spark'), h('span', { class: 'grow', text: t('transcript.title') }), h('span', { class: 'badge', text: t('transcript.none') }));
    return h('details', { class: 'transcript', hidden: true }, head, h('p', { class: 'soft', text: t('transcript.needs') }));
  }

  /** A recording or voicemail in its place: a player, or what became of it, or why it is not for this user. */
  function sound(file, several) {
    const voicemail = file.kind === 'voicemail';
    if (file.deleted) return h('p', { class: 'soft gone', text: t(voicemail ? 'player.voicemail_deleted' : 'player.deleted') });
    if (file.may === false) return h('p', { class: 'soft gone', text: t('player.no_right') });
    const query = several ? `?recording=${file.id}` : '';
    const url = new URL(`/desk/recordings/${call.id}${query}`, live.deskUrl).href;
    const day = new Date(call.arrived_at).toISOString().slice(0, 19).replaceAll(':', '-');
    const one = player({
      url, durationMs: file.duration_ms, fileName: `${voicemail ? 'voicemail' : 'call'}-${day}.wav`, t, title: t(voicemail ? 'player.voicemail' : 'player.title'),
      peaks: async () => (await live.request(`/desk/recordings/${call.id}/peaks${query}`)).peaks,
    });
    players.push(one);
    return one.node;
  }

  return {
    node,
    update,
    get call() { return call; },
    /** Whether it is the conversation's newest call. */
    mark(is) {
      newest = is;
      drawDeed();
    },
    busy: () => players.some((one) => one.playing) || notes.writing(),
    stop() {
      players.forEach((one) => one.stop());
      notes.stop();
    },
  };
}

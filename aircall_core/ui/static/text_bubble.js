// A text in the timeline: what it says, its pictures and files, and how far it has come on its way to the customer.

import { h, icon } from './dom.js';
import { explain } from './explain.js';
import { newId } from './live.js';
import { isImage, sizeText } from './uploads.js';

const SIGNS = { queued: 'clock', sending: 'clock', sent: 'check', delivered: 'checks', failed: 'warn', unknown: 'warn' };
const LINK = /\bhttps?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]]/g;

/** A text as nodes: web addresses can be followed, all else is what it says. */
export function linked(text) {
  const parts = [];
  let at = 0;
  for (const found of text.matchAll(LINK)) {
    parts.push(text.slice(at, found.index), h('a', { href: found[0], target: '_blank', rel: 'noopener noreferrer nofollow', text: found[0] }));
    at = found.index + found[0].length;
  }
  return [...parts, text.slice(at)].filter((part) => part !== '');
}

/** What a state means, in words; with what the gateway said of a failure. */
export function stateWords(message, live) {
  const t = (key, values) => live.t(key, values);
  const { state, reason, remote_code: code } = message;
  if (!['failed', 'unknown'].includes(state) && !(state === 'queued' && reason)) return { title: t(`text.${state}`), more: '' };
  const key = `text.reason.${reason}`;
  const words = live.text[key] ? t(key) : state === 'failed' ? t('text.reason') : '';
  const why = code && words ? t('text.reason.code', { why: words, code }) : words;
  if (state === 'queued') return { title: t('text.queued'), more: t('text.queued.why', { why }) };
  return { title: t(`text.${state}`), more: [why, state === 'unknown' ? t('text.unknown.means') : ''].filter(Boolean).join(' ') };
}

/** `update(message)`: as the timeline has it. `writes` false: who may not send again. */
export function textBubble(live, { stamp, writes = true }) {
  const t = (key, values) => live.t(key, values);
  const who = h('p', { class: 'who' });
  const body = h('p', { class: 'body', dir: 'auto' });
  const files = h('div', { class: 'enclosed' });
  const words = h('span', {});
  const sign = h('span', { class: 'sign' });
  const state = h('p', { class: 'state' }, sign, words);
  const more = h('p', { class: 'more' });
  const deed = h('button', { type: 'button', class: 'deed', hidden: true, onclick: resend });
  const problem = h('p', { class: 'problem', role: 'alert' });
  const said = h('p', { class: 'sr', role: 'status' });
  const node = h('article', { class: 'bubble text' }, h('div', { class: 'head' }, who), files, body, h('div', { class: 'way' }, state, more, deed, problem), said);
  let message = null;
  let drawn = '';

  async function resend() {
    if (deed.getAttribute('aria-busy') === 'true') return;
    deed.setAttribute('aria-busy', 'true');
    problem.textContent = '';
    try {
      await live.request(`/desk/messages/${message.id}/resend`, { command: newId() });
    } catch (error) {
      problem.textContent = explain(error, t);
    } finally {
      deed.removeAttribute('aria-busy');
    }
  }

  /** Pictures and sound are asked for with CORS: the desk is another origin, which keeps its answers from other sites. */
  function file(one) {
    const name = one.name || t('text.file');
    if (one.ready === false && !one.reason) return h('p', { class: 'gone soft', text: t('text.file.coming', { name }) });
    if (one.reason) return h('p', { class: 'gone soft', text: t(live.text[`text.file.${one.reason}`] ? `text.file.${one.reason}` : 'text.file.none', { name }) });
    const href = new URL(`/desk/attachments/${one.id}`, live.deskUrl).href;
    const open = { href, target: '_blank', rel: 'noopener' };
    if (isImage(one.content_type)) {
      const picture = h('img', { crossorigin: 'use-credentials', src: href, alt: t('text.picture', { name }), loading: 'lazy' });
      const link = h('a', { class: 'picture', ...open }, picture);
      picture.addEventListener('error', () => link.replaceChildren(icon('file'), h('span', { class: 'cut', text: name })));
      return link;
    }
    const enclosure = h('a', { class: 'enclosure', ...open }, icon('file'), h('span', { class: 'cut', text: name }), h('span', { class: 'soft num', text: one.size ? sizeText(one.size) : '' }), icon('download'));
    return one.content_type.startsWith('audio/') ? sound(one, name, href, enclosure) : enclosure;
  }

  /** A player, and a way to keep what it plays. Sound of phones (AMR) is played by hardly any browser: it is saved. */
  function sound(one, name, href, enclosure) {
    const player = h('audio', { crossorigin: 'use-credentials', controls: true, preload: 'none', src: href, 'aria-label': name });
    if (!player.canPlayType(one.content_type)) return enclosure;
    const label = t('text.file.save', { name });
    const node = h('div', { class: 'playable' }, player, h('a', { class: 'keep', href: `${href}?save=1`, 'aria-label': label, title: label }, icon('download')));
    player.addEventListener('error', () => node.replaceWith(enclosure));
    return node;
  }

  function update(next) {
    const before = message;
    message = next;
    const now = JSON.stringify(next);
    if (now === drawn) return;
    drawn = now;
    const out = next.direction === 'outbound';
    node.dataset.way = next.direction;
    node.dataset.state = next.state;
    if (!before || before.user?.name !== next.user?.name || before.at !== next.at) who.replaceChildren(h('span', { class: 'cut', text: !out ? t('text.in') : next.user ? next.user.name || t('someone') : t('text.auto') }), stamp(next.at));
    const erased = next.reason === 'erased';
    if (before?.body !== next.body || erased) body.replaceChildren(...(erased ? [t('text.erased')] : linked(next.body ?? '')));
    body.classList.toggle('gone', erased);
    body.hidden = !next.body && !erased;
    const enclosed = next.files ?? [];
    if (JSON.stringify(before?.files ?? []) !== JSON.stringify(enclosed)) files.replaceChildren(...enclosed.map(file));
    files.hidden = !enclosed.length;
    drawState(out, before);
  }

  function drawState(out, before) {
    const told = out && message.reason !== 'erased';
    state.parentElement.hidden = !told;
    if (!told) return;
    const { title, more: why } = stateWords(message, live);
    const glyph = SIGNS[message.state];
    if (sign.dataset.icon !== glyph) {
      sign.dataset.icon = glyph ?? '';
      sign.replaceChildren(...(glyph ? [icon(glyph)] : []));
    }
    words.textContent = title;
    const when = { sent: message.sent_at, delivered: message.delivered_at }[message.state];
    state.title = when ? new Date(when).toLocaleString() : '';
    more.textContent = why;
    const again = { failed: 'text.retry', unknown: 'text.resend' }[message.state];
    deed.hidden = !again || !writes;
    deed.textContent = again ? t(again) : '';
    if (before && before.state !== message.state) {
      problem.textContent = '';
      said.textContent = why ? `${title}. ${why}` : title;
    }
  }

  return { node, update, stop() {} };
}

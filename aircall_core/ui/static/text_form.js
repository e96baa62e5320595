// Writing a text to a customer: the words, what they cost in SMS, emoji, files, templates, and sending.

import { attached } from './attached.js';
import { h, icon } from './dom.js';
import { draftsOf } from './drafts.js';
import { emojiPicker } from './emoji_picker.js';
import { menu } from './menu.js';
import { caret } from './note_merge.js';
import { inside } from './note_pad.js';
import { count, outside, plainer } from './segments.js';
import { templateList, unfilled } from './templates.js';

const LONG = 3; // SMS from which on it is said that it is long
const VERY_LONG = 10; // and that carriers may not take it
const ENTER = 'aircall.enter_sends';
const LINES = { min: 2, max: 10 };

/** `facts()`: what the desk says of texts in this conversation (GET .../composer). */
export function textForm(live, conversation, facts) {
  const t = (key, values) => live.t(key, values);
  const draft = draftsOf(live).of(conversation);
  let enterSends = kept() ?? !globalThis.matchMedia?.('(pointer: coarse)').matches;

  const area = h('textarea', { class: 'words', rows: LINES.min, 'aria-label': t('compose.label'), placeholder: t('compose.hint'), oninput: () => draft.write(area.value), onkeydown: keys, onpaste: paste });
  const files = attached(live, draft, { limits: () => facts().limits, say, changed: () => draw() });
  const tool = (name, key, deed) => h('button', { type: 'button', class: 'plain square tool', 'aria-label': t(key), title: t(key), onclick: deed }, icon(name));
  const smile = tool('smile', 'compose.emoji');
  const clip = tool('clip', 'compose.attach', () => clip.getAttribute('aria-disabled') !== 'true' && files.input.click());
  const stack = tool('template', 'compose.templates');
  const picker = menu(smile, t('compose.emoji'), () => emojiPicker(live, (emoji) => (insert(emoji), picker.close(), area.focus())));
  const templates = menu(stack, t('compose.templates'), () => templateList(live, facts().templates, (text) => (insert(text), templates.close(), area.focus())));
  const cost = h('span', { class: 'cost num' });
  const why = h('p', { class: 'hint' });
  const plain = h('button', { type: 'button', class: 'plain small', hidden: true, text: t('compose.plain'), onclick: () => (draft.write(plainer(draft.text)), area.focus()) });
  const saved = h('span', { class: 'soft small kept' });
  const problem = h('p', { class: 'problem', role: 'alert' });
  const enter = h('input', { type: 'checkbox', onchange: () => keep(enter.checked) });
  const label = h('span', {});
  const send = h('button', { type: 'button', class: 'accent send', onclick: post }, icon('send'), label);
  const said = h('p', { class: 'sr', role: 'status' });
  const node = h(
    'div',
    { class: 'text-form', ondragover: over, ondragleave: () => node.toggleAttribute('data-over', false), ondrop: drop },
    area,
    files.node,
    files.input,
    h('div', { class: 'notice' }, why, plain),
    problem,
    h('div', { class: 'bar' }, smile, clip, stack, saved, cost, h('label', { class: 'enter small', title: t('compose.enter.hint') }, enter, t('compose.enter')), send),
    picker.node,
    templates.node,
    said,
  );
  enter.checked = enterSends;

  // ---- typing

  function keys(event) {
    inside(event);
    if (event.key !== 'Enter' || event.isComposing || event.shiftKey || event.altKey) return;
    if (!enterSends && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    post();
  }

  function insert(text) {
    const [start, end] = [area.selectionStart, area.selectionEnd];
    draft.write(draft.text.slice(0, start) + text + draft.text.slice(end));
    draw();
    area.setSelectionRange(start + text.length, start + text.length);
  }

  function paste(event) {
    const some = [...(event.clipboardData?.files ?? [])];
    if (!some.length) return;
    event.preventDefault();
    take(some);
  }

  function over(event) {
    if (![...(event.dataTransfer?.types ?? [])].includes('Files')) return;
    event.preventDefault();
    node.toggleAttribute('data-over', true);
  }

  function drop(event) {
    const some = [...(event.dataTransfer?.files ?? [])];
    node.toggleAttribute('data-over', false);
    if (!some.length) return;
    event.preventDefault();
    take(some);
  }

  function take(some) {
    if (facts().mms) files.add(some);
    else say(t('compose.no_mms'));
  }

  // ---- what stands in the way

  let complaint = '';
  function say(words) {
    complaint = words;
    draw();
  }

  /** Why it cannot be sent as it is, in words; '' if it can. */
  function obstacle() {
    const open = unfilled(draft.text);
    if (open.length) return t('compose.unfilled', { names: open.map((name) => `{{${name}}}`).join(', ') });
    if (files.busy) return t('compose.file.wait');
    if (files.failed) return t('compose.file.failed');
    const most = facts().limits.characters;
    const long = [...draft.text.trim()].length; // characters as the desk counts them: an emoji is one
    if (most && long > most) return t('compose.too_long', { count: long, most });
    return '';
  }

  async function post() {
    if (draft.sending || draft.empty) return;
    const stop = obstacle();
    if (stop) return void say(stop);
    complaint = '';
    if (await draft.send()) {
      said.textContent = '';
      said.textContent = t('compose.queued');
    }
    area.focus();
  }

  // ---- drawing

  function failure() {
    if (complaint) return complaint;
    if (draft.problem) return t('compose.refused', { why: draft.problem });
    const { code, message } = draft.failure ?? {};
    if (!code) return '';
    return ['offline', 'unsure', 'unsent'].includes(code) ? t(`compose.failed.${code}`) : t('compose.failed', { why: message });
  }

  function drawCost() {
    const { text } = draft;
    if (draft.files.length) {
      cost.textContent = t('compose.mms');
      cost.dataset.look = '';
      why.textContent = '';
      plain.hidden = true;
      return;
    }
    const found = count(text);
    cost.dataset.look = found.segments > VERY_LONG ? 'bad' : found.segments > LONG ? 'warn' : '';
    cost.textContent = text ? t('compose.cost', { count: found.segments, left: found.left }) : '';
    const odd = outside(text);
    const parts = [];
    if (found.encoding === 'ucs2') {
      const some = odd.slice(0, 3).map(shown).join(' ');
      const rest = odd.length - 3;
      parts.push(t('compose.ucs2', { characters: rest > 0 ? t('compose.ucs2.more', { characters: some, count: rest }) : some }));
    }
    if (found.segments > VERY_LONG) parts.push(t('compose.very_long', { most: VERY_LONG }));
    else if (found.segments > LONG) parts.push(t('compose.long', { count: found.segments }));
    why.textContent = parts.join(' ');
    why.dataset.look = cost.dataset.look;
    plain.hidden = found.encoding !== 'ucs2' || plainer(text) === text;
  }

  function draw() {
    if (area.value !== draft.text) {
      const [start, end] = [area.selectionStart, area.selectionEnd].map((at) => caret(area.value, draft.text, at));
      area.value = draft.text;
      if (area.matches(':focus')) area.setSelectionRange(start, end);
    }
    area.rows = Math.min(LINES.max, Math.max(LINES.min, draft.text.split('\n').length));
    area.readOnly = draft.sending;
    if (complaint && draft.text !== draw.text) complaint = '';
    draw.text = draft.text;
    drawCost();
    const words = failure();
    if (problem.textContent !== words) problem.textContent = words;
    saved.textContent = draft.dirty ? (draft.state === 'waiting' ? t('compose.draft.waiting') : '') : draft.empty ? '' : t('compose.draft.saved');
    label.textContent = t(draft.sending ? 'compose.sending' : draft.failure?.code === 'unsure' || draft.failure?.code === 'unsent' ? 'compose.again' : 'compose.send');
    send.setAttribute('aria-busy', String(draft.sending));
    send.setAttribute('aria-disabled', String(draft.sending || draft.empty));
    const { mms, templates: some } = facts();
    clip.setAttribute('aria-disabled', String(!mms));
    clip.title = mms ? t('compose.attach') : t('compose.no_mms');
    stack.hidden = !some.length;
  }

  function kept() {
    try {
      return { yes: true, no: false }[live.env.localStorage.getItem(ENTER)] ?? null;
    } catch {
      return null;
    }
  }

  function keep(on) {
    enterSends = on;
    try {
      live.env.localStorage.setItem(ENTER, on ? 'yes' : 'no');
    } catch {
      /* a browser that keeps nothing: until the page goes */
    }
    area.focus();
  }

  const unwatch = draft.watch(() => files.draw());
  draft.again({ reload: true }); // what the user wrote elsewhere meanwhile
  files.draw();
  return {
    node,
    draw,
    focus: () => area.focus(),
    stop() {
      unwatch();
      files.stop();
    },
  };
}

/** A character as it can be read in a sentence. */
function shown(character) {
  if (/[\p{Z}\p{C}]/u.test(character)) return `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
  return /\p{M}/u.test(character) ? `◌${character}` : character;
}

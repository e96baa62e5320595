// "Dial a number", on every page: typed, pasted or pressed; checked while it is typed, by the same guard that is asked again
// when it is dialled. Enter calls. The toolbar shows what comes of it.

import { dialLines } from './dial_lines.js';
import { h, icon } from './dom.js';
import { LETTERS, play } from './dtmf.js';
import { explain } from './explain.js';
import { Popover } from './popover.js';

const WAIT_MS = 150; // between keys of somebody who types
const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '+', '0', 'erase'];
const TYPED = /^[0-9+]$/;

export class DialPad extends Popover {
  constructor(live) {
    const t = (key, values) => live.t(key, values);
    const button = h('button', { class: 'dial-open', type: 'button', hidden: true, title: t('pad.title'), 'aria-haspopup': 'dialog' }, icon('keypad'), h('span', { text: t('pad.title') }));
    const choice = h('select', { 'aria-label': t('pad.line') });
    const only = h('p', { class: 'soft small cut' });
    const input = h('input', { class: 'num', type: 'tel', 'aria-label': t('pad.number'), placeholder: t('pad.placeholder'), autocomplete: 'off', spellcheck: 'false', maxlength: '80', 'aria-describedby': 'pad-verdict' });
    const verdict = h('div', { class: 'verdict', id: 'pad-verdict', 'aria-live': 'polite' });
    const keys = h('div', { class: 'keys', role: 'group', 'aria-label': t('pad.keys') });
    const label = h('span', { text: t('pad.call') });
    const call = h('button', { class: 'accept', type: 'button', onclick: () => this.dial() }, icon('phone'), label);
    const form = h('div', { class: 'dialler' }, h('div', { class: 'by' }, choice, only), input, verdict, keys, call);
    const none = h('p', { class: 'soft', hidden: true, text: t('pad.no_lines') });
    super(live, button, t('pad.title'), none, form);
    Object.assign(this, { t, choice, only, input, verdict, keys, call, label, form, none, asked: 0, seen: null, busy: false });
    for (const key of KEYS) keys.append(this.#key(key));
    button.addEventListener('click', () => this.toggle());
    choice.addEventListener('change', () => this.#choose());
    input.addEventListener('input', () => this.#soon());
    this.node.addEventListener('keydown', (event) => this.#typed(event));
    this.lines = dialLines(live);
    this.follow = () => this.#fill();
    this.lines.addEventListener('change', this.follow);
    this.#fill();
  }

  #key(key) {
    const { t } = this;
    const erases = key === 'erase';
    const attributes = { type: 'button', class: 'key', onclick: () => this.press(key) };
    if (erases) attributes['aria-label'] = t('pad.erase');
    if (key === '+') attributes['aria-label'] = t('pad.plus');
    const shown = erases ? icon('erase') : h('span', { class: 'num', text: key });
    const letters = key === '0' || key === '+' ? '' : (LETTERS[key] ?? '');
    return h('button', attributes, shown, erases ? null : h('span', { class: 'letters', 'aria-hidden': 'true', text: letters }));
  }

  opened() {
    // A telephone's own keys would cover these: there the number is pressed, or pasted.
    const touched = this.node.ownerDocument.defaultView.matchMedia('(pointer: coarse)').matches;
    this.input.inputMode = touched ? 'none' : 'tel';
    this.#fill();
    this.#soon(0);
    if (this.lines.list?.length) this.input.focus();
    this.input.select();
  }

  closed() {
    clearTimeout(this.timer);
    this.asked += 1; // what is still to come is not shown
  }

  /** Lines to call by; the one chosen stays chosen. */
  #fill() {
    const { lines, choice } = this;
    const list = lines.list ?? [];
    const now = lines.of(choice.value) ?? lines.preferred;
    this.button.hidden = !lines.may;
    this.none.hidden = list.length > 0;
    this.form.hidden = !list.length;
    choice.replaceChildren(...list.map((line) => h('option', { value: line.id, text: `${line.name} · ${line.spoken}` })));
    if (now) choice.value = now.id;
    choice.hidden = list.length < 2;
    this.only.hidden = list.length !== 1;
    this.only.textContent = list.length === 1 ? this.t('pad.by', { line: list[0].name, number: list[0].spoken }) : '';
    this.#show();
  }

  #choose() {
    this.lines.preferred = this.lines.of(this.choice.value);
    this.#soon(0);
  }

  press(key) {
    const { input } = this;
    const [from, to] = [input.selectionStart ?? input.value.length, input.selectionEnd ?? input.value.length];
    if (key === 'erase') input.setRangeText('', from === to ? Math.max(0, from - 1) : from, to, 'end');
    else input.setRangeText(key, from, to, 'end');
    if (key !== 'erase') play(this.live.tone.context, key);
    input.focus();
    this.#soon();
  }

  #typed(event) {
    const { input } = this;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const within = event.target === input;
    if (event.key === 'Enter' && within) {
      event.preventDefault();
      this.dial();
    } else if (!within && event.target !== this.choice && (TYPED.test(event.key) || event.key === 'Backspace')) {
      event.preventDefault();
      this.press(event.key === 'Backspace' ? 'erase' : event.key);
    }
  }

  #soon(wait = WAIT_MS) {
    clearTimeout(this.timer);
    this.seen = null;
    this.asked += 1;
    this.#show();
    if (this.input.value.trim() && this.choice.value) this.timer = setTimeout(() => this.#check(), wait);
  }

  /** Ask the guard about what is typed now; resolves to its answer, null when something else has been typed meanwhile. */
  async #check() {
    clearTimeout(this.timer);
    const mine = (this.asked += 1);
    try {
      const query = new URLSearchParams({ line: this.choice.value, number: this.input.value.trim() });
      const seen = await this.live.request(`/desk/dial/check?${query}`);
      if (mine !== this.asked) return null;
      this.seen = seen;
    } catch (error) {
      if (mine !== this.asked) return null;
      this.seen = { allowed: false, why: { code: error.code, message: explain(error, this.t) } };
    }
    this.#show();
    return this.seen;
  }

  async dial() {
    if (this.busy || !this.input.value.trim()) return this.input.focus();
    this.busy = true;
    this.call.setAttribute('aria-busy', 'true');
    try {
      const seen = this.seen ?? (await this.#check());
      if (!seen) return undefined;
      if (!seen.allowed) return this.#refused(seen);
      await this.live.calls.dial({ line: this.choice.value, number: seen.number });
      this.input.value = '';
      this.close();
    } catch (error) {
      this.#refused({ why: { code: error.code, message: explain(error, this.t) } });
    } finally {
      this.busy = false;
      this.call.setAttribute('aria-busy', 'false');
    }
    return undefined;
  }

  #refused(seen) {
    this.seen = { ...seen, allowed: false, why: { ...seen.why, unfinished: false } };
    this.#show();
    this.input.focus();
  }

  /** What is known of the number, or why it is not dialled. A number that may still become one is not called wrong. */
  #show() {
    const { t, seen, verdict, call } = this;
    const look = !seen ? 'none' : seen.emergency ? 'emergency' : seen.allowed ? 'good' : seen.why.unfinished ? 'soft' : 'bad';
    if (verdict.dataset.look !== look) verdict.dataset.look = look;
    const where = seen && [seen.flag, seen.contact_name || seen.spoken, seen.contact_name ? seen.spoken : seen.country_name].filter(Boolean).join('  ');
    const lines = !seen ? [] : [
      seen.emergency && seen.allowed ? t('pad.emergency') : '',
      seen.allowed && !seen.emergency ? where : '',
      seen.allowed ? '' : seen.why.message,
      seen.allowed && seen.extension ? t('pad.extension', { extension: seen.extension }) : '',
    ].filter(Boolean);
    const text = lines.join('\n');
    if (this.told !== `${look}${text}`) {
      this.told = `${look}${text}`;
      const sign = look === 'emergency' || look === 'bad' ? icon('warn') : null;
      verdict.replaceChildren(...[sign, h('div', {}, ...lines.map((line) => h('p', { text: line })))].filter(Boolean));
    }
    this.label.textContent = seen?.allowed && seen.emergency ? t('pad.call_emergency', { number: seen.number }) : t('pad.call');
    call.classList.toggle('reject', Boolean(seen?.allowed && seen.emergency));
    if (!this.input.value.trim() || (seen && !seen.allowed)) call.setAttribute('aria-disabled', 'true');
    else call.removeAttribute('aria-disabled');
  }

  destroy() {
    clearTimeout(this.timer);
    this.lines.removeEventListener('change', this.follow);
  }
}

// Keys for machines at the other end: pressed, typed or pasted, heard here at once, sent in their order, shown when they
// have been sent.

import { h } from './dom.js';
import { keysOf, KEYS, LETTERS, MOST, play } from './dtmf.js';
import { explain } from './explain.js';
import { Popover } from './popover.js';

export class Keypad extends Popover {
  /** @param target() the id of the call whose far end hears the keys, or null */
  constructor(live, { button, target }) {
    const t = (key, values) => live.t(key, values);
    const sent = h('span');
    const waiting = h('span', { class: 'soft' });
    const shown = h('div', { class: 'sent num', role: 'log', 'aria-label': t('keypad.sent'), tabindex: '0' }, sent, waiting);
    const note = h('p', { class: 'wrong', role: 'alert' });
    const keys = h('div', { class: 'keys', role: 'group', 'aria-label': t('keypad.keys') });
    super(live, button, t('toolbar.keypad'), shown, keys, note, h('p', { class: 'soft small', text: t('keypad.hint') }));
    Object.assign(this, { target, sent, waiting, note, keys, queue: '', done: '', flying: '' });
    for (const key of KEYS) keys.append(this.#key(key));
    this.node.addEventListener('keydown', (event) => this.#typed(event));
    this.node.addEventListener('paste', (event) => {
      event.preventDefault();
      this.press(event.clipboardData.getData('text'));
    });
    this.of = null;
  }

  #key(key) {
    const label = { '*': 'keypad.star', '#': 'keypad.hash' }[key];
    const attributes = { type: 'button', class: 'key', onclick: () => this.press(key) };
    if (label) attributes['aria-label'] = this.live.t(label);
    return h('button', attributes, h('span', { class: 'num', text: key }), h('span', { class: 'letters', 'aria-hidden': 'true', text: LETTERS[key] ?? '' }));
  }

  opened() {
    this.live.tone.unlock();
    this.keys.firstChild.focus();
  }

  #typed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1 || !keysOf(event.key)) return;
    event.preventDefault();
    const index = KEYS.indexOf(event.key);
    if (index >= 0) this.keys.children[index].focus();
    this.press(event.key);
  }

  /** Send what can be sent of this text. */
  press(text) {
    const keys = keysOf(text);
    if (!keys || !this.target()) return;
    if (keys.length === 1) play(this.live.tone.context, keys);
    this.note.textContent = '';
    this.queue += keys;
    this.#show();
    this.#send();
  }

  /** One command after the other, so that keys arrive in their order; what was pressed meanwhile goes together. */
  async #send() {
    if (this.flying) return;
    const call = this.of;
    while (this.queue && this.of === call) {
      [this.flying, this.queue] = [this.queue.slice(0, MOST), this.queue.slice(MOST)];
      try {
        await this.live.command(`/desk/calls/${this.target()}/keys`, { digits: this.flying });
        if (this.of === call) this.done += this.flying;
      } catch (error) {
        this.note.textContent = this.live.t('keypad.failed', { keys: this.flying + this.queue, reason: explain(error, (key) => this.live.t(key)) });
        this.queue = '';
      }
      this.flying = '';
      this.#show();
    }
  }

  #show() {
    this.sent.textContent = this.done;
    this.waiting.textContent = this.flying + this.queue;
    this.sent.parentNode.scrollLeft = 1e6;
  }

  /** Another call, another story. */
  draw() {
    const now = this.target();
    if (!now && this.open) this.close();
    if (!now || now === this.of) return;
    Object.assign(this, { of: now, done: '', queue: '' });
    this.note.textContent = '';
    this.#show();
  }
}

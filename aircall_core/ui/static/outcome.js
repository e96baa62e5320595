// A dialled call that came to nothing: why, in words, and the way to try again. Stands where the toolbar stood until it is
// closed, dialled again, or another call takes its place.

import { callerTitle, h, icon } from './dom.js';
import { explain } from './explain.js';
import { current } from './family.js';
import { whyNot } from './parties.js';

export class Outcome {
  constructor(live) {
    this.live = live;
    const t = (key, values) => live.t(key, values);
    this.t = t;
    this.name = h('p', { class: 'name cut' });
    this.why = h('p', { class: 'why' });
    this.again = h('button', { type: 'button', class: 'accept', onclick: () => this.#redial() }, icon('phone'), t('dialled.again'));
    this.node = h(
      'div',
      { class: 'outcome', role: 'group', 'aria-label': t('dialled.title'), popover: 'manual' },
      h('div', { class: 'first' }, this.name, h('button', { class: 'plain square', type: 'button', 'aria-label': t('close'), onclick: () => this.#show(false) }, icon('close'))),
      h('div', { role: 'status' }, this.why),
      this.again,
    );
    this.heard = ({ detail }) => this.#ended(detail);
    this.seen = () => this.#show(this.node.matches(':popover-open'));
    live.addEventListener('event', this.heard);
    live.addEventListener('view', this.seen);
  }

  #ended({ event, before }) {
    const old = before.calls[event.call_id];
    const ours = old?.direction === 'outbound' && !old.parent && old.by === this.live.view.user;
    if (event.kind !== 'call.ended' || !ours || old.answered_at || event.data.reason === 'cancelled') return;
    if (this.live.dialerCalls?.has(event.call_id)) return; // the Power Dialer's page says it
    const card = this.live.cards[event.call_id];
    this.number = this.live.calls.dialled.get(event.call_id) ?? { line: old.line, number: card?.number };
    this.name.textContent = callerTitle(card, this.t);
    this.why.textContent = whyNot(event.data, this.t);
    this.#show(true);
  }

  async #redial() {
    if (this.busy) return;
    this.busy = true;
    this.again.setAttribute('aria-busy', 'true');
    try {
      await this.live.calls.dial(this.number);
      this.#show(false);
    } catch (error) {
      this.why.textContent = explain(error, this.t);
    } finally {
      this.busy = false;
      this.again.setAttribute('aria-busy', 'false');
    }
  }

  #show(yes) {
    const shown = yes && !current(this.live.view);
    if (shown !== this.node.matches(':popover-open')) this.node.togglePopover(shown);
  }

  destroy() {
    this.live.removeEventListener('event', this.heard);
    this.live.removeEventListener('view', this.seen);
  }
}

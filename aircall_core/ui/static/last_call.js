// Which call the user has left last: what they write in wrap-up is about that one. The view forgets calls that are over,
// so this remembers, over reloads and for all tabs of the browser. Pure but for the storage.

import { callerTitle } from './dom.js';

/** The user's own calls with customers in a view, newest first; calls made for another one are part of that. */
export function own(view) {
  const mine = Object.values(view.calls).filter((one) => one.by === view.user && !one.parent && one.answered_at);
  return mine.sort((a, b) => b.answered_at - a.answered_at);
}

/** What is remembered after the view has changed: {own: calls that go on, last: the one left last, or null}. */
export function remember(known, calls) {
  const gone = known.own.filter((one) => !calls.some((other) => other.id === one.id));
  return { own: calls, last: gone.at(-1) ?? known.last };
}

export class LastCall {
  constructor(live) {
    Object.assign(this, { live, look: () => this.update() });
    this.key = `aircall.last_call.${live.view.user}`;
    live.addEventListener('view', this.look);
    this.update();
  }

  /** {id, conversation, title, line} of the call that was left last; null when none is known. */
  get call() {
    return this.known.last;
  }

  update() {
    const { live } = this;
    this.known = this.#read();
    if (live.status !== 'online') return; // before the first snapshot every call seems to be gone
    const calls = own(live.view).map(({ id, conversation }) => {
      const card = live.cards[id];
      return { id, conversation, title: callerTitle(card, (key) => live.t(key)), line: card?.line_name ?? '' };
    });
    const now = remember(this.known, calls);
    if (JSON.stringify(now) === JSON.stringify(this.known)) return;
    this.known = now;
    try {
      live.env.localStorage.setItem(this.key, JSON.stringify(now));
    } catch (error) {
      console.warn('aircall: this browser does not remember the last call', error);
    }
  }

  #read() {
    try {
      return JSON.parse(this.live.env.localStorage.getItem(this.key)) ?? this.known ?? { own: [], last: null };
    } catch {
      return this.known ?? { own: [], last: null };
    }
  }

  stop() {
    this.live.removeEventListener('view', this.look);
  }
}

// Which tab rings aloud. The desk names the browser; within it the tab that holds a Web Lock sounds, and when it closes
// or loses its sound the browser hands the lock to the next one. Only tabs that can be heard ask for it.

import { current } from './family.js';
import { ringing } from './view.js';

const AGAIN_MS = 300;

/** Event 'change': this tab was elected, or is no longer. */
export class Aloud extends EventTarget {
  constructor(live, tone, locks) {
    super();
    Object.assign(this, { live, tone, locks, holds: false, known: false, silenced: new Set() });
    const look = () => this.update();
    live.addEventListener('view', look);
    live.addEventListener('aloud', look);
    live.addEventListener('status', look);
    tone.addEventListener('state', () => {
      live.setDevice({ sound: tone.state });
      this.#compete();
      this.update();
    });
    this.#compete();
  }

  /** The user has reacted to this call here: quiet at once, whatever the network does. */
  silence(callId) {
    this.silenced.add(callId);
    this.update();
  }

  /** It was a mistake (the command failed): ring again. */
  resume(callId) {
    this.silenced.delete(callId);
    this.update();
  }

  /** Whether this very tab is the one that sounds for its user. */
  get elected() {
    // Without a word from the desk every browser rings: two rings are better than none.
    return this.holds && (this.live.aloud == null || this.live.aloud === this.live.browser);
  }

  update() {
    if (this.known !== this.elected) {
      this.known = this.elected;
      this.dispatchEvent(new Event('change'));
    }
    const calls = ringing(this.live.view);
    for (const id of this.silenced) if (!this.live.view.calls[id]) this.silenced.delete(id);
    const wanted = this.elected && calls.some((call) => call.state === 'ringing' && !this.silenced.has(call.id));
    if (wanted) this.tone.start(current(this.live.view) !== null);
    else this.tone.stop();
  }

  #compete() {
    const able = this.tone.state === 'ok';
    if (!able) {
      this.release?.();
      this.waiting?.abort();
      return;
    }
    if (this.holds || this.waiting) return;
    if (!this.locks) {
      this.holds = true;
      return;
    }
    this.waiting = new AbortController();
    this.locks
      .request('aircall.aloud', { signal: this.waiting.signal }, () => {
        this.holds = true;
        this.update();
        return new Promise((done) => (this.release = done));
      })
      .catch((error) => {
        if (error.name === 'AbortError') return;
        // Chromium stops a page while it opens a window for it, and refuses a lock whose turn comes just then.
        console.warn('aircall: the lock for the ring was refused, asking again', error);
        this.live.env.after(AGAIN_MS, () => this.#compete());
      })
      .finally(() => {
        this.holds = false;
        this.release = undefined;
        this.waiting = undefined;
        this.update();
      });
  }
}

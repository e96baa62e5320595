// Which of the user's tabs carries a call's audio, and what happens on Accept: the rules between the realtime view and the
// phone. A tab remembers the call it carries in sessionStorage, so that a reload takes it up again.

import { active, ringing } from './view.js';

const OWNER_GRACE_MS = 1500; // how long a tab that carries the call may take to come back before another offers itself

export class Calls extends EventTarget {
  constructor(live, { phone, aloud, storage }) {
    super();
    Object.assign(this, { live, phone, aloud, storage, preconnect: 4, accepting: new Set(), offered: new Set() });
    live.addEventListener('view', () => this.#follow());
    live.addEventListener('status', () => this.#follow());
    aloud.tone.addEventListener('state', () => this.#follow());
    aloud.addEventListener('change', () => this.#follow()); // a closed tab's lock may come later than the news of its call
    phone.addEventListener('mic', () => this.#follow());
    // A copied tab copies the storage too, but not the call. Known before the first news of any call.
    live.addEventListener('duplicated', () => this.#own(null));
  }

  /** The call whose audio this tab carries, or null. */
  get owned() {
    try {
      return this.storage.getItem('aircall.call') || null;
    } catch {
      return this.memory ?? null;
    }
  }

  #own(callId) {
    this.memory = callId;
    try {
      if (callId) this.storage.setItem('aircall.call', callId);
      else this.storage.removeItem('aircall.call');
    } catch {
      /* storage forbidden: a reload will not find the call by itself, the button "Bring audio here" will */
    }
  }

  /** Take the call in this tab. Resolves when the desk says that it is answered; rejects with a message to show. */
  async accept(callId) {
    const { live, phone } = this;
    if (this.accepting.has(callId)) return;
    this.accepting.add(callId);
    this.aloud.silence(callId);
    this.#changed();
    try {
      if (!phone.armed) await phone.arm();
      const { peer } = phone.offer(callId, 'ring');
      this.offered.add(callId);
      this.#own(callId);
      const mine = (view) => ['answered', 'confirmed'].includes(view.calls[callId]?.state) && view.calls[callId].by === view.user;
      await live.command(`/desk/calls/${callId}/accept`, { peer, tab: live.tab }, { until: mine });
    } catch (error) {
      if (this.owned === callId && live.view.calls[callId]?.by !== live.view.user) {
        this.#own(null);
        phone.close(callId);
        this.offered.delete(callId);
      }
      this.aloud.resume(callId);
      throw error;
    } finally {
      this.accepting.delete(callId);
      this.#changed();
    }
  }

  /** Silence it for this user; other users go on ringing. */
  async reject(callId) {
    this.aloud.silence(callId);
    try {
      await this.live.command(`/desk/calls/${callId}/reject`, {}, { until: (view) => !view.calls[callId]?.ringing.includes(view.user) });
    } catch (error) {
      this.aloud.resume(callId);
      throw error;
    }
  }

  hangup(callId) {
    return this.live.command(`/desk/calls/${callId}/hangup`, {}, { until: (view) => !view.calls[callId] });
  }

  /** The microphone is cut at once; the button shows it when the log says so. */
  async mute(callId, muted) {
    if (muted) this.phone.setMuted(callId, true);
    try {
      await this.live.command(`/desk/calls/${callId}/mute`, { muted }, { until: (view) => view.calls[callId]?.muted === muted });
    } finally {
      this.phone.setMuted(callId, this.live.view.calls[callId]?.muted ?? false);
    }
  }

  /** Carry the user's call in this tab from now on. */
  async bringHere(callId) {
    if (!this.phone.armed) await this.phone.arm();
    this.#own(callId);
    await this.phone.offer(callId, 'call').ready;
  }

  #follow() {
    const { live, phone } = this;
    const { view } = live;
    for (const id of this.offered) {
      const call = view.calls[id];
      const kept = call && (call.by === view.user ? this.owned === id : call.ringing.includes(view.user));
      if (!kept && !this.accepting.has(id)) {
        phone.close(id);
        this.offered.delete(id);
      }
    }
    const mine = active(view);
    if (this.owned && live.status === 'online' && mine?.id !== this.owned && !this.accepting.has(this.owned)) {
      phone.close(this.owned);
      this.#own(null);
    }
    if (mine) this.#carry(mine);
    else this.#preconnect();
    if (mine) phone.setMuted(mine.id, mine.muted);
  }

  #carry(call) {
    if (call.state === 'accepting' && this.accepting.has(call.id)) return;
    if (this.owned === call.id) {
      // Our own peer id differs from the view's when another tab of the user has taken the audio over.
      const here = this.phone.peerOf(call.id);
      if (!here) this.#offer(call.id);
      else if (call.peer && call.peer !== here && this.confirmedPeer === here) this.#letGo(call.id);
      else if (call.peer === here) this.confirmedPeer = here;
      return;
    }
    // The tab that carried it is gone: the one that would ring takes the call, after a moment for a mere reload.
    if (!call.away || !this.aloud.elected || !this.phone.armed || this.rescue === call.id) return;
    this.rescue = call.id;
    this.live.env.after(OWNER_GRACE_MS, () => {
      this.rescue = null;
      const now = active(this.live.view);
      if (now?.id !== call.id || !now.away || this.owned === call.id || !this.aloud.elected) return;
      this.#own(call.id);
      this.#offer(call.id);
    });
  }

  async #offer(callId) {
    if (this.offering === callId) return;
    this.offering = callId;
    try {
      if (!this.phone.armed) await this.phone.arm();
      this.offered.add(callId);
      await this.phone.offer(callId, 'call').ready;
    } catch (error) {
      this.live.toast(this.live.t('audio.failed', { reason: error.message }), { kind: 'error', key: 'audio' });
    } finally {
      this.offering = null;
    }
  }

  #letGo(callId) {
    this.phone.close(callId);
    this.offered.delete(callId);
    this.confirmedPeer = null;
    this.#own(null);
    this.#changed();
  }

  /** Few users are rung: connect during the ring, so that Accept finds the audio ready. Only where it will be answered. */
  #preconnect() {
    if (!this.aloud.elected || !this.phone.armed || this.live.status !== 'online') return;
    const [first] = ringing(this.live.view);
    if (!first || first.state !== 'ringing' || first.ringing.length > this.preconnect || this.offered.has(first.id)) return;
    this.offered.add(first.id);
    this.phone.offer(first.id, 'ring').ready?.catch((error) => {
      this.offered.delete(first.id); // Accept will try again and say what is wrong
      console.warn('aircall: could not connect during the ring', error);
    });
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

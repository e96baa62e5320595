// Which tab carries a call's audio, and what happens on Accept and Dial: the rules between the realtime view and the phone.
// A tab remembers the calls it carries in sessionStorage, so that a reload takes them up again.

import { answered, carried, children, idle } from './family.js';
import { legOf } from './leg.js';
import { newId } from './live.js';
import { ringing } from './view.js';

const KEY = 'aircall.call';
const OWNER_GRACE_MS = 1500; // how long a tab that carries the call may take to come back before another offers itself
const BROUGHT_GRACE_MS = 8000; // the same for a tab that the audio was just brought to: on a slow machine it takes two attempts to connect
const MIC_GRACE_MS = 2000; // so long another microphone is looked for before the caller hears music instead of nothing
const FRESH_MS = 5000; // so long after the desk has taken a number the log's word of the call may take

export class Calls extends EventTarget {
  constructor(live, { phone, aloud, storage }) {
    super();
    Object.assign(this, { live, phone, aloud, storage, preconnect: 4, accepting: new Set(), offered: new Set() });
    Object.assign(this, { offering: new Set(), rescues: new Set(), brought: new Map(), fresh: new Set(), confirmed: new Set(), dialled: new Map(), memory: [] });
    live.addEventListener('view', () => this.#follow());
    live.addEventListener('status', () => this.#follow());
    live.addEventListener('event', ({ detail: { event } }) => {
      if (event.kind === 'call.transferred' && event.user_id === live.view.user) this.#passedOn(event.data.via, event.call_id);
    });
    live.addEventListener('event', ({ detail: { event, before } }) => this.#followAudio(event, before));
    aloud.tone.addEventListener('state', () => this.#follow());
    aloud.addEventListener('change', () => this.#follow()); // a closed tab's lock may come later than the news of its call
    phone.addEventListener('mic', () => (this.#follow(), this.#followMic()));
    phone.addEventListener('state', ({ detail: { callId, error } }) => {
      if (error?.code === 'overtaken') this.#letGo(callId); // another tab took the audio while this one's network was away
    });
    // A copied tab copies the storage too, but not the call. Known before the first news of any call.
    live.addEventListener('duplicated', () => this.#keep([]));
  }

  /** The calls whose audio this tab carries: the one its user speaks in, and one on hold. */
  get owned() {
    try {
      return this.storage.getItem(KEY)?.split(',').filter(Boolean) ?? [];
    } catch {
      return this.memory;
    }
  }

  owns(callId) {
    return this.owned.includes(callId);
  }

  #own(callId) {
    if (!this.owns(callId)) this.#keep([...this.owned, callId]);
  }

  #disown(callId) {
    this.#keep(this.owned.filter((one) => one !== callId));
  }

  #keep(ids) {
    this.memory = ids;
    try {
      if (ids.length) this.storage.setItem(KEY, ids.join(','));
      else this.storage.removeItem(KEY);
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
      const mine = ({ calls, user }) => calls[callId]?.by === user && answered(calls[callId]);
      await live.command(`/desk/calls/${callId}/accept`, { peer, tab: live.tab }, { until: mine });
    } catch (error) {
      if (this.owns(callId) && live.view.calls[callId]?.by !== live.view.user) this.#letGo(callId);
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

  /**
   * Call a number by a line: this tab's audio first, then the number is dialled. Resolves to {call} when the desk has taken
   * it; from there the view tells. Rejects with a message to show. `callback`, `entry`: what it is done for.
   */
  async dial({ line, number, callback, entry }) {
    const { live, phone } = this;
    if (!phone.armed) await phone.arm();
    const peer = newId();
    const { call } = await live.request('/desk/dial', { line, number, peer, tab: live.tab, callback, entry, command: newId() });
    this.dialled.set(call, { line, number }); // to dial it again
    this.fresh.add(call);
    live.env.after(FRESH_MS, () => {
      this.fresh.delete(call);
      this.#follow();
    });
    this.offered.add(call);
    this.#own(call);
    phone.offer(call, 'call', peer).ready.catch((error) => this.#failed(call, error));
    this.#changed();
    return { call };
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
    const mine = carried(view);
    for (const id of this.fresh) if (view.calls[id]) this.fresh.delete(id);
    for (const call of mine) this.#passedOn(call.peer && phone.callOf(call.peer), call.id);
    for (const id of this.offered) {
      const call = view.calls[id];
      const kept = call && (call.by === view.user ? this.owns(id) : call.ringing.includes(view.user));
      if (!kept && !this.accepting.has(id) && !this.fresh.has(id)) {
        phone.close(id);
        this.offered.delete(id);
      }
    }
    for (const id of this.owned) {
      const over = live.status === 'online' && !mine.some((call) => call.id === id);
      if (over && !this.accepting.has(id) && !this.fresh.has(id)) this.#letGo(id);
    }
    for (const call of mine) {
      this.#carry(call);
      phone.setMuted(call.id, call.muted);
      phone.setHeld(call.id, idle(view, call));
    }
    this.#preconnect();
  }

  /** What a colleague asked us about has been passed on to us: the audio of the question is now the call's. */
  #passedOn(before, callId) {
    if (!before || before === callId || !this.owns(before)) return;
    this.phone.rename(before, callId);
    this.offered.delete(before);
    this.offered.add(callId);
    this.#disown(before);
    this.#own(callId);
  }

  #carry(call) {
    if (call.state === 'accepting' && this.accepting.has(call.id)) return;
    if (this.owns(call.id)) {
      // Our own peer id differs from the view's when another tab of the user has taken the audio over.
      const here = this.phone.peerOf(call.id);
      if (!here) this.#offer(call.id);
      else if (call.peer && legOf(call.peer) === legOf(here)) this.confirmed.add(call.id);
      else if (call.peer && this.confirmed.has(call.id)) this.#letGo(call.id);
      return;
    }
    // The tab that carries it is gone: the one that would ring takes the call, after a moment for a mere reload.
    if (!call.away || !this.aloud.elected || !this.phone.armed || this.rescues.has(call.id)) return;
    this.rescues.add(call.id);
    this.live.env.after(this.brought.has(call.id) ? BROUGHT_GRACE_MS : OWNER_GRACE_MS, () => {
      this.rescues.delete(call.id);
      const now = this.live.view.calls[call.id];
      if (now && now.peer !== call.peer) return this.#follow(); // brought to another tab meanwhile: that one has its own time
      if (now?.by !== this.live.view.user || !now.away || this.owns(call.id) || !this.aloud.elected) return;
      this.#own(call.id);
      this.#offer(call.id);
    });
  }

  /** Audio that was brought to a tab and does not flow there yet is not to be rescued from it: the user chose that tab. */
  #followAudio({ kind, call_id: id, data }, before) {
    if (kind !== 'call.audio') return;
    const was = before.calls[id]?.peer;
    if (!was || legOf(was) === legOf(data.peer)) return;
    this.brought.set(id, data.peer);
    this.live.env.after(BROUGHT_GRACE_MS, () => this.brought.get(id) === data.peer && this.brought.delete(id));
  }

  /** A call whose user cannot be heard is held: the caller hears music. Once a loss, since they may want to listen. */
  #followMic() {
    const { live, phone } = this;
    if (phone.armed) {
      const held = this.silent && live.view.calls[this.silent];
      this.silent = null;
      if (held?.held) this.#hold(held.id, false);
    } else if (!this.listening) {
      this.listening = true;
      live.env.after(MIC_GRACE_MS, () => {
        this.listening = false;
        const [call] = carried(live.view);
        if (phone.armed || !call || call.held || call.parent || !answered(call) || !this.owns(call.id) || children(live.view, call.id).length) return;
        this.silent = call.id;
        this.#hold(call.id, true);
      });
    }
  }

  async #hold(callId, held) {
    try {
      await this.live.command(`/desk/calls/${callId}/hold`, { held }, { until: (view) => !view.calls[callId] || view.calls[callId].held === held });
      this.live.toast(this.live.t(held ? 'mic.held' : 'mic.back'), { key: 'mic', kind: held ? 'error' : 'info' });
    } catch (error) {
      console.warn('aircall: a call without a microphone could not be held', error); // the toolbar says that nobody is heard
    }
  }

  async #offer(callId) {
    if (this.offering.has(callId)) return;
    this.offering.add(callId);
    try {
      if (!this.phone.armed) await this.phone.arm();
      this.offered.add(callId);
      await this.phone.offer(callId, 'call').ready;
    } catch (error) {
      this.#failed(callId, error);
    } finally {
      this.offering.delete(callId);
    }
  }

  #failed(callId, error) {
    if (this.live.view.calls[callId]?.by !== this.live.view.user) return; // it ended meanwhile
    this.live.toast(this.live.t('audio.failed', { reason: error.message }), { kind: 'error', key: 'audio' });
  }

  #letGo(callId) {
    this.phone.close(callId);
    this.offered.delete(callId);
    this.confirmed.delete(callId);
    this.#disown(callId);
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

// One call's audio between this browser and a media gateway: a peer connection that is offered, watched and, when its path
// is lost, offered anew until the leg is closed. No DOM; time, RTCPeerConnection and the desk are given by the Phone.

const CANDIDATE_GRACE_MS = 5; // after the first usable address: others of this machine come within the same moment
const CANDIDATE_WAIT_MS = 500; // no usable address by then: offer without; the gateway learns ours from our checks
const CONNECT_MS = 4000; // an attempt that has not connected by then is begun again
const WATCH_MS = 250;
const DEAD_MS = 1000; // the gateway sends 50 packets a second, always; none for so long means that the path is gone
const BACKOFF_MS = [100, 250, 500, 1000, 2000];
const STUCK_MS = 1000; // an attempt as old as that, when the network comes back, is begun anew
const GIVE_UP_MS = { ring: 10000, call: 30000 }; // for a leg that never connected; one that did is kept until it is closed
const FINAL = new Set([400, 401, 403, 404, 409, 410]); // the desk's word on this call will not change by asking again

const AGAIN = /-again-(\d+)$/;

/** The leg that a peer's id belongs to: its offers are numbered, so that the desk can tell a late one from the newest. */
export const legOf = (peer) => peer.replace(AGAIN, '');

const next = (peer) => `${legOf(peer)}-again-${Number(AGAIN.exec(peer)?.[1] ?? 1) + 1}`;

/** Resolves when the offer holds an address worth sending: gathering all of them costs 130 ms and gains nothing here. */
export function usableCandidate(pc, after) {
  return new Promise((resolve) => {
    after(CANDIDATE_WAIT_MS, resolve);
    pc.addEventListener('icegatheringstatechange', () => pc.iceGatheringState === 'complete' && resolve());
    pc.addEventListener('icecandidate', ({ candidate }) => {
      if (!candidate?.candidate) resolve();
      else if (candidate.type === 'host' && !candidate.address?.endsWith('.local')) after(CANDIDATE_GRACE_MS, resolve);
    });
  });
}

/** States: connecting, connected, reconnecting, failed, closed. Event 'state' on each change; `error` says why it failed. */
export class Leg extends EventTarget {
  /**
   * @param callId the call
   * @param purpose 'ring' (offered before the call is answered) or 'call'
   * @param parts {env, offer(leg, sdp, signal) -> answer, hangup(peer), track() -> MediaStreamTrack, config() -> RTCConfiguration,
   *               accepted() -> bool, newPeer() -> id}
   * @param peer the id that the desk knows this offer by already, where it was named before there was a call
   */
  constructor(callId, purpose, parts, peer = parts.newPeer()) {
    super();
    Object.assign(this, { callId, purpose, parts, env: parts.env });
    this.peer = peer;
    this.state = 'connecting';
    this.error = null;
    this.muted = false;
    this.held = false;
    this.everConnected = false;
    this.stream = null; // what the caller's audio comes in
    this.attempt = 0;
    this.begun = this.env.now();
    this.ready = new Promise((resolve, reject) => (this.settle = { resolve, reject }));
    this.ready.catch(() => {}); // whoever wants to know listens to `ready`; the state says it to all others
    this.#connect();
  }

  get over() {
    return this.state === 'closed' || this.state === 'failed';
  }

  /** Cut or give the microphone to this call only; packets go on, so that the gateway knows that we are here. */
  setMuted(muted) {
    this.muted = muted;
    this.#enable();
  }

  /** The call waits for its user, who is in another one: the microphone is that one's. */
  setHeld(held) {
    this.held = held;
    this.#enable();
  }

  #enable() {
    if (this.track) this.track.enabled = !this.muted && !this.held;
  }

  /** Another microphone: the call goes on without a new offer. */
  async replaceTrack() {
    const before = this.track;
    this.#takeTrack();
    await this.sender?.replaceTrack(this.track);
    before?.stop();
  }

  /** The network is back or the machine woke: do not wait for the next attempt. */
  hurry() {
    const stuck = !this.retry && this.env.now() - this.tried > STUCK_MS;
    if (this.state !== 'reconnecting' || !(this.retry || stuck)) return;
    if (this.retry) this.env.cancel(this.retry);
    this.retry = null;
    this.attempt = 0;
    this.#connect();
  }

  /** End it for good. */
  close() {
    if (this.over) return;
    this.#end('closed');
    this.parts.hangup(this.peer);
    this.settle.reject(new Error('closed'));
  }

  #takeTrack() {
    this.track = this.parts.track().clone(); // of its own, so that muting one call does not mute another
    this.#enable();
  }

  async #connect() {
    this.tried = this.env.now();
    const config = await this.parts.config();
    if (this.over) return;
    this.#drop();
    let pc;
    try {
      pc = new this.env.RTCPeerConnection(config);
    } catch (error) {
      return this.#fail(error); // ICE servers that this browser does not accept: trying again would not change them
    }
    this.pc = pc;
    const current = () => this.pc === pc && !this.over;
    pc.addEventListener('track', ({ track, receiver, streams }) => {
      if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = 0; // as little as the network allows
      this.stream = streams[0] ?? new this.env.MediaStream([track]);
      this.receiver = receiver;
      this.dispatchEvent(new Event('stream'));
    });
    pc.addEventListener('connectionstatechange', () => {
      if (!current()) return;
      if (pc.connectionState === 'connected') this.#connected();
      else if (['failed', 'disconnected', 'closed'].includes(pc.connectionState)) this.#again(pc.connectionState);
    });
    this.deadline = this.env.after(CONNECT_MS, () => current() && this.#again('timeout'));
    try {
      this.#takeTrack();
      this.sender = pc.addTrack(this.track);
      const usable = usableCandidate(pc, this.env.after);
      await pc.setLocalDescription();
      await usable;
      if (!current()) return;
      this.asking = new AbortController(); // an attempt that is given up shall not hold one of the browser's few connections
      const answer = await this.parts.offer(this, pc.localDescription.sdp, this.asking.signal);
      if (current()) await pc.setRemoteDescription(answer);
    } catch (error) {
      if (!current()) return;
      this.error = error;
      if (FINAL.has(error.status)) this.#fail(error);
      else this.#again(error.code ?? error.name);
    }
  }

  #connected() {
    this.env.cancel(this.deadline);
    this.attempt = 0;
    this.error = null;
    this.everConnected = true;
    this.heard = { packets: -1, at: this.env.now() };
    this.#watch(this.pc);
    this.#setState('connected');
    this.settle.resolve();
  }

  /** Chromium takes 5 seconds to call a path lost; counting its packets takes one. */
  #watch(pc) {
    this.watching = this.env.after(WATCH_MS, async () => {
      let packets = this.heard.packets;
      try {
        for (const report of (await pc.getStats()).values()) {
          if (report.type === 'inbound-rtp') packets = report.packetsReceived;
        }
      } catch (error) {
        console.debug('aircall: no statistics from a closed connection', error);
      }
      if (this.pc !== pc || this.state !== 'connected') return;
      const now = this.env.now();
      if (packets !== this.heard.packets) this.heard = { packets, at: now };
      if (now - this.heard.at >= DEAD_MS) this.#again('silent');
      else this.#watch(pc);
    });
  }

  /** Offer anew after a while. A leg that never connected gives up in the end. */
  #again(why) {
    this.#drop();
    if (!this.everConnected && this.env.now() - this.begun > GIVE_UP_MS[this.purpose]) {
      return this.#fail(this.error ?? new Error(why));
    }
    const fresh = this.parts.accepted(this.callId);
    // Accept names the peer that was offered during the ring, so that one keeps its id until the call is ours.
    if (fresh) {
      this.purpose = 'call';
      this.peer = next(this.peer);
    }
    this.#setState(this.everConnected ? 'reconnecting' : 'connecting');
    const wait = BACKOFF_MS[Math.min(this.attempt, BACKOFF_MS.length - 1)];
    this.attempt += 1;
    this.retry = this.env.after(wait, () => {
      this.retry = null;
      this.#connect();
    });
  }

  #fail(error) {
    this.error = error;
    this.#end('failed');
    this.settle.reject(error);
  }

  #end(state) {
    if (this.retry) this.env.cancel(this.retry);
    this.retry = null;
    this.#drop();
    this.#setState(state);
  }

  #drop() {
    this.env.cancel(this.deadline);
    this.env.cancel(this.watching);
    this.track?.stop();
    this.asking?.abort();
    const { pc } = this;
    this.asking = this.pc = this.track = this.sender = this.receiver = null;
    pc?.close();
  }

  #setState(state) {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new Event('state'));
  }
}

// The browser's phone: the microphone, the loudspeaker and a leg of audio for each call. It lives on window.__aircall, so
// that page changes and reruns never touch it. Which tab carries a call, and when, is decided elsewhere (calls.js).

import { Leg, legOf } from './leg.js';
import { newId } from './live.js';
import { Meter } from './meter.js';

const HUSH_MS = 300; // opening another microphone takes about as long
const CONFIG_WAIT_MS = 3000; // in a network that swallows packets a request would last for minutes
const CONFIG_MS = 600000; // TURN passwords are often good for an hour: ask again well before

// States in which a call is this user's, and those in which they hear it: one that they dial is heard while it rings.
const TALKING = ['answered', 'confirmed'];
const HEARD = ['dialling', ...TALKING];

const REFUSALS = {
  NotAllowedError: 'denied',
  SecurityError: 'denied',
  NotFoundError: 'missing',
  OverconstrainedError: 'missing',
  NotReadableError: 'busy',
  AbortError: 'busy',
};

/** What the page gives; tests give their own. */
export function browserEnv() {
  return {
    now: () => performance.now(),
    after: (ms, run) => setTimeout(run, ms),
    cancel: (timer) => clearTimeout(timer),
    RTCPeerConnection: globalThis.RTCPeerConnection,
    MediaStream: globalThis.MediaStream,
    AudioContext: globalThis.AudioContext,
    mediaDevices: globalThis.isSecureContext ? navigator.mediaDevices : undefined,
    storage: storageOrNone(),
    page: globalThis,
    async onMicAllowed(call) {
      const status = await navigator.permissions?.query({ name: 'microphone' });
      status?.addEventListener('change', () => status.state === 'granted' && call());
    },
    newAudio() {
      const audio = document.createElement('audio');
      audio.autoplay = true;
      audio.hidden = true;
      document.body.append(audio);
      return audio;
    },
  };
}

function storageOrNone() {
  try {
    return globalThis.localStorage;
  } catch {
    return null; // forbidden by the browser's settings: choices last as long as the page
  }
}

/**
 * Events: 'state' {callId, state, error} of a leg; 'mic' when `mic` or `armed` changed; 'devices' when some were plugged or
 * chosen; 'blocked' when the browser will not play sound before a click (the next click plays it).
 */
export class Phone extends EventTarget {
  /** @param desk has request(path, body) and `tab`; also the view, which tells whether a call has been accepted here. */
  constructor(desk, env = browserEnv()) {
    super();
    this.desk = desk;
    this.env = env;
    this.mic = env.mediaDevices ? 'unknown' : 'insecure'; // unknown, ok, denied, missing, busy, insecure
    this.input = null; // the microphone's MediaStream
    this.legs = new Map();
    this.chosen = { mic: this.#kept('mic'), speaker: this.#kept('speaker'), processing: this.#kept('processing') };
    env.mediaDevices?.addEventListener?.('devicechange', () => this.#devicesChanged());
    env.onMicAllowed?.(() => this.#again('denied')).catch((error) => console.debug('aircall: no news of permissions', error));
    env.page.addEventListener('online', () => this.#hurry());
    desk.addEventListener?.('status', () => desk.status === 'online' && this.#hurry());
    env.page.addEventListener('pagehide', (event) => event.persisted || this.#closeAll());
  }

  /** The microphone is ours and live. */
  get armed() {
    return this.mic === 'ok';
  }

  /** The hidden element that plays the caller; made when first needed. */
  get audio() {
    if (!this.element) {
      this.element = this.env.newAudio();
      this.#useSpeaker().catch((error) => console.warn('aircall: the chosen loudspeaker is not there', error));
    }
    return this.element;
  }

  /** Ask for the microphone. Rejects with the browser's error; `mic` then says which of the known refusals it was. */
  arm() {
    this.arming ??= this.#arm().finally(() => (this.arming = null));
    return this.arming;
  }

  async #arm() {
    if (this.armed) return;
    if (!this.env.mediaDevices) {
      this.#setMic('insecure');
      throw new DOMException('A microphone needs HTTPS', 'SecurityError');
    }
    try {
      this.#takeInput(await this.#open(this.chosen.mic));
    } catch (error) {
      this.#setMic(REFUSALS[error.name] ?? 'busy');
      throw error;
    }
    this.#setMic('ok');
  }

  #open(deviceId) {
    const on = this.chosen.processing !== 'off';
    const audio = { echoCancellation: on, noiseSuppression: on, autoGainControl: on, channelCount: 1 };
    if (deviceId) audio.deviceId = { ideal: deviceId }; // unplugged since: better another one than none
    return this.env.mediaDevices.getUserMedia({ audio });
  }

  #takeInput(stream) {
    const before = this.input;
    this.input = stream;
    const [track] = stream.getAudioTracks();
    track.addEventListener('ended', () => this.input === stream && this.#inputEnded());
    before?.getTracks().forEach((one) => one.stop());
  }

  /** Unplugged, or taken away in the browser's settings: try what is left, so that the call in progress keeps a voice. */
  async #inputEnded() {
    this.input = null;
    this.#setMic('missing');
    // By silence, if it takes long: without packets the call would be taken for one whose browser is gone.
    const hush = this.env.after(HUSH_MS, () => this.#replaceTracks());
    try {
      await this.arm();
      this.env.cancel(hush);
      await this.#replaceTracks();
      this.#switched('mic');
    } catch (error) {
      console.warn('aircall: the microphone is gone', error);
      this.env.cancel(hush);
      await this.#replaceTracks();
    }
  }

  /** The microphone's track, or one of silence while there is none. */
  #track() {
    if (!this.input) this.hush ??= new this.env.AudioContext().createMediaStreamDestination().stream;
    return (this.input ?? this.hush).getAudioTracks()[0];
  }

  /** Sound goes another way than the user chose, or goes theirs again. */
  #switched(what) {
    this.dispatchEvent(new CustomEvent('switched', { detail: { what } }));
  }

  #setMic(mic) {
    if (this.mic === mic) return;
    this.mic = mic;
    this.dispatchEvent(new Event('mic'));
  }

  // ---- devices

  /** Microphones and loudspeakers, {id, label} each; labels are empty until the microphone was allowed once. */
  async devices() {
    const all = (await this.env.mediaDevices?.enumerateDevices()) ?? [];
    const kind = (wanted) => all.filter((one) => one.kind === wanted).map(({ deviceId, label }) => ({ id: deviceId, label }));
    return { mics: kind('audioinput'), speakers: kind('audiooutput') };
  }

  /** Use this microphone from now on, in the call as well; '' for the system's choice. */
  async setMic(deviceId) {
    this.#takeInput(await this.#open(deviceId));
    this.#keep('mic', deviceId);
    this.#setMic('ok');
    await this.#replaceTracks();
  }

  /** Play on this loudspeaker from now on; '' for the system's choice. Rejects where the browser cannot choose. */
  async setSpeaker(deviceId) {
    this.#keep('speaker', deviceId);
    await this.#useSpeaker();
  }

  /** Echo cancellation, noise suppression and automatic level: off for a good headset in a quiet room, or for music. */
  async setProcessing(on) {
    this.#keep('processing', on ? '' : 'off');
    if (!this.armed) return;
    this.#takeInput(await this.#open(this.chosen.mic));
    await this.#replaceTracks();
  }

  async #useSpeaker() {
    const { element } = this;
    if (!element || (element.sinkId ?? '') === this.chosen.speaker) return;
    if (!element.setSinkId) throw new DOMException('This browser does not choose loudspeakers', 'NotSupportedError');
    await element.setSinkId(this.chosen.speaker);
  }

  async #replaceTracks() {
    await Promise.all([...this.legs.values()].map((leg) => leg.replaceTrack()));
  }

  #devicesChanged() {
    this.#again('missing', 'busy');
    this.#followDevices().catch((error) => console.warn('aircall: a device that came or went could not be followed', error));
    this.dispatchEvent(new Event('devices'));
  }

  /** Something may have become possible: a microphone that was lost is taken up again. `mic` says what is wrong if not. */
  #again(...states) {
    if (states.includes(this.mic)) this.arm().then(() => this.#replaceTracks(), () => {});
  }

  /** A chosen device that is unplugged gives way to the system's, and is used again when it is back. */
  async #followDevices() {
    const { mics, speakers } = await this.devices();
    const there = (list, id) => list.some((one) => one.id === id);
    const { mic, speaker } = this.chosen;
    const used = this.input?.getAudioTracks()[0]?.getSettings?.().deviceId;
    if (mic && this.armed && used !== mic && there(mics, mic)) {
      this.#takeInput(await this.#open(mic));
      await this.#replaceTracks();
    }
    const sink = this.element?.sinkId;
    const wanted = there(speakers, speaker) ? speaker : '';
    if (sink === undefined || sink === wanted) return;
    await this.element.setSinkId(wanted);
    await this.element.play().catch(() => {}); // the browser may have paused it; silence says itself
    if (!wanted) this.#switched('speaker');
  }

  #kept(which) {
    return this.env.storage?.getItem(`aircall.${which}`) ?? '';
  }

  #keep(which, value) {
    this.chosen[which] = value;
    this.env.storage?.setItem(`aircall.${which}`, value);
    this.dispatchEvent(new Event('devices'));
  }

  // ---- calls

  /**
   * Offer audio for a call: 'ring' before it is answered, 'call' when it is this user's. Returns at once; `peer` names the
   * offer to the desk, `ready` resolves when audio can flow. While a leg of the call lives, it is the one that is returned.
   * `peer`: the id that the desk was told already.
   */
  offer(callId, purpose = 'call', peer = newId()) {
    let leg = this.legs.get(callId);
    if (!leg) {
      if (!this.armed) throw new DOMException('The microphone is not armed', 'InvalidStateError');
      leg = new Leg(callId, purpose, {
        env: this.env,
        newPeer: newId,
        track: () => this.#track(),
        config: () => this.#config(),
        offer: (one, sdp, signal) => this.#offer(one, sdp, signal),
        hangup: (peer) => this.#hangup(peer),
        accepted: (id) => this.#ours(id, TALKING),
      }, peer);
      this.legs.set(callId, leg);
      leg.addEventListener('stream', () => this.#play());
      leg.addEventListener('state', () => this.#legChanged(leg));
    }
    return { peer: leg.peer, ready: leg.ready };
  }

  /** The id of the peer that carries, or would carry, the call's audio here; null when none does. */
  peerOf(callId) {
    return this.legs.get(callId)?.peer ?? null;
  }

  /** connecting, connected, reconnecting, or null. */
  stateOf(callId) {
    return this.legs.get(callId)?.state ?? null;
  }

  /** Give the call's audio up. */
  close(callId) {
    this.legs.get(callId)?.close();
  }

  /** The call that has this peer's audio is another one now: a colleague passed it on after talking with us about it. */
  rename(from, to) {
    const leg = this.legs.get(from);
    if (!leg || this.legs.has(to)) return;
    this.legs.delete(from);
    leg.callId = to;
    this.legs.set(to, leg);
  }

  /** The call whose leg is this peer, or null. */
  callOf(peer) {
    return [...this.legs.values()].find((leg) => legOf(leg.peer) === legOf(peer))?.callId ?? null;
  }

  /** Cut or give the microphone to a call. Takes effect at once; the desk is told elsewhere. */
  setMuted(callId, muted) {
    this.legs.get(callId)?.setMuted(muted);
  }

  /** The user is in another call now (true), or back in this one: microphone and loudspeaker follow. */
  setHeld(callId, held) {
    this.legs.get(callId)?.setHeld(held);
    this.#play(); // also when only the view has changed: a call that has just been answered is heard from now on
  }

  #legChanged(leg) {
    if (leg.over) {
      if (this.legs.get(leg.callId) === leg) this.legs.delete(leg.callId);
      if (this.element?.srcObject === leg.stream) this.element.srcObject = null;
    }
    this.#play();
    const { callId, state, error } = leg;
    this.dispatchEvent(new CustomEvent('state', { detail: { callId, state, error } }));
  }

  /** One call is heard at a time: the user's own that is not on hold; else the newest, silent until it is answered. */
  #play() {
    const withSound = [...this.legs.values()].filter((leg) => leg.stream);
    const own = withSound.filter((one) => this.#ours(one.callId, HEARD));
    const leg = own.find((one) => !one.held) ?? own[0] ?? withSound.at(-1);
    if (!leg || this.audio.srcObject === leg.stream) return;
    this.audio.srcObject = leg.stream;
    this.audio.play().catch((error) => {
      if (error.name !== 'NotAllowedError') return; // AbortError: another call's stream has taken its place already
      this.dispatchEvent(new Event('blocked'));
      this.env.page.addEventListener('pointerdown', () => this.audio.play(), { once: true, capture: true });
    });
  }

  #ours(callId, states) {
    const call = this.desk.view?.calls[callId];
    return Boolean(call) && call.by === this.desk.view.user && states.includes(call.state);
  }

  async #config() {
    const fresh = this.configured && this.env.now() - this.configured.at < CONFIG_MS;
    if (!fresh) {
      try {
        const { ice_servers: iceServers } = await this.desk.request('/rtc/config', undefined, { signal: AbortSignal.timeout(CONFIG_WAIT_MS) });
        this.configured = { at: this.env.now(), value: { iceServers, bundlePolicy: 'max-bundle' } };
      } catch (error) {
        console.warn('aircall: no answer about ICE servers, going on with what is known', error);
      }
    }
    return this.configured?.value ?? { iceServers: [], bundlePolicy: 'max-bundle' };
  }

  /** `again`: only if the audio is still this leg's. Another tab that has it by now shall keep it. */
  #offer({ callId, peer, purpose, everConnected }, sdp, signal) {
    const body = { call_id: callId, peer, tab: this.desk.tab, sdp, purpose, again: everConnected };
    return this.desk.request('/rtc/offer', body, { signal });
  }

  #hangup(peer) {
    // The gateway also notices by itself; this is for the case that our last packet was lost.
    this.desk.request('/rtc/close', { peer }).catch((error) => console.debug('aircall: closing was not heard', error));
  }

  #hurry() {
    for (const leg of this.legs.values()) leg.hurry();
  }

  #closeAll() {
    for (const leg of this.legs.values()) leg.close();
    this.input?.getTracks().forEach((track) => track.stop());
  }

  // ---- levels

  /** Peak level of the microphone and of the caller, 0..1 each, for a meter: cheap enough for every animation frame. */
  levels() {
    if (this.env.AudioContext) this.meter ??= new Meter(new this.env.AudioContext());
    return { mic: this.meter?.peak('mic', this.input) ?? 0, caller: this.meter?.peak('caller', this.element?.srcObject) ?? 0 };
  }
}

// The ring: one looping buffer (1 s of 440 + 480 Hz, 2 s of silence: the North American cadence, halved), so no timer can
// be throttled while the tab is in the background. Soft: it rings all day.

const RING_S = 1;
const PERIOD_S = 3;
const FADE_S = 0.06;
const LEVEL = 0.11; // of full scale for each of the two tones
const SOFT = 0.2; // of that, for one who is in a call: heard beside a voice, not over it

/** The samples of one period, with soft edges. Pure, so that its level and length can be tested. */
export function ringSamples(rate) {
  const samples = new Float32Array(rate * PERIOD_S);
  const ring = rate * RING_S;
  for (let i = 0; i < ring; i += 1) {
    const t = i / rate;
    const edge = Math.min(1, t / FADE_S, (RING_S - t) / FADE_S);
    const swell = edge * edge * (3 - 2 * edge);
    samples[i] = LEVEL * swell * (Math.sin(2 * Math.PI * 440 * t) + Math.sin(2 * Math.PI * 480 * t));
  }
  return samples;
}

export class Ringtone extends EventTarget {
  constructor(makeContext = () => new AudioContext(), storage = null) {
    super();
    Object.assign(this, { makeContext, storage, chosen: storage?.getItem('aircall.ring') ?? '' });
    this.context = null;
    this.source = null;
  }

  /** 'ok' when sound can be heard; 'blocked' until the browser has had a click or key press; 'none' without audio. */
  get state() {
    if (!this.context) return 'blocked';
    return this.context.state === 'running' ? 'ok' : 'blocked';
  }

  /** Make sound possible; works without a click only where the browser allows it. Resolves to the state. */
  async unlock() {
    try {
      if (!this.context) {
        this.context = this.makeContext();
        this.context.onstatechange = () => this.dispatchEvent(new Event('state'));
        await this.#useOutput();
      }
      // Where a click is needed first, resume() stays pending: what matters is the state a moment later.
      await Promise.race([this.context.resume(), new Promise((done) => setTimeout(done, 250))]);
    } catch (error) {
      console.warn('aircall: no sound output', error);
      return 'none';
    }
    this.dispatchEvent(new Event('state'));
    return this.state;
  }

  /** Whether this browser can ring on another output than the system's. */
  get canChoose() {
    return typeof globalThis.AudioContext?.prototype.setSinkId === 'function';
  }

  /** Ring on this output device from now on; '' is the system's. */
  async choose(deviceId) {
    this.chosen = deviceId;
    this.storage?.setItem('aircall.ring', deviceId);
    await this.#useOutput();
  }

  async #useOutput() {
    const { context, chosen } = this;
    if (!context?.setSinkId || (context.sinkId ?? '') === chosen) return;
    try {
      await context.setSinkId(chosen);
    } catch (error) {
      console.warn('aircall: the chosen output for the ring is not there', error); // better rung elsewhere than not at all
    }
  }

  get ringing() {
    return Boolean(this.source);
  }

  /** @param soft for one who is in a call; may change while it rings */
  start(soft = false) {
    if (this.state !== 'ok') return;
    const { context } = this;
    const level = soft ? SOFT : 1;
    if (this.source) {
      if (this.level !== level) this.gain.gain.setTargetAtTime(level, context.currentTime, 0.05);
      this.level = level;
      return;
    }
    if (!this.buffer) {
      this.buffer = context.createBuffer(1, context.sampleRate * PERIOD_S, context.sampleRate);
      this.buffer.copyToChannel(ringSamples(context.sampleRate), 0);
    }
    this.gain = context.createGain();
    this.gain.gain.value = this.level = level;
    this.gain.connect(context.destination);
    this.source = context.createBufferSource();
    this.source.buffer = this.buffer;
    this.source.loop = true;
    this.source.connect(this.gain);
    this.source.start();
  }

  stop() {
    if (!this.source) return;
    const { source, gain, context } = this;
    this.source = null;
    gain.gain.setTargetAtTime(0, context.currentTime, 0.015); // no click in the ear
    source.stop(context.currentTime + 0.1);
    source.onended = () => gain.disconnect();
  }
}

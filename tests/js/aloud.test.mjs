// One ring for one user: which tab sounds, and when it falls silent.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Aloud } from '../../aircall_core/ui/static/aloud.js';
import { ringSamples, Ringtone } from '../../aircall_core/ui/static/ringtone.js';
import { call, Locks, settle, view } from './stage.mjs';

class Tone extends EventTarget {
  state = 'blocked';
  sounding = false;
  start() {
    this.sounding = this.state === 'ok';
  }
  stop() {
    this.sounding = false;
  }
  become(state) {
    this.state = state;
    this.dispatchEvent(new Event('state'));
  }
}

class Desk extends EventTarget {
  constructor(browser) {
    super();
    Object.assign(this, { browser, aloud: undefined, view: view(), device: {}, timers: [] });
    this.env = { after: (ms, run) => this.timers.push(run) };
  }
  setDevice(change) {
    Object.assign(this.device, change);
  }
  show(now, aloud = this.aloud) {
    Object.assign(this, { view: now, aloud });
    this.dispatchEvent(new Event('view'));
    this.dispatchEvent(new Event('aloud'));
  }
}

function tab(locks, browser = 'b1') {
  const live = new Desk(browser);
  const tone = new Tone();
  return { live, tone, locks, aloud: new Aloud(live, tone, locks) };
}

const RINGING = view(call());

test('of two tabs of the elected browser one sounds; when it closes the other does', async () => {
  const locks = new Locks();
  const tabs = [tab(locks.tab()), tab(locks.tab())];
  for (const one of tabs) one.tone.become('ok');
  await settle();
  for (const one of tabs) one.live.show(RINGING, 'b1');
  assert.deepEqual(tabs.map((one) => one.tone.sounding), [true, false]);
  tabs[0].locks.leave();
  await settle();
  assert.equal(tabs[1].tone.sounding, true);
});

test('a lock that the browser refuses, as Chromium does while it opens a window, is asked for again', async () => {
  const locks = new Locks().tab();
  const granted = locks.request;
  locks.request = async () => {
    throw new Error('The provided callback is no longer runnable.');
  };
  const one = tab(locks);
  one.tone.become('ok');
  await settle();
  assert.equal(one.aloud.holds, false);
  locks.request = granted;
  one.live.timers.splice(0).forEach((run) => run());
  await settle();
  assert.equal(one.aloud.holds, true);
});

test('a tab that cannot be heard does not keep the ring from one that can', async () => {
  const locks = new Locks();
  const deaf = tab(locks.tab());
  const able = tab(locks.tab());
  able.tone.become('ok');
  await settle();
  for (const one of [deaf, able]) one.live.show(RINGING, 'b1');
  assert.deepEqual([deaf.tone.sounding, able.tone.sounding], [false, true]);
  deaf.tone.become('ok');
  able.tone.become('blocked');
  await settle();
  assert.deepEqual([deaf.tone.sounding, able.tone.sounding], [true, false]);
});

test('only the browser that the desk names sounds; without a name every one does', async () => {
  const [here, there] = [tab(new Locks().tab(), 'b1'), tab(new Locks().tab(), 'b2')];
  for (const one of [here, there]) one.tone.become('ok');
  await settle();
  for (const one of [here, there]) one.live.show(RINGING, 'b2');
  assert.deepEqual([here.tone.sounding, there.tone.sounding], [false, true]);
  for (const one of [here, there]) one.live.show(RINGING, null);
  assert.deepEqual([here.tone.sounding, there.tone.sounding], [true, true]);
});

test('it is quiet while a colleague is answering, after the own reaction, and when nothing rings', async () => {
  const one = tab(new Locks().tab());
  one.tone.become('ok');
  await settle();
  one.live.show(RINGING, 'b1');
  assert.ok(one.tone.sounding);
  one.live.show(view(call({ state: 'accepting', by: 'bo' })));
  assert.ok(!one.tone.sounding);
  one.live.show(RINGING);
  assert.ok(one.tone.sounding, 'the colleague was not connected');
  one.aloud.silence('c1');
  assert.ok(!one.tone.sounding);
  one.aloud.resume('c1');
  assert.ok(one.tone.sounding);
  one.live.show(view());
  assert.ok(!one.tone.sounding);
});

test('a second call rings although the first was silenced', async () => {
  const one = tab(new Locks().tab());
  one.tone.become('ok');
  await settle();
  one.live.show(RINGING, 'b1');
  one.aloud.silence('c1');
  one.live.show(view(call(), call({ id: 'c2', arrived_at: 1 })));
  assert.ok(one.tone.sounding);
});

test('the ring: a second of 440 and 480 Hz, two of silence, soft at its edges and in its level', () => {
  const rate = 8000;
  const samples = ringSamples(rate);
  assert.equal(samples.length, 3 * rate);
  const power = (hz, from, to) => {
    let [re, im] = [0, 0];
    for (let i = from; i < to; i += 1) {
      re += samples[i] * Math.cos((2 * Math.PI * hz * i) / rate);
      im += samples[i] * Math.sin((2 * Math.PI * hz * i) / rate);
    }
    return Math.hypot(re, im) / (to - from);
  };
  for (const hz of [440, 480]) assert.ok(power(hz, 0, rate) > 0.04, `${hz} Hz is there`);
  for (const hz of [300, 620, 1000]) assert.ok(power(hz, 0, rate) < 0.004, `${hz} Hz is not`);
  assert.ok(samples.slice(rate).every((one) => one === 0));
  assert.ok(Math.max(...samples.map(Math.abs)) <= 0.25);
  assert.ok(Math.abs(samples[0]) < 1e-3 && Math.abs(samples[rate - 1]) < 1e-2, 'no click');
});

test('the tone starts once, stops once, and says when it may not sound', async () => {
  const made = { sources: 0, stopped: 0 };
  class Context extends EventTarget {
    state = 'suspended';
    sampleRate = 8000;
    currentTime = 0;
    async resume() {
      this.state = made.allowed ? 'running' : 'suspended';
    }
    createBuffer() {
      return { copyToChannel() {} };
    }
    createGain() {
      return { connect() {}, disconnect() {}, gain: { setTargetAtTime() {} } };
    }
    createBufferSource() {
      made.sources += 1;
      return { connect() {}, start() {}, stop: () => (made.stopped += 1) };
    }
  }
  const tone = new Ringtone(() => new Context());
  assert.equal(await tone.unlock(), 'blocked');
  tone.start();
  assert.equal(made.sources, 0);
  made.allowed = true;
  assert.equal(await tone.unlock(), 'ok');
  tone.start();
  tone.start();
  assert.equal(made.sources, 1);
  tone.stop();
  tone.stop();
  assert.equal(made.stopped, 1);
});

// The browser's phone without a browser: time, peer connections, devices and the desk are stand-ins that the test moves.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { Phone } from '../../aircall_core/ui/static/phone.js';

globalThis.CustomEvent ??= class extends Event {
  constructor(type, init) {
    super(type);
    this.detail = init.detail;
  }
};

class Track extends EventTarget {
  constructor(name) {
    super();
    Object.assign(this, { name, enabled: true, readyState: 'live' });
  }
  clone() {
    return Object.assign(new Track(this.name), { clonedFrom: this });
  }
  stop() {
    this.readyState = 'ended';
  }
}

class Stream {
  constructor(tracks) {
    this.tracks = tracks;
  }
  getTracks() {
    return this.tracks;
  }
  getAudioTracks() {
    return this.tracks;
  }
}

class Connection extends EventTarget {
  static all = [];
  constructor(config) {
    super();
    Object.assign(this, { config, connectionState: 'new', iceGatheringState: 'new', packets: 0, senders: [] });
    Connection.all.push(this);
  }
  addTrack(track) {
    const sender = { track, replaceTrack: async (next) => (sender.track = next) };
    this.senders.push(sender);
    return sender;
  }
  async setLocalDescription() {
    this.localDescription = { type: 'offer', sdp: 'offer' };
    queueMicrotask(() => this.candidate({ candidate: 'c', type: 'host', address: '192.0.2.1' }));
  }
  candidate(candidate) {
    this.dispatchEvent(Object.assign(new Event('icecandidate'), { candidate }));
  }
  async setRemoteDescription(answer) {
    this.remoteDescription = answer;
    if (Connection.connects) this.become('connected');
  }
  become(state) {
    if (state === 'connected') {
      const receiver = { jitterBufferTarget: null };
      this.dispatchEvent(Object.assign(new Event('track'), { track: {}, receiver, streams: [new Stream([])] }));
    }
    this.connectionState = state;
    this.dispatchEvent(new Event('connectionstatechange'));
  }
  async getStats() {
    if (this.connectionState === 'connected' && Connection.flowing) this.packets += 12;
    return new Map([['in', { type: 'inbound-rtp', packetsReceived: this.packets }]]);
  }
  close() {
    this.closed = true;
  }
}

class Clock {
  now = 0;
  timers = [];
  after = (ms, run) => {
    const timer = { at: this.now + ms, run };
    this.timers.push(timer);
    return timer;
  };
  cancel = (timer) => (this.timers = this.timers.filter((one) => one !== timer));
  /** Let time pass; promises settle between timers. */
  async pass(ms) {
    const until = this.now + ms;
    for (;;) {
      await settled();
      const [next] = this.timers.filter((one) => one.at <= until).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.now = Math.max(this.now, next.at);
      this.cancel(next);
      next.run();
    }
    this.now = until;
    await settled();
  }
}

async function settled() {
  for (let i = 0; i < 20; i++) await null;
}

let clock, desk, env, devices, phone, states;

beforeEach(async () => {
  Connection.all = [];
  Connection.connects = Connection.flowing = true;
  clock = new Clock();
  desk = {
    tab: 'tab-00000001',
    view: { user: 'me', calls: {} },
    asked: [],
    answers: [],
    request: async (path, body) => {
      desk.asked.push([path, body]);
      if (path === '/rtc/config') return { ice_servers: [{ urls: ['stun:stun.example.com'] }] };
      if (path === '/rtc/offer' && desk.answers.length) {
        const answer = desk.answers.shift();
        if (answer instanceof Error) throw answer;
      }
      return path === '/rtc/offer' ? { type: 'answer', sdp: 'answer' } : {};
    },
  };
  devices = Object.assign(new EventTarget(), {
    opened: [],
    getUserMedia: async (wanted) => {
      if (devices.refuse) throw Object.assign(new Error(), { name: devices.refuse });
      devices.opened.push(wanted.audio);
      return new Stream([new Track(`mic${devices.opened.length}`)]);
    },
    enumerateDevices: async () => [
      { kind: 'audioinput', deviceId: 'a', label: 'Headset' },
      { kind: 'audiooutput', deviceId: 'b', label: 'Speakers' },
      { kind: 'videoinput', deviceId: 'c', label: 'Camera' },
    ],
  });
  const kept = new Map();
  env = {
    now: () => clock.now,
    after: clock.after,
    cancel: clock.cancel,
    RTCPeerConnection: Connection,
    MediaStream: Stream,
    mediaDevices: devices,
    AudioContext: class {
      createMediaStreamDestination = () => ({ stream: new Stream([new Track('silence')]) });
    },
    storage: { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) },
    page: new EventTarget(),
    newAudio: () => ({ srcObject: null, play: async () => {}, sinkId: '', async setSinkId(id) { this.sinkId = id; } }),
  };
  phone = new Phone(desk, env);
  states = [];
  phone.addEventListener('state', ({ detail }) => states.push(detail.state));
  await phone.arm();
});

const offers = () => desk.asked.filter(([path]) => path === '/rtc/offer').map(([, body]) => body);
const last = () => Connection.all.at(-1);
const refusal = (status, code = 'x') => Object.assign(new Error(code), { status, code });
const mine = (state = 'confirmed') => (desk.view.calls.c1 = { by: 'me', state });

test('arming asks for one clean channel and is done once', async () => {
  await Promise.all([phone.arm(), phone.arm()]);
  assert.deepEqual(devices.opened, [
    { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 },
  ]);
  assert.equal(phone.mic, 'ok');
  assert.equal(phone.armed, true);
});

for (const [error, mic] of [
  ['NotAllowedError', 'denied'],
  ['NotFoundError', 'missing'],
  ['NotReadableError', 'busy'],
  ['SomethingNewError', 'busy'],
]) {
  test(`${error} is told as ${mic}`, async () => {
    devices.refuse = error;
    const other = new Phone(desk, env);
    let told = 0;
    other.addEventListener('mic', () => (told += 1));
    await assert.rejects(other.arm(), { name: error });
    assert.deepEqual([other.mic, other.armed, told], [mic, false, 1]);
    devices.refuse = null;
    await other.arm();
    assert.equal(other.mic, 'ok');
  });
}

test('without a secure context there is no microphone to ask for', async () => {
  const other = new Phone(desk, { ...env, mediaDevices: undefined });
  assert.equal(other.mic, 'insecure');
  await assert.rejects(other.arm(), { name: 'SecurityError' });
});

test('an offer says who, what and from which tab, and is ready when connected', async () => {
  const { peer, ready } = phone.offer('c1', 'ring');
  assert.match(peer, /^[A-Za-z0-9_-]{8,64}$/);
  assert.equal(phone.peerOf('c1'), peer);
  await clock.pass(10);
  await ready;
  assert.deepEqual(offers(), [{ call_id: 'c1', peer, tab: 'tab-00000001', sdp: 'offer', purpose: 'ring', again: false }]);
  assert.deepEqual(last().config.iceServers, [{ urls: ['stun:stun.example.com'] }]);
  assert.deepEqual(states, ['connected']);
});

test('the offer leaves soon after the first usable address, names of the local network are none', async () => {
  Connection.prototype.setLocalDescription = async function () {
    this.localDescription = { sdp: 'offer' };
  };
  phone.offer('c1');
  await clock.pass(50);
  last().candidate({ candidate: 'c', type: 'host', address: 'a1b2.local' });
  await clock.pass(50);
  assert.equal(offers().length, 0);
  last().candidate({ candidate: 'c', type: 'host', address: '192.0.2.1' });
  await clock.pass(5);
  assert.equal(offers().length, 1);
  phone.offer('c2');
  await clock.pass(500); // nothing usable at all: our own checks will tell the gateway where we are
  assert.equal(offers().length, 2);
  Connection.prototype.setLocalDescription = async function () {
    this.localDescription = { sdp: 'offer' };
    queueMicrotask(() => this.candidate({ candidate: 'c', type: 'host', address: '192.0.2.1' }));
  };
});

test('one leg a call, and another one after it was closed', async () => {
  const first = phone.offer('c1', 'ring').peer;
  assert.equal(phone.offer('c1', 'call').peer, first);
  phone.close('c1');
  assert.equal(phone.peerOf('c1'), null);
  assert.notEqual(phone.offer('c1', 'call').peer, first);
  await clock.pass(10);
  assert.equal(offers().length, 1);
});

test('a lost path is noticed within a second and offered anew with a new name', async () => {
  const { peer } = phone.offer('c1', 'ring');
  await clock.pass(1000);
  mine();
  Connection.flowing = false;
  await clock.pass(1600);
  assert.deepEqual(states, ['connected', 'reconnecting', 'connected']);
  assert.equal(Connection.all[0].closed, true);
  const [first, second] = offers();
  assert.deepEqual([first.purpose, second.purpose], ['ring', 'call']);
  assert.equal(first.peer, peer);
  assert.notEqual(second.peer, peer);
  assert.equal(phone.peerOf('c1'), second.peer);
  assert.deepEqual([first.again, second.again], [false, true], 'the desk shall not take it from another tab for this');
  assert.equal(second.peer, `${peer}-again-2`);
  last().become('failed');
  Connection.flowing = true;
  await clock.pass(1000);
  assert.equal(phone.peerOf('c1'), `${peer}-again-3`);
  assert.equal(phone.callOf(second.peer), 'c1', 'the same leg');
});

test('an attempt that hangs is given up with its request, and at once when the desk is heard again', async () => {
  const asked = [];
  phone.offer('c1');
  mine();
  await clock.pass(1000);
  const { request } = desk;
  desk.request = (path, body, { signal } = {}) => {
    if (path !== '/rtc/offer') return request(path, body);
    asked.push(signal);
    return new Promise((_, fail) => signal.addEventListener('abort', () => fail(new Error('aborted'))));
  };
  last().become('failed');
  await clock.pass(1500);
  assert.deepEqual(asked.map((one) => one.aborted), [false]);
  desk.request = request;
  env.page.dispatchEvent(new Event('online'));
  await clock.pass(100);
  assert.equal(asked[0].aborted, true);
  assert.equal(phone.stateOf('c1'), 'connected');
});

test('a quiet but living path is left alone', async () => {
  phone.offer('c1');
  await clock.pass(60000);
  assert.equal(Connection.all.length, 1);
});

test('before the call is ours a lost leg keeps its name, which Accept may have told already', async () => {
  const { peer } = phone.offer('c1', 'ring');
  await clock.pass(100);
  last().become('failed');
  await clock.pass(200);
  assert.deepEqual(offers().map((offer) => [offer.peer, offer.purpose]), [[peer, 'ring'], [peer, 'ring']]);
});

test('a desk that is away is asked again, more and more slowly, as long as the call is ours', async () => {
  phone.offer('c1', 'call');
  await clock.pass(100);
  mine();
  desk.answers = Array(40).fill(refusal(503, 'no_audio_room'));
  last().become('disconnected');
  await clock.pass(60000);
  const tried = offers().length;
  assert.ok(tried > 20 && tried < 40, `${tried} tries in a minute`);
  assert.equal(phone.stateOf('c1'), 'reconnecting');
  desk.answers = [];
  await clock.pass(2100);
  assert.equal(phone.stateOf('c1'), 'connected');
});

test('when the network is back nobody waits for the next try', async () => {
  phone.offer('c1', 'call');
  await clock.pass(100);
  mine();
  desk.answers = Array(6).fill(refusal(503));
  last().become('failed');
  await clock.pass(4000);
  assert.equal(phone.stateOf('c1'), 'reconnecting');
  desk.answers = [];
  env.page.dispatchEvent(new Event('online'));
  await clock.pass(10);
  assert.equal(phone.stateOf('c1'), 'connected');
});

for (const status of [401, 403, 404, 409]) {
  test(`the desk's ${status} is its last word`, async () => {
    desk.answers = [refusal(status, 'over')];
    const { ready } = phone.offer('c1', 'ring');
    const outcome = assert.rejects(ready, { code: 'over' });
    await clock.pass(5000);
    await outcome;
    assert.equal(offers().length, 1);
    assert.deepEqual(states, ['failed']);
    assert.equal(phone.peerOf('c1'), null);
  });
}

test('ICE servers that the browser does not accept are told, not tried again', async () => {
  env.RTCPeerConnection = class {
    constructor() {
      throw Object.assign(new Error('bad ICE server'), { name: 'SyntaxError' });
    }
  };
  const outcome = assert.rejects(phone.offer('c1').ready, { name: 'SyntaxError' });
  await clock.pass(100);
  await outcome;
  assert.deepEqual(states, ['failed']);
});

test('a leg that never connects gives up in the end', async () => {
  Connection.connects = false;
  const { ready } = phone.offer('c1', 'ring');
  const outcome = assert.rejects(ready);
  await clock.pass(20000);
  await outcome;
  assert.equal(phone.stateOf('c1'), null);
  assert.ok(Connection.all.every((connection) => connection.closed));
});

test('closing tells the desk, frees the devices and ends all timers', async () => {
  const { peer } = phone.offer('c1');
  await clock.pass(100);
  const sent = last().senders[0].track;
  phone.close('c1');
  await settled();
  assert.deepEqual(desk.asked.at(-1), ['/rtc/close', { peer }]);
  assert.equal(sent.readyState, 'ended');
  assert.equal(phone.input.getAudioTracks()[0].readyState, 'live'); // armed for the next call
  await clock.pass(20000);
  assert.equal(Connection.all.length, 1);
  assert.equal(phone.audio.srcObject, null);
});

test('a loudspeaker that is unplugged gives way to the system\'s, and is used again when it is back', async () => {
  const told = [];
  phone.addEventListener('switched', ({ detail }) => told.push(detail.what));
  await phone.setSpeaker('b');
  phone.offer('c1');
  await clock.pass(100);
  assert.equal(phone.audio.sinkId, 'b');
  const all = await devices.enumerateDevices();
  devices.enumerateDevices = async () => all.filter((one) => one.deviceId !== 'b');
  devices.dispatchEvent(new Event('devicechange'));
  await settled();
  assert.equal(phone.audio.sinkId, '');
  assert.deepEqual(told, ['speaker']);
  devices.enumerateDevices = async () => all;
  devices.dispatchEvent(new Event('devicechange'));
  await settled();
  assert.equal(phone.audio.sinkId, 'b');
});

test('a microphone that is unplugged in a call gives way to another one, and the call goes on', async () => {
  const told = [];
  phone.addEventListener('switched', ({ detail }) => told.push(detail.what));
  phone.offer('c1');
  await clock.pass(100);
  phone.input.getAudioTracks()[0].dispatchEvent(new Event('ended'));
  await settled();
  assert.deepEqual([phone.mic, told, Connection.all.length], ['ok', ['mic'], 1]);
  assert.equal(last().senders[0].track.name, 'mic2');
});

test('without any microphone silence is sent, so that the call stays, until one is allowed again', async () => {
  let allowed;
  env.onMicAllowed = async (call) => (allowed = call);
  const other = new Phone(desk, env);
  await other.arm();
  other.offer('c1');
  await clock.pass(100);
  devices.refuse = 'NotAllowedError';
  other.input.getAudioTracks()[0].dispatchEvent(new Event('ended'));
  await settled();
  assert.equal(other.mic, 'denied');
  assert.equal(last().senders[0].track.name, 'silence');
  devices.refuse = null;
  allowed();
  await settled();
  assert.equal(other.mic, 'ok');
  assert.notEqual(last().senders[0].track.name, 'silence');
});

test('a chosen microphone is used again when it is plugged in again', async () => {
  phone.chosen.mic = 'a';
  phone.input.getAudioTracks()[0].getSettings = () => ({ deviceId: 'another' });
  devices.dispatchEvent(new Event('devicechange'));
  await settled();
  assert.deepEqual(devices.opened.at(-1).deviceId, { ideal: 'a' });
});

test('mute belongs to one call, holds over a new offer, and may come first', async () => {
  phone.offer('c1');
  phone.setMuted('c1', true);
  phone.offer('c2');
  await clock.pass(100);
  const [one, two] = Connection.all;
  assert.deepEqual([one.senders[0].track.enabled, two.senders[0].track.enabled], [false, true]);
  one.become('failed');
  await clock.pass(200);
  assert.equal(last().senders[0].track.enabled, false);
  phone.setMuted('c1', false);
  assert.equal(last().senders[0].track.enabled, true);
  phone.setMuted('c9', true); // no such call: nothing to do
});

test('the accepted call is the one that is heard', async () => {
  phone.offer('c1');
  await clock.pass(100);
  const heard = phone.audio.srcObject;
  mine();
  phone.offer('c2', 'ring');
  await clock.pass(100);
  assert.equal(phone.audio.srcObject, heard);
  phone.close('c1');
  assert.notEqual(phone.audio.srcObject, heard);
});

test('of two own calls the one that is not on hold is heard and spoken to', async () => {
  mine();
  desk.view.calls.c2 = { by: 'me', state: 'confirmed' };
  phone.offer('c1');
  phone.setMuted('c1', true);
  phone.offer('c2');
  phone.setHeld('c1', true);
  await clock.pass(100);
  const tracks = () => Connection.all.map((one) => one.senders[0].track.enabled);
  const second = phone.audio.srcObject;
  assert.deepEqual(tracks(), [false, true]);
  phone.setHeld('c1', false);
  phone.setHeld('c2', true);
  assert.notEqual(phone.audio.srcObject, second);
  assert.deepEqual(tracks(), [false, false], 'still muted');
  phone.setMuted('c1', false);
  assert.deepEqual(tracks(), [true, false]);
});

test('a second call is heard from its answer on, although the first was held before that', async () => {
  mine();
  phone.offer('c1');
  await clock.pass(100);
  const first = phone.audio.srcObject;
  phone.offer('c2', 'ring');
  await clock.pass(100);
  desk.view.calls.c2 = { by: 'me', state: 'accepting' };
  phone.setHeld('c1', true);
  assert.equal(phone.audio.srcObject, first);
  desk.view.calls.c2.state = 'answered';
  phone.setHeld('c1', true);
  phone.setHeld('c2', false);
  assert.notEqual(phone.audio.srcObject, first);
});

test('a call that is being dialled is heard, before one that rings', async () => {
  desk.view.calls.c1 = { by: 'me', state: 'dialling' };
  const { peer } = phone.offer('c1', 'call', 'peer-of-the-dialled');
  assert.equal(peer, 'peer-of-the-dialled');
  await clock.pass(100);
  const heard = phone.audio.srcObject;
  phone.offer('c2', 'ring');
  await clock.pass(100);
  assert.equal(phone.audio.srcObject, heard);
});

test('a leg goes on under the name of the call that it carries now', async () => {
  phone.offer('x', 'ring');
  await clock.pass(100);
  const peer = phone.peerOf('x');
  assert.equal(phone.callOf(peer), 'x');
  phone.rename('x', 'c1');
  assert.deepEqual([phone.peerOf('x'), phone.peerOf('c1'), phone.callOf(peer)], [null, peer, 'c1']);
  mine();
  last().become('failed');
  await clock.pass(200);
  assert.equal(offers().at(-1).call_id, 'c1', 'a new offer names the new call');
  phone.close('c1');
  assert.equal(phone.audio.srcObject, null);
});

test('sound that waits for a click is told, and played at the click', async () => {
  let played = 0;
  phone.audio.play = async () => {
    played += 1;
    if (played === 1) throw Object.assign(new Error(), { name: 'NotAllowedError' });
  };
  let blocked = 0;
  phone.addEventListener('blocked', () => (blocked += 1));
  phone.offer('c1');
  await clock.pass(100);
  assert.equal(blocked, 1);
  env.page.dispatchEvent(new Event('pointerdown'));
  await settled();
  assert.equal(played, 2);
});

test('another microphone is used at once, in the call as well, and is remembered', async () => {
  phone.offer('c1');
  await clock.pass(100);
  const before = phone.input.getAudioTracks()[0];
  phone.setMuted('c1', true);
  await phone.setMic('a');
  assert.deepEqual(devices.opened.at(-1).deviceId, { ideal: 'a' });
  assert.equal(before.readyState, 'ended');
  const { track } = last().senders[0];
  assert.equal(track.clonedFrom, phone.input.getAudioTracks()[0]);
  assert.equal(track.enabled, false);
  assert.equal(new Phone(desk, env).chosen.mic, 'a');
});

test('an unplugged microphone is replaced by what is left', async () => {
  phone.offer('c1');
  await clock.pass(100);
  const told = [];
  phone.addEventListener('mic', () => told.push(phone.mic));
  phone.input.getAudioTracks()[0].dispatchEvent(new Event('ended'));
  await settled();
  assert.deepEqual(told, ['missing', 'ok']);
  assert.equal(last().senders[0].track.clonedFrom, phone.input.getAudioTracks()[0]);
});

test('with no microphone left the next one that is plugged in is taken', async () => {
  phone.offer('c1');
  await clock.pass(100);
  devices.refuse = 'NotFoundError';
  phone.input.getAudioTracks()[0].dispatchEvent(new Event('ended'));
  await settled();
  assert.equal(phone.mic, 'missing');
  devices.refuse = null;
  devices.dispatchEvent(new Event('devicechange'));
  await settled();
  assert.equal(phone.mic, 'ok');
  assert.equal(last().senders[0].track.clonedFrom, phone.input.getAudioTracks()[0]);
});

test('loudspeakers are chosen where the browser can', async () => {
  await phone.setSpeaker('b');
  assert.equal(phone.audio.sinkId, 'b');
  assert.deepEqual(await phone.devices(), {
    mics: [{ id: 'a', label: 'Headset' }],
    speakers: [{ id: 'b', label: 'Speakers' }],
  });
});

test('leaving the page hangs up, being kept for the back button does not', async () => {
  phone.offer('c1');
  await clock.pass(100);
  env.page.dispatchEvent(Object.assign(new Event('pagehide'), { persisted: true }));
  assert.equal(phone.stateOf('c1'), 'connected');
  env.page.dispatchEvent(Object.assign(new Event('pagehide'), { persisted: false }));
  assert.equal(phone.stateOf('c1'), null);
  assert.equal(last().closed, true);
});

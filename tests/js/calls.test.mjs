// Which tab carries a call's audio: accept, reload, another tab, a closed tab.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Calls } from '../../aircall_core/ui/static/calls.js';
import { call, settle, Storage, view } from './stage.mjs';

class Phone extends EventTarget {
  armed = true;
  peers = new Map();
  muted = new Map();
  log = [];
  next = 0;
  async arm() {
    this.log.push('arm');
    if (this.refusal) throw this.refusal;
    this.armed = true;
  }
  offer(id, purpose, peer = `peer-${(this.next += 1)}`) {
    if (!this.peers.has(id)) {
      this.log.push(`offer ${id} ${purpose}`);
      this.peers.set(id, peer);
    }
    return { peer: this.peers.get(id), ready: Promise.resolve() };
  }
  callOf(peer) {
    return [...this.peers].find(([, one]) => one === peer)?.[0] ?? null;
  }
  rename(from, to) {
    this.log.push(`rename ${from} ${to}`);
    this.peers.set(to, this.peers.get(from));
    this.peers.delete(from);
  }
  held = new Map();
  setHeld(id, yes) {
    this.held.set(id, yes);
  }
  peerOf(id) {
    return this.peers.get(id) ?? null;
  }
  close(id) {
    if (this.peers.delete(id)) this.log.push(`close ${id}`);
  }
  setMuted(id, yes) {
    this.muted.set(id, yes);
  }
}

class Aloud extends EventTarget {
  tone = new EventTarget();
  elected = true;
  quiet = [];
  silence(id) {
    this.quiet.push(id);
  }
  resume(id) {
    this.quiet = this.quiet.filter((one) => one !== id);
  }
}

class Desk extends EventTarget {
  status = 'online';
  tab = 'tab-1';
  view = view();
  sent = [];
  toasts = [];
  timers = [];
  env = { after: (ms, run) => this.timers.push(run) };
  answer = async () => null;
  t = (key) => key;
  toast = (text) => this.toasts.push(text);
  async command(path, body) {
    this.sent.push({ path, ...body });
    return this.answer(path, body);
  }
  async request(path, body) {
    return this.command(path, body);
  }
  show(...calls) {
    this.view = view(...calls);
    this.dispatchEvent(new Event('view'));
  }
}

function desk({ storage = new Storage(), ...more } = {}) {
  const [live, phone, aloud] = [Object.assign(new Desk(), more), new Phone(), new Aloud()];
  return { live, phone, aloud, storage, calls: new Calls(live, { phone, aloud, storage }) };
}

const mine = (more = {}) => call({ state: 'confirmed', ringing: [], by: 'me', peer: 'peer-1', answered_at: 5, ...more });

test('while few are rung, the tab that sounds connects during the ring and accepts with that very peer', async () => {
  const { live, phone, calls } = desk();
  live.show(call());
  assert.deepEqual(phone.log, ['offer c1 ring']);
  await calls.accept('c1');
  assert.deepEqual(live.sent, [{ path: '/desk/calls/c1/accept', peer: 'peer-1', tab: 'tab-1' }]);
  live.show(mine());
  assert.deepEqual(calls.owned, ['c1']);
  assert.deepEqual(phone.log, ['offer c1 ring'], 'one connection served both');
});

test('while many are rung, or in the silent tab, nothing connects before the click', async () => {
  const many = desk();
  many.live.show(call({ ringing: ['a', 'b', 'c', 'd', 'me'] }));
  const silent = desk();
  silent.aloud.elected = false;
  silent.live.show(call());
  assert.deepEqual([many.phone.log, silent.phone.log], [[], []]);
  await silent.calls.accept('c1');
  assert.deepEqual(silent.phone.log, ['offer c1 ring']);
});

test('a ring that stops without an accept closes its connection', () => {
  const { live, phone } = desk();
  live.show(call());
  live.show();
  assert.deepEqual(phone.log, ['offer c1 ring', 'close c1']);
});

test('Accept asks for the microphone when it is not there, and tells the desk nothing when that is refused', async () => {
  const { live, phone, aloud, calls } = desk();
  phone.armed = false;
  phone.refusal = Object.assign(new Error('no'), { name: 'NotAllowedError' });
  live.show(call());
  await assert.rejects(calls.accept('c1'), { name: 'NotAllowedError' });
  assert.deepEqual(live.sent, []);
  assert.deepEqual(aloud.quiet, [], 'it rings on');
  assert.deepEqual(calls.owned, []);
  assert.equal(calls.accepting.size, 0);
});

test('the loser of a race gives its audio up', async () => {
  const { live, phone, calls } = desk();
  live.show(call());
  live.answer = async () => {
    throw Object.assign(new Error('taken'), { code: 'taken', by: { id: 'bo', name: 'Bo' } });
  };
  await assert.rejects(calls.accept('c1'), { code: 'taken' });
  assert.deepEqual(calls.owned, []);
  assert.equal(phone.peerOf('c1'), null);
});

test('a second click on Accept does nothing', async () => {
  const { live, calls } = desk();
  live.show(call());
  await Promise.all([calls.accept('c1'), calls.accept('c1')]);
  assert.equal(live.sent.length, 1);
});

test('after a reload the tab that carried the call offers anew; a tab that never did does not', async () => {
  const storage = new Storage({ 'aircall.call': 'c1' });
  const { live, phone } = desk({ storage });
  phone.armed = false;
  live.show(mine({ peer: 'old' }));
  await settle();
  assert.deepEqual(phone.log, ['arm', 'offer c1 call']);
  const other = desk();
  other.live.show(mine({ peer: 'old' }));
  await settle();
  assert.deepEqual(other.phone.log, []);
});

test('a tab that is elected only after the news that the call lost its tab takes the call too', async () => {
  const { live, phone, aloud } = desk();
  aloud.elected = false;
  live.show(mine({ peer: 'old', away: true }));
  assert.deepEqual(live.timers, []);
  aloud.elected = true;
  aloud.dispatchEvent(new Event('change'));
  live.timers.forEach((run) => run());
  await settle();
  assert.deepEqual(phone.log, ['offer c1 call']);
});

test('when the tab that carried the call is gone, the one that would ring takes it after a moment', async () => {
  const { live, phone, calls } = desk();
  live.show(mine({ peer: 'old', away: true }));
  assert.deepEqual(phone.log, []);
  live.timers.shift()();
  await settle();
  assert.deepEqual(phone.log, ['offer c1 call']);
  assert.deepEqual(calls.owned, ['c1']);
});

test('… unless its owner came back meanwhile, as after a reload', async () => {
  const { live, phone } = desk();
  live.show(mine({ peer: 'old', away: true }));
  live.show(mine({ peer: 'new' }));
  live.timers.shift()();
  await settle();
  assert.deepEqual(phone.log, []);
});

test('a tab that the audio is brought to is given time to connect: no other tab rescues the call from it', async () => {
  const { live, phone } = desk();
  const waits = [];
  live.env.after = (ms, run) => (waits.push(ms), live.timers.push(run));
  const before = view(mine({ peer: 'old', away: true }));
  live.show(mine({ peer: 'old', away: true }));
  const rescue = live.timers.shift();
  const event = { kind: 'call.audio', call_id: 'c1', data: { peer: 'chosen' } };
  live.dispatchEvent(new CustomEvent('event', { detail: { event, before } }));
  const forget = live.timers.shift();
  live.show(mine({ peer: 'chosen', away: true })); // the user pressed "Bring audio here" there, and it connects slowly
  rescue();
  await settle();
  assert.deepEqual(phone.log, []);
  assert.ok(waits.at(-1) > 4 * waits[0], 'it waits anew, and longer');
  forget();
  live.timers.shift()(); // that tab is gone too
  await settle();
  assert.deepEqual(phone.log, ['offer c1 call']);
});

test('a tab whose audio another tab has taken over lets go of it', async () => {
  const { live, phone, calls } = desk();
  live.show(call());
  await calls.accept('c1');
  live.show(mine());
  live.show(mine({ peer: 'from-another-tab' }));
  assert.equal(phone.peerOf('c1'), null);
  assert.deepEqual(calls.owned, []);
});

test('the desk says that another tab has it by now: let go, also when the view does not know yet', async () => {
  const { live, phone, calls } = desk();
  live.show(call());
  await calls.accept('c1');
  live.show(mine());
  phone.peers.delete('c1'); // the leg is over
  phone.dispatchEvent(Object.assign(new Event('state'), { detail: { callId: 'c1', state: 'failed', error: { code: 'overtaken' } } }));
  live.show(mine({ peer: 'from-another-tab' }));
  await settle();
  assert.ok(!calls.owns('c1'));
  assert.deepEqual(phone.log, ['offer c1 ring'], 'not offered anew');
});

test('a leg that is offered anew is known by its first name: a foreign peer means another tab', async () => {
  const { live, phone, calls } = desk();
  live.show(call());
  await calls.accept('c1');
  live.show(mine());
  phone.peers.set('c1', 'peer-1-again-2'); // the network is away
  live.show(mine({ away: true }));
  assert.ok(calls.owns('c1'));
  live.show(mine({ peer: 'from-another-tab' }));
  assert.ok(!calls.owns('c1'));
});

test('a call whose user has lost the microphone is held, and taken off hold when it is back', async () => {
  const { live, phone, calls } = desk();
  live.show(call());
  await calls.accept('c1');
  live.show(mine());
  phone.armed = false;
  phone.dispatchEvent(new Event('mic'));
  const wait = live.timers.splice(0);
  phone.armed = true; // another one was found
  phone.dispatchEvent(new Event('mic'));
  wait.forEach((run) => run());
  assert.ok(!live.sent.some((one) => one.path.endsWith('/hold')));
  phone.armed = false;
  phone.dispatchEvent(new Event('mic'));
  live.timers.splice(0).forEach((run) => run());
  await settle();
  assert.deepEqual(live.sent.at(-1), { path: '/desk/calls/c1/hold', held: true });
  live.show(mine({ held: true }));
  phone.armed = true;
  phone.dispatchEvent(new Event('mic'));
  await settle();
  assert.deepEqual(live.sent.at(-1), { path: '/desk/calls/c1/hold', held: false });
  assert.deepEqual(live.toasts, ['mic.held', 'mic.back']);
});

test('the end of the call closes the audio and forgets the ownership', async () => {
  const { live, phone, calls } = desk();
  live.show(call());
  await calls.accept('c1');
  live.show(mine());
  live.show();
  assert.equal(phone.peerOf('c1'), null);
  assert.deepEqual(calls.owned, []);
});

test('while the line to the desk is down nothing is given up', async () => {
  const { live, phone, calls } = desk({ storage: new Storage({ 'aircall.call': 'c1' }) });
  live.status = 'connecting';
  live.show();
  assert.deepEqual(calls.owned, ['c1']);
  assert.deepEqual(phone.log, []);
});

test('mute cuts the microphone before the desk has answered, and shows what the log says after', async () => {
  const { live, phone, calls } = desk();
  live.show(mine());
  const order = [];
  live.answer = async () => order.push(phone.muted.get('c1'));
  await calls.mute('c1', true);
  assert.deepEqual(order, [true]);
  assert.equal(phone.muted.get('c1'), false, 'the log has not said muted');
  live.show(mine({ muted: true }));
  assert.equal(phone.muted.get('c1'), true);
});

test('a copied tab does not carry the call of the tab it was copied from', () => {
  const { live, calls } = desk({ storage: new Storage({ 'aircall.call': 'c1' }) });
  live.dispatchEvent(new Event('duplicated'));
  assert.deepEqual(calls.owned, []);
});

test('audio that cannot be offered is said, and tried again with the next news of the call', async () => {
  const { live, phone } = desk({ storage: new Storage({ 'aircall.call': 'c1' }) });
  phone.armed = false;
  phone.refusal = new Error('blocked');
  live.show(mine());
  await settle();
  assert.equal(live.toasts.length, 1);
  phone.refusal = null;
  live.show(mine({ away: true }));
  await settle();
  assert.ok(phone.log.includes('offer c1 call'));
});

// ---- two calls, and calls made for a call

const held = (more) => mine({ id: 'a', held: true, ...more });
const asked = (more) => call({ id: 'x', parent: 'a', started_by: 'me', direction: 'internal', ringing: ['bo'], ...more });

test('two calls of one user: each has its audio here, the held one is silent', async () => {
  const { live, phone, calls } = desk({ storage: new Storage({ 'aircall.call': 'a,b' }) });
  live.show(held({ peer: null }), mine({ id: 'b', peer: null }));
  await settle();
  assert.deepEqual(phone.log.sort(), ['offer a call', 'offer b call']);
  assert.deepEqual([...phone.held], [['b', false], ['a', true]]);
  assert.deepEqual(calls.owned, ['a', 'b']);
  live.show(mine({ id: 'a', held: false, peer: null }));
  assert.deepEqual(calls.owned, ['a'], 'the other one has ended');
  assert.equal(phone.held.get('a'), false);
});

test('a second call is accepted beside the first, which keeps its audio', async () => {
  const { live, phone, calls } = desk();
  live.show(call({ id: 'a' }));
  await calls.accept('a');
  live.show(mine({ id: 'a' }));
  live.show(mine({ id: 'a' }), call({ id: 'b' }));
  await calls.accept('b');
  live.show(held(), mine({ id: 'b', peer: 'peer-2' }));
  assert.deepEqual(phone.log, ['offer a ring', 'offer b ring']);
  assert.deepEqual([phone.held.get('a'), phone.held.get('b')], [true, false]);
});

test('the caller on hold, a colleague asked: the audio of the caller’s call is in use', () => {
  const { live, phone } = desk({ storage: new Storage({ 'aircall.call': 'a' }) });
  live.show(held(), asked());
  assert.equal(phone.held.get('a'), false, 'ringing is heard');
  live.show(held(), asked({ state: 'confirmed', ringing: [], by: 'bo' }));
  assert.equal(phone.held.get('a'), false);
  live.show(held(), asked({ state: 'confirmed', ringing: [], by: 'bo', held: true }), mine({ id: 'b' }));
  assert.equal(phone.held.get('a'), true, 'another call is in use');
});

test('an outside number added to a call has no audio of its own here', () => {
  const { live, phone } = desk();
  live.show(mine({ id: 'a' }), asked({ state: 'confirmed', direction: 'outbound', ringing: [], by: 'me' }));
  assert.deepEqual(phone.log, []);
});

test('whoever was asked goes on with the caller on the same audio when the call is passed on', async () => {
  const { live, phone, calls } = desk();
  const question = (more) => call({ id: 'x', parent: 'a', started_by: 'bo', ...more });
  live.show(question());
  await calls.accept('x');
  live.show(question({ state: 'confirmed', ringing: [], by: 'me', peer: 'peer-1' }));
  live.show(mine({ id: 'a', peer: 'peer-1' }));
  assert.deepEqual(phone.log, ['offer x ring', 'rename x a']);
  assert.deepEqual(calls.owned, ['a']);
});

test('… also when that audio has just been offered anew under another name', async () => {
  const { live, phone, calls } = desk();
  live.show(call({ id: 'x', parent: 'a', started_by: 'bo' }));
  await calls.accept('x');
  const event = { kind: 'call.transferred', call_id: 'a', user_id: 'me', data: { via: 'x' } };
  live.dispatchEvent(new CustomEvent('event', { detail: { event } }));
  live.show(mine({ id: 'a', peer: 'older' }));
  assert.deepEqual(phone.log, ['offer x ring', 'rename x a']);
  assert.deepEqual(calls.owned, ['a']);
});

test('dialling: the audio is offered under the name that the desk was told', async () => {
  const { live, phone, calls } = desk();
  live.answer = async () => ({ command: 'k', call: 'out' });
  const { call: made } = await calls.dial({ line: 'l1', number: '+33199001234', callback: 'cb' });
  const [{ peer, path, line, number, callback, tab }] = live.sent;
  assert.deepEqual([path, line, number, callback, tab], ['/desk/dial', 'l1', '+33199001234', 'cb', 'tab-1']);
  assert.deepEqual([made, phone.peerOf('out'), calls.owned], ['out', peer, ['out']]);
  live.show();
  assert.deepEqual(phone.log, ['offer out call'], 'the log has not spoken of it yet');
  live.show(mine({ id: 'out', state: 'dialling', answered_at: null, peer }));
  live.show();
  assert.deepEqual(phone.log, ['offer out call', 'close out']);
});

test('a call that the log never speaks of is given up after a while', async () => {
  const { live, phone, calls } = desk();
  live.answer = async () => ({ call: 'out' });
  await calls.dial({ line: 'l1', number: '1' });
  live.timers.shift()();
  assert.deepEqual([phone.peerOf('out'), calls.owned], [null, []]);
});

test('no microphone, no dialling', async () => {
  const { live, phone, calls } = desk();
  phone.armed = false;
  phone.refusal = Object.assign(new Error('no'), { name: 'NotAllowedError' });
  await assert.rejects(calls.dial({ line: 'l1', number: '1' }), { name: 'NotAllowedError' });
  assert.deepEqual(live.sent, []);
});

// The line to the desk: snapshot, events, resuming, dead connections, commands and their ends.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CommandError, Live } from '../../aircall_core/ui/static/live.js';
import { call, Locks, settle, stage, Storage, TEXT, view } from './stage.mjs';

async function online(world = stage()) {
  const live = new Live(world.env);
  await live.start({ deskUrl: 'http://desk:8502', user: 'me', text: TEXT });
  await settle();
  world.open();
  world.snapshot(view(), { seq: 10 });
  return { live, world };
}

test('the first connection asks for a snapshot and says who it is', async () => {
  const { live, world } = await online();
  const [socket] = world.sockets;
  assert.equal(socket.url.protocol, 'ws:');
  assert.equal(socket.url.searchParams.get('after'), null);
  assert.equal(socket.url.searchParams.get('tab'), live.tab);
  assert.equal(socket.url.searchParams.get('browser'), live.browser);
  assert.equal(live.status, 'online');
  assert.equal(live.seq, 10);
});

test('tab and browser keep their ids over a reload; another tab of the browser has its own', async () => {
  const local = new Storage();
  const session = new Storage();
  const locks = new Locks();
  const first = locks.tab();
  const { live } = await online(stage({ local, session, locks: first }));
  const other = await online(stage({ local, locks: locks.tab() }));
  first.leave();
  const again = await online(stage({ local, session, locks: locks.tab() }));
  assert.equal(again.live.tab, live.tab);
  assert.equal(again.live.browser, live.browser);
  assert.equal(other.live.browser, live.browser);
  assert.notEqual(other.live.tab, live.tab);
});

test('a duplicated tab, whose session storage is a copy, takes an id of its own', async () => {
  const local = new Storage();
  const locks = new Locks();
  const first = await online(stage({ local, session: new Storage(), locks: locks.tab() }));
  const copy = new Storage({ 'aircall.tab': first.live.tab });
  const world = stage({ local, session: copy, locks: locks.tab() });
  const live = new Live(world.env);
  let said = 0;
  live.addEventListener('duplicated', () => (said += world.sockets.length === 0 ? 1 : 99));
  await live.start({ deskUrl: 'http://desk:8502', user: 'me', text: TEXT });
  await settle();
  assert.notEqual(live.tab, first.live.tab);
  assert.equal(copy.getItem('aircall.tab'), live.tab);
  assert.equal(said, 1, 'said once, before anything is heard of calls');
});

test('events change the view, and one that comes twice changes it once', async () => {
  const { live, world } = await online();
  let seen = 0;
  live.addEventListener('event', () => (seen += 1));
  const ring = { user_id: 'me', who: { id: 'me', name: 'Me' }, data: { ringing: ['me'], arrived_at: 5 }, card: { caller_name: 'Ann' } };
  world.event(11, 'call.ringing', ring);
  world.event(11, 'call.ringing', ring);
  assert.equal(seen, 1);
  assert.deepEqual(live.view.calls.c1.ringing, ['me']);
  assert.equal(live.cards.c1.caller_name, 'Ann');
  assert.equal(live.names.me, 'Me');
});

test('after a lost connection it resumes behind the last event, with growing patience', async () => {
  const { live, world } = await online();
  world.event(12, 'call.ringing', { user_id: 'me', data: { ringing: ['me'], arrived_at: 5 } });
  world.drop();
  assert.equal(live.status, 'offline');
  const waits = [];
  for (let i = 0; i < 6; i += 1) {
    const before = world.time;
    const count = world.sockets.length;
    while (world.sockets.length === count) await world.pass(10);
    waits.push(world.time - before);
    assert.equal(world.sockets.at(-1).url.searchParams.get('after'), '12');
    if (i < 5) world.drop();
  }
  assert.deepEqual(waits, [...waits].sort((a, b) => a - b));
  assert.ok(waits.at(-1) >= 4000 && waits.at(-1) <= 6500);
  world.open();
  world.frame({ t: 'caught_up', seq: 12 });
  assert.equal(live.status, 'online');
  assert.ok(live.view.calls.c1, 'what was known is kept');
});

test('waking up connects at once', async () => {
  const { world } = await online();
  world.drop();
  const count = world.sockets.length;
  world.wake();
  assert.equal(world.sockets.length, count + 1);
});

test('a connection that says nothing any more is given up', async () => {
  const { live, world } = await online();
  const [first] = world.sockets;
  await world.pass(10_500);
  assert.equal(live.status, 'online', 'one unanswered beat is a desk that takes its time');
  await world.pass(5_000);
  assert.notEqual(world.sockets.length, 1);
  assert.equal(first.readyState, 3);
  assert.equal(live.status, 'offline');
});

test('where the browser says that the network is gone, two silent seconds are enough; who answers is kept', async () => {
  const { live, world } = await online();
  await world.pass(1000);
  world.offline();
  await world.pass(1000);
  world.frame({ t: 'pong' });
  await world.pass(1500);
  assert.equal(live.status, 'online');
  world.offline();
  await world.pass(2000);
  assert.equal(live.status, 'offline');
  assert.equal(world.sockets[0].readyState, 3);
});

test('a connection that answers is kept, and told every five seconds what this tab can do', async () => {
  const { live, world } = await online();
  live.setDevice({ armed: true, mic: 'ok', sound: 'ok' });
  for (let i = 0; i < 12; i += 1) {
    await world.pass(5000);
    world.frame({ t: 'pong' });
  }
  assert.equal(world.sockets.length, 1);
  const beats = world.sockets[0].sent.filter((one) => one.t === 'beat');
  assert.ok(beats.length >= 12);
  assert.deepEqual(beats.at(-1), { t: 'beat', armed: true, visible: true, mic: 'ok', sound: 'ok', notifications: 'unknown' });
});

test('a refused handshake of an ended session ends it here; an absent desk does not', async () => {
  const { live, world } = await online();
  world.answers['/session/me'] = new TypeError('no network');
  world.drop();
  await world.pass(300);
  world.drop(); // never opened
  await settle();
  assert.equal(live.status, 'offline');
  world.answers['/session/me'] = { status: 401 };
  await world.pass(1000);
  world.drop();
  await settle();
  assert.equal(live.status, 'gone');
  const count = world.sockets.length;
  await world.pass(60_000);
  assert.equal(world.sockets.length, count, 'no further tries');
});

test('gone: revoked ends, shutdown comes back', async () => {
  const first = await online();
  first.world.frame({ t: 'gone', reason: 'shutdown' });
  first.world.drop();
  await first.world.pass(1000);
  assert.equal(first.world.sockets.length, 2);
  const second = await online();
  second.world.frame({ t: 'gone', reason: 'revoked' });
  assert.equal(second.live.status, 'gone');
});

test('a command ends with the event that carries its id', async () => {
  const { live, world } = await online();
  let done = false;
  const wait = live.command('/desk/calls/c1/mute', { muted: true }).then((event) => ((done = true), event));
  await settle();
  const { path, body, credentials } = world.requests.at(-1);
  assert.equal(path, '/desk/calls/c1/mute');
  assert.equal(credentials, 'include');
  assert.match(body.command, /^[A-Za-z0-9_-]{8,64}$/);
  world.event(11, 'call.mute_wanted', { data: { command: body.command, muted: true } });
  await settle();
  assert.ok(!done, 'a wish is not a deed');
  world.event(12, 'call.muted', { data: { command: body.command, muted: true } });
  assert.equal((await wait).kind, 'call.muted');
  assert.equal(live.pending.size, 0);
});

test('a command may also end by what the view says, even when that came before the answer', async () => {
  const { live, world } = await online();
  world.answers['/desk/duty'] = () => {
    world.event(11, 'user.duty', { call_id: null, user_id: 'me', data: { on: false } });
    return { status: 202, json: {} };
  };
  await live.command('/desk/duty', { on: false }, { until: (now) => !now.duty });
  assert.equal(live.view.duty, false);
});

test('refusals carry the desk\'s words and who was faster', async () => {
  const { live, world } = await online();
  world.answers['/desk/calls/c1/accept'] = { status: 409, json: { error: { code: 'taken', message: 'Bo has it', by: { id: 'b', name: 'Bo' } } } };
  await assert.rejects(live.command('/desk/calls/c1/accept'), (error) => {
    assert.ok(error instanceof CommandError);
    assert.equal(error.code, 'taken');
    assert.equal(error.by.name, 'Bo');
    return true;
  });
  assert.equal(live.pending.size, 0);
});

test('a deed that fails later is an error with a reason; one without any word ends too', async () => {
  const { live, world } = await online();
  const failed = live.command('/desk/calls/c1/accept');
  await settle();
  const { command } = world.requests.at(-1).body;
  world.event(11, 'call.accepting', { user_id: 'me', data: { command, peer: 'p' } });
  world.event(12, 'call.accept_failed', { user_id: 'me', data: { command, reason: 'no_audio' } });
  await assert.rejects(failed, { code: 'no_audio', message: 'No audio' });
  const silent = live.command('/desk/calls/c1/hangup');
  const ended = assert.rejects(silent, { code: 'timeout' });
  await settle();
  await world.pass(9000);
  await ended;
});

test('a connection that swallows a command holds nobody up', async () => {
  const { live, world } = await online();
  const never = () => new Promise(() => {});
  world.answers['/desk/calls/c1/hangup'] = world.answers['/desk/calls/c1/hold'] = world.answers['/desk/tags'] = never;
  const lost = assert.rejects(live.command('/desk/calls/c1/hangup'), { code: 'timeout' });
  await settle();
  await world.pass(9000);
  await lost;
  const done = live.command('/desk/calls/c1/hold', { held: true });
  await settle();
  world.event(11, 'call.held', { data: { command: world.requests.at(-1).body.command, held: true } });
  assert.equal((await done).kind, 'call.held', 'the log is believed before the answer');
  assert.equal(live.pending.size, 0);
  const read = assert.rejects(live.request('/desk/tags'), { code: 'timeout', message: 'Too slow' });
  await settle();
  await world.pass(31_000);
  await read;
});

test('a tab that was signed out rings no more, and keeps the call it talks in', async () => {
  const { live, world } = await online();
  world.snapshot(view(call({ id: 'c1' }), call({ id: 'c2', state: 'confirmed', ringing: [], by: 'me' })), { seq: 20 });
  let drawn = 0;
  live.addEventListener('view', () => (drawn += 1));
  world.frame({ t: 'gone', reason: 'revoked' });
  assert.deepEqual([live.status, Object.keys(live.view.calls), drawn], ['gone', ['c2'], 1]);
});

test('a desk that cannot be reached is said in words', async () => {
  const { live, world } = await online();
  world.answers['/desk/duty'] = new TypeError('failed to fetch');
  await assert.rejects(live.command('/desk/duty', { on: true }), { code: 'unreachable', message: 'Away' });
});

test('texts are filled in, and an unknown key shows itself', async () => {
  const { live } = await online();
  live.text = { hello: 'Hello {name}, {other}' };
  assert.equal(live.t('hello', { name: '<b>Bo</b>' }), 'Hello <b>Bo</b>, {other}');
  assert.equal(live.t('none'), 'none');
});

test('names come with cards, and whose a conversation is changes the cards of its calls', async () => {
  const { world, live } = await online();
  world.event(20, 'call.ringing', { card: { conversation_id: 'k1', assigned_to: null, people: { bo: 'Bo' } }, data: { ringing: ['me', 'bo'], arrived_at: 1 } });
  assert.equal(live.names.bo, 'Bo');
  let drawn = 0;
  live.addEventListener('view', () => (drawn += 1));
  world.event(21, 'conversation.assigned', { call_id: null, data: { to: 'bo' } });
  assert.deepEqual([live.cards.c1.assigned_to, drawn], ['bo', 1]);
  world.event(22, 'conversation.assigned', { call_id: null, conversation_id: 'k2', data: { to: 'bo' } });
  assert.equal(drawn, 1);
});

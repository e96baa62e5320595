// What can be done in a call, with whom, and in which words: family.js, deeds.js, parties.js, dtmf.js.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

import { deeds, done, hangupOf, keysFor, request, rowDeeds } from '../../aircall_core/ui/static/deeds.js';
import { frequencies, KEYS, keysOf, play } from '../../aircall_core/ui/static/dtmf.js';
import { carried, children, current, idle, shape } from '../../aircall_core/ui/static/family.js';
import { party, rowStanding, standing, target, whyHere, whyLeft, whyNot } from '../../aircall_core/ui/static/parties.js';
import { call, view, words } from './stage.mjs';

const text = words();
const t = (key, values = {}) => {
  assert.ok(text[key], `there are words for ${key}`);
  return text[key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '?');
};

const mine = (more) =>
  call({ id: 'a', state: 'confirmed', ringing: [], by: 'me', answered_at: 5, recording: 'started', direction: 'inbound', parent: null, started_by: null, held: false, ...more });
const asked = (more) => mine({ id: 'c', parent: 'a', started_by: 'me', by: 'bo', direction: 'internal', recording: 'off', ...more });
const rung = (more) => asked({ state: 'ringing', by: null, ringing: ['bo'], answered_at: null, ...more });
const outside = (more) => asked({ id: 'o', direction: 'outbound', by: 'me', ...more });
const able = (one, of = one.calls.a, more = {}) => Object.entries(deeds(one, of, more)).filter(([, { why }]) => !why).map(([name]) => name);

test('one call, with nobody else: everything can be done', () => {
  const now = view(mine());
  assert.deepEqual(able(now), ['mute', 'hold', 'keypad', 'transfer', 'add', 'record', 'hangup', 'open']);
  assert.equal(shape(now, now.calls.a), 'alone');
  assert.equal(hangupOf(now, now.calls.a), 'a');
});

test('before the answer a call can be ended and looked at, not more', () => {
  for (const state of ['accepting', 'dialling']) assert.deepEqual(able(view(mine({ state }))), ['hangup', 'open']);
});

test('while the console reconnects nothing is promised', () => {
  const now = view(mine());
  assert.deepEqual(able(now, now.calls.a, { online: false }), ['open']);
});

test('what is under way is busy', () => {
  const now = view(mine());
  assert.equal(deeds(now, now.calls.a, { busy: new Set(['hold', 'swap c']) }).hold.busy, true);
  assert.equal(deeds(now, now.calls.a).hold.busy, undefined);
});

test('pressed is what the log says', () => {
  const now = view(mine({ muted: true, held: true, recording: 'paused' }));
  const { mute, hold, record } = deeds(now, now.calls.a);
  assert.deepEqual([mute.on, hold.on, record.on], [true, true, false]);
});

test('a call that is not recorded cannot be paused, and says so', () => {
  const now = view(mine({ recording: 'off' }));
  assert.equal(t(deeds(now, now.calls.a).record.why), 'this call is not recorded');
});

test('keys go to whoever hears them outside', () => {
  const to = (...all) => {
    const now = view(...all);
    return keysFor(now, now.calls.a);
  };
  assert.equal(to(mine()), 'a');
  assert.equal(to(mine({ held: true })), null);
  assert.equal(to(mine({ held: true }), asked()), null, 'a colleague has no keys to press for');
  assert.equal(to(mine({ held: true }), outside()), 'o');
  assert.equal(to(mine({ held: true }), outside({ held: true })), null);
  assert.equal(to(mine({ held: true }), outside({ state: 'dialling' })), null);
});

test('a colleague who asks owns the call: we can mute ourselves and leave', () => {
  const now = view(asked({ started_by: 'bo', by: 'me' }));
  assert.deepEqual(able(now, now.calls.c), ['mute', 'hangup', 'open']);
  assert.equal(shape(now, now.calls.c), 'alone');
});

for (const [how, all, rows, ends] of [
  ['calling', [mine({ held: true }), rung()], ['cancel', 'now'], 'c'],
  ['calling', [mine({ held: true }), outside({ id: 'c', state: 'dialling' })], ['cancel', 'now'], 'c'],
  ['asking', [mine({ held: true }), asked()], ['complete', 'swap', 'merge', 'cancel'], 'c'],
  ['swapped', [mine(), asked({ held: true })], ['complete', 'swap', 'merge', 'drop'], 'a'],
  ['joining', [mine(), rung()], ['cancel'], 'a'],
  ['together', [mine(), asked()], ['alone', 'drop'], 'a'],
]) {
  test(`${how}: the row's deeds are ${rows}`, () => {
    const now = view(...all);
    assert.equal(shape(now, now.calls.a), how);
    assert.deepEqual(rowDeeds(now, now.calls.a, now.calls.c), rows);
    assert.equal(hangupOf(now, now.calls.a), ends);
    for (const deed of rows) t(`rows.${deed}`);
  });
}

test('while others are in it a call is neither held nor sent on by its buttons; nobody is added before the last one is there', () => {
  const why = (...all) => {
    const now = view(...all);
    const { hold, transfer, add } = deeds(now, now.calls.a);
    return [hold.why, transfer.why, add.why];
  };
  assert.deepEqual(why(mine(), asked()), ['why.hold_others', 'why.transfer_others', '']);
  assert.equal(why(mine(), rung())[2], 'why.add_waiting');
  assert.equal(why(mine(), asked(), asked({ id: 'd' }), asked({ id: 'e' }))[2], 'why.add_most');
});

test('each deed of a row is one request, and is done when the view says so', () => {
  const now = view(mine({ held: true }), asked());
  const { a, c } = now.calls;
  const sent = (deed, one = c) => request(now, a, one, deed);
  assert.deepEqual(sent('swap'), ['/desk/calls/a/talk', {}]);
  assert.deepEqual(sent('swap', asked({ held: true })), ['/desk/calls/c/talk', {}]);
  assert.deepEqual(sent('alone'), ['/desk/calls/c/talk', {}]);
  assert.deepEqual(sent('merge'), ['/desk/calls/a/merge', {}]);
  assert.deepEqual(sent('complete'), ['/desk/calls/a/complete', { via: 'c' }]);
  assert.deepEqual(sent('now'), ['/desk/calls/a/hangup', {}]);
  assert.deepEqual(sent('cancel'), ['/desk/calls/c/hangup', {}]);
  assert.equal(done(now, a, c, 'swap'), false);
  assert.equal(done(view(mine(), asked({ held: true })), a, c, 'swap'), true);
  assert.equal(done(view(mine(), asked()), a, c, 'swap'), false, 'together is not swapped');
  assert.equal(done(view(mine(), asked()), a, c, 'merge'), true);
  assert.equal(done(view(mine()), a, c, 'cancel'), true);
  assert.equal(done(view(), a, c, 'complete'), true);
  assert.equal(done(view(mine()), a, c, 'complete'), false);
});

test('two calls: the one in use comes first, whichever arrived first', () => {
  const now = view(mine({ held: true }), mine({ id: 'b', arrived_at: 9 }));
  assert.deepEqual(carried(now).map(({ id }) => id), ['b', 'a']);
  assert.equal(current(now).id, 'b');
  assert.deepEqual(rowDeeds(now, now.calls.b, now.calls.a), ['resume', 'hangup']);
  const asking = view(mine({ held: true }), asked(), mine({ id: 'b', arrived_at: 9, held: true }));
  assert.equal(current(asking).id, 'a', 'talking about it is being in it');
  assert.equal(idle(asking, asking.calls.b), true);
  assert.equal(current(view()), null);
});

test('an outside participant is no call of its own here, a question of a colleague is', () => {
  const now = view(mine(), outside(), asked({ id: 'q', started_by: 'bo', by: 'me', parent: 'z' }));
  assert.deepEqual(carried(now).map(({ id }) => id), ['a', 'q']);
  assert.deepEqual(children(now, 'a').map(({ id }) => id), ['o']);
  assert.deepEqual(children(now, 'z'), []);
});

test('who is at the other end', () => {
  const card = { caller_name: 'Marie', number: '01', line_name: 'Support' };
  assert.deepEqual(party(card, t), { name: 'Marie', detail: '01 · Support' });
  assert.deepEqual(party({ ...card, caller_name: '' }, t), { name: '01', detail: 'Support' });
  const asks = { ...card, asked_by: { id: 'bo', name: 'Bo Lind' } };
  assert.deepEqual(party({ ...asks, asks: 'consult' }, t), { name: 'Bo Lind', detail: 'asks about Marie' });
  assert.deepEqual(party({ ...asks, asks: 'join' }, t), { name: 'Bo Lind', detail: 'wants you in the call with Marie' });
  assert.equal(party(undefined, t).name, 'Unknown caller');
});

test('whom we called for a call', () => {
  const names = { bo: 'Bo Lind', cy: 'Cy Ek' };
  const said = (one, card) => target(one, card, { names, t });
  assert.equal(said(rung(), { target: { name: 'Workshop' } }), 'Workshop');
  assert.equal(said(asked(), { target: { name: 'Workshop' } }), 'Bo Lind', 'one of them has answered');
  assert.equal(said(rung({ ringing: ['bo', 'cy'] }), {}), 'Bo Lind, Cy Ek');
  assert.equal(said(rung({ ringing: [] }), undefined), 'Colleague');
  assert.equal(said(outside(), { number: '06 12' }), '06 12');
});

test('how a call stands, in words', () => {
  const said = (all, card = {}) => {
    const now = view(...all);
    return standing(now, Object.values(now.calls)[0], { card, t })[0];
  };
  assert.equal(said([mine()]), 'Connected');
  assert.equal(said([mine({ held: true })]), 'On hold, hears music');
  assert.equal(said([mine({ held: true }), asked()]), 'On hold, hears music');
  assert.equal(said([mine(), asked()]), 'Everybody hears everybody');
  assert.equal(said([mine({ state: 'accepting' })]), 'Connecting…');
  const dialled = (progress) => said([mine({ state: 'dialling', progress })]);
  assert.deepEqual([null, 'dialling', 'ringing', 'early'].map(dialled), ['Dialling…', 'Dialling…', 'Ringing…', 'Ringing, you hear the other side']);
  assert.equal(said([asked({ started_by: 'bo', by: 'me', held: true })], { asked_by: { name: 'Bo Lind' } }), 'Bo Lind is with the caller');
});

test('how the others stand, in words', () => {
  const said = (a, one) => rowStanding(view(a, one), a, one, t)[0];
  const [on, off] = [mine({ held: true }), mine()];
  assert.equal(said(on, rung()), 'Ringing…');
  assert.equal(said(on, rung({ ringing: [] })), 'Calling…');
  assert.equal(said(on, rung({ state: 'accepting', ringing: [] })), 'Connecting…');
  assert.equal(said(on, asked()), 'Talking with you');
  assert.equal(said(off, asked({ held: true })), 'On hold, hears music');
  assert.equal(said(off, asked()), 'In the call');
  assert.equal(said(on, outside({ state: 'dialling', progress: 'early' })), 'Ringing, you hear the other side');
  assert.equal(said(off, mine({ id: 'b', held: true })), 'On hold, hears music');
});

test('a ring says who sent the call, or that nobody took it', () => {
  assert.equal(whyHere(mine({ transfer: { by: 'bo', to: 'user' } }), { sent_by: { name: 'Bo' } }, view(), t), 'Sent by Bo');
  assert.match(whyHere(mine({ transfer: { by: 'me', to: 'user' } }), {}, view(), t), /nobody took/);
  assert.equal(whyHere(mine({ transfer: null }), {}, view(), t), '');
});

test('each reason for an end has words, and one that is new has some too', () => {
  const reasons = ['rejected', 'timeout', 'nobody', 'busy', 'declined', 'no_answer', 'not_found', 'refused', 'unreachable', 'no_audio', 'agent_lost', 'all_rejected', 'no_trunk', 'full', 'new'];
  for (const reason of reasons) {
    assert.ok(whyLeft({ reason }, 'Bo', t));
    assert.ok(whyNot({ reason }, t));
  }
  assert.equal(whyLeft({ reason: 'rejected' }, 'Bo', t), 'Bo rejected the call.');
  assert.match(whyNot({ outcome: 'lost' }, t), /telephony process/);
});

test('whatever the worker cannot do has words', () => {
  const folder = new URL('../../aircall_core/sip/', import.meta.url);
  const source = readdirSync(folder).filter((name) => name.endsWith('.py')).map((name) => readFileSync(new URL(name, folder), 'utf8')).join('');
  const codes = [...source.matchAll(/(?:refuse_command\(|_refuse\(call_id)(?:[^()]|\{[^}]*\})*?"(\w+)"(?: if \w[\w ]* else "(\w+)")?\)/g)];
  const found = new Set(codes.flatMap(([, one, other]) => [one, other].filter(Boolean)));
  assert.ok(found.size > 6, `${[...found]}`);
  for (const code of found) t(`undone.${code}`);
});

test('every key that is written for a reason why not has words', () => {
  const source = readFileSync(new URL('../../aircall_core/ui/static/deeds.js', import.meta.url), 'utf8');
  const keys = new Set(source.match(/'why\.\w+'/g).map((one) => one.slice(1, -1)));
  assert.ok(keys.size > 6);
  for (const key of keys) t(key);
});

// ---- keys

test('of what is pasted the keys are sent, words are not', () => {
  assert.equal(keysOf('Account: 47 11#, *2'), '4711#,*2');
  assert.equal(keysOf('abc'), '');
});

test('a key sounds with the two frequencies of ITU-T Q.23', () => {
  assert.deepEqual(frequencies('1'), [697, 1209]);
  assert.deepEqual(frequencies('5'), [770, 1336]);
  assert.deepEqual(frequencies('#'), [941, 1477]);
  assert.equal(frequencies(','), null);
  assert.equal(new Set(KEYS.map((key) => frequencies(key).join())).size, 12);
});

test('without sound a key is pressed all the same', () => {
  play(null, '1');
  play({ state: 'suspended' }, '1');
});

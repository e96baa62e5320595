// What a timeline tells: entries of the log in, bubbles and lines out.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { callerTitle, clock, initials } from '../../aircall_core/ui/static/dom.js';
import { advance, form, fresh, line, look, owed, reason, title, TOLD, waited, way } from '../../aircall_core/ui/static/story.js';
import { words } from './stage.mjs';

const TEXT = words();
const ABOUT = { to: { id: 'b', name: 'Bo' }, tags: ['VIP'], from: 'Sales', line: 'Support' };
const entry = (kind, data = {}, who = { id: 'a', name: 'Ann' }) => ({ seq: 1, at: 1000, kind, call_id: 'c1', who, data, about: ABOUT });

test('every told kind has words, whatever its data', () => {
  const datas = [
    {}, { by: 'caller' }, { by: 'agent' }, { by: 'system' }, { outcome: 'lost' }, { reason: 'nobody' }, { reason: 'timeout' },
    { reason: 'agent_lost' }, { reason: 'no_audio' }, { reason: 'caller_gone' }, { reason: 'expired' }, { reason: 'gateway_lost' },
    { reason: 'something new' }, { state: 'stopped' }, { state: 'failed' }, { state: 'taken' }, { state: 'declined' },
  ];
  for (const kind of TOLD) {
    if (kind === 'call.arrived') continue;
    for (const data of datas) {
      const one = entry(kind, data);
      if (form(one) !== 'log') continue;
      const [key, , fallback] = line(one);
      assert.ok(TEXT[key] ?? TEXT[fallback], `${kind} ${JSON.stringify(data)}: ${key}`);
    }
  }
});

test('rings that stopped by themselves are not told, a rejection is', () => {
  assert.equal(form(entry('call.ring_stopped', { reason: 'taken' })), null);
  assert.equal(form(entry('call.ring_stopped', { reason: 'rejected' })), 'log');
  assert.equal(form(entry('call.arrived')), 'call');
  assert.equal(form(entry('call.recording', { state: 'started' })), null);
  assert.equal(form(entry('call.muted')), null);
});

test('a bubble follows its call from the ring to the end', () => {
  let call = fresh({ call_id: 'c1', at: 5, data: { arrived_at: 4 } });
  assert.deepEqual([title(call), look(call)], ['call.ringing', 'live']);
  call = advance(call, entry('call.step', { kind: 'menu' }));
  assert.equal(title(call), 'call.flow');
  call = advance(call, entry('call.queued', { since: 6 }));
  assert.deepEqual([title(call), call.queued_at], ['call.queued', 6]);
  assert.equal(title(advance(call, entry('call.recording', { state: 'started', kind: 'voicemail' }))), 'call.leaving');
  call = advance(advance(call, entry('call.ringing')), entry('call.accepting'));
  assert.equal(title(call), 'call.accepting');
  call = advance(call, entry('call.answered', { answered_at: 10 }));
  assert.deepEqual([title(call), look(call), call.answered_by.name], ['call.live', 'live', 'Ann']);
  call = advance(call, entry('call.ended', { outcome: 'answered', ended_at: 70 }));
  assert.deepEqual([title(call), look(call), call.ended_at], ['call.answered', 'ok', 70]);
});

test('every state and outcome of a call has a name', () => {
  for (const state of ['flow', 'queued', 'ringing', 'accepting', 'answered', 'confirmed', 'voicemail', 'overflow']) {
    assert.ok(TEXT[title({ state })], state);
  }
  for (const outcome of ['answered', 'voicemail', 'callback', 'missed', 'abandoned', 'lost', 'failed']) {
    assert.ok(TEXT[title({ state: 'ended', outcome })], outcome);
  }
  assert.equal(look({ state: 'ended', outcome: 'abandoned' }), 'missed');
  assert.equal(look({ state: 'ended', outcome: 'lost' }), 'bad');
});

test('steps of a flow are one line, and none where the caller chose and typed nothing', () => {
  const plain = { path: [], digits: [], queued_at: 1000, answered_at: 5000 };
  assert.equal(form({ ...entry('call.chose'), call: plain }), null);
  assert.equal(form(entry('call.chose')), null, 'the event alone holds ids: the desk is asked');
  const call = { ...plain, path: ['Sales', 'Spare parts'], digits: [{ label: 'Account', value: '7' }] };
  assert.equal(form({ ...entry('call.typed'), call }), 'flow');
  assert.deepEqual(way(call), { path: ['Sales', 'Spare parts'], digits: [{ label: 'Account', value: '7' }], waited: 4000 });
  assert.equal(way({ ...call, answered_at: null, ended_at: null }).waited, null);
});

test('why a call was missed has words; an answered one has no reason', () => {
  const codes = ['no_available_agent', 'short_abandoned', 'agents_did_not_answer', 'out_of_opening_hours', 'abandoned_in_ivr', 'abandoned_in_classic'];
  for (const code of codes) assert.ok(TEXT[reason({ state: 'ended', outcome: 'missed', missed_reason: code })], code);
  assert.equal(reason({ state: 'ended', outcome: 'answered', missed_reason: null }), null);
  assert.equal(reason({ state: 'ringing', missed_reason: null }), null);
  assert.equal(reason({ state: 'ended', outcome: 'voicemail', missed_reason: 'short_abandoned' }), null, 'a message was left');
  assert.ok(reason({ state: 'ended', outcome: 'voicemail', missed_reason: 'out_of_opening_hours' }));
});

test('how long a caller waited for an agent', () => {
  assert.equal(waited({ arrived_at: 0, queued_at: 20, answered_at: 50, ended_at: 90 }), 30);
  assert.equal(waited({ arrived_at: 10, queued_at: null, answered_at: null, ended_at: 90, outcome: 'missed' }), 80);
  assert.equal(waited({ arrived_at: 0, queued_at: 20, answered_at: null, ended_at: 90, outcome: 'voicemail' }), null);
  assert.equal(waited({ arrived_at: 0, queued_at: 20, answered_at: null, ended_at: null }), null);
});

test('a missed call is owed an answer until somebody calls back or declines', () => {
  const missed = { state: 'ended', outcome: 'missed', callback: null };
  const cases = [[missed, true], [{ ...missed, callback: { state: 'waiting' } }, true], [{ ...missed, callback: { state: 'taken' } }, false], [{ ...missed, callback: { state: 'declined' } }, false], [{ ...missed, outcome: 'answered' }, false], [{ ...missed, state: 'ringing' }, false], [{ ...missed, outcome: 'voicemail' }, true]];
  for (const [call, yes] of cases) assert.equal(owed(call), yes, JSON.stringify(call));
});

test('who assigned a conversation to whom', () => {
  const key = (who, to) => line({ ...entry('conversation.assigned', {}, who), about: { to } })[0];
  const [ann, bo] = [{ id: 'a', name: 'Ann' }, { id: 'b', name: 'Bo' }];
  assert.deepEqual([key(ann, bo), key(ann, ann), key(null, bo), key(ann, null), key(null, null)], ['log.assigned', 'log.assigned.self', 'log.assigned.system', 'log.unassigned', 'log.unassigned.system']);
});

test('clocks, initials and what a caller is called', () => {
  assert.deepEqual([-5, 0, 7000, 61_999, 3_723_000].map(clock), ['0:00', '0:00', '0:07', '1:01', '1:02:03']);
  assert.deepEqual(['Marie Dupont', 'marie', 'Jean Paul de Gaulle', '', '+33 1', '李 小龙'].map(initials), ['MD', 'M', 'JG', '', '', '李小']);
  const t = (key) => TEXT[key];
  assert.equal(callerTitle({ caller_name: 'Ann', number: '1' }, t), 'Ann');
  assert.equal(callerTitle({ caller_name: '', number: '01 99' }, t), '01 99');
  assert.equal(callerTitle({ anonymous: true }, t), 'Hidden number');
  assert.equal(callerTitle(undefined, t), 'Unknown caller');
});

test('tags that were removed are told; tags that are not there any more are not', () => {
  const tagged = (data, names) => ({ kind: 'call.tagged', who: { name: 'Ann' }, data: { tags: data }, about: { tags: names } });
  assert.equal(form(tagged([], [])), 'log');
  assert.equal(line(tagged([], []))[0], 'log.untagged');
  assert.equal(line(tagged(['a'], ['Order']))[0], 'log.tagged');
  assert.equal(form(tagged(['a'], [])), null);
});

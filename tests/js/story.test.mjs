// What a timeline tells: entries of the log in, bubbles and lines out.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { callerTitle, clock, initials } from '../../aircall_core/ui/static/dom.js';
import { advance, form, fresh, line, look, title, TOLD } from '../../aircall_core/ui/static/story.js';

const TEXT = JSON.parse(readFileSync(new URL('../../aircall_core/ui/locales/en.json', import.meta.url))).ui;
const entry = (kind, data = {}, who = { id: 'a', name: 'Ann' }) => ({ seq: 1, at: 1000, kind, call_id: 'c1', who, data });

test('every told kind has words, whatever its data', () => {
  const datas = [
    {}, { by: 'caller' }, { by: 'agent' }, { by: 'system' }, { outcome: 'lost' }, { reason: 'nobody' }, { reason: 'timeout' },
    { reason: 'agent_lost' }, { reason: 'no_audio' }, { reason: 'caller_gone' }, { reason: 'expired' }, { reason: 'gateway_lost' },
    { reason: 'something new' }, { state: 'stopped' }, { state: 'failed' },
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
  call = advance(call, entry('call.accepting'));
  assert.equal(title(call), 'call.accepting');
  call = advance(call, entry('call.answered', { answered_at: 10 }));
  assert.deepEqual([title(call), look(call), call.answered_by.name], ['call.live', 'live', 'Ann']);
  call = advance(call, entry('call.ended', { outcome: 'answered', ended_at: 70 }));
  assert.deepEqual([title(call), look(call), call.ended_at], ['call.answered', 'ok', 70]);
});

test('every state and outcome of a call has a name', () => {
  for (const state of ['ringing', 'accepting', 'answered', 'confirmed', 'overflow']) assert.ok(TEXT[title({ state })], state);
  for (const outcome of ['answered', 'missed', 'abandoned', 'lost', 'failed']) {
    assert.ok(TEXT[title({ state: 'ended', outcome })], outcome);
  }
  assert.equal(look({ state: 'ended', outcome: 'abandoned' }), 'missed');
  assert.equal(look({ state: 'ended', outcome: 'lost' }), 'bad');
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

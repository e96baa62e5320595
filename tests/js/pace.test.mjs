// When the power dialer dials by itself, and when it never does.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { byHand, held, Pace } from '../../aircall_core/ui/static/pace.js';

const me = { status: 'available', reason: null, tags_due: [] };
const ready = { online: true, duty: true, busy: false, me, paused: false, seconds: 10 };
const as = (status, reason = null, tags_due = []) => ({ ...ready, me: { status, reason, tags_due } });

test('it counts only while nothing stands in the way', () => {
  assert.equal(held(ready), '');
  assert.equal(held({ ...ready, online: false }), 'offline');
  assert.equal(held({ ...ready, duty: false }), 'off_duty');
  assert.equal(held({ ...ready, busy: true }), 'in_call');
  assert.equal(held(as('in_call')), 'in_call');
  assert.equal(held(as('wrap_up')), 'wrap_up');
  assert.equal(held(as('tagging')), 'tag');
  assert.equal(held({ ...ready, paused: true }), 'paused');
  assert.equal(held({ ...ready, seconds: 0 }), 'by_hand');
});

test('a tag that is owed holds it even in wrap-up and when paused', () => {
  assert.equal(held(as('wrap_up', null, ['call-1'])), 'tag');
  assert.equal(held({ ...as('available', null, ['call-1']), paused: true }), 'tag');
});

test('nobody on a break is dialled for; back office goes on', () => {
  for (const reason of ['break', 'lunch', 'training', 'missed_calls', 'by_admin', 'something new']) assert.equal(held(as('unavailable', reason)), 'away');
  for (const reason of ['back_office', 'other']) assert.equal(held(as('unavailable', reason)), '');
  assert.equal(held(as('out_of_hours')), '');
});

test('a click dials in a pause, in wrap-up and on a break, and never without a line, a duty or a tag', () => {
  assert.deepEqual(['', 'paused', 'by_hand', 'wrap_up', 'away'].map(byHand), [true, true, true, true, true]);
  assert.deepEqual(['offline', 'off_duty', 'in_call', 'tag'].map(byHand), [false, false, false, false]);
});

test('the countdown runs from the moment all is ready, and anew after every hold', () => {
  const pace = new Pace();
  assert.deepEqual(pace.look(ready, 1000), { why: '', left: 10 });
  assert.equal(pace.look(ready, 1001).left, 10);
  assert.equal(pace.look(ready, 10_500).left, 1);
  assert.equal(pace.look(ready, 11_000).left, 0);
  assert.deepEqual(pace.look(as('wrap_up'), 12_000), { why: 'wrap_up', left: null });
  assert.equal(pace.look(ready, 90_000).left, 10);
  pace.again();
  assert.equal(pace.look(ready, 99_000).left, 10);
});

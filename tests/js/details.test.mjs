// What a call's details say, as plain data.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { facts } from '../../aircall_core/ui/static/details.js';
import { call } from './stage.mjs';

const who = { me: 'me', names: { bo: 'Bo Lind', cy: 'Cy Ek' } };

test('the last branch stands in front, the way to it behind', () => {
  const { branch, before } = facts(call(), { path: ['Sales', 'Cars', 'Spare parts'] }, who);
  assert.deepEqual([branch, before], ['Spare parts', ['Cars', 'Sales']]);
  assert.deepEqual(facts(call(), { path: ['Sales'] }, who).before, []);
});

test('others who are rung, by name where it is known, and never this user', () => {
  assert.deepEqual(facts(call({ ringing: ['bo', 'me', 'xx'] }), {}, who).others, ['Bo Lind', '']);
});

test('the wait is told where it is not the time since the call came', () => {
  assert.equal(facts(call({ arrived_at: 1000 }), { queued_at: 1200 }, who).queued, null);
  assert.equal(facts(call({ arrived_at: 1000 }), { queued_at: 61_000 }, who).queued, 61_000);
  assert.equal(facts(call({ arrived_at: 1000, answered_at: 70_000 }), { queued_at: 61_000 }, who).queued, null);
});

test('whose it is, its priority and digits; a call without a card says nothing', () => {
  assert.equal(facts(call(), { assigned_to: 'me' }, who).assignee, 'me');
  assert.equal(facts(call(), { assigned_to: 'cy' }, who).assignee, 'Cy Ek');
  assert.equal(facts(call(), { priority: 1 }, who).priority, 1);
  assert.deepEqual(facts(call(), { digits: [{ label: 'Account', value: '12' }] }, who).digits, [{ label: 'Account', value: '12' }]);
  assert.deepEqual(facts(call(), undefined, who), { branch: '', before: [], digits: [], queued: null, others: [], priority: null, assignee: null });
});

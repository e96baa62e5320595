// Which call was left last: what is written in wrap-up is about that one.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LastCall, own, remember } from '../../aircall_core/ui/static/last_call.js';
import { call, stage, Storage, view } from './stage.mjs';

class FakeLive extends EventTarget {
  constructor(local, ...calls) {
    super();
    Object.assign(this, { env: { ...stage().env, localStorage: local }, view: view(...calls), status: 'online', names: {} });
    this.cards = { c1: { caller_name: 'Marie', line_name: 'Support' }, c2: { number: '01 99' } };
  }
  t(key) {
    return key;
  }
  shows(...calls) {
    this.view = view(...calls);
    this.dispatchEvent(new Event('view'));
  }
}

const mine = (id, at, more = {}) => call({ id, by: 'me', state: 'confirmed', answered_at: at, ringing: [], ...more });

test('own calls are those the user talks in, not those that only ring or were made for another one', () => {
  const all = [mine('c1', 1), mine('c2', 5), call({ id: 'c3' }), mine('c4', 9, { by: 'bo' }), mine('c5', 9, { parent: 'c1' }), mine('c6', null)];
  assert.deepEqual(own(view(...all)).map((one) => one.id), ['c2', 'c1']);
});

test('of two calls it is the one that ended last, and a new one changes nothing before it ends', () => {
  const [one, two] = [{ id: 'c1' }, { id: 'c2' }];
  let known = remember({ own: [], last: null }, [two, one]);
  known = remember(known, [two]);
  assert.equal(known.last.id, 'c1');
  known = remember(known, []);
  assert.equal(known.last.id, 'c2');
  assert.equal(remember(known, [one]).last.id, 'c2');
});

test('it is known after a reload, in another tab, and when it ended while the page was away', () => {
  const local = new Storage();
  const live = new FakeLive(local);
  const last = new LastCall(live);
  assert.equal(last.call, null);
  live.shows(mine('c1', 1));
  assert.equal(new LastCall(new FakeLive(local, mine('c1', 1))).call, null);
  const back = new FakeLive(local);
  back.status = 'connecting'; // nothing is known yet: not an end
  const again = new LastCall(back);
  assert.equal(again.call, null);
  back.status = 'online';
  back.shows();
  assert.deepEqual(again.call, { id: 'c1', conversation: 'k1', title: 'Marie', line: 'Support' });
  assert.equal(new LastCall(new FakeLive(local)).call.id, 'c1');
  last.stop();
});

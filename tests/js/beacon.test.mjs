// Title and icon of the tab while a call rings.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Beacon } from '../../aircall_core/ui/static/beacon.js';
import { call, view } from './stage.mjs';

class Desk extends EventTarget {
  view = view();
  cards = { c1: { caller_name: 'Marie' } };
  t = (key, values) => `${key}${values?.who ? ` ${values.who}` : ''}`;
  show(...calls) {
    this.view = view(...calls);
    this.dispatchEvent(new Event('view'));
  }
}

function page() {
  const made = { title: 'Inbox', icon: 'plain.png', ringingIcon: () => 'ring.png', stop: () => (made.tick = null) };
  made.every = (_ms, run) => (made.tick = run);
  return made;
}

test('title and icon change at once, the title turns, and both come back', () => {
  const [live, tab] = [new Desk(), page()];
  new Beacon(live, tab);
  live.show(call());
  assert.deepEqual([tab.title, tab.icon], ['title.ringing Marie', 'ring.png']);
  tab.tick();
  assert.deepEqual([tab.title, tab.icon], ['Inbox', 'ring.png']);
  tab.tick();
  assert.equal(tab.title, 'title.ringing Marie');
  live.show();
  assert.deepEqual([tab.title, tab.icon, tab.tick], ['Inbox', 'plain.png', null]);
});

test('what a page change writes meanwhile is what comes back', () => {
  const [live, tab] = [new Desk(), page()];
  new Beacon(live, tab);
  live.show(call());
  Object.assign(tab, { title: 'Lines', icon: 'other.png' });
  tab.tick();
  assert.deepEqual([tab.title, tab.icon], ['title.ringing Marie', 'ring.png']);
  Object.assign(tab, { title: 'Users' });
  live.show();
  assert.deepEqual([tab.title, tab.icon], ['Users', 'other.png']);
});

test('the first of several callers is named; the user\'s own call is not a ring', () => {
  const [live, tab] = [new Desk(), page()];
  new Beacon(live, tab);
  live.show(call({ by: 'me', state: 'answered' }));
  assert.equal(tab.title, 'Inbox');
  live.cards.c2 = { caller_name: 'Bea' };
  live.show(call({ arrived_at: 5 }), call({ id: 'c2', arrived_at: 1 }));
  assert.equal(tab.title, 'title.ringing Bea');
});

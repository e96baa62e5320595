// The inbox's rows and their order while things change, and what it asks the desk for.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { active, countable, forget, query, remember, remembered } from '../../aircall_core/ui/static/inbox_choice.js';
import { Rows, before } from '../../aircall_core/ui/static/inbox_list.js';

const row = (id, order, more = {}) => ({ id, order, conversation: id, ...more });
const ids = (rows) => rows.items.map((one) => one.id).join('');
const listed = (oldest = false) => {
  const rows = new Rows(oldest);
  const items = [row('a', 30), row('b', 20), row('c', 10)];
  rows.reset(oldest ? items.reverse() : items, null, oldest);
  return rows;
};

test('what is new comes to its place, at once where nobody points at the list', () => {
  const rows = listed();
  rows.change([row('c', 40), row('n', 25)], new Set(['c', 'n']), { hold: false });
  assert.equal(ids(rows), 'canb');
});

test('while somebody points at the list nothing moves, and what is shown is up to date', () => {
  const rows = listed();
  rows.change([row('c', 40, { name: 'new' }), row('n', 50)], new Set(['c', 'n', 'b']), { hold: true });
  assert.equal(ids(rows), 'abc');
  assert.equal(rows.get('c').name, 'new');
  assert.equal(rows.coming, 1);
  assert.ok(rows.gone('b'));
  assert.ok(!rows.gone('a'));
  rows.settle();
  assert.equal(ids(rows), 'nca');
  assert.equal(rows.coming, 0);
});

test('what comes back to its old place before it moved has not moved', () => {
  const rows = listed();
  rows.change([], new Set(['b']), { hold: true });
  rows.change([row('b', 20)], new Set(['b']), { hold: true });
  rows.settle();
  assert.equal(ids(rows), 'abc');
});

test('a row beyond the last page that is shown waits for its page', () => {
  const rows = listed();
  rows.after = 'cursor';
  rows.change([row('z', 5), row('m', 15)], new Set(['z', 'm']), { hold: false });
  assert.equal(ids(rows), 'abmc');
  rows.append([row('z', 5), row('m', 15)], null);
  assert.equal(ids(rows), 'abmcz');
});

test('an answer that was cut takes nothing away', () => {
  const rows = listed();
  rows.change([row('a', 30)], new Set(['a', 'b']), { hold: false, complete: false });
  assert.equal(ids(rows), 'abc');
});

test('oldest first is the other way round, and equal times are ordered by id', () => {
  const rows = listed(true);
  rows.change([row('n', 15)], new Set(['n']), { hold: false });
  assert.equal(ids(rows), 'cnba');
  assert.ok(before(row('y', 1), row('x', 1), false));
  assert.ok(before(row('x', 1), row('y', 1), true));
  assert.ok(!before(row('x', 1), row('x', 1), false));
});

test('a storm of changes in any order ends as a fresh list would', () => {
  let seed = 7;
  const random = (n) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
  const truth = new Map([...'abcdefgh'].map((id, i) => [id, row(id, i)]));
  const rows = new Rows();
  rows.reset([...truth.values()].sort((x, y) => y.order - x.order), null);
  for (let i = 0; i < 500; i += 1) {
    const id = 'abcdefghijkl'[random(12)];
    if (random(4)) truth.set(id, row(id, 100 + i));
    else truth.delete(id);
    rows.change(truth.has(id) ? [truth.get(id)] : [], new Set([id]), { hold: random(2) === 1 });
    if (!random(9)) rows.settle();
  }
  rows.settle();
  assert.deepEqual(rows.items.map((one) => one.id), [...truth.values()].sort((x, y) => y.order - x.order).map((one) => one.id));
});

const choice = (more = {}) => ({ ...remembered(null, 'ann'), ...more, filters: { ...remembered(null, 'ann').filters, ...more.filters } });

test('days are the days of the one who asks, the last one included', () => {
  const now = new Date(2026, 10, 22, 15, 30).getTime();
  const asked = (filters) => Object.fromEntries(query(choice({ filters }), now));
  assert.equal(asked({ days: 'today' }).from, String(new Date(2026, 10, 22).getTime()));
  assert.equal(asked({ days: '7' }).from, String(new Date(2026, 10, 15).getTime()));
  const span = asked({ days: 'span', from: '2026-11-01', to: '2026-11-02' });
  assert.equal(span.from, String(new Date(2026, 10, 1).getTime()));
  assert.equal(span.to, String(new Date(2026, 10, 3).getTime()));
  assert.equal(asked({ from: '2026-11-01' }).from, undefined);
});

test('a filter that the view does not have is not asked for, and not shown as set', () => {
  const set = { view: 'calls', filters: { user: 'bo', tag: 't1', type: 'answered', line: 'line-1' } };
  assert.deepEqual(active(choice(set)), ['line', 'user', 'type', 'tag']);
  assert.deepEqual(active(choice({ ...set, view: 'conversations' })), ['line']);
  assert.equal(query(choice({ ...set, view: 'messages' }), 0).get('user'), null);
  assert.equal(String(query(choice({ search: '  ana ' }), 0, { conversation: ['a', 'b'], after: null })), 'view=conversations&category=open&search=ana&conversation=a&conversation=b');
});

test('the choice is kept, and whatever is kept badly counts for nothing', () => {
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
  remember(storage, 'ann', choice({ category: 'mine', shown: ['mine', 'open'], search: 'secret' }));
  assert.ok(![...kept.values()].join('').includes('secret'));
  const again = remembered(storage, 'ann');
  assert.equal(remembered(storage, 'bo').category, 'open', 'another user has chosen nothing yet');
  assert.equal(again.category, 'mine');
  assert.deepEqual(again.shown, ['open', 'mine']);
  for (const bad of ['{', 'null', '{"category": "x", "shown": "all", "filters": {"line": 3}}', '[]']) {
    kept.set('aircall.inbox.ann', bad);
    assert.equal(remembered(storage, 'ann').category, 'open');
    assert.equal(remembered(storage, 'ann').filters.line, '');
  }
});

test('a filter by what is gone is let go, and counts are told only where they say how long the list is', () => {
  const now = choice({ filters: { line: 'old', user: 'bo' } });
  const known = { lines: [{ id: 'line-1' }], users: [{ id: 'bo' }], tags: [] };
  assert.ok(forget(now, known));
  assert.deepEqual([now.filters.line, now.filters.user], ['', 'bo']);
  assert.ok(!forget(now, known));
  assert.ok(countable(choice({ filters: { line: 'line-1', user: 'bo' } })), 'teammates are for calls');
  for (const more of [{ filters: { days: 'today' } }, { filters: { type: 'missed' } }, { search: 'ana' }, { view: 'calls' }]) assert.ok(!countable(choice(more)), JSON.stringify(more));
});

// Notes: whatever the network, the desk, the page and another tab do, no word is lost.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CommandError } from '../../aircall_core/ui/static/live.js';
import { caret, merge } from '../../aircall_core/ui/static/note_merge.js';
import { Notes } from '../../aircall_core/ui/static/notes.js';
import { Locks, settle, stage, Storage } from './stage.mjs';

/** Numbers that look random and are the same in every run. */
function dice(seed) {
  let state = seed * 2654435761 + 1;
  const roll = () => {
    state = (state ^ (state << 13)) >>> 0;
    state = (state ^ (state >>> 17)) >>> 0;
    state = (state ^ (state << 5)) >>> 0;
    return state / 2 ** 32;
  };
  return { roll, one: (list) => list[Math.floor(roll() * list.length)], below: (n) => Math.floor(roll() * n) };
}

/** The desk's side, as desk/notes.py has it. */
class Desk {
  constructor() {
    Object.assign(this, { text: '', version: 0, tabs: new Set(), writes: 0 });
  }
  get() {
    return { text: this.text, version: this.version };
  }
  put({ text, version }) {
    if (text === this.text) return { version: this.version };
    if (version !== this.version) throw new CommandError('changed', '', null, 409, { version: this.version, text: this.text });
    Object.assign(this, { text, version: version + 1 });
    this.writes += 1;
    for (const tab of [...this.tabs]) tab.told(this.version);
    return { version: this.version };
  }
}

/** One page load of the user's console; `network(deed)` decides what becomes of a request. */
class Page extends EventTarget {
  constructor({ world, desk, local, locks, tab, network }) {
    super();
    Object.assign(this, { world, desk, tab, network, view: { user: 'me' }, status: 'online', locks: locks.tab(), puts: [] });
    this.env = { ...world.env, localStorage: local, locks: this.locks, after: (ms, run) => world.env.after(ms, () => this.alive && run()) };
    this.alive = true;
    this.locks.request(`aircall.tab.${tab}`, {}, () => new Promise(() => {}));
    desk.tabs.add(this);
    this.notes = new Notes(this);
    this.note = this.notes.of('c1');
    this.note.watch(() => {});
  }
  t(key) {
    return key;
  }
  request(path, body, options) {
    if (options?.method === 'PUT') this.puts.push(body.text);
    return this.network(() => (options?.method === 'PUT' ? this.desk.put(body) : this.desk.get()));
  }
  told(version) {
    const event = { kind: 'call.noted', user_id: 'me', call_id: 'c1', data: { version } };
    this.dispatchEvent(new CustomEvent('event', { detail: { event } }));
  }
  line(status) {
    this.status = status;
    this.dispatchEvent(new CustomEvent('status'));
    if (status === 'online') this.dispatchEvent(new CustomEvent('view', { detail: { snapshot: true } }));
  }
  /** The tab is closed or crashes, or is about to be loaded anew: nothing of it runs on. */
  leave() {
    this.alive = false;
    this.desk.tabs.delete(this);
    this.locks.leave();
    this.notes.store = () => {};
  }
}

const away = () => new CommandError('unreachable', '', null, 0);
const good = async (deed) => deed();

function office(options = {}) {
  const world = stage();
  const all = { world, desk: new Desk(), local: new Storage(), locks: new Locks(), network: good, ...options };
  return { ...all, open: (tab, more = {}) => new Page({ ...all, tab, ...more }) };
}

const drafts = (local) => [...local.values.keys()].filter((key) => key.startsWith('aircall.note.'));

test('typing is in the storage at once, at the desk after a pause, and then nowhere else', async () => {
  const { world, desk, local, open } = office();
  const page = open('t1');
  await world.pass(100);
  assert.equal(page.note.state, 'empty');
  page.note.write('Wants');
  assert.equal(page.note.state, 'saving');
  assert.equal(JSON.parse(local.getItem('aircall.note.me.c1.t1')).text, 'Wants');
  page.note.write('Wants a refund');
  assert.equal(desk.text, '');
  await world.pass(700);
  assert.deepEqual([desk.text, page.note.state, page.puts.length, drafts(local)], ['Wants a refund', 'saved', 1, []]);
});

test('who types on without a pause is saved every few seconds', async () => {
  const { world, desk, open } = office();
  const page = open('t1');
  await world.pass(100);
  for (let i = 0; i < 40; i += 1) {
    page.note.write(`${page.note.text}x`);
    await world.pass(250);
  }
  assert.ok(page.puts.length >= 3, `${page.puts.length} saves in 10 s`);
  assert.ok(page.puts.length <= 8);
  await world.pass(1000);
  assert.equal(desk.text, 'x'.repeat(40));
});

test('typed before the desk has answered goes on behind what is there', async () => {
  const { world, desk, open } = office();
  Object.assign(desk, { text: 'Promised a call.', version: 4 });
  const page = open('t1');
  page.note.write(' Done.');
  await world.pass(2000);
  assert.deepEqual([page.note.text, desk.text], ['Promised a call. Done.', 'Promised a call. Done.']);
});

test('a note that the page shows already is there before the desk has answered, and an answer may know better', async () => {
  const { world, desk, open } = office();
  Object.assign(desk, { text: 'Promised a call.', version: 4 });
  const page = open('t1');
  const seen = { text: 'Promised', version: 3 };
  assert.equal(page.notes.of('c1', seen).text, 'Promised');
  page.note.write('Promised today');
  await world.pass(2000);
  assert.deepEqual([page.note.text, desk.text], ['Promised today a call.', 'Promised today a call.']);
  page.notes.of('c1', seen);
  assert.equal(page.note.text, 'Promised today a call.', 'what the page showed is no news');
});

test('while the desk is away the words wait, say so, and go as soon as it is back', async () => {
  let up = true;
  const { world, desk, local, open } = office({ network: async (deed) => (up ? deed() : Promise.reject(away())) });
  const page = open('t1');
  await world.pass(100);
  up = false;
  page.note.write('one');
  await world.pass(1000);
  assert.equal(page.note.state, 'waiting');
  await world.pass(60_000);
  assert.ok(page.puts.length < 12, 'with a back-off');
  page.note.write('one two');
  up = true;
  page.line('offline');
  assert.equal(page.note.state, 'waiting');
  page.line('online');
  await world.pass(2000);
  assert.deepEqual([desk.text, page.note.state, drafts(local)], ['one two', 'saved', []]);
});

test('a desk that takes the words and never answers is asked again, and writes them once', async () => {
  let silent = true;
  const { world, desk, open } = office({
    network: async (deed) => {
      const answer = deed();
      return silent ? new Promise(() => {}) : answer;
    },
  });
  silent = false;
  const page = open('t1');
  await world.pass(100);
  silent = true;
  page.note.write('one');
  await world.pass(5000);
  page.note.write('one two');
  silent = false;
  await world.pass(20_000);
  assert.deepEqual([desk.text, desk.writes, page.note.state], ['one two', 2, 'saved']);
});

test('a reload in the middle, with the desk away, loses nothing', async () => {
  let up = true;
  const all = office({ network: async (deed) => (up ? deed() : Promise.reject(away())) });
  const { world, desk, local, open } = all;
  const page = open('t1');
  await world.pass(100);
  page.note.write('one');
  await world.pass(1000);
  up = false;
  page.note.write('one two');
  await world.pass(300);
  page.leave();
  const again = open('t1');
  assert.equal(again.note.text, 'one two');
  again.note.write('one two three');
  up = true;
  await world.pass(20_000);
  assert.deepEqual([desk.text, again.note.state, drafts(local)], ['one two three', 'saved', []]);
});

test('what a closed tab left behind is sent by another one; what a living tab has is its own', async () => {
  let up = true;
  const { world, desk, local, open } = office({ network: async (deed) => (up ? deed() : Promise.reject(away())) });
  const first = open('t1');
  await world.pass(100);
  up = false;
  first.note.write('typed and closed');
  const second = open('t2');
  await settle();
  assert.equal(second.note.text, '', 'the first tab lives');
  first.leave();
  up = true;
  second.line('online');
  await world.pass(5000);
  assert.deepEqual([desk.text, second.note.text, drafts(local)], ['typed and closed', 'typed and closed', []]);
});

test('another tab is heard of, and what both write is put together', async () => {
  const { world, desk, open } = office();
  const [one, two] = [open('t1'), open('t2')];
  await world.pass(100);
  one.note.write('Refund for May.');
  await world.pass(1500);
  assert.equal(two.note.text, 'Refund for May.');
  one.note.write('Refund for May. Paid by card.');
  two.note.write('Urgent! Refund for May.');
  await world.pass(5000);
  assert.equal(desk.text, 'Urgent! Refund for May. Paid by card.');
  assert.deepEqual([one.note.text, two.note.text], [desk.text, desk.text]);
});

test('what the desk refuses is said and kept, and typing on tries again', async () => {
  let refused = new CommandError('invalid', 'A note has at most 20,000 characters.', null, 422);
  const { world, desk, local, open } = office({ network: async (deed) => (refused ? Promise.reject(refused) : deed()) });
  const page = open('t1');
  await world.pass(30_000);
  assert.equal(page.note.state, 'refused');
  page.note.write('short');
  await world.pass(1000);
  assert.deepEqual([page.note.state, page.note.problem], ['refused', 'A note has at most 20,000 characters.']);
  assert.equal(drafts(local).length, 1);
  refused = null;
  page.note.write('shorter');
  await world.pass(1000);
  assert.equal(desk.text, 'shorter');
});

test('another user of this browser sees and sends nothing of it', async () => {
  const { world, desk, local, open } = office({ network: () => Promise.reject(away()) });
  const page = open('t1');
  page.note.write('mine');
  page.leave();
  local.setItem('aircall.note.other.c9.t9', local.getItem('aircall.note.me.c1.t1'));
  const again = open('t1', { network: good });
  await world.pass(3000);
  assert.equal(desk.text, 'mine');
  assert.deepEqual(drafts(local), ['aircall.note.other.c9.t9']);
  assert.ok(again.alive);
});

/** A network that dies, delays, reorders, repeats and forgets answers, for as long as it is bad. */
function badNetwork(world, chance, state) {
  const later = (ms) => new Promise((done) => world.env.after(ms, done));
  return async (deed) => {
    if (state.good) return deed();
    const fate = chance.roll();
    if (fate < 0.2) throw away();
    if (fate < 0.35) {
      deed();
      throw away();
    }
    if (fate < 0.45) {
      world.env.after(chance.below(20_000), () => {
        try {
          deed();
        } catch {
          /* nobody waits for this one any more */
        }
      });
      return new Promise(() => {});
    }
    await later(chance.below(3000));
    if (fate < 0.6) {
      world.env.after(chance.below(9000), () => {
        try {
          deed();
        } catch {
          /* the second copy of a request comes too late */
        }
      });
    }
    const answer = deed();
    await later(chance.below(3000));
    return answer;
  };
}

test('whatever happens, no word that was typed is lost, and all tabs agree in the end', async () => {
  let saves = 0;
  for (let seed = 1; seed <= 80; seed += 1) {
    const chance = dice(seed);
    const world = stage();
    const state = { good: false };
    const all = office({ world, network: badNetwork(world, chance, state) });
    const pages = { t1: all.open('t1'), t2: all.open('t2') };
    const kept = new Set();
    let number = 0;
    for (let step = 0; step < 50; step += 1) {
      const tab = chance.one(['t1', 't1', 't1', 't2']);
      const { note } = pages[tab];
      const fate = chance.roll();
      if (fate < 0.7) {
        number += 1;
        const word = `w${String(number).padStart(3, '0')}`;
        const words = note.text.split(/(\s+)/);
        const at = chance.roll() < 0.6 ? words.length : chance.below(words.length + 1);
        words.splice(at, 0, ` ${word}${chance.one([' ', '\n', ''])}`);
        note.write(words.join(''));
        kept.add(word);
      } else if (fate < 0.78) {
        const mine = note.text.match(/w\d+/g);
        const gone = mine && chance.one(mine);
        if (gone) {
          note.write(note.text.replace(gone, ''));
          kept.delete(gone);
        }
      } else if (fate < 0.86) {
        pages[tab].leave();
        pages[tab] = all.open(tab);
      } else if (fate < 0.92) {
        pages[tab].line(chance.one(['offline', 'online']));
      }
      await world.pass(chance.below(2500));
    }
    state.good = true;
    for (const page of Object.values(pages)) page.line('online');
    await world.pass(120_000);
    const lost = [...kept].filter((word) => !all.desk.text.includes(word));
    assert.deepEqual(lost, [], `seed ${seed}: ${all.desk.text}`);
    for (const page of Object.values(pages)) assert.deepEqual([page.note.text, page.note.state], [all.desk.text, 'saved'], `seed ${seed}`);
    assert.deepEqual(drafts(all.local), [], `seed ${seed}`);
    saves += all.desk.version;
  }
  assert.ok(saves > 300, `a dull life: ${saves}`);
});

test('words of both texts are kept, those that agree once', () => {
  const cases = [
    ['', 'hello', 'hello world', 'hello world'],
    ['', 'left', 'right', 'left right'],
    ['a b c', 'a X b c', 'a b Y c', 'a X b Y c'],
    ['a b c', 'a c', 'a b c d', 'a c d'],
    ['a b c', 'a b c', '', ''],
    ['one', 'one\ntwo', 'one three', 'one\ntwo three'],
    ['x y', 'x 1 y', 'x 2 y', 'x 1 2 y'],
    ['a\nb', 'a\nb', 'a\n\nb', 'a\n\nb'],
    ['a b', 'a\nb', 'a b c', 'a\nb c'],
  ];
  for (const [base, mine, theirs, both] of cases) assert.equal(merge(base, mine, theirs), both, JSON.stringify([base, mine, theirs]));
});

test('merging any two texts keeps every word that either wrote', () => {
  const chance = dice(7);
  for (let round = 0; round < 2000; round += 1) {
    const base = Array.from({ length: chance.below(8) }, (_, i) => `b${i}`);
    const edit = (side) => {
      const words = [...base];
      for (let i = chance.below(4); i > 0; i -= 1) words.splice(chance.below(words.length + 1), chance.roll() < 0.3 ? 1 : 0, `${side}${i}`);
      return words;
    };
    const [mine, theirs] = [edit('m'), edit('t')];
    const together = merge(base.join(' '), mine.join(' '), theirs.join(' ')).split(/\s+/);
    for (const word of [...mine, ...theirs].filter((one) => !one.startsWith('b'))) assert.ok(together.includes(word), `${base} | ${mine} | ${theirs} -> ${together}`);
    for (const word of base.filter((one) => mine.includes(one) && theirs.includes(one))) assert.ok(together.includes(word));
  }
});

test('two long texts that share nothing are put together without comparing for ever', () => {
  const [mine, theirs] = ['m', 't'].map((side) => Array.from({ length: 9000 }, (_, i) => `${side}${i}`).join(' '));
  const together = new Set(merge('', mine, theirs).split(' '));
  assert.equal(together.size, 18_000);
});

test('the caret stays with its word', () => {
  assert.equal(caret('hello', 'hello world', 5), 5);
  assert.equal(caret('hello', 'Oh, hello', 5), 9);
  assert.equal(caret('hello', 'Oh, hello', 0), 0);
  assert.equal(caret('a b c', 'a X b c', 5), 7);
  assert.equal(caret('abc', '', 2), 0);
});

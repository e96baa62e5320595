// Drafts of texts: kept as typed, and sent once, whatever becomes of the line.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Drafts } from '../../aircall_core/ui/static/drafts.js';
import { CommandError } from '../../aircall_core/ui/static/live.js';
import { Locks, settle, stage, Storage } from './stage.mjs';

const away = () => new CommandError('unreachable', '', null, 0);
const file = (id) => ({ id, name: `${id}.png`, content_type: 'image/png', size: 10 });

/** The desk's side, as desk/drafts.py and desk/messages.py have it. */
class Desk {
  constructor() {
    Object.assign(this, { text: '', attachments: [], version: 0, messages: [], saves: 0, pages: new Set() });
  }
  put({ text, attachments, version }) {
    const have = this.attachments.map((one) => one.id);
    if (text === this.text && JSON.stringify(attachments) === JSON.stringify(have)) return { version: this.version };
    if (version !== this.version) {
      throw new CommandError('changed', '', null, 409, { version: this.version, text: this.text, attachments: this.attachments });
    }
    this.saves += 1;
    Object.assign(this, { text, attachments: attachments.map(file), version: version + 1 });
    return { version: this.version };
  }
  send({ command, text, attachments }) {
    if (!this.messages.some((one) => one.command === command)) {
      this.messages.push({ command, text, attachments });
      Object.assign(this, { text: '', attachments: [], version: this.version + 1 });
      this.unheard = command;
    }
    return { command };
  }
  tell() {
    const event = { kind: 'message.written', conversation_id: 'k1', user_id: 'me', actor: 'user:me', data: { command: this.unheard } };
    for (const page of [...this.pages]) page.dispatchEvent(new CustomEvent('event', { detail: { event } }));
  }
}

class Page extends EventTarget {
  constructor({ world, desk, local, locks, tab, network }) {
    super();
    Object.assign(this, { world, desk, tab, network, view: { user: 'me' }, status: 'online', alive: true });
    this.env = { ...world.env, localStorage: local, locks: locks.tab(), after: (ms, run) => world.env.after(ms, () => this.alive && run()) };
    this.env.locks.request(`aircall.tab.${tab}`, {}, () => new Promise(() => {}));
    desk.pages.add(this);
    this.drafts = new Drafts(this);
    this.draft = this.drafts.of('k1');
    this.draft.watch(() => {});
  }
  t(key) {
    return key;
  }
  request(path, body, options) {
    if (path.endsWith('/messages')) return this.network(() => this.desk.send(body), 'send');
    if (options?.method === 'PUT') return this.network(() => this.desk.put(body), 'put');
    return this.network(() => ({ text: this.desk.text, attachments: this.desk.attachments, version: this.desk.version }), 'get');
  }
  line(status) {
    this.status = status;
    this.dispatchEvent(new CustomEvent('status'));
  }
  leave() {
    this.alive = false;
    this.desk.pages.delete(this);
    this.env.locks.leave();
    this.drafts.store = () => {};
  }
}

function office(network = async (deed) => deed()) {
  const world = stage();
  const all = { world, desk: new Desk(), local: new Storage(), locks: new Locks(), network };
  return { ...all, open: (tab = 't1') => new Page({ ...all, tab }) };
}

const kept = (local) => [...local.values.keys()].filter((key) => key.startsWith('aircall.draft.'));

test('a draft with its attachments is saved as it is made, and is there after a reload', async () => {
  const { world, desk, local, open } = office();
  const page = open();
  await world.pass(50);
  page.draft.write('Your parcel');
  page.draft.attach(file('a1'));
  assert.equal(JSON.parse(local.getItem('aircall.draft.me.k1.t1')).text, 'Your parcel');
  await world.pass(1500);
  assert.deepEqual([desk.text, desk.attachments.map((one) => one.id), kept(local)], ['Your parcel', ['a1'], []]);
  page.leave();
  const again = open('t2');
  await world.pass(50);
  assert.deepEqual([again.draft.text, again.draft.ids, again.draft.dirty], ['Your parcel', ['a1'], false]);
  again.draft.detach('a1');
  await world.pass(1500);
  assert.deepEqual(desk.attachments, []);
});

test('sending empties the draft here and at the desk, also while it was just being saved', async () => {
  const { world, desk, local, open } = office(async (deed) => deed());
  const page = open();
  await world.pass(50);
  page.network = (deed, what) => (what === 'put' ? new Promise((done, fail) => world.env.after(300, () => { try { done(deed()); } catch (error) { fail(error); } })) : Promise.resolve(deed()));
  page.draft.write('On its way');
  await world.pass(750); // the save is under way
  const sent = page.draft.send();
  await world.pass(1000);
  assert.equal(await sent, true);
  await world.pass(5000);
  assert.deepEqual(desk.messages.map((one) => one.text), ['On its way']);
  assert.deepEqual([desk.text, page.draft.text, page.draft.state, kept(local)], ['', '', 'empty', []]);
  page.draft.write('And more');
  await world.pass(2000);
  assert.equal(desk.text, 'And more');
});

test('without a connection nothing is sent, and it says so; later it is sent only when asked again', async () => {
  const { world, desk, open } = office();
  const page = open();
  await world.pass(50);
  page.draft.write('Hello');
  page.line('offline');
  assert.equal(await page.draft.send(), false);
  assert.equal(page.draft.failure.code, 'offline');
  page.line('online');
  await world.pass(60_000);
  assert.deepEqual([desk.messages, page.draft.failure.code, page.draft.text], [[], 'unsent', 'Hello']);
  await page.draft.send();
  assert.equal(desk.messages.length, 1);
});

test('an answer that is lost: asking again does not send twice', async () => {
  const { world, desk, open } = office();
  const page = open();
  await world.pass(50);
  page.draft.write('Once');
  await world.pass(1500);
  page.network = async (deed, what) => {
    if (what !== 'send') return deed();
    deed();
    throw away();
  };
  assert.equal(await page.draft.send(), false);
  assert.deepEqual([page.draft.failure.code, page.draft.text], ['unsure', 'Once']);
  page.leave();
  const again = open('t1');
  assert.deepEqual([again.draft.text, again.draft.failure.code], ['Once', 'unsure']);
  assert.equal(await again.draft.send(), true);
  await world.pass(5000);
  assert.deepEqual([desk.messages.length, again.draft.text, desk.text], [1, '', '']);
});

test('an answer that is lost, and the event that tells of it', async () => {
  const { world, desk, local, open } = office();
  const page = open();
  await world.pass(50);
  page.draft.write('Once');
  page.network = async (deed, what) => {
    if (what !== 'send') return deed();
    deed();
    throw away();
  };
  await page.draft.send();
  desk.tell();
  await world.pass(3000);
  assert.deepEqual([page.draft.text, page.draft.failure, desk.messages.length, kept(local)], ['', null, 1, []]);
});

test('what is typed after an answer was lost is the next text', async () => {
  const { world, desk, open } = office();
  const page = open();
  await world.pass(50);
  page.draft.write('Your bike is ready.');
  page.network = async (deed, what) => {
    if (what !== 'send') return deed();
    deed();
    throw away();
  };
  await page.draft.send();
  page.draft.write('Your bike is ready. Open until six.');
  desk.tell();
  await world.pass(3000);
  assert.deepEqual([page.draft.text, page.draft.failure, desk.messages.length], ['Open until six.', null, 1]);
  assert.equal(desk.text, 'Open until six.', 'and it is kept as a draft');
});

test('what the desk refuses stays, with its words, and a changed text is another one', async () => {
  const { world, desk, open } = office();
  const page = open();
  await world.pass(50);
  page.network = async (deed, what) => {
    if (what === 'send') throw new CommandError('opted_out', 'This customer wants no texts.', null, 409);
    return deed();
  };
  page.draft.write('Offer');
  assert.equal(await page.draft.send(), false);
  assert.deepEqual(page.draft.failure, { code: 'opted_out', message: 'This customer wants no texts.' });
  assert.equal(page.draft.text, 'Offer');
  page.draft.write('Offer!');
  assert.equal(page.draft.failure, null);
  await world.pass(2000);
  assert.equal(desk.text, 'Offer!');
});

test('a text that another tab sent is gone from this one too', async () => {
  const { world, desk, open } = office();
  const one = open('t1');
  await world.pass(50);
  one.draft.write('Shared');
  await world.pass(1500);
  const two = open('t2');
  await world.pass(100);
  assert.equal(two.draft.text, 'Shared');
  await two.draft.send();
  desk.tell();
  await world.pass(2000);
  assert.deepEqual([one.draft.text, two.draft.text, desk.text, desk.messages.length], ['', '', '', 1]);
});

test('what two tabs attach and take away is put together', async () => {
  const { world, desk, open } = office();
  const one = open('t1');
  await world.pass(50);
  one.draft.attach(file('a1'));
  await world.pass(1500);
  const two = open('t2');
  await world.pass(100);
  two.draft.attach(file('a2'));
  await world.pass(1500);
  one.draft.detach('a1');
  one.draft.attach(file('a3'));
  await world.pass(5000);
  assert.deepEqual(desk.attachments.map((each) => each.id), ['a2', 'a3']);
  await settle();
});

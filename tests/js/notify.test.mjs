// What is shown of a ring outside of the page, by which tab, and what comes back from there.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Notifier } from '../../aircall_core/ui/static/notify.js';
import { call, Locks, settle, Storage, view } from './stage.mjs';

class Desk extends EventTarget {
  constructor({ browser = 'b1', aloud = 'b1', elected = true } = {}) {
    super();
    Object.assign(this, { browser, aloud, status: 'online', view: view(), cards: {}, device: {}, toasts: [], deskUrl: 'http://desk' });
    this.ringer = Object.assign(new EventTarget(), { elected, holds: elected });
    this.calls = Object.assign(new EventTarget(), { accepting: new Set(), log: [], accept: async (id) => this.calls.log.push(`accept ${id}`), reject: async (id) => this.calls.log.push(`reject ${id}`) });
    this.tone = { ringing: true };
    this.focused = [];
    this.addEventListener('focus-ring', (event) => this.focused.push(event.detail.call));
    this.addEventListener('focus-call', () => this.focused.push('the call'));
  }
  t(key, values = {}) {
    return [key, ...Object.values(values)].join(' ');
  }
  setDevice(change) {
    Object.assign(this.device, change);
  }
  toast(text) {
    this.toasts.push(text);
  }
  async show(...calls) {
    this.view = view(...calls);
    this.dispatchEvent(new Event('view'));
    await settle();
  }
}

/** A browser: permission, its service worker, and a page that may be looked at. */
function world({ permission = 'granted', answer = 'granted', worker = true, locks = new Locks().tab(), accept = null, secure = true, has = true, storage = new Storage() } = {}) {
  const made = { posted: [], looking: false, asked: 0, shown: [], look: () => {} };
  class Notification {
    static permission = permission;
    static async requestPermission() {
      made.asked += 1;
      Notification.permission = answer;
    }
    constructor(title, options) {
      Object.assign(this, { title, options, close: () => (made.shown = made.shown.filter((one) => one !== this)) });
      made.shown.push(this);
    }
  }
  const registration = { active: { postMessage: (message) => made.posted.push(message) } };
  made.worker = Object.assign(new EventTarget(), { register: async (url, { scope }) => (made.registered = [url, scope]), ready: Promise.resolve(registration) });
  made.env = {
    secure, Notification: has ? Notification : undefined, worker: worker ? made.worker : undefined,
    locks: locks && { ...locks, request: (name, run) => locks.request(name, {}, run), query: async () => ({ held: made.held ?? [] }) },
    channel: null, storage, icon: 'icon.png', looking: () => made.looking, front: () => (made.fronted = true),
    onLook: (run) => (made.look = run), onPermission: async () => {}, takeAccept: () => accept,
  };
  made.notes = () => made.posted.at(-1)?.notes.map((one) => one.call);
  made.says = async (data) => {
    const ports = [{ postMessage: (word) => (made.answered = word) }];
    made.worker.dispatchEvent(Object.assign(new Event('message'), { data, ports }));
    await settle();
  };
  return made;
}

async function office(worldly, deskly) {
  const [browser, live] = [world(worldly), new Desk(deskly)];
  const notifier = new Notifier(live, browser.env);
  await settle();
  return { browser, live, notifier };
}

const RING = call();
const CARD = { caller_name: 'Marie', number: '01 99', line_name: 'Support', path: ['Sales', 'Spare parts'] };

test('a ring is told to the service worker with who, where and the last branch, and its end too', async () => {
  const { browser, live } = await office();
  assert.deepEqual(browser.registered, ['/sw.js', '/']);
  live.cards.c1 = CARD;
  await live.show(RING);
  const [note] = browser.posted.at(-1).notes;
  assert.equal(note.title, 'notify.title Marie');
  assert.equal(note.options.body, 'Spare parts · Support · 01 99');
  assert.deepEqual(note.options.actions.map((one) => one.action), ['accept', 'reject']);
  assert.equal(note.options.silent, true, 'the ring itself is heard');
  assert.equal(note.desk, 'http://desk');
  await live.show();
  assert.deepEqual(browser.notes(), []);
  const count = browser.posted.length;
  await live.show();
  assert.equal(browser.posted.length, count, 'nothing new, nothing said');
});

test('a call that a colleague is answering, or this tab, is not shown; when that fails it is again', async () => {
  const { browser, live } = await office();
  await live.show(RING);
  await live.show(call({ state: 'accepting', by: 'bo' }));
  assert.deepEqual(browser.notes(), []);
  await live.show(RING);
  assert.deepEqual(browser.notes(), ['c1']);
  live.calls.accepting.add('c1');
  live.calls.dispatchEvent(new Event('change'));
  await settle();
  assert.deepEqual(browser.notes(), []);
});

test('one tab tells: the one that rings, and only in the browser that the desk names', async () => {
  const other = await office({}, { elected: false });
  other.browser.held = [{ name: 'aircall.aloud' }];
  await other.live.show(RING);
  assert.deepEqual(other.browser.notes() ?? [], [], 'this tab does not ring, another one of the browser does');
  const elsewhere = await office({}, { aloud: 'b2', elected: false });
  await elsewhere.live.show(RING);
  assert.deepEqual(elsewhere.browser.notes(), []);
});

test('where no tab may sound, one of them still tells', async () => {
  const locks = new Locks();
  const tabs = [];
  for (let i = 0; i < 2; i += 1) tabs.push(await office({ locks: locks.tab() }, { aloud: null, elected: false }));
  for (const one of tabs) await one.live.show(RING);
  assert.deepEqual(tabs.map((one) => one.browser.notes() ?? []), [['c1'], []]);
  const [quiet] = [await office({ locks: new Locks().tab() }, { aloud: null, elected: false })];
  quiet.browser.held = [{ name: 'aircall.aloud' }];
  await quiet.live.show(RING);
  assert.deepEqual(quiet.browser.notes() ?? [], [], 'another tab rings');
});

test('while the line to the desk is down nothing is said; a signed-out tab takes its notifications back', async () => {
  const { browser, live } = await office();
  await live.show(RING);
  live.status = 'offline';
  const count = browser.posted.length;
  await live.show();
  assert.equal(browser.posted.length, count);
  live.status = 'gone';
  await live.show(RING);
  assert.deepEqual(browser.notes(), []);
});

test('whether the page is looked at goes along, at every look', async () => {
  const { browser, live } = await office();
  await live.show(RING);
  assert.equal(browser.posted.at(-1).looking, false);
  browser.looking = true;
  browser.look();
  await settle();
  assert.equal(browser.posted.at(-1).looking, true);
});

test('what the user closed by hand stays closed for this ring', async () => {
  const { browser, live } = await office();
  await live.show(RING);
  await browser.says({ t: 'closed', call: 'c1' });
  browser.look();
  await settle();
  assert.deepEqual(browser.notes(), []);
  await live.show();
  await live.show(RING);
  assert.deepEqual(browser.notes(), ['c1'], 'another ring is another matter');
});

test('accept, reject and a plain click come back to this tab, which answers that it heard', async () => {
  const { browser, live } = await office();
  await live.show(RING);
  await browser.says({ t: 'chosen', action: 'accept', call: 'c1' });
  assert.equal(browser.answered, 'heard');
  await browser.says({ t: 'chosen', action: 'reject', call: 'c1' });
  await browser.says({ t: 'chosen', action: '', call: 'c1' });
  assert.deepEqual(live.calls.log, ['accept c1', 'reject c1']);
  assert.deepEqual(live.focused, ['the call', 'c1']);
});

test('an accept that comes too late or fails is said in words', async () => {
  const { browser, live } = await office();
  await browser.says({ t: 'chosen', action: 'accept', call: 'c1' });
  assert.deepEqual(live.toasts, ['notify.gone']);
  await live.show(RING);
  live.calls.accept = async () => Promise.reject(Object.assign(new Error('taken'), { by: { name: 'Bo' } }));
  await browser.says({ t: 'chosen', action: 'accept', call: 'c1' });
  assert.equal(live.toasts.at(-1), 'ringer.taken Bo');
});

test('a tab opened by Accept takes the call once it knows what rings, and no call of others', async () => {
  for (const [calls, log] of [[[RING], ['accept c1']], [[call({ ringing: ['bo'] })], []]]) {
    const { live } = await office({ accept: 'c1' });
    live.view = view(...calls);
    live.dispatchEvent(Object.assign(new CustomEvent('view', { detail: { snapshot: true } })));
    await settle();
    assert.deepEqual(live.calls.log, log);
  }
});

test('permission: asked in the click, once; granted, denied, the own wish, and browsers without', async () => {
  const fresh = await office({ permission: 'default' });
  assert.equal(fresh.browser.registered, undefined, 'nothing before the click');
  assert.equal(await fresh.notifier.ask(), 'granted');
  assert.equal(await fresh.notifier.ask(), 'granted');
  await settle();
  assert.equal(fresh.browser.asked, 1);
  assert.deepEqual(fresh.browser.registered, ['/sw.js', '/']);
  assert.equal(fresh.live.device.notifications, 'granted');
  await fresh.live.show(RING);
  await fresh.notifier.turn(false);
  await settle();
  assert.equal(fresh.notifier.state, 'off');
  assert.deepEqual(fresh.browser.notes(), []);
  await fresh.notifier.turn(true);
  await settle();
  assert.deepEqual(fresh.browser.notes(), ['c1']);

  const no = await office({ permission: 'default', answer: 'denied' });
  assert.equal(await no.notifier.ask(), 'denied');
  for (const [given, state] of [[{ has: false }, 'none'], [{ has: false, secure: false }, 'insecure']]) {
    const bare = await office({ ...given, worker: false, locks: null });
    assert.equal(await bare.notifier.ask(), state);
    await bare.live.show(RING);
    assert.deepEqual(bare.browser.posted, []);
  }
});

test('without a service worker the page itself shows it, and its click brings the page to the front', async () => {
  const { browser, live } = await office({ worker: false });
  await live.show(RING);
  const [shown] = browser.shown;
  assert.equal(shown.options.tag, 'ring.c1');
  assert.equal(shown.options.actions, undefined, 'pages may not give buttons');
  shown.onclick();
  assert.ok(browser.fronted);
  assert.deepEqual(live.focused, ['c1']);
  await live.show(RING);
  await live.show();
  assert.deepEqual(browser.shown, []);
  browser.looking = true;
  await live.show(RING);
  assert.deepEqual(browser.shown, [], 'who looks at the page needs none');
});

test('a text goes to the service worker, silent, and back by a click to the place in its conversation', async () => {
  const { browser, live, notifier } = await office();
  assert.equal(await notifier.tellsHere(), true);
  await notifier.text({ conversation: 'k1', entry: 'm1', title: 'Text from Marie', body: 'Support' });
  const { t, title, options, entry } = browser.posted.at(-1);
  assert.deepEqual([t, title, options.silent, options.tag, entry], ['text', 'Text from Marie', true, 'text.k1', 'm1']);
  const opened = [];
  live.addEventListener('open-conversation', (event) => opened.push(event.detail));
  await browser.says({ t: 'chosen', action: 'open', place: { id: 'k1', entry: 'm1' } });
  assert.deepEqual([opened, browser.answered], [[{ id: 'k1', entry: 'm1' }], 'heard']);
  await notifier.textOver('k1');
  assert.deepEqual(browser.posted.at(-1), { t: 'text-over', conversation: 'k1' });
  live.status = 'offline';
  assert.equal(await notifier.tellsHere(), false);
});

test('without a service worker the page shows the text, unless it is looked at, and takes it back', async () => {
  const { browser, live, notifier } = await office({ worker: false });
  const note = { conversation: 'k1', entry: 'm1', title: 'Text from Marie', body: 'Support' };
  browser.looking = true;
  await notifier.text(note);
  assert.deepEqual(browser.shown, []);
  browser.looking = false;
  await notifier.text(note);
  await live.show(RING);
  await live.show();
  assert.deepEqual(browser.shown.map((one) => one.title), ['Text from Marie'], 'a ring that ends takes no text along');
  const opened = [];
  live.addEventListener('open-conversation', (event) => opened.push(event.detail.id));
  browser.shown[0].onclick();
  assert.deepEqual([opened, browser.fronted], [['k1'], true]);
  await notifier.text(note);
  await notifier.textOver('k1');
  assert.deepEqual(browser.shown, []);
});

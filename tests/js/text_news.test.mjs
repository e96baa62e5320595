// What of a text that comes in is told, to whom, and how the unread conversations are counted.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { TextNews } from '../../aircall_core/ui/static/text_news.js';
import { Unread } from '../../aircall_core/ui/static/unread.js';
import { call, settle, view } from './stage.mjs';

const NOW = 1_000_000;
const SHOWN = { name: 'Marie', spoken: '06 12', line: { id: 'l1', name: 'Support' } };

/** A desk whose user is 'me' (stage.mjs). */
class Desk extends EventTarget {
  view = { ...view(), duty: true };
  asked = [];
  answers = {};
  timers = [];
  env = { after: (_ms, run) => this.timers.push(run) };
  now = () => NOW;
  t = (key, values = {}) => [key, ...Object.values(values)].join(' ');
  async request(path) {
    this.asked.push(path);
    if (!(path in this.answers)) throw Object.assign(new Error('not found'), { code: 'not_found' });
    return this.answers[path];
  }
  async happens(kind, more = {}) {
    this.dispatchEvent(new CustomEvent('event', { detail: { event: { kind, conversation_id: 'k1', at: NOW, data: { message: 'm1' }, ...more } } }));
    await settle();
  }
}

async function news({ assigned = null, users = [view().user], tells = true, shown = SHOWN, with: change = {} } = {}) {
  const live = Object.assign(new Desk(), change);
  const [told, over] = [[], []];
  live.answers = { '/desk/conversations/k1': { ...shown, assigned_to: assigned }, '/desk/conversations/k1/assignees': { assigned_to: assigned, users: users.map((id) => ({ id })) } };
  new TextNews(live, { tellsHere: async () => tells, text: (note) => told.push(note), textOver: (id) => over.push(id) });
  await live.happens('message.received');
  return { live, told, over };
}

const me = view().user;
const own = call({ state: 'answered', by: me, ringing: [] });

test('a text is told with sender and line, and never with its words', async () => {
  const { told, live } = await news();
  assert.deepEqual(told, [{ conversation: 'k1', entry: 'm1', title: 'notify.text Marie', body: 'Support · 06 12' }]);
  assert.deepEqual(live.asked, ['/desk/conversations/k1', '/desk/conversations/k1/assignees']);
  const nameless = await news({ shown: { ...SHOWN, name: '' } });
  assert.deepEqual([nameless.told[0].title, nameless.told[0].body], ['notify.text 06 12', 'Support']);
});

test('whose conversation it is, is told whatever they do; nobody else then', async () => {
  assert.equal((await news({ assigned: me, users: [], with: { view: view() } })).told.length, 1);
  assert.equal((await news({ assigned: me, with: { view: { ...view(own), duty: true } } })).told.length, 1);
  assert.equal((await news({ assigned: 'bo' })).told.length, 0);
});

test('an unassigned one is told to users of the line who are on duty and not in a call', async () => {
  assert.equal((await news()).told.length, 1);
  assert.equal((await news({ users: ['bo'] })).told.length, 0, 'they see the line, but do not work on it');
  assert.equal((await news({ with: { view: { ...view(), duty: false } } })).told.length, 0);
  assert.equal((await news({ with: { view: { ...view(own), duty: true } } })).told.length, 0);
});

test('one tab tells; what is old, or may not be seen, is not told', async () => {
  assert.deepEqual((await news({ tells: false })).live.asked, []);
  const { live, told } = await news();
  await live.happens('message.received', { at: NOW - 60_000 });
  live.answers = {};
  await live.happens('message.received');
  assert.equal(told.length, 1);
});

test('read by this user, answered or closed by anybody: it is over', async () => {
  const { live, over } = await news();
  await live.happens('conversation.read', { user_id: 'bo' });
  assert.deepEqual(over, []);
  await live.happens('conversation.read', { user_id: me });
  await live.happens('message.written');
  await live.happens('conversation.closed');
  assert.deepEqual(over, ['k1', 'k1', 'k1']);
});

function counted(unread) {
  const live = new Desk();
  const page = { title: 'Inbox', badge: (text) => (page.shown = text), onTitle: (run) => (page.renamed = run) };
  live.answers['/desk/inbox/counts'] = { unread };
  new Unread(live, page);
  const run = async () => (live.timers.splice(0).forEach((one) => one()), await settle());
  return { live, page, run };
}

test('the unread are counted at the start and after what changes them, many events once', async () => {
  const { live, page, run } = counted(2);
  live.dispatchEvent(new CustomEvent('view', { detail: { snapshot: true } }));
  await run();
  assert.deepEqual([page.shown, page.title], ['2', '(2) Inbox']);
  live.answers['/desk/inbox/counts'] = { unread: 0 };
  for (const kind of ['message.received', 'conversation.read', 'call.ended', 'user.status', 'call.muted']) await live.happens(kind);
  assert.equal(live.timers.length, 1);
  await run();
  assert.deepEqual([page.shown, page.title, live.asked.length], ['', 'Inbox', 2]);
  await live.happens('call.muted');
  assert.equal(live.timers.length, 0, 'nothing that is counted');
});

test('the title of the next page is counted too, but not while a call rings in it; a thousand is more than 999', async () => {
  const { live, page, run } = counted(1000);
  await live.happens('message.received');
  await run();
  assert.equal(page.title, '(999+) Inbox');
  page.title = 'Contacts';
  page.renamed();
  assert.equal(page.title, '(999+) Contacts');
  live.beacon = { turning: 1 };
  page.title = 'Marie is calling';
  page.renamed();
  assert.equal(page.title, 'Marie is calling');
});

test('a count that fails leaves what is shown, and the next event asks again', async () => {
  const { live, page, run } = counted(3);
  await live.happens('message.received');
  await run();
  const known = live.answers;
  live.answers = {};
  await live.happens('message.received');
  await run();
  assert.equal(page.shown, '3');
  live.answers = known;
  await live.happens('message.received');
  assert.equal(live.timers.length, 1);
});

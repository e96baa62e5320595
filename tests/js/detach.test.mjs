// The window of its own: when it is offered, what is remembered, and that it goes with the page and with the duty.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Detached } from '../../aircall_core/ui/static/detach.js';
import { askBeforeLeaving } from '../../aircall_core/ui/static/leave.js';
import { call, settle, Storage, view } from './stage.mjs';

class Window extends EventTarget {
  document = { hasFocus: () => this.focused ?? false };
  close() {
    this.closed = true;
    this.dispatchEvent(new Event('pagehide'));
  }
}

function world({ pip = true, refuses = false, blocked = false, local = new Storage(), session = new Storage() } = {}) {
  const live = Object.assign(new EventTarget(), { view: view(), toasts: [], t: (key) => key, toast: (text) => live.toasts.push(text) });
  const made = { live, local, session, timers: [], windows: [], stripped: 0, page: new EventTarget() };
  const opened = () => made.windows[made.windows.push(new Window()) - 1];
  const requestWindow = async () => {
    if (refuses) throw new Error('NotAllowedError');
    return opened();
  };
  made.detached = new Detached(live, {
    pip: pip ? { requestWindow } : undefined,
    popUp: () => (blocked ? null : opened()),
    local, session, page: made.page,
    after: (ms, run) => made.timers.push(run),
    furnish: () => ({ strip: () => (made.stripped += 1), alive: Promise.resolve() }),
  });
  made.detached.belongs('host', {}, () => {});
  made.show = (duty, ...calls) => {
    live.view = { ...view(...calls), duty };
    live.dispatchEvent(new Event('view'));
  };
  made.later = () => made.timers.splice(0).forEach((run) => run());
  return made;
}

test('offered until it is taken or declined; taken, it is wished for with the next duty', async () => {
  const { detached, local } = world();
  assert.ok(detached.offered);
  assert.ok(await detached.show());
  assert.ok(!detached.offered);
  assert.equal(detached.wish, 'yes');
  const next = world({ local });
  assert.equal(next.detached.wish, 'yes');
  next.detached.decline();
  assert.ok(!next.detached.offered);
  assert.ok(!world({ local }).detached.offered, 'remembered by the browser');
});

test('closed by its user it is not offered again in this duty, but in the next', async () => {
  const one = world();
  one.show(true);
  await one.detached.show();
  one.windows[0].close();
  assert.equal(one.detached.open, false);
  assert.equal(one.stripped, 1);
  one.later();
  assert.ok(!one.detached.offered);
  assert.equal(one.detached.wish, null, 'nor opened with the next click on duty');
  one.show(false);
  one.show(true);
  assert.ok(one.detached.offered);
});

test('it goes with the page, and the page that comes after says so', async () => {
  const one = world();
  await one.detached.show();
  one.page.dispatchEvent(new Event('pagehide'));
  assert.ok(one.windows[0].closed);
  const next = world({ local: one.local, session: one.session });
  assert.ok(next.detached.left && next.detached.offered);
  await next.detached.show();
  assert.ok(!next.detached.left);
});

test('a browser that closes it with the page before the page knows does not make it its user\'s wish', async () => {
  const one = world();
  await one.detached.show();
  one.windows[0].close(); // and no timer runs any more
  assert.ok(world({ local: one.local, session: one.session }).detached.left);
});

test('the end of the duty closes it, but not out of a call, and the wish stays', async () => {
  const one = world();
  const mine = call({ state: 'confirmed', ringing: [], by: 'me' });
  one.show(true, mine);
  await one.detached.show();
  one.show(false, mine);
  assert.ok(one.detached.open);
  one.show(false);
  assert.ok(!one.detached.open);
  assert.equal(one.detached.wish, 'yes');
  assert.ok(!world({ session: one.session }).detached.left);
});

test('no window on top, or none allowed: a pop-up; a blocked pop-up is said', async () => {
  for (const how of [{ pip: false }, { refuses: true }]) {
    const one = world(how);
    assert.ok(await one.detached.show());
    assert.equal(one.detached.seen, false, 'it may be behind another window');
    one.windows[0].focused = true;
    assert.equal(one.detached.seen, true);
  }
  const none = world({ pip: false, blocked: true });
  assert.equal(await none.detached.show(), false);
  assert.deepEqual(none.live.toasts, ['detach.blocked']);
  assert.ok(none.detached.offered);
});

test('two clicks open one window', async () => {
  const one = world();
  await Promise.all([one.detached.toggle(), one.detached.toggle()]);
  await settle();
  assert.equal(one.windows.length, 1);
});

test('the browser asks before the page is left while it carries a call\'s audio, and only then', () => {
  const page = new EventTarget();
  const phone = Object.assign(new EventTarget(), { peer: null, peerOf: () => phone.peer });
  const live = Object.assign(new EventTarget(), { phone, view: view() });
  askBeforeLeaving(live, page);
  const asks = () => !page.dispatchEvent(new Event('beforeunload', { cancelable: true }));
  const mine = call({ state: 'confirmed', ringing: [], by: 'me' });
  assert.equal(asks(), false);
  live.view = view(mine);
  live.dispatchEvent(new Event('view'));
  assert.equal(asks(), false, 'another tab carries it');
  phone.peer = 'p1';
  phone.dispatchEvent(new Event('state'));
  assert.equal(asks(), true);
  live.view = view(call());
  live.dispatchEvent(new Event('view'));
  assert.equal(asks(), false, 'it rings, and this tab has only prepared for it');
});

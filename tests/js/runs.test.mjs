// When a view may ask for a run of the page that the user did not ask for.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

const page = { state: 'notRunning' };
const heard = {};
const click = (event) => heard.click(event);
let now = 100_000;
globalThis.addEventListener = (kind, hear) => (heard[kind] = hear);
globalThis.document = { querySelector: () => ({ dataset: { testScriptState: page.state } }) };
globalThis.location = { origin: 'http://desk', pathname: '/' };
mock.method(performance, 'now', () => now);
const ticking = new Set();
globalThis.setInterval = (look) => (ticking.add(look), look);
globalThis.clearInterval = (look) => ticking.delete(look);
const later = [];
globalThis.setTimeout = (deed, ms) => later.push([deed, ms]);
const { betweenRuns } = await import('../../aircall_core/ui/static/runs.js');

const link = (pathname, more = {}) => ({ href: `http://desk${pathname}`, origin: 'http://desk', pathname, target: '', ...more });
const press = (path, more = {}) => click({ composedPath: () => path, ctrlKey: false, metaKey: false, shiftKey: false, ...more });
function pass(ms) {
  for (let step = 0; step < ms; step += 100) (now += 100), ticking.forEach((look) => look());
}

function wish() {
  const asked = { count: 0 };
  asked.callOff = betweenRuns(() => (asked.count += 1));
  return asked;
}

test('at once when nothing goes on', () => assert.equal(wish().count, 1));

test('after the run that goes on, once', () => {
  page.state = 'running';
  const asked = wish();
  pass(5_000);
  assert.equal(asked.count, 0);
  page.state = 'notRunning';
  pass(1_000);
  assert.equal(asked.count, 1);
});

test('not in the moment after a click, whose run does not show yet', () => {
  press([{}]);
  const asked = wish();
  pass(1_900);
  assert.equal(asked.count, 0);
  pass(200);
  assert.equal(asked.count, 1);
});

test('not while a link has been followed whose page is not there, however long its run takes to begin', () => {
  press([{}, link('/search')]);
  const asked = wish();
  pass(8_000);
  assert.equal(asked.count, 0);
  location.pathname = '/search';
  pass(100);
  assert.equal(asked.count, 1);
  location.pathname = '/';
});

test('a link that opens elsewhere, and a page that never comes, are not waited for', () => {
  for (const [path, more] of [[link('/search', { target: '_blank' })], [link('/search'), { ctrlKey: true }], [link('/x', { origin: 'http://other' })]]) {
    press([path], more);
    const asked = wish();
    pass(2_100);
    assert.equal(asked.count, 1);
  }
  press([link('/gone')]);
  const asked = wish();
  pass(30_100);
  assert.equal(asked.count, 1);
});

test('called off, it never comes', () => {
  press([{}]);
  const asked = wish();
  asked.callOff();
  pass(4_000);
  assert.equal(asked.count, 0);
});

const report = (type = 'streamlit:setComponentValue') => heard.message({ data: { type } });

test('a link whose way a report of a frame has crossed is followed again, once, if its page has not stayed', () => {
  let followed = 0;
  const to = link('/search', { isConnected: true, click: () => ((followed += 1), press([to])) });
  for (const [came, more] of [['/', 1], ['/search', 0]]) {
    pass(40_000);
    followed = 0;
    press([to]);
    report('streamlit:setFrameHeight'); // asks for no run
    pass(3_000);
    assert.equal(followed, 0);
    press([to]);
    report();
    page.state = 'running';
    pass(3_000);
    assert.equal(followed, 0);
    page.state = 'notRunning';
    location.pathname = came;
    pass(10_000);
    assert.equal(followed, more);
    location.pathname = '/';
  }
  press([to]);
  report();
  pass(100);
  heard.popstate();
  pass(10_000);
  assert.equal(followed, 0, 'the user has gone back meanwhile');
});

test('a link that is pressed while a report is on its way to the desk is followed behind it', () => {
  pass(40_000);
  report();
  now += 30;
  let [held, followed] = [0, 0];
  const to = link('/search', { click: () => (followed += 1) });
  const event = { preventDefault: () => (held += 1), stopImmediatePropagation: () => (held += 1) };
  press([to], event);
  assert.deepEqual([held, followed, later.length], [2, 0, 1]);
  const [deed, ms] = later.pop();
  assert.equal(ms, 70);
  now += ms;
  deed();
  press([to], event); // as the page's own click does
  assert.deepEqual([held, followed, later.length], [2, 1, 0]);
});

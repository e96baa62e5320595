// Keyboard shortcuts: which key means what, in which window, and when a key belongs to who types.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { actionOf, LETTERS, Shortcuts, typing } from '../../aircall_core/ui/static/shortcuts.js';
import { Storage } from './stage.mjs';

const key = (more = {}) => ({
  key: 'M', code: 'KeyM', altKey: true, shiftKey: true, ctrlKey: false, metaKey: false, isComposing: false, repeat: false, stopped: false,
  composedPath: () => [{ tagName: 'BODY', closest: () => null }],
  preventDefault() { this.stopped = true; },
  stopPropagation() {},
  ...more,
});

const page = { querySelectorAll: () => [] };

class Button {
  constructor(doc = page, { shown = true, tagName = 'BUTTON', ...attributes } = {}) {
    Object.assign(this, { ownerDocument: doc, shown, tagName, attributes, clicks: 0, isConnected: true, title: '' });
  }
  getAttribute(name) { return this.attributes[name] ?? null; }
  setAttribute(name, value) { this.attributes[name] = value; }
  removeAttribute(name) { delete this.attributes[name]; }
  getClientRects() { return this.shown ? [1] : []; }
  click() { this.clicks += 1; }
}

function made({ storage = new Storage(), mac = false } = {}) {
  const live = { toasts: [], t: (text) => text, toast: (text) => live.toasts.push(text) };
  return { live, shortcuts: new Shortcuts(live, { storage, mac }) };
}

test('every action has a letter of its own, none of those that browsers have with Alt and Shift', () => {
  const letters = Object.values(LETTERS);
  assert.equal(new Set(letters).size, letters.length);
  for (const taken of ['A', 'B', 'I', 'T']) assert.ok(!letters.includes(taken), taken);
});

test('only Alt and Shift together mean an action: no single key, no AltGr', () => {
  assert.equal(actionOf(key()), 'mute');
  for (const off of [{ altKey: false }, { shiftKey: false }, { ctrlKey: true }, { metaKey: true }, { getModifierState: (name) => name === 'AltGraph' }]) {
    assert.equal(actionOf(key(off)), '', JSON.stringify(off));
  }
});

test('the letter of the layout counts; where Option turns it into a sign, the place of the key', () => {
  assert.equal(actionOf(key({ key: 'M', code: 'Semicolon' })), 'mute'); // AZERTY
  assert.equal(actionOf(key({ key: 'Â', code: 'KeyM' })), 'mute'); // a Mac
  assert.equal(actionOf(key({ key: 'Ь', code: 'KeyM' })), 'mute'); // Russian
  assert.equal(actionOf(key({ key: 'Tab', code: 'Tab' })), '');
});

test('a text, a list or a menu has the keys; a checkbox or a button has not', () => {
  const at = (tagName, more = {}) => typing({ composedPath: () => [{ tagName, closest: () => null, ...more }] });
  assert.ok(at('INPUT', { type: 'text' }) && at('INPUT', { type: 'email' }));
  assert.ok(!at('INPUT', { type: 'checkbox' }));
  assert.ok(at('P', { isContentEditable: true }));
  assert.ok(at('DIV', { closest: (what) => what.includes('role="combobox"') }));
  assert.ok(!at('BUTTON'));
  assert.ok(!typing({ composedPath: () => [{}] }));
});

test('a key presses the button that can be seen, in the window of the key first', () => {
  const { shortcuts } = made();
  const other = { querySelectorAll: () => [] };
  const [hidden, here, there] = [new Button(page, { shown: false }), new Button(page), new Button(other)];
  for (const one of [hidden, here, there]) shortcuts.bind(one, 'mute');
  const event = key();
  shortcuts.press(event, other);
  assert.deepEqual([hidden.clicks, here.clicks, there.clicks], [0, 0, 1]);
  assert.ok(event.stopped);
  there.shown = false;
  shortcuts.press(key(), other);
  assert.equal(here.clicks, 1, 'in the page, where the other window does not show it');
});

test('a button that is not possible now says why; held down, a key counts once; without a button the key passes', () => {
  const { live, shortcuts } = made();
  const button = new Button(page, { 'aria-disabled': 'true' });
  button.title = 'Not while it rings';
  shortcuts.bind(button, 'hold');
  shortcuts.press(key({ key: 'H' }), page);
  assert.deepEqual([button.clicks, live.toasts], [0, ['Not while it rings']]);
  button.removeAttribute('aria-disabled');
  shortcuts.press(key({ key: 'H' }), page);
  shortcuts.press(key({ key: 'H', repeat: true }), page);
  assert.equal(button.clicks, 1);
  const passing = key({ key: 'E' });
  shortcuts.press(passing, page);
  assert.ok(!passing.stopped);
});

test('a button whose place is gone is forgotten; one that has none yet is kept', () => {
  const { shortcuts } = made();
  const [gone, coming] = [new Button(), new Button()];
  coming.isConnected = false;
  shortcuts.bind(gone, 'mute');
  shortcuts.bind(coming, 'mute');
  shortcuts.press(key(), page);
  gone.isConnected = false;
  coming.isConnected = true;
  shortcuts.press(key(), page);
  assert.deepEqual([gone.clicks, coming.clicks], [1, 1]);
});

test('"?" asks for the list, but not while somebody types, and not with other keys', () => {
  const { shortcuts } = made();
  const asked = [];
  shortcuts.addEventListener('list', (event) => asked.push(event.detail.document));
  const mark = { key: '?', code: 'Slash', altKey: false };
  shortcuts.press(key(mark), page);
  assert.deepEqual(asked, [page]);
  shortcuts.press(key({ ...mark, composedPath: () => [{ tagName: 'TEXTAREA', closest: () => ({}) }] }), page);
  shortcuts.press(key({ ...mark, ctrlKey: true }), page);
  assert.equal(asked.length, 1);
});

test('switched off nothing is a shortcut, no title shows one, and the browser remembers it', () => {
  const storage = new Storage();
  const { shortcuts } = made({ storage });
  const button = new Button();
  shortcuts.bind(button, 'mute');
  assert.equal(button.attributes['aria-keyshortcuts'], 'Alt+Shift+M');
  assert.equal(shortcuts.hint('mute', 'Mute'), 'Mute (Alt+Shift+M)');
  shortcuts.turn(false);
  assert.equal(button.attributes['aria-keyshortcuts'], undefined);
  assert.equal(shortcuts.hint('mute', 'Mute'), 'Mute');
  shortcuts.press(key(), page);
  assert.equal(button.clicks, 0);
  assert.equal(made({ storage }).shortcuts.on, false);
  shortcuts.turn(true);
  assert.equal(button.attributes['aria-keyshortcuts'], 'Alt+Shift+M');
});

test('search goes into the box of the page, and says when there is none', () => {
  const { live, shortcuts } = made();
  const box = { getClientRects: () => [1], focus() { this.focused = true; }, select() {} };
  shortcuts.press(key({ key: 'S' }), { querySelectorAll: () => [{ getClientRects: () => [] }, box] });
  assert.ok(box.focused);
  shortcuts.press(key({ key: 'S' }), page);
  assert.deepEqual(live.toasts, ['keys.no_search']);
});

test('a Mac shows its own signs', () => {
  assert.equal(made({ mac: true }).shortcuts.keys('mute'), '⌥⇧M');
});

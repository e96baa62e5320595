// How many SMS a text makes: the browser's count against the same cases as the desk's.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { count, outside, plainer } from '../../aircall_core/ui/static/segments.js';

const CASES = JSON.parse(readFileSync(new URL('../support/segments.json', import.meta.url)));

test('texts are counted as the standard and the desk count them', () => {
  assert.ok(CASES.length > 20);
  for (const { text, ...expected } of CASES) assert.deepEqual(count(text), expected, JSON.stringify(text.slice(0, 40)));
});

test('which characters make it UCS-2, each once', () => {
  assert.deepEqual(outside('Cómo está – ’quoi’ 😀😀'), ['ó', 'á', '–', '’', '😀']);
  assert.deepEqual(outside('Grüße [5 €]'), []);
});

test('look-alikes are taken only where the whole text becomes plain', () => {
  assert.equal(plainer('“It’s 5 – 6 …”'), '"It\'s 5 - 6 ..."');
  assert.equal(plainer('It’s 😀'), 'It’s 😀');
  assert.equal(plainer('cafe\u0301 “x”'), 'café "x"');
});

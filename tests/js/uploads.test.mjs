// What a browser says of a file by its name is no reason to refuse it: the desk looks into it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { refusal } from '../../aircall_core/ui/static/uploads.js';

const limits = { files: 2, bytes: 5_000_000, types: ['audio/amr', 'audio/mp4', 'image/heic', 'image/jpeg', 'application/pdf', 'text/vcard', 'video/mp4'] };
const of = (name, type, more = {}) => refusal({ name, type, size: 9 }, { attached: 0, bytes: 0, limits, ...more })?.[0] ?? null;

test('names that browsers have for types that we carry', () => {
  for (const [name, type] of [['a.m4a', 'audio/x-m4a'], ['a.vcf', 'text/x-vcard'], ['b.vcf', 'text/directory'], ['a.mov', 'video/quicktime'], ['a.heic', ''], ['a.jpg', 'image/jpeg'], ['a.pdf', 'application/pdf']]) assert.equal(of(name, type), null, name);
});

test('what is certainly none of them does not travel first', () => {
  for (const [name, type] of [['a.html', 'text/html'], ['a.zip', 'application/zip'], ['a.doc', 'application/msword']]) assert.equal(of(name, type), 'compose.file.type', name);
  assert.equal(of('a.jpg', 'image/jpeg', { attached: 2 }), 'compose.file.too_many');
  assert.equal(of('a.jpg', 'image/jpeg', { bytes: 4_999_999 }), 'compose.file.too_much');
});

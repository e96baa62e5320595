// Changing a contact: a colleague's change is neither overwritten nor in the way.

import assert from 'node:assert/strict';
import test from 'node:test';

import { Overtaken, changeContact, setEntry, setLabel, setValue } from '../../aircall_core/ui/static/contact_change.js';

const ZOE = { id: 'z', version: 1, name: 'Zoë', company: 'Acme', numbers: [{ number: '+331', label: 'work', spoken: '1' }, { number: '+332' }] };
const name = setValue((contact) => contact.name, (text) => ({ name: text }));
const number = setEntry('numbers', 'number');

/** A desk with a contact that refuses what is not of its newest version. */
function desk(contact) {
  const sent = [];
  return {
    sent,
    async request(path, body) {
      assert.equal(path, '/desk/contacts/z');
      if (!body) return contact;
      sent.push(body);
      if (body.version !== contact.version) throw Object.assign(new Error(), { code: 'changed' });
      return { version: contact.version + 1 };
    },
  };
}

test('a field that a colleague has changed is not overwritten, and is when one says so', async () => {
  const live = desk({ ...ZOE, version: 2, name: 'Zoe M.' });
  await assert.rejects(changeContact(live, ZOE, name('Zoë', 'Zoë Müller', false)), (error) => error instanceof Overtaken && error.now === 'Zoe M.');
  assert.equal(live.sent.length, 1); // refused by its version
  await changeContact(live, ZOE, name('Zoë', 'Zoë Müller', true));
  assert.deepEqual(live.sent.at(-1), { name: 'Zoë Müller', version: 2 });
});

test('a colleague who changed another field is in nobody’s way', async () => {
  const live = desk({ ...ZOE, version: 5, company: 'Globex' });
  await changeContact(live, ZOE, name('Zoë', 'Zoë Müller', false));
  assert.deepEqual(live.sent.map((one) => one.version), [1, 5]);
});

test('what says already what is wanted is not sent', async () => {
  const live = desk(ZOE);
  await changeContact(live, ZOE, name('', 'Zoë', false));
  assert.deepEqual(live.sent, []);
});

test('a number is known by itself, whatever its place has become', async () => {
  const live = desk({ ...ZOE, version: 2, numbers: [{ number: '+330', label: '' }, ...ZOE.numbers] });
  await changeContact(live, ZOE, number('+331', '+339', false));
  assert.deepEqual(live.sent.at(-1), { version: 2, numbers: [{ number: '+330', label: '' }, { number: '+339', label: 'work' }, { number: '+332', label: '' }] });
});

test('a number that a colleague took away is asked about, and one that both took away is gone', async () => {
  const live = desk({ ...ZOE, version: 2, numbers: [{ number: '+332', label: '' }] });
  await assert.rejects(changeContact(live, ZOE, number('+331', '+339', false)), Overtaken);
  await changeContact(live, { ...ZOE, version: 2, numbers: [{ number: '+332' }] }, number('+331', '', false));
  assert.equal(live.sent.length, 1);
  await changeContact(live, ZOE, number('+331', '+339', true));
  assert.deepEqual(live.sent.at(-1).numbers.map((one) => one.number), ['+332', '+339']);
});

test('a label is of its number', async () => {
  const label = setLabel('numbers', 'number', '+332');
  const live = desk({ ...ZOE, version: 2, numbers: [{ number: '+332', label: 'home' }] });
  await assert.rejects(changeContact(live, ZOE, label('', 'mobile', false)), (error) => error.now === 'home');
  await changeContact(live, ZOE, label('', 'mobile', true));
  assert.deepEqual(live.sent.at(-1).numbers, [{ number: '+332', label: 'mobile' }]);
});

test('a contact that changes at every try is given up in the end', async () => {
  let version = 1;
  const live = { request: async (_, body) => {
    if (!body) return { ...ZOE, version: (version += 1) };
    throw Object.assign(new Error(), { code: 'changed' });
  } };
  await assert.rejects(changeContact(live, ZOE, name('Zoë', 'Z', false)), { code: 'changed' });
  assert.equal(version, 4);
});

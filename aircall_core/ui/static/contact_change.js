// Changing a contact without overwriting a colleague: what one looked at is compared with what is there when it is sent.

const MOST_TRIES = 4;

/** What was being changed is not as it was any more; `now`: what stands there, '' for nothing. */
export class Overtaken extends Error {
  constructor(now) {
    super('overtaken');
    this.now = now;
  }
}

/**
 * Send what `make(contact)` makes of the contact: null when there is nothing to do, or it throws Overtaken. The desk refuses
 * a version that is not the newest; then it is made anew of the contact as it is, so a colleague's change of another field
 * is in nobody's way.
 */
export async function changeContact(live, contact, make) {
  const path = `/desk/contacts/${contact.id}`;
  let known = contact;
  for (let tries = 1; ; tries += 1) {
    const body = make(known);
    if (!body) return;
    try {
      await live.request(path, { ...body, version: known.version }, { method: 'PATCH' });
      return;
    } catch (error) {
      if (error.code !== 'changed' || tries === MOST_TRIES) throw error;
    }
    known = await live.request(path);
  }
}

/** A value in place of the one that was looked at. `read(contact)` gives it as text, `write(text)` the body of the change. */
export const setValue = (read, write) => (seen, wanted, force) => (contact) => {
  const now = read(contact);
  if (now === wanted) return null;
  if (now !== seen && !force) throw new Overtaken(now);
  return write(wanted);
};

const entries = (contact, list, key) => contact[list].map((one) => ({ [key]: one[key], label: one.label ?? '' }));

/** One of several numbers or e-mails, known by itself and not by its place; '' seen: a new one, '' wanted: it goes. */
export const setEntry = (list, key) => (seen, wanted, force) => (contact) => {
  const all = entries(contact, list, key);
  const at = all.findIndex((one) => one[key] === seen);
  if (seen && at < 0 && !wanted) return null;
  if (seen && at < 0 && !force) throw new Overtaken('');
  if (at < 0) all.push({ [key]: wanted, label: '' });
  else if (wanted) all[at] = { ...all[at], [key]: wanted };
  else all.splice(at, 1);
  return { [list]: all };
};

/** What one of the numbers or e-mails is: mobile, work. */
export const setLabel = (list, key, value) => (seen, wanted, force) => (contact) => {
  const all = entries(contact, list, key);
  const one = all.find((each) => each[key] === value);
  if (!one) throw new Overtaken('');
  if (one.label === wanted) return null;
  if (one.label !== seen && !force) throw new Overtaken(one.label);
  one.label = wanted;
  return { [list]: all };
};

// Of a number that is nobody's: who it may be, and a way to say so; a new contact; for leaders, erasing what it left.

import { eraseFields, eraseHidden } from './contact_erase.js';
import { h, icon } from './dom.js';
import { explain } from './explain.js';

/** `row` makes a field that is edited in its place; `redraw()`: what is drawn has changed. The rest as `profile`. */
export function stranger(live, { writes, leads, here, changed, row, redraw }) {
  const t = (key, values) => live.t(key, values);
  const denied = new Map(); // name of whom the user has just said no to, which can be taken back; the desk knows them all
  let now = null; // the snapshot
  let form = null; // for erasing, while it is open
  let wipe = null;

  function draw(found) {
    now = found;
    const { party } = now;
    const spoken = `${party.flag ? `${party.flag} ` : ''}${party.spoken}`;
    const [title, more] = party.anonymous ? [t('caller.anonymous'), t('profile.hidden')] : party.display ? [party.display, `${spoken} · ${t('profile.unknown')}`] : [spoken, t('profile.unknown')];
    const top = h('div', { class: 'top' }, h('span', { class: 'face', 'aria-hidden': 'true' }, icon('person')), h('div', { class: 'grow' }, h('p', { class: 'name', text: title }), h('p', { class: 'soft small', text: more })));
    wipe = leads && here ? h('button', { type: 'button', class: 'plain quiet', onclick: erase }, t('contacts.erase')) : null;
    if (party.anonymous) return [top, wipe];
    const candidates = (now.maybe ?? []).filter((one) => !denied.has(one.id));
    return [top, ...candidates.map(maybe), ...[...denied].map(notThem), writes && !candidates.length ? newContact() : null, wipe];
  }

  function erase() {
    const shut = () => {
      form = null;
      redraw();
      wipe?.focus();
    };
    const done = () => {
      live.toast(t('contacts.erased'));
      shut();
      changed();
    };
    const calls = now.last_contacts.filter((one) => one.kind === 'call' && one.conversation === here && one.state === 'ended');
    form = now.party.anonymous ? eraseHidden(live, { conversation: here, line: now.line.name, calls, done, close: shut }) : eraseFields(live, { number: now.party.number, done, close: shut });
    wipe.replaceWith(h('div', { class: 'erase' }, form.node));
    form.focus();
  }

  function maybe(one) {
    const problem = h('p', { class: 'wrong', role: 'alert' });
    const name = one.name || one.company || t('profile.unnamed');
    const yes = h('button', { type: 'button', onclick: () => attempt(yes, () => live.request(`/desk/contacts/${one.id}/numbers`, { number: now.party.number })) }, t('profile.maybe.yes'));
    const no = h('button', { type: 'button', class: 'plain', onclick: () => attempt(no, deny) }, t('profile.maybe.no'));
    const why = one.why === 'name' ? t('profile.maybe.name') : t('profile.maybe.number', { numbers: one.numbers.map((each) => each.spoken ?? each.number).join(', ') });
    const attempt = (button, send) => once(button, problem, send);
    async function deny() {
      await live.request(`/desk/contacts/${one.id}/denials`, { number: now.party.number });
      denied.set(one.id, name);
      redraw();
    }
    return h('div', { class: 'maybe' }, h('p', {}, h('strong', { text: t('profile.maybe', { name }) }), one.name && one.company ? h('span', { class: 'soft', text: ` · ${one.company}` }) : ''), h('p', { class: 'soft small', text: why }), writes ? h('div', { class: 'deeds' }, yes, no) : null, problem);
  }

  /** Said by a slip, it is taken back where it was said. */
  function notThem([id, name]) {
    const problem = h('p', { class: 'wrong', role: 'alert' });
    const undo = h('button', { type: 'button', class: 'plain quiet', onclick: () => once(undo, problem, back) }, t('profile.denied.undo'));
    async function back() {
      await live.request(`/desk/contacts/${id}/denials`, { number: now.party.number }, { method: 'DELETE' });
      denied.delete(id);
    }
    return h('div', { class: 'denied', role: 'status' }, h('span', { class: 'soft small', text: t('profile.denied', { name }) }), undo, problem);
  }

  async function once(button, problem, send) {
    if (button.getAttribute('aria-busy') === 'true') return;
    button.setAttribute('aria-busy', 'true');
    problem.textContent = '';
    try {
      await send();
      changed();
    } catch (error) {
      problem.textContent = explain(error, t);
    } finally {
      button.removeAttribute('aria-busy');
    }
  }

  function newContact() {
    const create = (name) => live.request('/desk/contacts', { name, numbers: [{ number: now.party.number }] }).then(changed);
    return row(t('profile.name'), { add: t('profile.create'), save: create }, () => '', 'name');
  }

  return {
    draw,
    /** What it shows beside the snapshot. */
    state: () => [...denied],
    /** Whether somebody is typing here. */
    get editing() {
      return form !== null;
    },
    /** It is drawn anew: what was open is not any more. */
    reset: () => (form = null),
  };
}

// What a user can do with their call now, and what cannot be done, why not. Pure: the view in, plain data out.

import { answered, children, shape } from './family.js';

const MOST = 3; // live calls made for one call

/**
 * For each button `why` (a text's key: it cannot be used now, and this is the reason; '' where it can) and `on` where it is
 * a state. @param busy names of what is under way
 */
export function deeds(view, call, { online = true, busy = new Set() } = {}) {
  const others = children(view, call.id);
  const asked = Boolean(call.parent); // a colleague asks us: the call is theirs
  const first = !online ? 'why.offline' : !answered(call) ? 'why.not_yet' : '';
  const own = first || (asked ? 'why.asked' : '');
  const recorded = ['started', 'paused'].includes(call.recording);
  const all = {
    mute: { why: first, on: call.muted },
    hold: { why: own || (others.length ? 'why.hold_others' : ''), on: Boolean(call.held) && !asked && !others.length },
    keypad: { why: own || (keysFor(view, call) ? '' : 'why.keys_held') },
    transfer: { why: own || (others.length ? 'why.transfer_others' : '') },
    add: { why: own || (others.length >= MOST ? 'why.add_most' : others.every(answered) ? '' : 'why.add_waiting') },
    record: { why: own || (recorded ? '' : 'why.not_recorded'), on: call.recording === 'started' },
    hangup: { why: online ? '' : 'why.offline' },
    open: { why: call.conversation ? '' : 'why.not_yet' },
  };
  for (const name of busy) if (all[name]) all[name].busy = true;
  return all;
}

/** Whose far end hears keys: the call, or the outside number that was called for it; null while that one is on hold. */
export function keysFor(view, call) {
  if (!call.held) return call.id;
  return children(view, call.id).find((one) => one.direction === 'outbound' && answered(one) && !one.held)?.id ?? null;
}

/** What "Hang up" ends: whoever is being asked while the caller waits, else the user's own part of the call. */
export function hangupOf(view, call) {
  if (!['calling', 'asking'].includes(shape(view, call))) return call.id;
  return children(view, call.id).find((one) => !one.held)?.id ?? call.id;
}

/** The deeds at a row of the toolbar, the likeliest first. */
export function rowDeeds(view, call, one) {
  if (one.id !== call.id && !one.parent) return answered(one) ? ['resume', 'hangup'] : ['hangup'];
  const how = shape(view, call);
  if (!answered(one)) return how === 'calling' ? ['cancel', 'now'] : ['cancel'];
  if (how === 'together') return ['alone', 'drop'];
  return ['complete', 'swap', 'merge', how === 'swapped' && one.held ? 'drop' : 'cancel'];
}

/** The paths and bodies behind those deeds. */
export function request(view, call, one, deed) {
  const to = (id, what, body = {}) => [`/desk/calls/${id}/${what}`, body];
  switch (deed) {
    case 'resume':
    case 'alone':
      return to(one.id, 'talk');
    case 'swap':
      return to(one.held ? one.id : call.id, 'talk');
    case 'merge':
      return to(call.id, 'merge');
    case 'complete':
      return to(call.id, 'complete', { via: one.id });
    case 'now':
      return to(call.id, 'hangup');
    default: // cancel, drop, hangup
      return to(one.id, 'hangup');
  }
}

/** Whether the view says that a deed is done: some commands change nothing any more, and no event tells of them. */
export function done(view, call, one, deed) {
  const [a, b] = [view.calls[call.id], view.calls[one.id]];
  switch (deed) {
    case 'resume':
    case 'alone':
      return Boolean(b) && !b.held;
    case 'merge':
      return Boolean(a && b) && !a.held && !b.held;
    case 'complete':
    case 'now':
      return !a;
    case 'swap':
      return !a || !b || (one.held ? !b.held && a.held : b.held && !a.held);
    default:
      return !b;
  }
}

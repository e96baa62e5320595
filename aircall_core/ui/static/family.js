// Who is in a call with whom, as the view tells it: a top call, and the calls made for it (a colleague asked, a participant
// added). Fields of domain/view.py: by, started_by, parent, held, state.

export const answered = (call) => call.state === 'answered' || call.state === 'confirmed';

/** Whether this user made the call for another one of theirs: they are in it with that other one's audio. */
const isMadeFor = (view, call) => Boolean(call.parent) && call.started_by === view.user;

/** The calls whose audio this user's browser carries: the one they are in first, then in the order of their arrival. */
export function carried(view) {
  return Object.values(view.calls)
    .filter((call) => call.by === view.user && !isMadeFor(view, call))
    .sort((a, b) => Number(idle(view, a)) - Number(idle(view, b)) || a.arrived_at - b.arrived_at);
}

/** The live calls that this user made for a call of theirs, oldest first. */
export function children(view, callId) {
  return Object.values(view.calls)
    .filter((call) => call.parent === callId && call.started_by === view.user)
    .sort((a, b) => a.arrived_at - b.arrived_at);
}

/** The call that the user is in now, or the one that they have on hold; null: none. */
export const current = (view) => carried(view)[0] ?? null;

/** The user's call rests: it is on hold, and so is everybody whom they asked about it. A colleague's question never does. */
export function idle(view, call) {
  return Boolean(call.held) && !call.parent && children(view, call.id).every((one) => one.held);
}

/**
 * How a call and those made for it stand: 'alone', 'calling' (the caller waits while somebody is asked), 'asking' (talking
 * with them), 'swapped' (they wait, the caller does not), 'joining' (somebody is being added), 'together'.
 */
export function shape(view, call) {
  const others = children(view, call.id);
  if (!others.length) return 'alone';
  if (!others.every(answered)) return call.held ? 'calling' : 'joining';
  if (call.held) return 'asking';
  return others.some((one) => one.held) ? 'swapped' : 'together';
}

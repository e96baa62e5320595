// What this user's browser knows of the calls that concern them: the browser's copy of domain/view.py.
// Both are held to tests/vectors/view.json; the law is apply(snapshot n, events n+1..m) == snapshot m.

const TALKING = new Set(['answered', 'confirmed']);

export function empty(user) {
  return { user, duty: false, calls: {} };
}

function entry(event) {
  return {
    id: event.call_id,
    line: event.line_id ?? null,
    conversation: event.conversation_id ?? null,
    state: 'ringing',
    arrived_at: event.data.arrived_at ?? null,
    ringing: [],
    by: null,
    peer: null,
    answered_at: null,
    muted: false,
    away: false,
    recording: 'off',
  };
}

/** Whether a call belongs into this user's view: they are rung, or the call is theirs. */
export function concerns(user, call) {
  return call.by === user || call.ringing.includes(user);
}

/** The call after an event of its own, or null when it is over. */
function changed(call, event) {
  const data = event.data;
  switch (event.kind) {
    case 'call.ringing':
      return { ...call, ringing: [...data.ringing] };
    case 'call.ring_stopped':
      return { ...call, ringing: call.ringing.filter((one) => one !== event.user_id) };
    case 'call.accepting':
      return { ...call, state: 'accepting', by: event.user_id, peer: data.peer };
    case 'call.accept_failed':
      return { ...call, state: 'ringing', by: null, peer: null };
    case 'call.answered':
      return {
        ...call,
        state: 'answered',
        by: event.user_id,
        answered_at: data.answered_at,
        ringing: [],
        muted: false,
        away: false,
      };
    case 'call.confirmed':
      return TALKING.has(call.state) ? { ...call, state: 'confirmed' } : call;
    case 'call.returned':
      return {
        ...call,
        state: 'ringing',
        by: null,
        peer: null,
        answered_at: data.answered_at,
        recording: data.recording,
        muted: false,
        away: false,
        ringing: [...data.ringing],
      };
    case 'call.audio':
      return { ...call, peer: data.peer };
    case 'call.agent_away':
      return { ...call, away: true };
    case 'call.agent_back':
      return { ...call, away: false };
    case 'call.muted':
      return { ...call, muted: Boolean(data.muted) };
    case 'call.recording':
      return { ...call, recording: data.state };
    case 'call.overflow':
      return { ...call, state: 'overflow', ringing: [], by: null, peer: null };
    case 'call.ended':
      return null;
    default:
      return call;
  }
}

/** The view after this event; the one given is left as it was. */
export function apply(view, event) {
  if (event.kind === 'user.duty' && event.user_id === view.user) {
    return { ...view, duty: Boolean(event.data.on) };
  }
  const id = event.call_id;
  if (!id) return view;
  let call = view.calls[id];
  if (!call && (event.kind === 'call.ringing' || event.kind === 'call.returned')) call = entry(event);
  if (!call) return view;
  const { [id]: _before, ...calls } = view.calls;
  const after = changed(call, event);
  if (after && concerns(view.user, after)) calls[id] = after;
  return { ...view, calls };
}

/** Calls that ring this user and are not theirs yet, oldest first. */
export function ringing(view) {
  return Object.values(view.calls)
    .filter((call) => call.ringing.includes(view.user) && call.by !== view.user)
    .sort((a, b) => a.arrived_at - b.arrived_at);
}

/** The user's own call (accepting, answered or confirmed), or null. */
export function active(view) {
  return Object.values(view.calls).find((call) => call.by === view.user) ?? null;
}

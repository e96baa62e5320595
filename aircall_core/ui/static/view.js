// What this user's browser knows of the calls that concern them: the browser's copy of domain/view.py.
// Both are held to tests/vectors/view.json; the law is apply(snapshot n, events n+1..m) == snapshot m.

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
    answered_at: event.data.answered_at ?? null, // set when it comes back to the ring because an agent's audio was lost
    muted: false,
    away: false,
    recording: event.data.recording ?? 'off',
  };
}

/** Whether a call belongs into this user's view: they are rung, or the call is theirs. */
export function concerns(user, call) {
  return call.by === user || call.ringing.includes(user);
}

// Who has the call: nobody.
const UNTAKEN = { by: null, peer: null };

/** What an event of a call changes in its entry. */
function patch({ kind, user_id: who, data }, call) {
  switch (kind) {
    case 'call.ringing':
      return { ringing: [...data.ringing] };
    case 'call.ring_stopped':
      return { ringing: call.ringing.filter((one) => one !== who) };
    case 'call.accepting':
      return { state: 'accepting', by: who, peer: data.peer };
    case 'call.accept_failed':
      return { state: 'ringing', ...UNTAKEN };
    case 'call.answered':
      return { state: 'answered', by: who, ringing: [], answered_at: data.answered_at, muted: false, away: false };
    case 'call.returned':
      return { state: 'ringing', ringing: [...data.ringing], ...UNTAKEN, muted: false, away: false };
    case 'call.overflow':
      return { state: 'overflow', ringing: [], ...UNTAKEN };
    case 'call.confirmed':
      return { state: 'confirmed' };
    case 'call.audio':
      return { peer: data.peer };
    case 'call.agent_away':
    case 'call.agent_back':
      return { away: kind === 'call.agent_away' };
    case 'call.muted':
      return { muted: Boolean(data.muted) };
    case 'call.recording':
      return { recording: data.state };
    default:
      return {};
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
  if (event.kind === 'call.ended') return { ...view, calls };
  const after = { ...call, ...patch(event, call) };
  if (concerns(view.user, after)) calls[id] = after;
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

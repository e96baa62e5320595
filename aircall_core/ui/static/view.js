// What this user's browser knows of the calls that concern them: the browser's copy of domain/view.py.
// Both are held to each other by tests/js/test_browser_code.py; the law is apply(snapshot n, events n+1..m) == snapshot m.

export function empty(user) {
  return { user, duty: false, me: ME, calls: {} };
}

// How the user stands: their status, what they chose, when their wrap-up ends, the ended calls that they owe a tag.
const ME = Object.freeze({
  status: 'offline', reason: null, since: null, choice: 'available', choice_reason: null, wrap_up_until: null, tags_due: [],
});

/** What an event changes in how the user stands; null: nothing. */
function aboutMe(me, { kind, user_id: who, call_id: call, data }, user) {
  const owed = me.tags_due;
  if (kind === 'call.tagged' && data.tags.length && owed.includes(call)) return { tags_due: owed.filter((one) => one !== call) };
  if (who !== user) return null;
  switch (kind) {
    case 'user.status':
      return { status: data.status, reason: data.reason, since: data.since };
    case 'user.choice':
      return { choice: data.choice, choice_reason: data.reason };
    case 'user.wrap_up':
      return { wrap_up_until: data.until };
    case 'call.tag_due':
      return { tags_due: [...new Set([...owed, call])].sort() };
    default:
      return null;
  }
}

function entry(event) {
  return {
    id: event.call_id,
    line: event.line_id ?? null,
    conversation: event.conversation_id ?? null,
    state: 'ringing',
    arrived_at: event.data.arrived_at ?? null,
    queued_at: event.data.queued_at ?? null, // when it began to wait for users
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
  const news = aboutMe(view.me, event, view.user);
  if (news) view = { ...view, me: { ...view.me, ...news } };
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

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

// Where a call stands that nobody has: it rings, or it does not.
const UNDECIDED = new Set(['flow', 'queued', 'ringing', 'voicemail', 'overflow']);
// Events that bring a call into a view which did not know it.
const ENTERS = new Set(['call.ringing', 'call.returned', 'call.dial_wanted', 'call.transferred']);

function entry({ call_id: id, line_id: line, conversation_id: conversation, data }) {
  return {
    id,
    line: line ?? null,
    conversation: conversation ?? null,
    direction: data.direction || 'inbound',
    started_by: data.started_by ?? null, // who dialled it, or asks somebody for a call of theirs
    parent: data.parent ?? null, // the call that it was made for
    state: 'flow',
    arrived_at: data.arrived_at ?? null,
    queued_at: data.queued_at ?? null, // when it began to wait for users
    ringing: [],
    by: null,
    peer: null,
    answered_at: data.answered_at ?? null, // set when it comes back to the ring
    muted: false,
    away: false,
    held: false,
    held_at: null,
    recording: data.recording || 'off',
    progress: null, // of a call out until it is answered: dialling, ringing, early
    transfer: data.transfer ?? null, // {by, to} while it goes on because somebody handed it on
    forwarded: false,
  };
}

/** Of a call that nobody has it only counts whether it rings: where its flow is meanwhile is no user's matter. */
function plain(call) {
  if (call.by !== null || !UNDECIDED.has(call.state)) return call;
  return { ...call, state: call.ringing.length ? 'ringing' : 'flow' };
}

/** Whether a call belongs into this user's view: they are rung, it is theirs, or they have somebody asked by it. */
export function concerns(user, call) {
  return (call.parent !== null && call.started_by === user) || call.by === user || call.ringing.includes(user);
}

// Who has the call: nobody.
const UNTAKEN = { by: null, peer: null, muted: false, away: false, held: false, held_at: null };
const pick = (data, ...names) => Object.fromEntries(names.map((name) => [name, data[name]]));

/** What an event of a call changes in its entry. */
function patch({ kind, user_id: who, data }, call) {
  switch (kind) {
    case 'call.ringing':
      return { state: 'ringing', ringing: [...data.ringing] };
    case 'call.ring_stopped':
      return { ringing: call.ringing.filter((one) => one !== who) };
    case 'call.queued':
      return { state: 'flow', queued_at: data.since };
    case 'call.step':
      return { state: 'flow' };
    case 'call.accepting':
      return { state: 'accepting', by: who, peer: data.peer };
    case 'call.accept_failed':
      return { state: 'ringing', by: null, peer: null };
    case 'call.answered':
      return {
        state: 'answered', by: who, ringing: [], answered_at: data.answered_at, muted: false, away: false, held: false,
        held_at: null, progress: null, transfer: null,
      };
    case 'call.returned':
      return { state: 'ringing', ringing: [...data.ringing], ...UNTAKEN, transfer: data.transfer ?? null };
    case 'call.overflow':
      return { state: 'overflow', ringing: [], by: null, peer: null };
    case 'call.dial_wanted':
      return { state: 'dialling', by: data.direction === 'outbound' ? who : null, peer: data.peer };
    case 'call.transferring':
      return { state: 'flow', ...UNTAKEN, transfer: { by: who, to: data.to } };
    case 'call.transferred':
      return {
        ...pick(data, 'state', 'by', 'peer', 'muted', 'away', 'held', 'held_at', 'progress', 'started_by', 'recording'),
        ringing: [...(data.ringing ?? [])], // whom they ask besides may still be rung
        transfer: null,
        forwarded: data.state === 'forwarded',
      };
    case 'call.forwarded':
      return { state: 'forwarded', ringing: [], ...UNTAKEN, transfer: null, forwarded: true };
    case 'call.confirmed':
      return { state: 'confirmed' };
    case 'call.audio':
      return { peer: data.peer };
    case 'call.agent_away':
    case 'call.agent_back':
      return { away: kind === 'call.agent_away' };
    case 'call.muted':
      return { muted: Boolean(data.muted) };
    case 'call.held':
      return { held: Boolean(data.held), held_at: data.held ? data.at : null };
    case 'call.progress':
      return { progress: data.state };
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
  if (!call && ENTERS.has(event.kind)) call = entry(event);
  if (!call) return view;
  const { [id]: _before, ...calls } = view.calls;
  if (event.kind === 'call.ended') return { ...view, calls };
  const after = plain({ ...call, ...patch(event, call) });
  if (concerns(view.user, after)) calls[id] = after;
  return { ...view, calls };
}

/** Calls that ring this user and are not theirs yet, oldest first. */
export function ringing(view) {
  return Object.values(view.calls)
    .filter((call) => call.ringing.includes(view.user) && call.by !== view.user)
    .sort((a, b) => a.arrived_at - b.arrived_at);
}

/** The call that the user talks in, else the one they hold, or null. Calls made for one of theirs are part of that. */
export function active(view) {
  const own = Object.values(view.calls)
    .filter((call) => call.by === view.user && !(call.parent !== null && call.started_by === view.user))
    .sort((a, b) => a.arrived_at - b.arrived_at);
  return own.find((call) => !call.held) ?? own[0] ?? null;
}

// The story of a conversation as plain data: entries of the event log in, what the timeline draws out. Pure.

/** Kinds that say something to a reader; the same list as store/queries/timeline.py. */
export const TOLD = new Set([
  'conversation.opened',
  'call.arrived',
  'call.ring_stopped',
  'call.accept_failed',
  'call.answered',
  'call.agent_away',
  'call.agent_back',
  'call.returned',
  'call.overflow',
  'call.ended',
  'call.recording',
  'call.chose',
  'call.typed',
  'call.redirected',
  'call.tagged',
  'conversation.assigned',
  'callback.requested',
  'callback.settled',
]);

/** Steps of a line's flow: however many, they are one line of a call's story. */
export const FLOW = new Set(['call.chose', 'call.typed']);

/** What only the desk can tell in words: the event itself holds ids. */
export const ASKED = new Set(['call.chose', 'call.typed', 'call.redirected', 'call.tagged', 'conversation.assigned', 'callback.requested', 'callback.settled']);

/** Whether an entry is drawn, and how: 'call' (a bubble), 'log' (a line), 'flow' (a call's one line of steps), or null. */
export function form(entry) {
  if (entry.kind === 'call.arrived') return 'call';
  if (entry.kind === 'call.ring_stopped') return entry.data.reason === 'rejected' ? 'log' : null;
  if (FLOW.has(entry.kind)) return way(entry.call) ? 'flow' : null;
  if (entry.kind === 'callback.settled') return entry.who?.name ? 'log' : null;
  if (entry.kind === 'call.redirected') return entry.about ? 'log' : null;
  if (entry.kind === 'call.tagged') return entry.about?.tags.length ? 'log' : null;
  if (entry.kind === 'conversation.assigned') return entry.about ? 'log' : null;
  if (entry.kind === 'call.recording') {
    const told = entry.data.kind === 'voicemail' ? ['failed'] : ['stopped', 'failed'];
    return told.includes(entry.data.state) ? 'log' : null;
  }
  return TOLD.has(entry.kind) ? 'log' : null;
}

/** A system-log line: the key of its text and what stands in it. */
export function line(entry) {
  const name = entry.who?.name ?? '';
  const data = entry.data ?? {};
  switch (entry.kind) {
    case 'call.answered':
      return ['log.answered', { name }];
    case 'call.ring_stopped':
      return ['log.rejected', { name }];
    case 'call.accept_failed':
      return [`log.accept_failed.${data.reason}`, { name }, 'log.accept_failed'];
    case 'call.agent_away':
      return ['log.away', { name }];
    case 'call.agent_back':
      return ['log.back', { name }];
    case 'call.returned':
      return ['log.returned', { name }];
    case 'call.overflow':
      return [`log.overflow.${data.reason}`, {}, 'log.overflow'];
    case 'call.ended':
      return [data.outcome === 'lost' ? 'log.ended.lost' : `log.ended.${data.by}`, { name }, 'log.ended'];
    case 'call.recording':
      return [`log.recording.${data.state}`, {}, 'log.recording'];
    case 'call.redirected':
      return ['log.redirected', entry.about];
    case 'call.tagged':
      return ['log.tagged', { name, tags: entry.about.tags.join(', ') }, 'log.tagged'];
    case 'conversation.assigned':
      return assigned(name, entry.who, entry.about.to);
    case 'callback.requested':
      return ['log.callback.requested', {}];
    case 'callback.settled':
      return [`log.callback.${data.state}`, { name }, 'log.callback'];
    default:
      return [`log.${entry.kind}`, { name }];
  }
}

function assigned(name, who, to) {
  if (!to) return [name ? 'log.unassigned' : 'log.unassigned.system', { name }];
  if (to.id === who?.id) return ['log.assigned.self', { name }];
  return [name ? 'log.assigned' : 'log.assigned.system', { name, to: to.name }];
}

/** A caller's way through the line's flow: branches, digits, and how long they waited for an agent; null without any. */
export function way(call) {
  if (!call?.path?.length && !call?.digits?.length) return null;
  return { path: call.path ?? [], digits: call.digits ?? [], waited: call.queued_at ? waited(call) : null };
}

/** A call after one more of its events: what a bubble shows while its conversation is open. */
export function advance(call, event) {
  const data = event.data ?? {};
  switch (event.kind) {
    case 'call.accepting':
      return { ...call, state: 'accepting' };
    case 'call.accept_failed':
    case 'call.returned':
      return { ...call, state: 'ringing' };
    case 'call.answered':
      return { ...call, state: 'answered', answered_at: data.answered_at ?? event.at, answered_by: event.who ?? null };
    case 'call.overflow':
      return { ...call, state: 'overflow' };
    case 'call.step':
      return { ...call, state: 'flow' };
    case 'call.queued':
      return { ...call, state: 'queued', queued_at: data.since ?? call.queued_at };
    case 'call.ringing':
      return { ...call, state: 'ringing' };
    case 'call.recording':
      if (data.kind === 'voicemail' && data.state === 'started') return { ...call, state: 'voicemail' };
      return { ...call, recording: data.state };
    case 'call.ended':
      return { ...call, state: 'ended', outcome: data.outcome ?? call.outcome, ended_at: data.ended_at ?? event.at };
    default:
      return call;
  }
}

/** The look of a call: ok, live, missed, bad. */
export function look(call) {
  if (call.state !== 'ended') return 'live';
  return { answered: 'ok', lost: 'bad', failed: 'bad' }[call.outcome] ?? 'missed';
}

const LIVE = { answered: 'call.live', confirmed: 'call.live', voicemail: 'call.leaving' };

/** The key of a call's name: a call that goes on is not yet an answered one. */
export function title(call) {
  return call.state === 'ended' ? `call.${call.outcome}` : (LIVE[call.state] ?? `call.${call.state}`);
}

/** Why nobody answered: the key of its words, or null where the outcome says it all. */
export function reason(call) {
  if (call.state !== 'ended' || !call.missed_reason || look(call) !== 'missed') return null;
  // Who left a message did not just hang up.
  const gaveUp = ['short_abandoned', 'abandoned_in_ivr', 'abandoned_in_classic'].includes(call.missed_reason);
  return call.outcome === 'voicemail' && gaveUp ? null : `missed.${call.missed_reason}`;
}

/** How long (ms) a caller waited for an agent, or null: while it goes on, and where a message was spoken meanwhile. */
export function waited(call) {
  const until = call.answered_at ?? (call.outcome === 'voicemail' ? null : call.ended_at);
  return until ? until - (call.queued_at ?? call.arrived_at) : null;
}

/** Whether somebody should call back: nobody answered, and nobody does it already or refused to. */
export function owed(call) {
  return look(call) === 'missed' && !['calling', 'taken', 'declined'].includes(call.callback?.state);
}

/** A call from its own event alone, before the desk has been asked. */
export function fresh(event) {
  return {
    id: event.call_id,
    state: 'ringing',
    outcome: null,
    arrived_at: event.data?.arrived_at ?? event.at,
    answered_at: null,
    ended_at: null,
    answered_by: null,
    recording: 'off',
    missed_reason: null,
    path: [],
    digits: [],
    queued_at: null,
    recordings: [],
    callback: null,
  };
}

// The story of a conversation as plain data: entries of the event log in, what the timeline draws out. Pure.

/** Kinds that say something to a reader; the same list as store/queries/conversation.py. */
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
]);

/** Whether an entry is drawn, and how: 'call' (a bubble), 'log' (a line), or null. */
export function form(entry) {
  if (entry.kind === 'call.arrived') return 'call';
  if (entry.kind === 'call.ring_stopped') return entry.data.reason === 'rejected' ? 'log' : null;
  if (entry.kind === 'call.recording') return ['stopped', 'failed'].includes(entry.data.state) ? 'log' : null;
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
    default:
      return [`log.${entry.kind}`, { name }];
  }
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
    case 'call.recording':
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

/** The key of a call's name: a call that goes on is not yet an answered one. */
export function title(call) {
  if (call.state === 'ended') return `call.${call.outcome}`;
  return call.state === 'answered' || call.state === 'confirmed' ? 'call.live' : `call.${call.state}`;
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
    recordings: [],
  };
}

// The story of a conversation as plain data: entries of the event log in, what the timeline draws out. Pure.

/** Kinds that say something to a reader; the same list as store/queries/timeline.py. */
export const TOLD = new Set([
  'conversation.opened',
  'call.arrived',
  'call.dial_wanted',
  'call.ring_stopped',
  'call.accept_failed',
  'call.answered',
  'call.agent_away',
  'call.agent_back',
  'call.returned',
  'call.held',
  'call.keys_sent',
  'call.transferring',
  'call.queued',
  'call.transferred',
  'call.forwarded',
  'call.overflow',
  'call.ended',
  'call.recording',
  'call.chose',
  'call.typed',
  'call.redirected',
  'call.tagged',
  'conversation.assigned',
  'conversation.closed',
  'conversation.reopened',
  'conversation.noted',
  'message.received',
  'message.written',
  'callback.requested',
  'callback.settled',
  'dial_entry.changed',
]);

/** What only the desk can tell in words: the event itself holds ids. */
export const ASKED = new Set([
  'call.chose', 'call.typed', 'call.redirected', 'call.tagged', 'call.noted', 'call.transferring', 'call.transferred', 'call.forwarded',
  'conversation.assigned', 'conversation.closed', 'conversation.reopened', 'conversation.noted', 'callback.requested', 'callback.settled',
  'dial_entry.changed', 'message.received', 'message.written', 'message.state', 'message.files',
]);

const BACK = 'transfer.back'; // the step that rings who handed a call on: domain/transfer.py
const SILENT_ENDS = new Set(['merged', 'transferred', 'parent_over']); // other entries tell of these

/** A call that somebody handed on comes back to them: who that is only the desk can tell. */
export const bounced = (event) => event.kind === 'call.queued' && event.data.step === BACK;

/** Whether an entry is drawn, and how: 'call', 'text' or 'note' (bubbles), 'log' (a line), 'flow' (a call's one line of steps), or null. */
export function form(entry) {
  const data = entry.data ?? {};
  if (entry.child || data.parent) return childForm(entry, data);
  switch (entry.kind) {
    case 'call.arrived':
    case 'call.dial_wanted':
      return 'call';
    case 'message.received':
    case 'message.written':
      return entry.message ? 'text' : null;
    case 'conversation.noted':
      return entry.note ? 'note' : null; // none: taken away, or only the desk knows what it says
    case 'call.ring_stopped':
      return data.reason === 'rejected' ? 'log' : null;
    case 'call.chose':
    case 'call.typed':
      return way(entry.call) ? 'flow' : null;
    case 'callback.settled':
      return entry.who?.name ? 'log' : null;
    case 'dial_entry.changed':
      return data.state === 'added' && entry.who?.name ? 'log' : null;
    case 'call.tagged':
      return entry.about?.tags.length || !data.tags?.length ? 'log' : null; // none: tags that are not there any more
    case 'call.redirected':
    case 'conversation.assigned':
      return entry.about ? 'log' : null;
    case 'call.held':
      return data.command ? 'log' : null; // else it came with something that is told
    case 'call.queued':
      return bounced(entry) && entry.about ? 'log' : null;
    case 'call.transferred':
      return data.via && entry.about !== undefined ? 'log' : data.via && data.to === 'user' && entry.who ? 'log' : null;
    case 'call.transferring':
    case 'call.forwarded':
      return entry.about ? 'log' : null;
    case 'call.recording':
      return recordingForm(data);
    default:
      return TOLD.has(entry.kind) ? 'log' : null;
  }
}

function recordingForm(data) {
  if (data.kind === 'voicemail') return data.state === 'failed' ? 'log' : null;
  if (data.state === 'started') return resumed(data) ? 'log' : null;
  return ['stopped', 'failed', 'paused'].includes(data.state) ? 'log' : null;
}

/** A call's first start is not told; one after a pause is. */
const resumed = (data) => Boolean(data.command) || ['resumed', 'hold', 'unhold'].includes(data.reason);

/** A call made for another one is told as what happened in that: who was asked, who came, who left. */
function childForm(entry, data) {
  if (!entry.about?.to) return null;
  if (entry.kind === 'call.ended') return SILENT_ENDS.has(data.reason) ? null : 'log';
  return ['call.dial_wanted', 'call.answered'].includes(entry.kind) ? 'log' : null;
}

/** A system-log line: the key of its text and what stands in it. */
export function line(entry) {
  const name = entry.who?.name ?? '';
  const data = entry.data ?? {};
  const to = entry.about?.to?.name ?? '';
  if (entry.child || data.parent) return childLine(entry, data, name, to);
  switch (entry.kind) {
    case 'call.answered':
      return [entry.way === 'outbound' ? 'log.out.answered' : 'log.answered', { name }];
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
    case 'call.held':
      return [data.held ? 'log.held' : 'log.unheld', { name }];
    case 'call.keys_sent':
      return [data.count === 1 ? 'log.keys.one' : 'log.keys', { name, count: data.count }];
    case 'call.transferring':
      return ['log.transferring', { name, to }];
    case 'call.queued':
      return ['log.bounced', { name: to }];
    case 'call.transferred':
      return ['log.transferred', { to: data.to === 'number' ? to : name }];
    case 'call.forwarded':
      return ['log.forwarded', { to }];
    case 'call.overflow':
      return [`log.overflow.${data.reason}`, {}, 'log.overflow'];
    case 'call.ended':
      return ended(entry, data, name);
    case 'call.recording':
      return recordingLine(data, name);
    case 'call.redirected':
      return ['log.redirected', entry.about];
    case 'call.tagged':
      return entry.about?.tags.length ? ['log.tagged', { name, tags: entry.about.tags.join(', ') }] : ['log.untagged', { name }];
    case 'conversation.assigned':
      return assigned(name, entry.who, entry.about.to);
    case 'conversation.closed':
      return [data.auto ? 'log.closed.auto' : 'log.closed', { name }];
    case 'conversation.reopened':
      return [`log.reopened.${data.why}`, { name }, 'log.reopened'];
    case 'callback.requested':
      return ['log.callback.requested', {}];
    case 'callback.settled':
      return [`log.callback.${data.state}`, { name }, 'log.callback'];
    case 'dial_entry.changed':
      return ['log.dial_list', { name }];
    default:
      return [`log.${entry.kind}`, { name }];
  }
}

function ended(entry, data, name) {
  if (data.outcome === 'lost') return ['log.ended.lost', { name }];
  if (entry.way === 'outbound' && data.outcome !== 'answered') return [`log.out.${data.reason}`, { name }, 'log.ended'];
  if (data.reason === 'referred') return ['log.ended.referred', { name }];
  return [`log.ended.${data.by}`, { name }, 'log.ended'];
}

function recordingLine(data, name) {
  const state = data.state === 'started' ? 'resumed' : data.state;
  const byWhom = name && ['paused', 'resumed'].includes(state) ? '.by' : '';
  return [`log.recording.${state}${byWhom}`, { name }, 'log.recording'];
}

function childLine(entry, data, name, to) {
  if (entry.kind === 'call.dial_wanted') return [data.join ? 'log.child.adds' : 'log.child.asks', { name, to }];
  if (entry.kind === 'call.answered') return ['log.child.joined', { to: entry.way === 'outbound' ? to : name || to }];
  if (data.outcome === 'answered') return ['log.child.left', { to }];
  return [`log.child.${data.reason}`, { name, to }, 'log.child.ended'];
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
    case 'call.progress':
      return { ...call, state: 'dialling', progress: data.state };
    case 'call.transferring':
      return { ...call, state: 'flow' };
    case 'call.transferred':
      if (!data.via) return call;
      return data.to === 'user' ? { ...call, state: 'answered', answered_by: event.who ?? null } : { ...call, state: 'forwarded' };
    case 'call.forwarded':
      return { ...call, state: 'forwarded', answered_at: call.answered_at ?? event.at };
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
      return { ...call, state: 'ended', outcome: data.outcome ?? call.outcome, end_reason: data.reason ?? null, ended_at: data.ended_at ?? event.at };
    default:
      return call;
  }
}

const out = (call) => call.direction === 'outbound';

/** The look of a call: ok, live, missed, bad, or none: a call out that nobody took is no call that we missed. */
export function look(call) {
  if (call.state !== 'ended') return 'live';
  return { answered: 'ok', lost: 'bad' }[call.outcome] ?? (out(call) ? 'none' : call.outcome === 'failed' ? 'bad' : 'missed');
}

const LIVE = { answered: 'call.live', confirmed: 'call.live', voicemail: 'call.leaving' };

/** The key of a call's name: a call that goes on is not yet an answered one. */
export function title(call) {
  if (call.state === 'dialling') return { ringing: 'call.out.ringing', early: 'call.out.ringing' }[call.progress] ?? 'call.dialling';
  if (call.state !== 'ended') return LIVE[call.state] ?? `call.${call.state}`;
  return out(call) && call.outcome !== 'lost' ? `call.out.${call.outcome}` : `call.${call.outcome}`;
}

/** Why nobody answered: the key of its words, or null where the outcome says it all. */
export function reason(call) {
  if (call.state !== 'ended' || !call.missed_reason || look(call) !== 'missed') return null;
  // Who left a message did not just hang up.
  const gaveUp = ['short_abandoned', 'abandoned_in_ivr', 'abandoned_in_classic'].includes(call.missed_reason);
  return call.outcome === 'voicemail' && gaveUp ? null : `missed.${call.missed_reason}`;
}

/** How long (ms) a caller waited for an agent, or null: while it goes on, where a message was spoken, in a call out. */
export function waited(call) {
  if (out(call)) return null;
  const until = call.answered_at ?? (call.outcome === 'voicemail' ? null : call.ended_at);
  return until ? until - (call.queued_at ?? call.arrived_at) : null;
}

/** Whether somebody should call back: nobody answered, and nobody does it already or refused to. */
export function owed(call) {
  return look(call) === 'missed' && !['calling', 'taken', 'declined'].includes(call.callback?.state);
}

/** A call from its own event alone, before the desk has been asked. */
export function fresh(event) {
  const dialled = event.kind === 'call.dial_wanted';
  return {
    id: event.call_id,
    direction: dialled ? 'outbound' : 'inbound',
    state: dialled ? 'dialling' : 'ringing',
    progress: null,
    started_by: dialled ? (event.who ?? null) : null,
    calls_back: false,
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
    notes: [],
    tags: [],
    callback: null,
  };
}

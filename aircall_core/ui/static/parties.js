// How those in a call are named, and in which words it is said how they stand. Pure: cards and view in, texts out.

import { callerTitle } from './dom.js';
import { answered, shape } from './family.js';

/** Who is at the other end of a call that is ours, or rings us: {name, detail}. */
export function party(card, t) {
  const caller = callerTitle(card, t);
  const number = card?.caller_name ? card.number : '';
  const line = card?.line_name;
  if (!card?.asked_by) return { name: caller, detail: [number, line].filter(Boolean).join(' · ') };
  const key = card.asks === 'join' ? 'asked.join' : 'asked.about';
  return { name: card.asked_by.name || t('someone'), detail: t(key, { caller }) };
}

/** Why a call that others had rings here: a colleague sent it, or nobody took what we sent. '' for any other. */
export function whyHere(call, card, { user }, t) {
  if (call.transfer?.by === user) return t('asked.bounced');
  return card?.sent_by ? t('asked.sent', { name: card.sent_by.name || t('someone') }) : '';
}

/** Whom a call that we made for our call was made to. */
export function target(call, card, { names, t }) {
  if (call.direction === 'outbound') return callerTitle(card, t);
  if (answered(call) && names[call.by]) return names[call.by];
  if (card?.target?.name) return card.target.name;
  return call.ringing.map((one) => names[one]).filter(Boolean).join(', ') || t('asked.colleague');
}

/** How a call stands that is ours: [words, look ('' | warn | hold), since when (ms) or null]. */
export function standing(view, call, { card, t }) {
  if (call.state === 'dialling') return [t(PROGRESS[call.progress] ?? 'toolbar.dialling'), '', call.arrived_at];
  if (call.state === 'accepting') return [t('connecting'), '', null];
  const how = shape(view, call);
  if (call.parent) {
    const name = card?.asked_by?.name ?? t('someone');
    return call.held ? [t('toolbar.asker_away', { name }), 'hold', call.held_at] : [t('toolbar.talking'), '', null];
  }
  if (how === 'together') return [t('toolbar.together'), '', null];
  if (call.held) return [t('toolbar.held'), 'hold', call.held_at];
  return [t('toolbar.talking'), '', null];
}

const PROGRESS = { dialling: 'toolbar.dialling', ringing: 'toolbar.rings', early: 'toolbar.early' };

/** How one of the others stands: [words, look, since]. */
export function rowStanding(view, call, one, t) {
  if (!one.parent && one.state === 'dialling') return [t(PROGRESS[one.progress] ?? 'toolbar.dialling'), '', one.arrived_at];
  if (!one.parent) return one.held ? [t('toolbar.held'), 'hold', one.held_at] : [t('toolbar.talking'), '', one.answered_at];
  if (!answered(one)) {
    const outside = one.direction === 'outbound' ? (PROGRESS[one.progress] ?? 'toolbar.dialling') : '';
    const inside = one.state === 'accepting' ? 'connecting' : one.ringing.length ? 'toolbar.rings' : 'rows.calling';
    return [t(outside || inside), '', one.arrived_at];
  }
  if (one.held) return [t('toolbar.held'), 'hold', one.held_at];
  return [t(call.held ? 'rows.with_you' : 'rows.in_call'), 'on', one.answered_at];
}

const REASONS = [
  'rejected', 'all_rejected', 'timeout', 'nobody', 'busy', 'declined', 'no_answer', 'not_found', 'refused', 'unreachable', 'no_audio',
  'agent_lost', 'no_trunk', 'full',
];

/** Why somebody whom we called for our call is not there, or no longer. */
export function whyLeft({ reason }, name, t) {
  return t(`left.${REASONS.includes(reason) ? reason : 'ended'}`, { name });
}

/** Why a dialled call came to nothing. */
export function whyNot({ reason, outcome }, t) {
  return t(`dialled.${REASONS.includes(reason) ? reason : outcome === 'lost' ? 'lost' : 'failed'}`);
}

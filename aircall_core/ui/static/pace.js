// When the power dialer dials by itself: never while the agent is in a call, in wrap-up, owes a tag, is off duty or on a
// break. Pure: the dialer asks it four times a second, and tests ask it anything.

// On these an agent is unavailable to callers, and goes on dialling.
const AT_WORK = new Set(['back_office', 'other']);

/** Why nothing is dialled by itself now, or ''. `busy`: the agent has a call. */
export function held({ online, duty, busy, me, paused, seconds }) {
  if (!online) return 'offline';
  if (!duty) return 'off_duty';
  if (busy || me.status === 'in_call') return 'in_call';
  if (me.tags_due.length || me.status === 'tagging') return 'tag';
  if (me.status === 'wrap_up') return 'wrap_up';
  if (paused) return 'paused';
  if (me.status === 'unavailable' && !AT_WORK.has(me.reason)) return 'away';
  return seconds > 0 ? '' : 'by_hand';
}

/** Whether a click may dial in spite of that. */
export const byHand = (why) => !['offline', 'off_duty', 'in_call', 'tag'].includes(why);

/** The countdown: it begins anew whenever something has held it, or `again` is called. */
export class Pace {
  constructor() {
    this.since = null;
  }

  again() {
    this.since = null;
  }

  /** {why, left}: what holds it, and else the seconds until it dials; 0: now. */
  look(state, now) {
    const why = held(state);
    if (why) {
      this.since = null;
      return { why, left: null };
    }
    this.since ??= now;
    return { why, left: Math.max(0, Math.ceil(state.seconds - (now - this.since) / 1000)) };
  }
}

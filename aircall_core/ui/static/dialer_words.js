// What the dialer says: whom it is about, what came of a call, what it waits for, and why it cannot begin.

import { clock, h, icon, initials } from './dom.js';

const REASONS = ['wrong_number', 'spoken_already', 'not_interested', 'other'];

/** What came of a call, in words. */
export function cameOf(call, t) {
  if (!call) return '';
  if (!call.ended_at) return t(call.answered_at ? 'dialer.talking' : 'dialer.dialling');
  if (call.direction === 'inbound') return t(call.answered_at ? 'dialer.in_answered' : 'dialer.in_missed');
  if (call.reason === 'no_audio' || call.reason === 'not_found') return t(`dialer.outcome.${call.reason}`);
  const key = `dialer.outcome.${call.answered_at ? 'answered' : call.outcome}`;
  return t(key) === key ? t('dialer.outcome.failed') : t(key);
}

/** How the call that it has begun goes on; there may be none yet. */
export function underWay(call, now, t) {
  if (call?.answered_at) return `${t('dialer.talking')} ${clock(now - call.answered_at)}`;
  return t(call?.progress === 'ringing' || call?.progress === 'early' ? 'dialer.ringing' : 'dialer.dialling');
}

/** What the next call waits for: `why` it is held back, or the pause that the list makes between calls. */
export function waiting(why, list, t) {
  if (!why) return t('dialer.counting', { seconds: list.pause_s });
  return why === 'busy' ? '' : t(`dialer.held.${why}`);
}

/** Why this list can be dialled by nobody, or not by this user; '' when it can. */
export function cannot(list, lines, t) {
  if (!list.line_enabled || !list.line_dials) return t('dialer.no_trunk', { line: list.line_name });
  if (lines.list && !lines.of(list.line_id)) return t('dialer.not_your_line', { line: list.line_name });
  return '';
}

/** A button that does nothing now, and why; '' lets it do its deed again. */
export function disable(button, why) {
  if (why) {
    button.setAttribute('aria-disabled', 'true');
    button.title = why;
  } else if (button.hasAttribute('aria-disabled')) {
    button.removeAttribute('aria-disabled');
    button.title = '';
  }
}

/** Whom it is about: name, number and note in the stage's nodes, and what came of earlier calls. */
export function fill(stage, entry) {
  const { t } = stage;
  const letters = initials(entry.name);
  stage.avatar.replaceChildren(letters || icon('phone'));
  stage.name.textContent = entry.name || entry.spoken;
  stage.number.textContent = [entry.flag, entry.name ? entry.spoken : ''].filter(Boolean).join(' ');
  stage.note.textContent = entry.note ?? '';
  stage.note.hidden = !entry.note;
  stage.history.hidden = !entry.conversation_id;
  const when = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', hour: 'numeric', minute: '2-digit' });
  const lines = (entry.tries ?? []).map((call) =>
    h(
      'li',
      {},
      h('time', { class: 'num soft', text: when.format(new Date(call.at)) }),
      h('span', { text: [cameOf(call, t), call.answered_at && call.ended_at ? clock(call.ended_at - call.answered_at) : '', call.by].filter(Boolean).join(' · ') }),
      ...call.tags.map((tag) => h('span', { class: 'mark', text: tag.name })),
    ),
  );
  stage.tries.replaceChildren(...(lines.length ? lines : [h('li', { class: 'soft', text: t('dialer.no_tries') })]));
}

/** Why a number is skipped: a button for each reason, and one for a number that nobody shall dial again. */
export function reasons(t, skip, forbid) {
  return h(
    'div',
    { class: 'why', role: 'group', 'aria-label': t('dialer.skip_why'), hidden: true },
    h('p', { class: 'soft', text: t('dialer.skip_why') }),
    ...REASONS.map((reason) => h('button', { type: 'button', class: 'chip', onclick: () => skip(reason) }, t(`dialer.reason.${reason}`))),
    h('button', { type: 'button', class: 'chip forbid', onclick: forbid }, icon('close'), t('dialer.do_not_call')),
  );
}

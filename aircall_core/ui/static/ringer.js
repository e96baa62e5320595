// The ringer: one card for each call that rings this user, over whatever is open. It never takes the focus from someone
// who types; it is announced, and Alt+Shift+R goes to it (shortcuts.js).

import { aboveDialogs, callerTitle, clock, h, icon, initials, listeners, mounter } from './dom.js';
import { Details } from './details.js';
import { explain } from './explain.js';
import { current } from './family.js';
import { insightCard } from './insight.js';
import { party, whyHere } from './parties.js';
import { shared } from './shared.js';
import { ringing } from './view.js';

class Card {
  constructor(call, ctx) {
    Object.assign(this, { id: call.id, ctx });
    const { t } = ctx;
    const keys = ctx.live.shortcuts;
    const [whoId, lineId] = [`who-${call.id}`, `line-${call.id}`];
    this.title = h('p', { class: 'name cut' });
    this.number = h('p', { class: 'number soft cut num' });
    this.why = h('p', { class: 'why', id: `why-${call.id}` });
    this.avatar = h('span', { class: 'avatar', 'aria-hidden': 'true' });
    this.line = h('span', { class: 'cut', id: lineId });
    this.timer = h('span', { class: 'num', role: 'timer', 'aria-label': t('ringer.waiting') });
    this.details = new Details(ctx.live);
    this.details.node.id = `details-${call.id}`;
    this.note = h('p', { class: 'note', role: 'status' });
    // Where a card is likely it has its place from the start, in the small window below the buttons; one that nobody
    // expected comes below them, if no other call stands there. So no button ever moves.
    const likely = Boolean(ctx.live.cards[call.id]?.insight);
    this.insight = insightCard(ctx.live, { always: likely });
    this.insight.node.classList.add(likely ? 'kept' : 'late');
    const above = likely && !ctx.detached;
    this.accept = h('button', { class: 'accept', type: 'button', title: keys.hint('accept', t('ringer.accept')), onclick: () => ctx.accept(this) }, icon('phone'), t('ringer.accept'));
    this.reject = h('button', { class: 'reject', type: 'button', title: keys.hint('reject', t('ringer.reject')), onclick: () => ctx.reject(this) }, icon('down'), t('ringer.reject'));
    this.open = h(
      'button',
      { class: 'plain open', type: 'button', title: t('open'), 'aria-label': t('open'), onclick: () => ctx.open(this.conversation) },
      icon('chat'),
    );
    this.node = h(
      'section',
      { class: 'card', role: 'alertdialog', 'aria-label': t('ringer.title'), 'aria-describedby': `${whoId} ${lineId} ${this.why.id} ${this.details.node.id}`, tabindex: '-1' },
      h('header', {}, h('span', { class: 'what' }, t('ringer.title')), h('span', { class: 'dot', 'aria-hidden': 'true', text: '·' }), this.line, this.timer),
      h('div', { class: 'who' }, this.avatar, h('div', { class: 'lines', id: whoId }, this.title, this.number), this.open),
      this.why,
      this.details.node,
      above ? this.insight.node : null,
      this.note,
      h('div', { class: 'actions' }, this.reject, this.accept),
      above ? null : this.insight.node,
    );
    keys.bind(this.accept, 'accept');
    keys.bind(this.reject, 'reject');
    this.update(call);
  }

  update(call) {
    const { t, live } = this.ctx;
    const card = live.cards[call.id];
    this.call = call;
    this.conversation = call.conversation;
    const asked = card?.asked_by;
    const who = party(card, t);
    this.title.textContent = who.name;
    const number = card?.caller_name ? card.number : '';
    this.number.textContent = asked ? who.detail : [card?.flag, number || card?.country].filter(Boolean).join(' ');
    if (card?.country && !asked) this.number.title = this.ctx.country(card.country);
    const letters = initials(asked?.name ?? card?.caller_name ?? '');
    this.why.textContent = [whyHere(call, card, live.view, t), this.#holds()].filter(Boolean).join('\n');
    if (letters) this.avatar.textContent = letters;
    else if (!this.avatar.querySelector('svg')) this.avatar.replaceChildren(icon('phone'));
    this.line.textContent = card?.line_name ?? '';
    this.line.title = card?.line_number ?? '';
    this.details.update(call, card);
    this.insight.update({ call: call.id, lazy: !card?.insight });
    const mine = this.ctx.calls.accepting.has(call.id);
    const error = this.ctx.errors.get(call.id) ?? '';
    const other = call.state === 'accepting' && call.by !== live.view.user;
    const name = other ? (live.names[call.by] ?? t('someone')) : '';
    this.note.textContent = mine ? t('connecting') : other ? t('ringer.answering', { name }) : error;
    this.note.classList.toggle('error', Boolean(error) && !mine && !other);
    for (const [button, off] of [[this.accept, mine || other || this.busy], [this.reject, mine || this.busy]]) {
      if (off) button.setAttribute('aria-disabled', 'true');
      else button.removeAttribute('aria-disabled');
    }
    this.accept.setAttribute('aria-busy', String(mine));
    this.tick();
  }

  /** Call waiting: who will hear music when this is accepted. */
  #holds() {
    const { live, t } = this.ctx;
    const own = current(live.view);
    if (!own || own.held || own.id === this.id || this.ctx.calls.accepting.has(this.id)) return '';
    return t('asked.holds', { caller: party(live.cards[own.id], t).name });
  }

  tick() {
    this.timer.textContent = clock(this.ctx.live.now() - this.call.arrived_at);
    this.details.tick();
  }
}

/** Whether the keyboard is in use for something that a focus change would spoil. */
function isFocusFree(doc) {
  let at = doc.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  return !at || at === doc.body;
}

function build(host, { data, trigger }) {
  const live = shared(data);
  const t = (key, values) => live.t(key, values);
  const doc = host.ownerDocument; // the page's, or that of the window of its own
  const win = doc.defaultView;
  const cards = new Map();
  const subs = listeners();
  const stack = h('div', { class: 'stack', popover: 'manual' });
  const said = h('p', { class: 'sr', 'aria-live': 'assertive' });
  const blocked = h(
    'button',
    { class: 'unmute', type: 'button', hidden: true, onclick: () => live.tone.unlock() },
    icon('sound'),
    t('ringer.sound'),
  );
  stack.append(blocked); // last, so that its going moves no button under the pointer
  aboveDialogs(host);
  host.append(said, stack);
  const regions = typeof Intl.DisplayNames === 'function' ? new Intl.DisplayNames([document.documentElement.lang || 'en'], { type: 'region' }) : null;

  const ctx = {
    live,
    t,
    calls: live.calls,
    detached: Boolean(data.detached),
    errors: new Map(), // call id -> what went wrong with the last click
    country: (code) => regions?.of(code) ?? code,
    open: (conversation) => trigger('open', conversation),
    accept: (card) => act(card, () => live.calls.accept(card.id)),
    reject: (card) => act(card, () => live.calls.reject(card.id)),
  };

  async function act(card, deed) {
    if (card.busy || live.calls.accepting.has(card.id)) return;
    if (card.call.state === 'accepting') return;
    card.busy = true;
    ctx.errors.delete(card.id);
    draw();
    try {
      await deed();
    } catch (error) {
      const text = error.by ? t('ringer.taken', { name: error.by.name }) : explain(error, t);
      // An accept that fails brings the call back as a new card: what went wrong belongs to the call.
      if (cards.has(card.id)) ctx.errors.set(card.id, text);
      else live.toast(text, error.by ? { key: `ring.${card.id}` } : { kind: 'error' });
    } finally {
      card.busy = false;
      draw();
    }
  }

  function draw() {
    const calls = ringing(live.view);
    const ids = new Set(calls.map((call) => call.id));
    for (const [id, card] of cards) {
      if (ids.has(id)) continue;
      const at = host.getRootNode().activeElement;
      const focused = card.node.contains(at);
      const byKeyboard = focused && at.matches(':focus-visible');
      card.node.remove();
      card.insight.stop();
      cards.delete(id);
      if (!live.view.calls[id]) ctx.errors.delete(id);
      // Where the keyboard goes on: to the call that was taken, or back to where it came from.
      if (byKeyboard && live.view.calls[id]?.by === live.view.user) live.dispatchEvent(new Event('focus-call'));
      else if (focused) card.before?.focus?.();
    }
    for (const call of calls) {
      const known = cards.get(call.id);
      if (known) known.update(call);
      else add(call);
    }
    blocked.hidden = !(cards.size && live.view.duty && live.tone.state !== 'ok');
    if (cards.size && stack.isConnected && !stack.matches(':popover-open')) stack.showPopover();
    if (!cards.size && stack.matches(':popover-open')) stack.hidePopover();
    timer(cards.size > 0);
  }

  function add(call) {
    const card = new Card(call, ctx);
    cards.set(call.id, card);
    blocked.before(card.node);
    const info = live.cards[call.id];
    const where = [info?.path?.at(-1), info?.line_name].filter(Boolean).join(', ');
    const how = live.shortcuts.on ? t('ringer.go', { keys: live.shortcuts.keys('ring').replaceAll('+', ' ') }) : '';
    said.textContent = `${t('ringer.said', { who: party(info, t).name, line: where })} ${how}`;
    if (isFocusFree(doc)) {
      win.requestAnimationFrame(() => {
        if (isFocusFree(doc) && card.node.isConnected) card.node.focus({ preventScroll: true });
      });
    }
  }

  let ticking = null;
  function timer(on) {
    if (on && !ticking) ticking = win.setInterval(() => cards.forEach((card) => card.tick()), 1000);
    if (!on && ticking) {
      win.clearInterval(ticking);
      ticking = null;
    }
  }

  /** A ring that stops without this user's doing says why, shortly. */
  function gone({ event, before }) {
    const call = before.calls[event.call_id];
    const me = live.view.user;
    if (!call?.ringing.includes(me) || live.view.calls[event.call_id]?.ringing.includes(me)) return;
    if (live.calls.accepting.has(event.call_id)) return; // the click's own error says it
    const caller = callerTitle(live.cards[event.call_id], t);
    const key = `ring.${event.call_id}`;
    if (event.kind === 'call.answered' && event.user_id !== me) {
      live.toast(t('ringer.taken', { name: event.who?.name ?? t('someone') }), { key });
    } else if (event.kind === 'call.ended') {
      live.toast(t(event.data.by === 'caller' ? 'ringer.hung_up' : 'ringer.ended', { caller }), { key });
    } else if (event.kind === 'call.overflow') {
      live.toast(t('ringer.timeout', { caller }), { key });
    } else if (event.kind === 'call.ring_stopped' && event.data.reason === 'timeout') {
      live.toast(t('ringer.timeout', { caller }), { key });
    }
  }

  function goTo(card) {
    if (!card) return;
    card.before = doc.activeElement;
    card.node.focus();
  }

  subs.on(live, 'view', draw);
  subs.on(live, 'event', (e) => gone(e.detail));
  subs.on(live, 'focus-ring', (e) => goTo(cards.get(e.detail.call)));
  subs.on(live.calls, 'change', draw);
  subs.on(live.tone, 'state', draw);
  live.shortcuts.bind(stack, 'ring', () => goTo(cards.values().next().value));
  if (!data.detached) {
    live.detached.belongs(host, data, trigger);
    subs.on(live, 'open-conversation', (e) => trigger('open', e.detail));
  }
  draw();
  return {
    destroy() {
      timer(false);
      for (const card of cards.values()) card.insight.stop();
      subs.stop();
    },
  };
}

export const mount = mounter(build, 'details.css', 'insight.css', 'ringer.css');

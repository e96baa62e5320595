// What is known of a call beside who calls: the way through the line's menus with the last branch in front, typed digits,
// how long it has been waiting for an agent, who else is rung, its priority, whose it is. Ringer, toolbar and conversation
// show the same.

import { clock, h } from './dom.js';

const AT_ONCE_MS = 3000; // rung as soon as it arrived: the time since it arrived says the same

/** The facts of a call as plain data; what is not known or not worth a word is empty. `queued` is when it began to wait. */
export function facts(call, card, { me, names }) {
  const path = card?.path ?? [];
  const since = call.queued_at ?? card?.queued_at;
  const later = path.length > 0 || since - (call.arrived_at ?? 0) > AT_ONCE_MS;
  const queued = since && !call.answered_at && later ? since : null;
  return {
    branch: path.at(-1) ?? '',
    before: path.slice(0, -1).reverse(),
    digits: card?.digits ?? [],
    queued,
    others: call.ringing.filter((one) => one !== me).map((one) => names[one] || ''),
    priority: card?.priority ?? null,
    assignee: !card?.assigned_to ? null : card.assigned_to === me ? 'me' : names[card.assigned_to] || null,
  };
}

/** A list of them, redrawn only when something changed. */
export class Details {
  /** `brief`: only what stays the same from the ring to the end of the call, for a place whose size must not change. */
  constructor(live, { brief = false } = {}) {
    Object.assign(this, { live, brief, company: false });
    this.t = (key, values) => live.t(key, values);
    this.node = h('ul', { class: 'details' }); // without a name: as a description its items shall be read
  }

  update(call, card) {
    const { live, t } = this;
    const now = facts(call, card, { me: live.view.user, names: live.names });
    if (this.brief) Object.assign(now, { queued: null, others: [] });
    this.company ||= now.others.length > 0;
    const drawn = JSON.stringify(now);
    if (drawn === this.drawn) return;
    Object.assign(this, { drawn, queued: now.queued, timer: null });
    const items = [
      now.branch && h('li', { class: 'branch', title: [...now.before].reverse().concat(now.branch).join(' › ') }, h('strong', { text: now.branch }), now.before.length ? h('span', { class: 'soft', text: ` ‹ ${now.before.join(' ‹ ')}` }) : ''),
      ...now.digits.map(({ label, value }) => h('li', { class: 'digits' }, label ? h('span', { class: 'soft', text: `${label} ` }) : '', h('span', { class: 'num', text: value }))),
      now.priority && h('li', { class: 'mark high', text: t('details.priority', { priority: now.priority }) }),
      now.assignee && h('li', { class: 'mark', text: now.assignee === 'me' ? t('details.mine') : t('details.assigned', { name: now.assignee }) }),
      now.queued && h('li', { class: 'soft' }, `${t('details.queued')} `, (this.timer = h('span', { class: 'num', role: 'timer', 'aria-label': t('details.queued') }))),
      this.company && h('li', { class: 'soft', title: now.others.map((one) => one || t('someone')).join(', ') || null, text: this.#others(now.others) }),
    ];
    this.node.replaceChildren(...items.filter(Boolean));
    this.node.hidden = !this.node.children.length;
    this.tick();
  }

  /** Once there were others the line stays: the buttons below must not move under the pointer. */
  #others(others) {
    if (!others.length) return this.t('details.alone');
    if (others.length === 1) return this.t('details.other', { name: others[0] || this.t('someone') });
    return this.t('details.others', { count: others.length });
  }

  tick() {
    if (this.timer) this.timer.textContent = clock(this.live.now() - this.queued);
  }
}

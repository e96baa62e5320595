// The others: whoever was called for the user's call, and the user's other calls. One row each, with how they stand and what
// can be done about them.

import { done, request, rowDeeds } from './deeds.js';
import { clock, h } from './dom.js';
import { party, rowStanding, target } from './parties.js';

const DEEDS = ['complete', 'resume', 'swap', 'merge', 'alone', 'now', 'cancel', 'drop', 'hangup']; // as they stand in a row

export class Rows {
  /** @param parts {run(what, deed): does it, one at a time of each name; busy: the names under way} */
  constructor(live, parts) {
    Object.assign(this, { live, ...parts, rows: new Map() });
    this.node = h('ul', { class: 'rows', 'aria-label': live.t('rows.title'), hidden: true });
  }

  /** @param call the call that the toolbar shows; `others` in the order of their rows */
  update(call, others) {
    const ids = others.map((one) => one.id);
    for (const [id, row] of this.rows) {
      if (ids.includes(id)) continue;
      row.node.remove();
      this.rows.delete(id);
    }
    others.forEach((one, i) => {
      if (!this.rows.has(one.id)) this.rows.set(one.id, new Row(this));
      const row = this.rows.get(one.id);
      if (this.node.children[i] !== row.node) this.node.insertBefore(row.node, this.node.children[i] ?? null);
      row.update(call, one);
    });
    this.node.hidden = !others.length;
  }

  has(callId) {
    return this.rows.has(callId);
  }

  tick() {
    for (const row of this.rows.values()) row.tick();
  }
}

class Row {
  constructor(rows) {
    Object.assign(this, { rows, live: rows.live });
    this.name = h('span', { class: 'who cut' });
    this.words = h('span', { class: 'how cut' });
    this.since = h('span', { class: 'num soft' });
    this.deeds = Object.fromEntries(DEEDS.map((deed) => [deed, this.#button(deed)]));
    this.node = h(
      'li',
      { class: 'other' },
      h('div', { class: 'first' }, this.name, this.since),
      this.words,
      h('div', { class: 'deeds' }, ...Object.values(this.deeds)),
    );
  }

  #button(deed) {
    const look = { complete: 'accept wide', resume: 'accept' }[deed] ?? '';
    const one = h('button', { type: 'button', class: look, text: this.live.t(`rows.${deed}`), hidden: true });
    one.addEventListener('click', () => one.getAttribute('aria-disabled') !== 'true' && this.#do(deed));
    return one;
  }

  #do(deed) {
    const { call, one, live } = this;
    const [path, body] = request(live.view, call, one, deed);
    this.rows.run(`${deed} ${one.id}`, () => live.command(path, body, { until: (view) => done(view, call, one, deed) }));
  }

  update(call, one) {
    const { live } = this;
    const t = (key, values) => live.t(key, values);
    Object.assign(this, { call, one });
    const card = live.cards[one.id];
    const name = one.parent ? target(one, card, { names: live.names, t }) : party(card, t).name;
    const [words, look, from] = rowStanding(live.view, call, one, t);
    put(this.name, name);
    put(this.words, words);
    this.node.dataset.look = look;
    this.from = from;
    const now = rowDeeds(live.view, call, one);
    const any = [...this.rows.busy].some((what) => what.endsWith(` ${one.id}`));
    for (const [deed, button] of Object.entries(this.deeds)) {
      const busy = this.rows.busy.has(`${deed} ${one.id}`);
      button.hidden = !now.includes(deed);
      button.setAttribute('aria-busy', String(busy));
      const able = !any && live.status === 'online';
      if (able) button.removeAttribute('aria-disabled');
      else button.setAttribute('aria-disabled', 'true');
      button.title = t(`rows.${deed}_hint`, { name });
    }
    this.tick();
  }

  tick() {
    put(this.since, this.from ? clock(this.live.now() - this.from) : '');
  }
}

function put(node, words) {
  if (node.textContent !== words) node.textContent = words;
}

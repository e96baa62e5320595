// Where a call shall go, or who shall join it: users with how they stand, teams, lines, or an outside number that is typed
// and checked. Nothing happens before one of the buttons of a row is pressed.

import { h } from './dom.js';
import { explain } from './explain.js';
import { children } from './family.js';
import { Popover } from './popover.js';

const WAIT_MS = 180; // between keys of somebody who types
const LOOKS = { in_call: 'busy', wrap_up: 'busy', tagging: 'busy', unavailable: 'paused', out_of_hours: 'paused' };
const NUMBER = /^[+(]?[\d\s().\-/]{3,}$/;

export class Chooser extends Popover {
  /** @param add whether somebody is added; otherwise the call goes on to them. `call()`: the user's call */
  constructor(live, { button, add, call }) {
    const t = (key, values) => live.t(key, values);
    const title = t(add ? 'toolbar.add_name' : 'toolbar.transfer');
    const search = h('input', { type: 'search', 'aria-label': t('chooser.search'), placeholder: t('chooser.placeholder'), autocomplete: 'off', spellcheck: 'false' });
    const list = h('div', { class: 'targets', onkeydown: (event) => this.#arrows(event) });
    const note = h('p', { class: 'wrong', role: 'alert' });
    super(live, button, title, search, list, note);
    Object.assign(this, { add, call, t, search, list, note, busy: false, asked: 0 });
    search.addEventListener('input', () => this.#soon());
    search.addEventListener('keydown', (event) => this.#down(event));
  }

  opened() {
    this.search.value = '';
    this.note.textContent = '';
    this.list.replaceChildren(h('p', { class: 'soft small', text: this.t('loading') }));
    this.search.focus();
    this.of = this.call().id;
    return this.#load();
  }

  closed() {
    clearTimeout(this.timer);
    this.asked += 1; // what is still to come is not shown
  }

  #soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#load(), WAIT_MS);
  }

  async #load() {
    const mine = (this.asked += 1);
    const wanted = this.search.value.trim();
    const query = new URLSearchParams({ call: this.of, search: wanted });
    const number = NUMBER.test(wanted) ? wanted : '';
    try {
      const [found, checked] = await Promise.all([this.live.request(`/desk/targets?${query}`), number ? this.#check(number) : null]);
      if (mine !== this.asked) return;
      this.note.textContent = '';
      this.#fill(found, checked);
    } catch (error) {
      if (mine !== this.asked) return;
      this.list.replaceChildren();
      this.note.textContent = explain(error, this.t);
    }
  }

  #check(number) {
    const line = this.call()?.line ?? '';
    return this.live.request(`/desk/dial/check?${new URLSearchParams({ line, number })}`);
  }

  #fill({ users, teams, lines, numbers_allowed: numbers }, checked) {
    const { t } = this;
    const people = users.filter((one) => !one.you).sort((a, b) => Number(b.available) - Number(a.available));
    const groups = [
      ['chooser.outside', checked ? [this.#number(checked, numbers)] : []],
      ['chooser.users', people.map((one) => this.#row({ user: one.id }, one.name, t(`status.${one.status}`), one.available ? '' : t('chooser.away', { name: one.name, status: t(`status.${one.status}`) }), one.available ? 'on' : LOOKS[one.status] ?? 'off'))],
      ['chooser.teams', teams.map((one) => this.#row({ team: one.id }, one.name, t('chooser.ready', { ready: one.available, all: one.members }), one.available ? '' : t('chooser.nobody', { name: one.name }), one.available ? 'on' : 'off'))],
      ['chooser.lines', lines.map((one) => this.#row({ line: one.id }, one.name, one.number ?? '', ''))],
    ].filter(([, rows]) => rows.length);
    this.list.replaceChildren(...groups.map(([key, rows]) => h('section', {}, h('h3', { text: t(key) }), h('ul', { 'aria-label': t(key) }, ...rows))));
    if (!groups.length) this.list.append(h('p', { class: 'soft small', text: t('chooser.none') }));
  }

  #number(checked, allowed) {
    const { t } = this;
    const why = !allowed ? t('chooser.no_numbers') : checked.allowed ? '' : (checked.why?.message ?? t('chooser.not_allowed'));
    const spoken = checked.spoken || this.search.value.trim();
    const detail = why || [checked.contact_name ? spoken : '', checked.flag, checked.country].filter(Boolean).join(' ');
    return this.#row({ number: checked.number }, checked.contact_name || spoken, detail, why, why ? 'off' : '');
  }

  /** @param why the reason for which it cannot be chosen, or '' */
  #row(target, name, detail, why, look = '') {
    const { t } = this;
    const deeds = this.add ? [['chooser.add', { join: true }]] : [['chooser.now', null], ['chooser.talk', { join: false }]];
    const buttons = deeds.map(([key, consult]) => {
      const one = h('button', { type: 'button', 'aria-label': `${t(key)}: ${name}`, title: why || t(`${key}_hint`, { name }), text: t(key) });
      if (why) one.setAttribute('aria-disabled', 'true');
      else one.addEventListener('click', () => this.#choose(one, target, consult));
      return one;
    });
    return h(
      'li',
      { class: 'target' },
      look ? h('span', { class: 'dot', 'data-look': look, 'aria-hidden': 'true' }) : null,
      h('div', { class: 'lines' }, h('p', { class: 'cut', text: name }), h('p', { class: 'soft small', text: detail })),
      h('div', { class: 'deeds' }, ...buttons),
    );
  }

  /** @param consult null: the call goes there now; else who is called, and whether they join at once */
  async #choose(button, target, consult) {
    if (this.busy) return;
    this.busy = true;
    button.setAttribute('aria-busy', 'true');
    this.note.textContent = '';
    const { id } = this.call();
    const before = children(this.live.view, id).length;
    const until = (view) => (consult ? children(view, id).length > before : view.calls[id]?.by !== view.user);
    try {
      await this.live.command(`/desk/calls/${id}/${consult ? 'consult' : 'transfer'}`, { target, ...consult }, { until });
      this.close();
    } catch (error) {
      this.note.textContent = explain(error, this.t);
    } finally {
      this.busy = false;
      button.setAttribute('aria-busy', 'false');
    }
  }

  /** From the search into the list. */
  #down(event) {
    if (event.key !== 'ArrowDown') return;
    event.preventDefault();
    this.list.querySelector('button')?.focus();
  }

  /** Up and down between rows, left and right within one. */
  #arrows(event) {
    const at = event.target.closest('.target');
    if (!at) return;
    const rows = [...this.list.querySelectorAll('.target')];
    const within = [...at.querySelectorAll('button')];
    const column = within.indexOf(event.target);
    const row = rows[rows.indexOf(at) + ({ ArrowDown: 1, ArrowUp: -1 }[event.key] ?? 0)];
    if (event.key === 'ArrowUp' && !row) this.search.focus();
    else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') row?.querySelectorAll('button')[column]?.focus();
    else if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') within[column + (event.key === 'ArrowRight' ? 1 : -1)]?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  draw() {
    const call = this.call();
    if (this.open && (!call || call.id !== this.of)) this.close();
  }

  destroy() {
    clearTimeout(this.timer);
  }
}

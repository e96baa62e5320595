// The numbers of a list: what waits in the order in which it is dialled, what was dialled with what came of it, what was
// skipped and why. Leaders put what waits into another order; everybody adds a number.

import { cameOf } from './dialer_words.js';
import { clock, h, icon } from './dom.js';
import { explain } from './explain.js';

const TABS = ['waiting', 'done', 'skipped'];
const PAGE = 20;
const SEARCH_MS = 250;

export class DialerRows {
  /** @param page {path of the list, leads: may change the order, changed(), open(conversation)} */
  constructor(live, page) {
    Object.assign(this, { live, page, tab: 'waiting', entries: [], more: false, limit: PAGE, leads: page.leads });
    const t = (key, values) => live.t(key, values);
    this.t = t;
    this.when = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', hour: 'numeric', minute: '2-digit' });
    this.tabs = TABS.map((name) => h('button', { type: 'button', 'aria-pressed': String(name === this.tab), onclick: () => this.#choose(name) }, t(`dialer.tab.${name}`)));
    this.search = h('input', { type: 'search', 'aria-label': t('dialer.search'), placeholder: t('dialer.search'), autocomplete: 'off', maxlength: 80, oninput: () => this.#searched() });
    this.adding = h('button', { type: 'button', 'aria-expanded': 'false', onclick: () => this.#form(this.form.hidden) }, icon('queue'), h('span', { text: t('dialer.add') }));
    this.list = h('ol', { class: 'rows', 'aria-label': t('dialer.numbers') });
    this.empty = h('p', { class: 'none soft', hidden: true });
    this.further = h('button', { type: 'button', class: 'more', hidden: true, onclick: () => this.#further() }, t('dialer.more'));
    this.problem = h('p', { class: 'problem', role: 'alert', hidden: true });
    this.#makeForm();
    this.node = h(
      'section',
      { class: 'numbers', 'aria-label': t('dialer.numbers') },
      h('div', { class: 'tools' }, h('div', { class: 'tabs', role: 'group', 'aria-label': t('dialer.numbers') }, ...this.tabs), this.search, this.adding),
      this.form,
      this.problem,
      this.list,
      this.empty,
      this.further,
    );
  }

  #makeForm() {
    const { t } = this;
    this.fields = {};
    const field = (name, node) => {
      const wrong = h('span', { class: 'problem', role: 'alert' });
      this.fields[name] = { node, wrong };
      return h('label', {}, h('span', { text: t(`dialer.${name}`) }), node, wrong);
    };
    const cancel = h('button', { type: 'button', class: 'plain', onclick: () => this.#form(false) }, t('dialer.cancel'));
    this.save = h('button', { type: 'submit', class: 'accept' }, t('dialer.add'));
    this.form = h(
      'form',
      { class: 'add', hidden: true, novalidate: true, 'aria-label': t('dialer.add'), onsubmit: (event) => (event.preventDefault(), this.#add()) },
      field('number', h('input', { type: 'tel', autocomplete: 'off', maxlength: 80 })),
      field('name', h('input', { type: 'text', autocomplete: 'off', maxlength: 200 })),
      field('note', h('input', { type: 'text', autocomplete: 'off', maxlength: 2000 })),
      h('div', { class: 'deeds' }, this.save, cancel),
    );
  }

  lead(leads) {
    if (leads === this.leads) return;
    this.leads = leads;
    this.#draw();
  }

  shows(call) {
    return Boolean(call) && this.entries.some((one) => one.call?.id === call);
  }

  async load() {
    const query = new URLSearchParams({ show: this.tab, search: this.search.value.trim(), limit: this.limit });
    const asked = query.toString();
    this.asked = asked;
    const found = await this.live.request(`${this.page.path}/entries?${asked}`);
    if (this.asked !== asked) return;
    Object.assign(this, found);
    this.#draw();
  }

  async #try(deed) {
    try {
      await deed();
      this.problem.hidden = true;
    } catch (error) {
      this.problem.textContent = explain(error, this.t);
      this.problem.hidden = false;
    }
  }

  #choose(name) {
    Object.assign(this, { tab: name, limit: PAGE });
    this.tabs.forEach((one, at) => one.setAttribute('aria-pressed', String(TABS[at] === name)));
    return this.#try(() => this.load());
  }

  #searched() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#choose(this.tab), SEARCH_MS);
  }

  #further() {
    this.limit += PAGE;
    return this.#try(() => this.load());
  }

  #form(shown) {
    this.form.hidden = !shown;
    this.adding.setAttribute('aria-expanded', String(shown));
    for (const { node, wrong } of Object.values(this.fields)) {
      wrong.textContent = '';
      if (!shown) node.value = '';
    }
    (shown ? this.fields.number.node : this.adding).focus();
  }

  async #add() {
    const values = Object.fromEntries(Object.entries(this.fields).map(([name, { node }]) => [name, node.value]));
    Object.values(this.fields).forEach(({ wrong }) => (wrong.textContent = ''));
    this.save.setAttribute('aria-busy', 'true');
    try {
      await this.live.request(`${this.page.path}/entries`, values);
      for (const { node } of Object.values(this.fields)) node.value = '';
      this.fields.number.node.focus();
      this.live.toast(this.t('dialer.added', { who: values.name.trim() || values.number.trim() }), { key: 'dialer' });
      this.page.changed();
    } catch (error) {
      const told = Object.entries(error.details?.fields ?? {}).filter(([name]) => this.fields[name]);
      for (const [name, text] of told) this.fields[name].wrong.textContent = text;
      if (!told.length) this.fields.number.wrong.textContent = explain(error, this.t);
      this.fields[told[0]?.[0] ?? 'number'].node.focus();
    } finally {
      this.save.setAttribute('aria-busy', 'false');
    }
  }

  #act(entry, deed, body = {}) {
    return this.#try(async () => {
      await this.live.request(`/desk/dial-entries/${entry.id}/${deed}`, body);
      await this.load();
      this.page.changed();
    });
  }

  /** Rows are few (a page): all are drawn anew, and the keyboard stays on the button it was on. */
  #draw() {
    const { t } = this;
    const root = this.node.getRootNode();
    const at = root.activeElement?.closest?.('li[data-id]');
    const deed = root.activeElement?.dataset?.deed;
    const id = at?.dataset.id;
    this.list.replaceChildren(...this.entries.map((entry) => this.#row(entry)));
    if (id && deed) this.list.querySelector(`li[data-id="${id}"] [data-deed="${deed}"]`)?.focus();
    this.list.hidden = !this.entries.length;
    this.empty.hidden = this.entries.length > 0;
    this.empty.textContent = t(this.search.value.trim() ? 'dialer.not_found' : `dialer.none.${this.tab}`);
    this.further.hidden = !this.more;
  }

  /** Asked twice, in its place: what it takes away does not come back. */
  #remover(entry, button) {
    const { t } = this;
    const sure = this.sure === entry.id;
    const press = () => {
      this.sure = sure ? null : entry.id;
      if (sure) this.#act(entry, 'remove');
      else this.#draw();
    };
    const node = button('remove', t(sure ? 'dialer.remove_sure' : 'dialer.remove'), press, sure ? h('span', { text: t('dialer.remove_sure') }) : icon('close'));
    if (sure) node.classList.add('sure');
    node.addEventListener('blur', () => node.isConnected && sure && ((this.sure = null), setTimeout(() => this.#draw())));
    return node;
  }

  #row(entry) {
    const { t } = this;
    const claimed = entry.state === 'claimed';
    const said = claimed
      ? t(entry.by?.id === this.live.view.user ? 'dialer.yours' : 'dialer.theirs', { name: entry.by?.name ?? '' })
      : this.tab === 'done'
        ? [cameOf(entry.call, t), entry.call?.answered_at && entry.call.ended_at ? clock(entry.call.ended_at - entry.call.answered_at) : '', entry.by?.name].filter(Boolean).join(' · ')
        : this.tab === 'skipped'
          ? [t(`dialer.reason.${entry.reason}`), entry.by?.name].filter(Boolean).join(' · ')
          : entry.dialled
            ? t('dialer.dialled_before', { count: entry.dialled })
            : '';
    const button = (deed, label, press, ...inside) => h('button', { type: 'button', class: 'plain', 'data-deed': deed, 'aria-label': `${label}: ${entry.name || entry.spoken}`, title: label, onclick: press }, ...inside);
    const move = (to, name) => button(to, t(`dialer.move.${to}`), () => this.#act(entry, 'move', { to }), icon(name));
    const over = !entry.call || entry.call.ended_at;
    const deeds =
      this.tab === 'waiting'
        ? this.leads && !claimed
          ? [move('first', 'first'), move('up', 'up'), move('down', 'below'), this.#remover(entry, button)]
          : []
        : over
          ? [button('again', t('dialer.again'), () => this.#act(entry, 'again', { last: true }), icon('back'), h('span', { class: 'wide', text: t('dialer.again') }))]
          : [];
    return h(
      'li',
      { 'data-id': entry.id, 'data-state': entry.state, 'data-reached': String(Boolean(entry.call?.answered_at)) },
      h(
        'div',
        { class: 'grow' },
        h('p', { class: 'first' }, h('span', { class: 'name cut', text: entry.name || entry.spoken }), h('span', { class: 'soft num cut', text: [entry.flag, entry.name ? entry.spoken : ''].filter(Boolean).join(' ') })),
        h('p', { class: 'second' }, said ? h('span', { class: 'said', text: said }) : null, ...(entry.call?.tags ?? []).map((tag) => h('span', { class: 'mark', text: tag.name })), entry.note ? h('span', { class: 'soft cut', title: entry.note, text: entry.note }) : null),
      ),
      entry.at && this.tab !== 'waiting' ? h('time', { class: 'num soft', text: this.when.format(new Date(entry.at)) }) : null,
      deeds.length ? h('div', { class: 'row-deeds' }, ...deeds) : null,
    );
  }
}

// Contacts: a list that is searched while one types and grows as one scrolls, beside it the one that is open.

import { contactCard } from './contact_card.js';
import { eraseForm } from './contact_erase.js';
import { newContactForm } from './contact_forms.js';
import { h, icon, initials, listeners, mounter } from './dom.js';
import { explain } from './explain.js';
import { shared } from './shared.js';

const TYPING_MS = 200;
const SOON_MS = 500; // several events come with one deed
const IMPORT_MS = 2000; // and thousands with an import
const ONE_PAGE = 100; // as many as the desk gives at once
const MOST_RENEWED = 20; // asked for one by one
const ERASING_MS = 1500;

function build(host, { data, trigger }) {
  const live = shared(data);
  const t = (key, values) => live.t(key, values);
  const subs = listeners();
  let asked = 0;
  let after = null;
  let rows = [];
  let total = null;
  let chosen = data.contact || null;
  let typing = null;
  let soon = null;
  let erasing = null;
  let retry = load;
  const news = { fresh: new Set(), gone: new Set(), shifted: false, card: false }; // since the list was last drawn

  const input = h('input', { type: 'search', maxlength: 200, 'aria-label': t('contacts.search'), placeholder: t('contacts.search_hint'), autocomplete: 'off', spellcheck: 'false' });
  const deeds = h('div', { class: 'deeds' });
  const said = h('p', { class: 'soft said', role: 'status' });
  const work = h('p', { class: 'work', role: 'status', hidden: true });
  const failed = h('div', { class: 'failed', role: 'alert', hidden: true }, h('p', {}), h('button', { type: 'button', onclick: () => retry() }, t('retry')));
  const shifted = h('div', { class: 'work shifted', role: 'status', hidden: true }, h('span', { text: t('contacts.shifted') }), h('button', { type: 'button', onclick: renewed }, t('contacts.shifted_show')));
  const head = h('div', { class: 'head soft', 'aria-hidden': 'true' }, ...['name', 'company', 'number', 'email'].map((one) => h('span', { class: one, text: t(`contacts.col_${one}`) })));
  const list = h('ol', { class: 'rows', 'aria-label': t('contacts.list'), 'aria-busy': 'true' });
  const ghosts = h('div', { class: 'ghosts', 'aria-hidden': 'true' }, ...Array.from({ length: 8 }, () => h('i')));
  const empty = h('div', { class: 'empty', hidden: true }, icon('person'), h('h3', {}), h('p', { class: 'soft' }));
  const more = h('button', { class: 'more', type: 'button', hidden: true, onclick: older }, t('contacts.more'));
  const side = h('div', { class: 'side' });
  const main = h('div', { class: 'main' }, work, shifted, said, failed, head, ghosts, list, empty, more);
  host.append(h('div', { class: 'bar' }, h('div', { class: 'box' }, icon('find'), input), deeds), h('div', { class: 'two' }, main, side));

  const card = contactCard(live, {
    writes: data.writes,
    leads: data.leads,
    open: (id) => trigger('open', id),
    close: () => choose(null),
    go: choose,
    erase: (contact) => put(eraseForm(live, { contact, done: erased, close: () => choose(contact.id) })),
  });
  const add = h('button', { class: 'primary', type: 'button', onclick: () => put(newContactForm(live, { done: choose, close: () => choose(null) })) }, icon('add'), t('contacts.new'));
  const bring = h('button', { type: 'button', onclick: () => trigger('bring', Date.now()) }, icon('download'), t('contacts.import'));
  const wipe = h('button', { class: 'plain wipe', type: 'button', onclick: () => put(eraseForm(live, { contact: null, done: erased, close: () => choose(null) })) }, t('contacts.erase_number'));
  if (data.writes) deeds.append(add);
  if (data.leads) deeds.append(bring);
  if (data.leads) main.append(wipe);

  // ---- the list

  const words = () => input.value.trim();

  async function load() {
    const mine = ++asked;
    list.setAttribute('aria-busy', 'true');
    try {
      const page = await live.request(`/desk/contacts?${new URLSearchParams({ search: words(), limit: Math.max(50, Math.min(ONE_PAGE, rows.length)) })}`);
      if (mine !== asked) return;
      rows = page.contacts;
      after = page.after;
      total = page.total ?? null;
      failed.hidden = shifted.hidden = true;
      draw();
    } catch (error) {
      if (mine !== asked) return;
      wrong(error, load);
      ghosts.hidden = true;
      head.hidden = !rows.length;
    }
    list.setAttribute('aria-busy', 'false');
  }

  function wrong(error, again) {
    retry = again;
    failed.hidden = false;
    failed.firstChild.textContent = explain(error, t);
  }

  async function older() {
    if (more.getAttribute('aria-busy') === 'true') return;
    const mine = asked;
    more.setAttribute('aria-busy', 'true');
    try {
      const page = await live.request(`/desk/contacts?${new URLSearchParams({ search: words(), limit: 50, after })}`);
      if (mine !== asked) return;
      rows = rows.concat(page.contacts);
      after = page.after;
      failed.hidden = true;
      list.append(...page.contacts.map(row));
      tell();
    } catch (error) {
      wrong(error, older);
    } finally {
      more.removeAttribute('aria-busy');
    }
  }

  function draw() {
    ghosts.hidden = true;
    const focused = list.contains(list.getRootNode().activeElement) ? list.getRootNode().activeElement.dataset.id : null;
    list.replaceChildren(...rows.map(row));
    if (focused) list.querySelector(`[data-id="${focused}"]`)?.focus({ preventScroll: true });
    tell();
  }

  function tell() {
    const text = words();
    more.hidden = !after;
    head.hidden = list.hidden = !rows.length;
    empty.hidden = rows.length > 0;
    empty.querySelector('h3').textContent = text ? t('contacts.none_found', { text }) : t('contacts.none');
    empty.querySelector('p').textContent = t(text ? 'contacts.none_found_hint' : 'contacts.none_hint');
    const count = new Intl.NumberFormat().format(text ? rows.length : (total ?? rows.length));
    said.textContent = !rows.length ? '' : text ? t(after ? 'contacts.found_more' : 'contacts.found', { count }) : total === 1 ? t('contacts.total_one') : t('contacts.total', { count });
  }

  function row(one) {
    const [phone, mail] = [one.numbers[0], one.emails[0]];
    const further = (all) => (all.length > 1 ? h('span', { class: 'soft', text: ` ${t('contacts.and_more', { count: all.length - 1 })}` }) : '');
    const link = h(
      'a',
      { class: 'row', href: `/contacts?id=${one.id}`, 'data-id': one.id, 'aria-current': one.id === chosen ? 'true' : null },
      h('span', { class: 'avatar', 'aria-hidden': 'true' }, initials(one.name || one.company) || icon('person')),
      h('span', { class: 'name cut', text: one.name || one.company || phone?.spoken || mail?.email || t('contacts.unnamed') }),
      h('span', { class: 'company cut soft', text: one.name ? one.company : '' }),
      h('span', { class: 'number num cut' }, phone ? `${phone.flag ? `${phone.flag} ` : ''}${phone.spoken}` : '', further(one.numbers)),
      h('span', { class: 'email cut soft' }, mail?.email ?? '', further(one.emails)),
    );
    link.addEventListener('click', (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab, as with every link
      event.preventDefault();
      choose(one.id);
    });
    return h('li', {}, link);
  }

  // ---- the one that is open

  function choose(id) {
    const left = chosen;
    chosen = id;
    for (const link of list.querySelectorAll('a')) link.toggleAttribute('aria-current', link.dataset.id === id);
    host.classList.toggle('opened', Boolean(id));
    if (id) {
      side.replaceChildren(card.node);
      card.show(id);
    } else {
      side.replaceChildren();
      if (left) list.querySelector(`[data-id="${left}"]`)?.focus({ preventScroll: true });
    }
    if (left !== id) trigger('chosen', id ?? '');
  }

  function put(form) {
    host.classList.add('opened');
    side.replaceChildren(form.node);
    form.focus();
  }

  // ---- what goes on

  function erased() {
    live.toast(t('contacts.erased'));
    choose(null);
    load();
    follow();
  }

  async function follow() {
    clearTimeout(erasing);
    if (!data.leads) return;
    try {
      const { erasures } = await live.request('/desk/erasures');
      const [first] = erasures;
      work.hidden = !first;
      if (first) work.textContent = ['index', 'journal', 'elsewhere', 'lists'].includes(first.step) ? t('contacts.erasing_last') : t('contacts.erasing', first);
      if (first) erasing = setTimeout(follow, ERASING_MS);
    } catch {
      erasing = setTimeout(follow, 10 * ERASING_MS); // of no weight: it goes on without being watched
    }
  }

  /** What an event means for what is on show. */
  function heard({ contact, what, into }) {
    if (what === 'denied') return;
    if (['merged', 'erased'].includes(what)) news.gone.add(contact);
    else if (what === 'changed') news.fresh.add(contact);
    else if (what !== 'field') news.shifted = true;
    if (what === 'field' || !contact || [contact, into].includes(chosen)) news.card = true;
    later(what === 'imported' ? IMPORT_MS : SOON_MS);
  }

  function later(ms) {
    soon ??= setTimeout(() => {
      soon = null;
      renew();
    }, ms);
  }

  /** What one page holds is read anew. A longer list stays where it is: its rows are renewed, and what is new is offered. */
  function renew() {
    const { fresh, gone, card: seen } = news;
    if (seen) card.look();
    if (rows.length <= ONE_PAGE) load();
    else {
      const mine = asked;
      const left = rows.filter((one) => !gone.has(one.id));
      if (left.length < rows.length) {
        total = total === null ? null : total - (rows.length - left.length);
        rows = left;
        draw();
      }
      const changed = rows.filter((one) => fresh.has(one.id));
      shifted.hidden = shifted.hidden && !news.shifted && changed.length <= MOST_RENEWED;
      for (const one of changed.slice(0, MOST_RENEWED)) replace(one.id, mine);
    }
    Object.assign(news, { fresh: new Set(), gone: new Set(), shifted: false, card: false });
  }

  async function replace(id, mine) {
    try {
      const known = await live.request(`/desk/contacts/${id}`);
      const at = rows.findIndex((one) => one.id === id);
      if (mine !== asked || at < 0) return;
      const old = list.querySelector(`[data-id="${id}"]`);
      const focused = old === list.getRootNode().activeElement;
      rows[at] = known;
      old.parentNode.replaceWith(row(known));
      if (focused) list.querySelector(`[data-id="${id}"]`).focus({ preventScroll: true });
    } catch {
      shifted.hidden = false; // the list is not what it shows, for whatever reason
    }
  }

  function renewed() {
    rows = [];
    host.scrollIntoView({ block: 'start' });
    load();
    input.focus({ preventScroll: true });
  }

  input.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(load, TYPING_MS);
  });
  const sight = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && after && older(), { rootMargin: '400px' });
  sight.observe(more);
  subs.on(live, 'event', ({ detail: { event } }) => event.kind === 'contact.changed' && heard(event.data));
  subs.on(live, 'view', ({ detail }) => detail.snapshot && (Object.assign(news, { shifted: true, card: true }), later(SOON_MS)));
  subs.on(live, 'status', () => live.status === 'online' && !failed.hidden && retry());
  choose(chosen);
  load();
  follow();
  return {
    destroy: () => {
      asked += 1;
      [typing, soon, erasing].forEach(clearTimeout);
      sight.disconnect();
      subs.stop();
      card.stop();
    },
  };
}

export const mount = mounter(build, 'snapshot.css', 'dial.css', 'contacts.css');

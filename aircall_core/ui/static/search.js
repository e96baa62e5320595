// Search over everything that was written: asks the desk while one types, shows what was found in its words, and leads there.
// What is asked stands in the address, and is kept for this tab, so that the way back from a find leads to the others:
// Streamlit writes the next page's parameters into the address of the one that is left.

import { h, icon, initials, listeners, mounter } from './dom.js';
import { explain } from './explain.js';
import { shared } from './shared.js';

const TYPING_MS = 200;
const KEPT = 'aircall.search';
const KINDS = ['', 'contact', 'conversation', 'message', 'note'];

function build(host, { data: given, trigger }) {
  const data = given.typed ? given : { ...given, ...kept() };
  const live = shared(data);
  const t = (key, values) => live.t(key, values);
  const subs = listeners();
  const locale = document.documentElement.lang || undefined;
  const day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year: 'numeric' });
  const time = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
  let asked = 0; // answers that come late, to a question that was changed since, are let go
  let before = null;
  let count = 0;
  let kind = KINDS.includes(data.kind) ? data.kind : '';

  const input = h('input', { type: 'search', maxlength: 200, 'aria-label': t('find.label'), placeholder: t('find.placeholder'), autocomplete: 'off', spellcheck: 'false' });
  const kinds = h('div', { class: 'kinds', role: 'group', 'aria-label': t('find.kinds') }, ...KINDS.map((one) => h('button', { type: 'button', 'aria-pressed': String(one === kind), 'data-kind': one, onclick: () => choose(one) }, t(`find.kind.${one}`))));
  const line = h('select', { 'aria-label': t('find.line'), onchange: () => ask() }, h('option', { value: '' }, t('find.every_line')), ...data.lines.map((one) => h('option', { value: one.id, text: one.name })));
  if (data.lines.some((one) => one.id === data.line)) line.value = data.line;
  const said = h('p', { class: 'soft said', role: 'status' });
  const list = h('ol', { class: 'results', 'aria-label': t('find.results'), hidden: true });
  const empty = h('div', { class: 'empty', hidden: true }, icon('find'), h('h3', {}), h('p', { class: 'soft' }));
  const failed = h('div', { class: 'failed', role: 'alert', hidden: true }, h('p', {}), h('button', { type: 'button', onclick: () => ask() }, t('retry')));
  const more = h('button', { class: 'more', type: 'button', hidden: true, onclick: () => older() }, t('find.more'));
  host.append(h('div', { class: 'box' }, icon('find'), input), h('div', { class: 'narrow' }, kinds, data.lines.length > 1 ? line : null), said, failed, empty, list, more);

  function choose(one) {
    kind = one;
    for (const button of kinds.children) button.setAttribute('aria-pressed', String(button.dataset.kind === kind));
    ask();
  }

  let soon = null;
  input.addEventListener('input', () => {
    clearTimeout(soon);
    soon = setTimeout(ask, TYPING_MS);
  });
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') {
      clearTimeout(soon);
      ask();
    }
  });

  const words = () => input.value.trim();
  const path = (cursor) => {
    const query = new URLSearchParams({ text: input.value });
    if (kind) query.append('kind', kind);
    if (line.value) query.set('line', line.value);
    if (cursor !== null) query.set('before', cursor);
    return `/desk/search?${query}`;
  };

  function remember() {
    const asks = { text: words(), kind, line: line.value };
    const address = new URL(location.href);
    address.search = new URLSearchParams(Object.entries(asks).filter(([, value]) => value));
    if (address.href !== location.href) history.replaceState(history.state, '', address);
    keep({ typed: input.value, kind, line: line.value });
  }

  async function ask() {
    const mine = ++asked;
    before = null;
    remember();
    if (!words()) return show([], false);
    said.textContent = t('find.searching');
    failed.hidden = true;
    host.setAttribute('aria-busy', 'true');
    await fill(mine, null);
  }

  async function older() {
    more.setAttribute('aria-busy', 'true');
    await fill(asked, before);
    more.removeAttribute('aria-busy');
  }

  async function fill(mine, cursor) {
    let page = null;
    let problem = '';
    try {
      page = await live.request(path(cursor));
    } catch (error) {
      problem = explain(error, t);
    }
    if (mine !== asked) return;
    host.removeAttribute('aria-busy');
    failed.hidden = !problem;
    failed.firstChild.textContent = problem;
    if (problem) {
      said.textContent = '';
      if (cursor === null) for (const other of [list, empty, more]) other.hidden = true; // they answer another question
      return;
    }
    before = page.before;
    show(page.results, cursor !== null);
  }

  function show(results, further) {
    if (!further) {
      list.replaceChildren();
      count = 0;
      failed.hidden = true;
    }
    const first = results.length ? row(results[0]) : null;
    list.append(...(first ? [first, ...results.slice(1).map(row)] : []));
    count += results.length;
    if (further) first?.querySelector('a')?.focus();
    more.hidden = before === null;
    list.hidden = !count;
    empty.hidden = count > 0;
    empty.querySelector('h3').textContent = words() ? t('find.none', { text: words() }) : t('find.start');
    empty.querySelector('p').textContent = t(words() ? 'find.none_hint' : 'find.start_hint');
    said.textContent = count ? t(before !== null ? 'find.count_more' : 'find.count', { count }) : '';
  }

  function label(item) {
    if (item.kind === 'note') return t('find.note_by', { name: item.by ?? t('someone') });
    if (item.kind !== 'message') return t(`find.${item.kind}`);
    if (item.direction === 'inbound') return t('find.text_in');
    return item.by ? t('find.text_by', { name: item.by }) : t('find.text_out');
  }

  function row(item) {
    const { contact, conversation } = item;
    const name = (contact ?? conversation).name;
    const title = name || contact?.numbers[0] || conversation?.number || '';
    const at = new Date(item.at);
    const context = item.pieces.map(([text]) => text).join('');
    const about = contact
      ? [contact.company !== context && contact.company, ...contact.numbers.slice(0, 3)]
      : [[conversation.flag, name && conversation.number].filter(Boolean).join(' '), conversation.company, conversation.line, conversation.closed && t('find.closed')];
    const place = item.entry ? `&entry=${item.entry}` : '';
    const href = contact ? `/contacts?id=${contact.id}` : `/conversation?id=${conversation.id}${place}`;
    const open = () => {
      remember(); // what was typed last has perhaps not been asked yet
      if (contact) return trigger('contact', contact.id);
      return trigger('open', item.entry ? { id: conversation.id, entry: item.entry } : conversation.id);
    };
    const letters = initials(name);
    const stamp = contact || item.kind === 'conversation' ? null : h('time', { class: 'num soft', datetime: at.toISOString(), title: at.toLocaleString(), text: `${day.format(at)}, ${time.format(at)}` });
    const link = h(
      'a',
      { class: 'found', href },
      h('span', { class: 'avatar', 'aria-hidden': 'true' }, letters || icon(contact ? 'add' : 'phone')),
      h(
        'span',
        { class: 'grow' },
        h('span', { class: 'first' }, h('span', { class: 'name cut', text: title }), h('span', { class: 'kind soft', text: label(item) }), stamp),
        item.pieces.length ? h('span', { class: 'words' }, ...item.pieces.map(([text, marked]) => (marked ? h('mark', { text }) : text))) : null,
        h('span', { class: 'about soft cut', text: about.filter(Boolean).join(' · ') }),
      ),
    );
    link.addEventListener('click', (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab, as with every link
      event.preventDefault();
      open();
    });
    return h('li', {}, link);
  }

  subs.on(live, 'status', () => live.status === 'online' && !failed.hidden && ask());
  input.value = data.typed ?? '';
  ask();
  if (input.value) input.select(); // the next word typed begins anew
  else input.focus({ preventScroll: true });
  return { destroy: () => (clearTimeout(soon), (asked += 1), subs.stop()) };
}

/** What was asked last in this tab. */
function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT)) ?? {};
  } catch {
    return {}; // storage is forbidden
  }
}

function keep(asks) {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(asks));
  } catch {
    /* storage is forbidden: the address has it */
  }
}

export const mount = mounter(build, 'search.css');

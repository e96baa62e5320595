// Callers who gave up waiting and want to be called: a card each, in the order of their turns. A part of the inbox.

import { clock, h, icon, initials, listeners } from './dom.js';
import { dialBox } from './dial.js';
import { explain } from './explain.js';

const REFRESH_MS = 300;
const TELLING = new Set(['callback.requested', 'callback.settled', 'line.changed', 'user.changed', 'team.changed']);

/** Drawn into `host`. `opens(conversation id)`; `counted(how many wait)`. */
export function callbackCards(live, host, { opens, counted }) {
  const t = (key, values) => live.t(key, values);
  const subs = listeners();
  const time = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
  const dial = dialBox(live);
  const list = h('ol', { class: 'cards', 'aria-label': t('callbacks.title') });
  const empty = h('div', { class: 'empty', hidden: true }, icon('back'), h('h3', { text: t('callbacks.empty') }), h('p', { class: 'soft', text: t('callbacks.hint') }));
  const busy = new Set();
  let items = [];
  const failed = h('div', { class: 'failed', role: 'alert', hidden: true }, h('p', {}), h('button', { type: 'button', onclick: () => load() }, t('retry')));
  host.append(failed, list, empty, dial.node);

  async function act(item, deed) {
    if (busy.has(item.id)) return;
    busy.add(item.id);
    draw();
    try {
      await deed();
    } catch (error) {
      live.toast(error.by ? t('dial.taken', { name: error.by.name }) : explain(error, t), { kind: 'error', key: 'dial' });
    } finally {
      busy.delete(item.id);
      draw();
    }
  }

  function card(item, turn) {
    const mine = item.by?.id === live.view.user;
    const open = item.state === 'waiting';
    const calling = item.state === 'calling';
    const who = { name: item.name, number: item.number, spoken: item.spoken, line: item.line_id };
    const off = busy.has(item.id) ? 'true' : null;
    const letters = initials(item.name);
    const facts = [
      item.path.length ? h('li', { class: 'branch', text: item.path.join(' › ') }) : null,
      ...item.digits.map(({ label, value }) => h('li', { class: 'num', text: [label, value].filter(Boolean).join(' ') })),
      item.priority ? h('li', { class: 'mark high', text: t('details.priority', { priority: item.priority }) }) : null,
      h('li', { class: 'soft', text: t('callbacks.asked', { time: time.format(new Date(item.requested_at)), waited: clock(item.requested_at - item.queued_at) }) }),
    ];
    const deeds = open
      ? [
          h('button', { type: 'button', 'aria-disabled': off, onclick: () => act(item, () => live.command(`/desk/callbacks/${item.id}/decline`)) }, t('callbacks.decline')),
          h('button', { class: 'accept', type: 'button', 'aria-disabled': off, onclick: () => act(item, () => dial.callBack({ callback: item }, who)) }, icon('back'), t('dial.back')),
        ]
      : mine && !calling
        ? [h('button', { type: 'button', onclick: () => dial.show(who) }, icon('phone'), t('dial.number'))]
        : [];
    return h(
      'li',
      { 'data-state': item.state },
      h('span', { class: 'turn num', 'aria-hidden': open ? null : 'true', text: open ? `${turn}` : '' }, open ? null : icon('check')),
      h('span', { class: 'avatar', 'aria-hidden': 'true' }, letters || icon('phone')),
      h(
        'div',
        { class: 'grow' },
        h('p', { class: 'first' }, h('a', { class: 'name cut', href: `/conversation?id=${item.conversation_id}`, onclick: (event) => follow(event, item) }, item.name || item.spoken), h('span', { class: 'soft num cut', text: [item.flag, item.name ? item.spoken : '', item.line].filter(Boolean).join('  ') })),
        h('ul', { class: 'facts' }, ...facts.filter(Boolean)),
        open ? null : h('p', { class: 'by', text: calling ? t(mine ? 'callbacks.calling_me' : 'callbacks.calling', { name: item.by?.name ?? t('someone') }) : mine ? t('callbacks.by_me', { time: time.format(new Date(item.settled_at)) }) : t('callbacks.by', { name: item.by?.name ?? t('someone'), time: time.format(new Date(item.settled_at)) }) }),
      ),
      h('div', { class: 'deeds' }, ...deeds),
    );
  }

  function follow(event, item) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    opens(item.conversation_id);
  }

  /** Cards are few: all are drawn anew, and the keyboard stays on the button it was on. */
  function draw() {
    const at = host.getRootNode().activeElement;
    const [row, place] = [at?.closest('li[data-id]')?.dataset.id, at && [...(at.closest('.deeds')?.children ?? [])].indexOf(at)];
    list.replaceChildren(...items.map((item, index) => Object.assign(card(item, index + 1), { id: '' })));
    [...list.children].forEach((node, index) => (node.dataset.id = items[index].id));
    if (row && place >= 0) list.querySelector(`li[data-id="${row}"] .deeds`)?.children[place]?.focus();
    list.hidden = !items.length;
    empty.hidden = items.length > 0 || !failed.hidden;
  }

  let problem = '';
  async function load() {
    try {
      items = (await live.request('/desk/callbacks')).callbacks;
      problem = '';
    } catch (error) {
      problem = explain(error, t);
    }
    failed.hidden = !problem;
    failed.firstChild.textContent = problem;
    counted(items.filter((one) => one.state === 'waiting').length);
    draw();
  }

  let soon = null;
  function happened({ kind }) {
    if (!TELLING.has(kind)) return;
    soon ??= setTimeout(() => ((soon = null), load()), REFRESH_MS);
  }

  subs.on(live, 'event', (e) => happened(e.detail.event));
  subs.on(live, 'view', (e) => e.detail.snapshot && load());
  load();
  return { stop: () => (clearTimeout(soon), subs.stop()) };
}

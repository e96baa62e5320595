// The list of conversations, newest first. The page gives the rows; calls that happen are shown at once, and the page is
// asked for the rows again (its fragment only) a moment later.

import { dialBox } from './dial.js';
import { clock, h, icon, initials, listeners, mounter } from './dom.js';
import { shared } from './shared.js';
import { advance, look, owed, reason, title } from './story.js';

const REFRESH_MS = 400;
const SETTLED_MS = 1500;
const TELLING = new Set(['call.arrived', 'call.dial_wanted', 'call.ringing', 'call.accepting', 'call.accept_failed', 'call.answered', 'call.overflow', 'call.returned', 'call.transferring', 'call.transferred', 'call.forwarded', 'call.ended', 'conversation.read', 'conversation.opened', 'conversation.assigned', 'callback.requested', 'callback.settled', 'user.status', 'user.changed', 'team.changed', 'line.changed', 'checklist.changed', 'company.changed', 'trunk.changed']);

function build(host, { data, trigger }) {
  const live = shared(data);
  const t = (key, values) => live.t(key, values);
  const subs = listeners();
  const locale = document.documentElement.lang || undefined;
  const time = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
  const day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
  const rows = new Map();
  const list = h('ol', { class: 'rows', 'aria-label': t('inbox.title') });
  const empty = h('div', { class: 'empty', hidden: true }, icon('chat'), h('h3', { text: t('inbox.empty') }), h('p', { class: 'soft' }));
  const more = h('button', { class: 'more', type: 'button', hidden: true, onclick: () => trigger('more', Date.now()) }, t('inbox.more'));
  const dial = dialBox(live);
  host.append(list, empty, more, dial.node);

  function stamp(ms) {
    const at = new Date(ms);
    const now = new Date(live.now());
    return at.toDateString() === now.toDateString() ? time.format(at) : day.format(at);
  }

  function row(item) {
    const known = rows.get(item.id);
    if (known) return known;
    const parts = {
      avatar: h('span', { class: 'avatar', 'aria-hidden': 'true' }),
      name: h('span', { class: 'name cut' }),
      unread: h('span', { class: 'unread', hidden: true }, h('span', { class: 'sr', text: t('inbox.unread') })),
      time: h('time', { class: 'num soft' }),
      last: h('span', { class: 'last cut' }),
      line: h('span', { class: 'line soft cut' }),
    };
    const link = h(
      'a',
      { class: 'row' },
      parts.avatar,
      h('span', { class: 'grow' }, h('span', { class: 'first' }, parts.name, parts.unread, parts.time), h('span', { class: 'second' }, parts.last, parts.line)),
    );
    link.addEventListener('click', (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab, as with every link
      event.preventDefault();
      trigger('open', item.id);
    });
    const made = { link, parts };
    made.back = h('button', { class: 'back', type: 'button', hidden: true, 'aria-label': '', onclick: () => callBack(made) }, icon('back'), h('span', { text: t('dial.back') }));
    made.node = h('li', {}, link, made.back);
    rows.set(item.id, made);
    return made;
  }

  async function callBack(made) {
    const { item } = made;
    made.back.setAttribute('aria-busy', 'true');
    await dial.callBack(item.call, { name: item.named ? item.title : '', number: item.dial, spoken: item.number, line: item.line_id });
    made.back.removeAttribute('aria-busy');
  }

  function draw(item) {
    const made = row(item);
    const { parts, link, node, back } = made;
    made.item = item;
    link.href = `/conversation?id=${item.id}`;
    parts.name.textContent = item.title;
    const letters = initials(item.named ? item.title : '');
    if (letters) parts.avatar.textContent = letters;
    else parts.avatar.replaceChildren(icon('phone'));
    parts.unread.hidden = !item.unread;
    node.dataset.unread = item.unread;
    parts.time.dateTime = new Date(item.last_at).toISOString();
    parts.time.textContent = stamp(item.last_at);
    const call = item.call;
    node.dataset.look = call ? look(call) : '';
    const dialled = call?.direction === 'outbound' ? call.started_by : null;
    const by = dialled && call.answered_by !== dialled ? t('call.dialled', { name: dialled }) : '';
    const who = call?.answered_by ? t('call.by', { name: call.answered_by }) : by;
    const talk = call?.answered_at && call?.ended_at ? clock(call.ended_at - call.answered_at) : '';
    const why = call && reason(call);
    const byWhom = call?.callback && t(`callback.${call.callback.state}`, { name: call.callback.by ?? t('someone'), time: call.callback.at ? time.format(new Date(call.callback.at)) : '' });
    // What is to be done comes first: a narrow list cuts the end.
    const outcome = byWhom ? [byWhom, call.branch, why && t(why)] : [call && t(title(call)), why && t(why), who, talk, call?.branch];
    parts.last.textContent = outcome.filter(Boolean).join(' · ');
    node.dataset.back = call?.callback?.state ?? '';
    back.hidden = !call || !item.dial || !owed(call);
    back.setAttribute('aria-label', `${t('dial.back')}: ${item.title}`);
    parts.line.textContent = [item.flag, item.named ? item.number : '', item.line].filter(Boolean).join('  ');
    return node;
  }

  let items = [];
  function update({ items: fresh, more: further, hint }) {
    items = fresh;
    const nodes = items.map(draw);
    const keep = new Set(items.map((item) => item.id));
    for (const [id, one] of rows) {
      if (keep.has(id)) continue;
      one.node.remove();
      rows.delete(id);
    }
    nodes.forEach((node, i) => {
      if (list.children[i] !== node) list.insertBefore(node, list.children[i] ?? null);
    });
    empty.hidden = items.length > 0;
    empty.querySelector('p').textContent = hint ?? '';
    list.hidden = !items.length;
    more.hidden = !further;
  }

  let soon = null;
  function happened(event) {
    const item = items.find((one) => one.id === event.conversation_id);
    if (item?.call && item.call.id === event.call_id) {
      const now = advance(item.call, event);
      item.call = now.answered_by === item.call.answered_by ? now : { ...now, answered_by: now.answered_by?.name ?? null };
      draw(item);
    }
    if (!TELLING.has(event.kind)) return; // steps of a flow change a row, and ask the page for nothing
    soon ??= setTimeout(() => {
      soon = null;
      trigger('refresh', event.seq);
    }, REFRESH_MS);
  }

  subs.on(live, 'event', (e) => happened(e.detail.event));
  subs.on(live, 'view', (e) => e.detail.snapshot && items.length && trigger('refresh', live.seq));
  // Who can be rung shows on the same page; this very tab counts only once its first beat has been heard.
  const settled = setTimeout(() => live.view.duty && trigger('refresh', Date.now()), SETTLED_MS);
  return { update, destroy: () => (clearTimeout(soon), clearTimeout(settled), subs.stop()) };
}

export const mount = mounter(build, 'dial.css', 'inbox.css');

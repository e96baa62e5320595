// What is done to conversations from the list: one or many at once, and taken back for a few seconds.

import { h, icon } from './dom.js';
import { explain } from './explain.js';
import { newId } from './live.js';
import { menu } from './menu.js';

const UNDO_MS = 8000;
const AT_ONCE = 200;

/**
 * `picked()`: the rows that are picked; `unpick()`; `done(rows, deed)` after each deed; `people()`: those who can have them;
 * `lost()`: whether the list is of texts that were not delivered.
 */
export function inboxDeeds(live, { picked, unpick, done, people, lost }) {
  const t = (key, values) => live.t(key, values);
  let timer = null;
  const count = h('span', { class: 'num', role: 'status' });
  const give = h('button', { type: 'button' }, icon('person'), h('span', { text: t('inbox.assign') }));
  const button = (deed, picture) => h('button', { type: 'button', onclick: () => act(deed, picked()) }, icon(picture), h('span', { text: t(`inbox.${deed}`) }));
  const giving = menu(give, t('inbox.assign'), assignees);
  const forLost = [button('resend', 'send'), button('put_aside', 'close')];
  const bulk = h(
    'div',
    { class: 'bulk', role: 'toolbar', 'aria-label': t('inbox.bulk'), hidden: true },
    count, ...forLost, button('close', 'check'), button('reopen', 'undo'), button('mark_read', 'checks'), button('mark_unread', 'mail'), give,
    h('button', { type: 'button', class: 'plain', onclick: unpick }, t('inbox.unpick')),
    giving.node,
  );
  const text = h('span', {});
  const undo = h('button', { type: 'button', class: 'plain' }, t('inbox.undo'));
  const notice = h('div', { class: 'notice', role: 'status', hidden: true }, text, undo);

  function assignees() {
    const give = (user) => (giving.close(), act('assign', picked(), user));
    const me = live.view.user;
    return [
      h('button', { type: 'button', class: 'plain', onclick: () => give(me) }, t('inbox.to_me')),
      h('button', { type: 'button', class: 'plain', onclick: () => give(null) }, t('inbox.to_nobody')),
      h('div', { class: 'names' }, ...people().filter((one) => one.id !== me).map((one) => h('button', { type: 'button', class: 'plain cut', text: one.name, onclick: () => give(one.id) }))),
    ];
  }

  const WORDS = { close: 'close', reopen: 'reopen', mark_read: 'read', read: 'read', mark_unread: 'unread', unread: 'unread', assign: 'assign', resend: 'resend', put_aside: 'put_aside' };

  /** Do it to these rows; the desk says what was refused. */
  async function act(deed, wanted, user) {
    const kind = WORDS[deed];
    // What is closed already is neither closed nor taken back with the others.
    const rows = kind === 'close' || kind === 'reopen' ? wanted.filter((one) => one.closed === (kind === 'reopen')) : wanted;
    const ids = [...new Set(rows.map((one) => one.conversation))];
    if (!ids.length) return unpick();
    bulk.setAttribute('aria-busy', 'true');
    let [fine, refused] = [0, []];
    try {
      for (let from = 0; from < ids.length; from += AT_ONCE) {
        const answer = await live.request('/desk/inbox/bulk', { conversations: ids.slice(from, from + AT_ONCE), do: kind, user_id: user ?? null, command: newId() });
        fine += answer.done;
        refused = refused.concat(answer.refused);
      }
    } catch (error) {
      live.toast(explain(error, t), { kind: 'error', key: 'inbox' });
    }
    bulk.removeAttribute('aria-busy');
    const not = new Set(refused.map((one) => one.id));
    if (refused.length) live.toast(refused.length > 1 ? t('inbox.refused', { count: refused.length, why: refused[0].message }) : refused[0].message, { kind: 'error', key: 'inbox' });
    const changed = rows.filter((one) => !not.has(one.conversation));
    if (fine) {
      if (kind === 'close') offer(t(fine > 1 ? 'inbox.closed_many' : 'inbox.closed_one', { count: fine }), () => takeBack(changed));
      else if (rows.length > 1 || kind === 'resend' || kind === 'put_aside') offer(t(`inbox.done_${kind}`, { count: fine }), null);
      done(changed, kind);
    }
    unpick();
  }

  /** Open again, and whose they were. */
  async function takeBack(rows) {
    hide();
    const open = [];
    for (const row of new Map(rows.map((one) => [one.conversation, one])).values()) {
      try {
        await live.request(`/desk/conversations/${row.conversation}/reopen`, { assigned_to: row.assigned?.id ?? null, command: newId() });
        open.push(row);
      } catch (error) {
        live.toast(explain(error, t), { kind: 'error', key: 'inbox' });
      }
    }
    done(open, 'reopen');
  }

  function offer(words, back) {
    clearTimeout(timer);
    text.textContent = words;
    undo.hidden = !back;
    undo.onclick = back;
    notice.hidden = false;
    timer = setTimeout(hide, UNDO_MS);
  }

  function hide() {
    clearTimeout(timer);
    notice.hidden = true;
  }

  function draw() {
    const many = picked().length;
    bulk.hidden = !many;
    for (const one of forLost) one.hidden = !lost();
    count.textContent = t('inbox.picked', { count: many });
  }

  return { bulk, notice, act, draw, stop: () => clearTimeout(timer) };
}

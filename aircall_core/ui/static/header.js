// A conversation's header: whom it is with and on which line, who else looks at it, whose it is, and what can be done with it.

import { addToDialer } from './add_to_dialer.js';
import { assignBox } from './assign.js';
import { dialBox } from './dial.js';
import { dialLines } from './dial_lines.js';
import { h, icon, initials, listeners, mounter } from './dom.js';
import { explain } from './explain.js';
import { shared } from './shared.js';

const UNDO_MS = 10_000;
const TELLING = /^(call\.(arrived|dial_wanted|ended)|conversation\.(assigned|closed|reopened)|contact\.changed)$/;

function build(host, { data }) {
  const live = shared(data);
  const t = (key, values) => live.t(key, values);
  const subs = listeners();
  const id = data.conversation;
  const writes = data.role !== 'analyst';
  let now = { ...data };
  let soon = null;
  let undoing = null;

  const name = h('h1', { class: 'name' });
  const closed = h('span', { class: 'badge', hidden: true, text: t('header.closed') });
  const about = h('p', { class: 'about soft' });
  const viewers = h('p', { class: 'viewers', role: 'status' });
  const problem = h('p', { class: 'problem', role: 'alert' });
  const undo = h('p', { class: 'undo', role: 'status', hidden: true });
  const party = { line: data.line.id, number: data.number, spoken: data.spoken, name: data.name };
  const owner = writes ? assignBox(live, (words) => (problem.textContent = words)) : null;
  const dial = writes ? dialBox(live) : null;
  const lines = writes ? dialLines(live) : null;
  const queue = writes ? addToDialer(live, party) : null;
  const call = h('button', { class: 'accept', type: 'button', hidden: true, onclick: callOut }, icon('phone'), t('call.out'));
  const end = h('button', { type: 'button', hidden: !writes, onclick: closeOrReopen }, icon('check'), h('span', {}));
  const deeds = h('div', { class: 'deeds' }, owner?.node, queue?.node, call, end);
  const node = h('header', { class: 'header' }, h('div', { class: 'who' }, h('div', { class: 'title' }, name, closed, viewers), about), deeds, undo, problem);
  host.append(node, ...(dial ? [dial.node] : []));
  owner?.of(id);
  subs.add(() => (owner?.stop(), queue?.stop()));

  function draw() {
    const spoken = ['', 'anonymous'].includes(now.spoken) ? t('caller.anonymous') : now.spoken;
    const shown = now.name || spoken;
    name.textContent = shown;
    name.title = shown;
    closed.hidden = now.closed_at === null;
    const number = [now.flag, now.name ? spoken : ''].filter(Boolean).join(' ');
    about.textContent = [number, now.company, t('header.line', { line: now.line.name })].filter(Boolean).join(' · ');
    Object.assign(party, { number: now.number, spoken: now.spoken, name: now.name });
    drawCall();
    const open = now.closed_at === null;
    end.querySelector('span').textContent = t(open ? 'header.close' : 'header.reopen');
    end.setAttribute('aria-disabled', String(open && now.in_call));
    end.title = open && now.in_call ? t('header.in_call') : '';
  }

  function drawCall() {
    call.hidden = !lines?.may || !now.number;
    call.setAttribute('aria-label', t('call.out_name', { who: now.name || now.spoken }));
    call.title = lines?.of(now.line.id) ? t('call.out_by', { number: lines.of(now.line.id).spoken }) : t('dial.by_hand');
  }

  async function callOut() {
    if (call.getAttribute('aria-busy') === 'true') return;
    call.setAttribute('aria-busy', 'true');
    await dial.dial(party);
    call.setAttribute('aria-busy', 'false');
  }

  async function closeOrReopen() {
    problem.textContent = '';
    if (end.getAttribute('aria-disabled') === 'true') return void (problem.textContent = t('header.in_call'));
    if (end.getAttribute('aria-busy') === 'true') return;
    end.setAttribute('aria-busy', 'true');
    try {
      if (now.closed_at !== null) await live.command(`/desk/conversations/${id}/reopen`);
      else offerUndo((await live.command(`/desk/conversations/${id}/close`))?.data.assigned_to ?? null);
    } catch (error) {
      problem.textContent = explain(error, t);
    } finally {
      end.removeAttribute('aria-busy');
    }
  }

  /** For ten seconds a closing is taken back with a click: open again, and whose it was. */
  function offerUndo(assigned) {
    clearTimeout(undoing);
    const back = h('button', { type: 'button', class: 'plain', text: t('header.undo'), onclick: takeBack });
    undo.replaceChildren(h('span', { text: t('header.was_closed') }), back);
    undo.hidden = false;
    undoing = setTimeout(() => (undo.hidden = true), UNDO_MS);

    async function takeBack() {
      back.setAttribute('aria-busy', 'true');
      try {
        await live.command(`/desk/conversations/${id}/reopen`, { assigned_to: assigned });
        end.focus();
      } catch (error) {
        problem.textContent = explain(error, t);
      }
      undo.hidden = true;
    }
  }

  async function load() {
    try {
      now = { ...now, ...(await live.request(`/desk/conversations/${id}`)) };
      draw();
    } catch (error) {
      console.warn('aircall: the conversation could not be read', error.code); // the next event asks again
    }
  }

  function see(users) {
    const others = users.filter((one) => one.id !== live.view.user);
    const words = others.length ? t(others.length === 1 ? 'header.views' : 'header.view', { names: others.map((one) => one.name).join(', ') }) : '';
    viewers.replaceChildren(
      ...others.slice(0, 5).map((one) => h('span', { class: 'face', 'aria-hidden': 'true', title: one.name, text: initials(one.name) || '?' })),
      h('span', { class: 'cut', text: words, title: words }),
    );
  }

  subs.on(live, 'event', ({ detail: { event } }) => {
    if (!TELLING.test(event.kind)) return;
    const own = event.conversation_id === id;
    if (!own && event.kind !== 'contact.changed') return;
    if (own && event.kind === 'conversation.closed') now = { ...now, closed_at: event.at, assigned_to: null };
    if (own && event.kind === 'conversation.reopened') {
      now = { ...now, closed_at: null };
      undo.hidden = true;
    }
    draw();
    soon ??= setTimeout(() => ((soon = null), load()), 150);
  });
  subs.on(live, 'viewers', ({ detail }) => detail.conversation === id && see(detail.users));
  subs.on(live, 'view', ({ detail }) => detail.snapshot && load());
  if (lines) subs.on(lines, 'change', drawCall);
  live.setViewing(id);
  draw();
  return {
    destroy() {
      subs.stop();
      clearTimeout(soon);
      clearTimeout(undoing);
      live.setViewing(null, id);
    },
  };
}

export const mount = mounter(build, 'dial.css', 'call_panel.css', 'add_to_dialer.css', 'header.css');

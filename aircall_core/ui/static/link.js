// The page's link to the desk, seen from the outside: short messages, "Reconnecting…", the signed-out notice, and the title
// of the tab while a call rings.

import { aboveDialogs, callerTitle, h, icon, listeners, mounter } from './dom.js';
import { shared } from './shared.js';
import { ringing } from './view.js';

const INFO_MS = 6000;
const CALM_MS = 1200; // a short gap is nobody's concern
const TITLE_MS = 1500;

function build(host, { data }) {
  const live = shared(data);
  const t = (key, values) => live.t(key, values);
  const subs = listeners();

  const toasts = h('ol', { class: 'toasts', popover: 'manual' });
  const polite = h('div', { class: 'sr', role: 'status' });
  const urgent = h('div', { class: 'sr', role: 'alert' });
  const away = h('p', { class: 'away', popover: 'manual' }, t('reconnecting'));
  const out = h(
    'div',
    { class: 'out', role: 'alertdialog', 'aria-label': t('gone.title'), popover: 'manual' },
    h('div', { class: 'card' }, h('h2', { text: t('gone.title') }), h('p', { text: t('gone.text') }), h('a', { class: 'button', href: location.href }, t('gone.again'))),
  );
  aboveDialogs(host);
  host.append(polite, urgent, toasts, away, out);
  const show = (node, yes) => node.matches(':popover-open') !== yes && (yes ? node.showPopover() : node.hidePopover());

  // ---- short messages

  const known = new Map();
  function toast({ text, kind, key }) {
    drop(known.get(key));
    const item = h('li', { class: `toast ${kind}` }, icon(kind === 'error' ? 'warn' : 'check'), h('p', { text }), h('button', { class: 'plain', type: 'button', 'aria-label': t('close'), onclick: () => drop(item) }, icon('close')));
    if (key) known.set(key, item);
    toasts.append(item);
    while (toasts.children.length > 4) toasts.firstChild.remove();
    (kind === 'error' ? urgent : polite).textContent = text;
    show(toasts, false); // last opened lies on top of the ringer and the dock
    show(toasts, true);
    if (kind !== 'error') fade(item);
  }

  /** Gone after a while, but not under the pointer or the keyboard of someone who reads it. */
  function fade(item) {
    let timer;
    const begin = () => (timer = setTimeout(() => drop(item), INFO_MS));
    item.addEventListener('pointerenter', () => clearTimeout(timer));
    item.addEventListener('focusin', () => clearTimeout(timer));
    item.addEventListener('pointerleave', begin);
    begin();
  }

  function drop(item) {
    if (!item) return;
    item.remove();
    for (const [key, value] of known) if (value === item) known.delete(key);
    if (!toasts.children.length) show(toasts, false);
  }

  // ---- the link itself

  let calm = null;
  function status() {
    const lost = live.status === 'offline';
    if (lost && !calm) calm = setTimeout(() => show(away, live.status === 'offline'), CALM_MS);
    if (!lost) {
      clearTimeout(calm);
      calm = null;
      show(away, false);
    }
    document.documentElement.dataset.aircall = live.status;
    const gone = live.status === 'gone';
    show(out, gone);
    if (gone) out.querySelector('a').focus();
  }

  // ---- the tab's title, and a notification when the tab is not in view

  let plain = null;
  let turning = null;
  function title() {
    const [first] = ringing(live.view);
    if (first && !turning) {
      plain = document.title;
      const text = t('title.ringing', { who: callerTitle(live.cards[first.id], t) });
      const turn = () => {
        if (document.title !== text) plain = document.title;
        document.title = document.title === text ? plain : text;
      };
      turn();
      turning = setInterval(turn, TITLE_MS);
    } else if (!first && turning) {
      clearInterval(turning);
      turning = null;
      if (plain !== null) document.title = plain;
    }
  }

  const notes = new Map();
  function notify() {
    const calls = ringing(live.view);
    for (const [id, note] of notes) {
      if (calls.some((call) => call.id === id)) continue;
      note.close();
      notes.delete(id);
    }
    if (!live.ringer.elected || live.env.visible() || globalThis.Notification?.permission !== 'granted') return;
    for (const call of calls) {
      if (notes.has(call.id)) continue;
      const card = live.cards[call.id];
      try {
        const note = new Notification(t('ringer.title'), { body: [callerTitle(card, t), card?.line_name].filter(Boolean).join(' · '), tag: call.id });
        note.onclick = () => (window.focus(), note.close());
        notes.set(call.id, note);
      } catch (error) {
        console.warn('aircall: notifications need a service worker here', error); // Chrome on Android
        return;
      }
    }
  }

  subs.on(live, 'toast', (e) => toast(e.detail));
  subs.on(live, 'status', status);
  subs.on(live, 'view', () => (title(), notify()));
  status();
  title();
  return { destroy: () => subs.stop() };
}

export const mount = mounter(build, 'link.css');

// The page's link to the desk, seen from the outside: short messages, "Reconnecting…", and the signed-out notice.

import { aboveDialogs, h, icon, listeners, mounter } from './dom.js';
import { shared } from './shared.js';
import { shortcutList } from './shortcut_list.js';

const INFO_MS = 6000;
const CALM_MS = 1200; // a short gap is nobody's concern

function build(host, { data }) {
  const live = shared(data);
  const t = (key, values) => live.t(key, values);
  const subs = listeners();
  const doc = host.ownerDocument; // the page's, or that of the window of its own
  const shortcuts = shortcutList(live);

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
  host.append(polite, urgent, toasts, away, out, shortcuts.node);
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
    doc.documentElement.dataset.aircall = live.status;
    const gone = live.status === 'gone';
    show(out, gone);
    if (gone) out.querySelector('a').focus();
  }

  // ---- dialogs hang on the body, outside of the app: without this light-dark() takes the dark theme for light there

  const app = doc.querySelector('.stApp');
  const tint = () => (doc.documentElement.style.colorScheme = getComputedStyle(app).colorScheme);
  const theme = new MutationObserver(tint);
  if (app) {
    theme.observe(app, { attributeFilter: ['class'] });
    tint();
  }

  subs.add(live.shortcuts.listen(doc.defaultView));
  subs.add(shortcuts.stop);
  subs.on(live, 'toast', (e) => toast(e.detail));
  subs.on(live, 'status', status);
  status();
  return {
    destroy() {
      theme.disconnect();
      subs.stop();
    },
  };
}

export const mount = mounter(build, 'link.css', 'switch.css', 'shortcuts.css');

// The list of keyboard shortcuts, shown by "?": a dialog that leaves everything else usable, since a call may ring.

import { h, icon } from './dom.js';
import { LETTERS } from './shortcuts.js';

/** A node for any document; `stop()` takes its listeners away. */
export function shortcutList(live) {
  const t = (key, values) => live.t(key, values);
  const { shortcuts } = live;
  const keys = (text) => h('span', { class: 'keys' }, ...text.split('+').flatMap((key, i) => [i ? '+' : null, h('kbd', { text: key })]));
  const row = (text, what) => h('div', {}, h('dt', {}, keys(text)), h('dd', { text: what }));
  const rows = h('dl', {});
  const lever = h('button', { class: 'switch', type: 'button', role: 'switch', 'aria-label': t('keys.on'), onclick: () => shortcuts.turn(!shortcuts.on) }, h('span', { class: 'knob' }));
  const close = h('button', { class: 'plain square', type: 'button', 'aria-label': t('close'), onclick: () => node.hidePopover() }, icon('close'));
  const node = h(
    'div',
    { class: 'shortcuts', role: 'dialog', 'aria-label': t('keys.title'), popover: 'auto', tabindex: '-1' },
    h('header', {}, h('h2', { text: t('keys.title') }), close),
    h('p', { class: 'line' }, h('span', { text: t('keys.on') }), lever),
    rows,
    h('p', { class: 'soft note', text: t('keys.note') }),
  );

  function draw() {
    rows.replaceChildren(row('?', t('keys.list')), ...Object.keys(LETTERS).map((action) => row(shortcuts.keys(action), t(`keys.${action}`))));
    rows.classList.toggle('off', !shortcuts.on);
    lever.setAttribute('aria-checked', String(shortcuts.on));
  }

  const show = ({ detail }) => {
    if (detail.document !== node.ownerDocument) return;
    draw();
    node.togglePopover();
    if (node.matches(':popover-open')) node.focus();
  };
  shortcuts.addEventListener('list', show);
  shortcuts.addEventListener('change', draw);
  draw();
  const stop = () => {
    shortcuts.removeEventListener('list', show);
    shortcuts.removeEventListener('change', draw);
  };
  return { node, stop };
}

// The way to the list of keyboard shortcuts, and to their switch, without a key: in the profile menu.

import { h, mounter } from './dom.js';
import { shared } from './shared.js';

function build(host, { data }) {
  const live = shared(data);
  const show = () => live.shortcuts.show(host.ownerDocument);
  host.append(h('button', { class: 'wide', type: 'button', 'aria-haspopup': 'dialog', onclick: show }, live.t('keys.title')));
}

export const mount = mounter(build, 'keys.css');

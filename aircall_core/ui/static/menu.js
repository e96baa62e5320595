// A small window above (or below) the button that opens it: in the browser's top layer, closed by Escape, by a click elsewhere
// and by its deed. `content()` draws it anew each time it opens.

import { h } from './dom.js';

const GAP = 6;

export function menu(button, title, content) {
  const node = h('div', { class: 'menu', role: 'dialog', 'aria-label': title, popover: 'auto', tabindex: '-1', onbeforetoggle: before, ontoggle: after });
  button.setAttribute('aria-haspopup', 'dialog');
  button.setAttribute('aria-expanded', 'false');
  button.addEventListener('click', () => node.togglePopover());

  function before(event) {
    button.setAttribute('aria-expanded', String(event.newState === 'open'));
    if (event.newState === 'open') node.replaceChildren(...content());
  }

  /** Placed once it has its size; then the focus goes to its first field or button. */
  function after(event) {
    if (event.newState !== 'open') return;
    const page = node.ownerDocument.defaultView;
    const [at, own] = [button.getBoundingClientRect(), node.getBoundingClientRect()];
    const above = at.top - GAP - own.height;
    const top = above >= GAP ? above : Math.min(at.bottom + GAP, page.innerHeight - own.height - GAP);
    const left = Math.min(at.left, page.innerWidth - own.width - GAP);
    Object.assign(node.style, { top: `${Math.max(GAP, top)}px`, left: `${Math.max(GAP, left)}px` });
    (node.querySelector('[data-first], input, button:not([aria-disabled=true])') ?? node).focus();
  }

  return {
    node,
    get open() {
      return node.matches(':popover-open');
    },
    close: () => node.matches(':popover-open') && node.hidePopover(),
  };
}

// A small window of the toolbar: beside it where there is room, over it where there is not. It stays while its user works in
// the page, and goes with its button, its own close button or Escape.

import { h, icon } from './dom.js';

export class Popover {
  /** @param button what opens it; `title` its name */
  constructor(live, button, title, ...content) {
    Object.assign(this, { live, button });
    this.node = h(
      'div',
      { class: 'pop', role: 'dialog', 'aria-label': title, popover: 'manual', onkeydown: (event) => this.#keys(event) },
      h('header', {}, h('p', { class: 'title', text: title }), h('button', { class: 'plain square', type: 'button', 'aria-label': live.t('close'), onclick: () => this.close() }, icon('close'))),
      ...content,
    );
    button.setAttribute('aria-expanded', 'false');
  }

  get open() {
    return this.node.matches(':popover-open');
  }

  toggle() {
    if (this.open) return this.close();
    this.node.showPopover();
    this.button.setAttribute('aria-expanded', 'true');
    return this.opened?.();
  }

  /** The focus goes back to the button, unless it is somewhere else by now. */
  close() {
    if (!this.open) return;
    const within = this.node.contains(this.node.getRootNode().activeElement);
    this.node.hidePopover();
    this.button.setAttribute('aria-expanded', 'false');
    if (within) this.button.focus();
    this.closed?.();
  }

  #keys(event) {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    event.stopPropagation();
    this.close();
  }

  draw() {}

  destroy() {}
}

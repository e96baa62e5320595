// Keyboard shortcuts. All but "?" are Alt+Shift and a letter: they work while notes are typed, no browser, Streamlit or
// common screen reader has them, and none is a single key (WCAG 2.1.4). A shortcut presses the button that it belongs to.

const OFF = 'aircall.keys';

/** The letter of each action. Not A, B, I, T: Chrome and Edge have Alt+Shift with those. */
export const LETTERS = {
  accept: 'Y',
  reject: 'N',
  ring: 'R',
  mute: 'M',
  hold: 'H',
  keypad: 'D',
  transfer: 'F',
  record: 'P',
  hangup: 'E',
  search: 'S',
};

const ACTIONS = Object.fromEntries(Object.entries(LETTERS).map(([action, letter]) => [letter, action]));
const TYPES = new Set(['button', 'checkbox', 'color', 'file', 'image', 'radio', 'range', 'reset', 'submit']); // inputs without a text
const TEXT = 'textarea, select, iframe, [contenteditable], [role="textbox"], [role="searchbox"], [role="combobox"], [role="spinbutton"], [role="listbox"], [role="menu"], [role="grid"]';
const SEARCH = '[class*="st-key-search-"] input, input[type="search"]'; // Streamlit's boxes of ui/search.py, and our own

/** What the browser gives; tests give their own. */
export function browserEnv() {
  return {
    storage: (() => {
      try {
        return localStorage;
      } catch {
        return null; // forbidden: the choice lasts as long as the page
      }
    })(),
    mac: /mac|iphone|ipad/i.test(navigator.userAgentData?.platform ?? navigator.platform ?? ''),
  };
}

/** Whether this key goes into a text, a list or a menu that takes letters. */
export function typing(event) {
  const [at] = event.composedPath();
  if (at?.tagName === 'INPUT') return !TYPES.has(at.type);
  return Boolean(at?.isContentEditable || at?.closest?.(TEXT));
}

/** Which action a key press means, or ''. By the letter that the layout gives, else (a Mac's Option key) by its place. */
export function actionOf(event) {
  if (!event.altKey || !event.shiftKey || event.ctrlKey || event.metaKey || event.getModifierState?.('AltGraph')) return '';
  const letter = /^[a-z]$/i.test(event.key) ? event.key.toUpperCase() : /^Key([A-Z])$/.exec(event.code)?.[1];
  return ACTIONS[letter] ?? '';
}

/** Events: 'change' when they are switched on or off, 'list' {document} when somebody wants to see them. */
export class Shortcuts extends EventTarget {
  constructor(live, env = browserEnv()) {
    super();
    Object.assign(this, { live, env, bound: [] });
  }

  get on() {
    return (this.env.storage?.getItem(OFF) ?? this.memory) !== 'off';
  }

  turn(on) {
    this.memory = on ? 'on' : 'off';
    this.env.storage?.setItem(OFF, this.memory);
    this.bound.forEach((one) => this.#mark(one));
    this.dispatchEvent(new Event('change'));
  }

  /** "Alt+Shift+M", as this machine's keys are called. */
  keys(action) {
    return `${this.env.mac ? '⌥⇧' : 'Alt+Shift+'}${LETTERS[action]}`;
  }

  /** A title with its keys behind it, where they are switched on. */
  hint(action, text) {
    return this.on ? `${text} (${this.keys(action)})` : text;
  }

  /** From now on the keys of `action` press this button, or do what `press` does, while the node can be seen. */
  bind(node, action, press = () => node.click()) {
    const one = { node, action, press, placed: false };
    this.#living().push(one);
    this.#mark(one);
    return node;
  }

  /** Those whose node is in a document, or has not been put into one yet. */
  #living() {
    for (const one of this.bound) one.placed ||= one.node.isConnected;
    this.bound = this.bound.filter((one) => !one.placed || one.node.isConnected);
    return this.bound;
  }

  #mark({ node, action }) {
    if (node.tagName !== 'BUTTON') return;
    if (this.on) node.setAttribute('aria-keyshortcuts', `Alt+Shift+${LETTERS[action]}`);
    else node.removeAttribute('aria-keyshortcuts');
  }

  /** Follow the keys of a window; the returned function stops it. */
  listen(win) {
    const hear = (event) => this.press(event, win.document);
    win.addEventListener('keydown', hear, true); // before widgets that stop keys
    return () => win.removeEventListener('keydown', hear, true);
  }

  press(event, doc) {
    if (!this.on || event.isComposing) return;
    const list = event.key === '?' && !event.ctrlKey && !event.metaKey && !event.altKey && !typing(event);
    const action = list ? '' : actionOf(event);
    const taken = list ? this.show(doc) : action === 'search' ? this.#search(doc) : action && this.#act(action, doc, event);
    if (!taken) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Show or hide the list in this document; true, since it was a shortcut. */
  show(doc) {
    this.dispatchEvent(new CustomEvent('list', { detail: { document: doc } }));
    return true;
  }

  /** What can be seen in the window of the key press, else in the other one. */
  #act(action, doc, event) {
    const seen = this.#living().filter((one) => one.action === action && one.node.getClientRects().length);
    const one = seen.find(({ node }) => node.ownerDocument === doc) ?? seen[0];
    if (!one) return false;
    if (event.repeat) return true; // held down: once is enough
    if (one.node.getAttribute('aria-disabled') === 'true') this.live.toast(one.node.title || this.live.t('keys.not_now'), { key: 'keys' });
    else one.press();
    return true;
  }

  #search(doc) {
    const box = [...doc.querySelectorAll(SEARCH)].find((one) => one.getClientRects().length);
    if (!box) {
      this.live.toast(this.live.t('keys.no_search'), { key: 'keys' });
      return true;
    }
    box.focus();
    box.select();
    return true;
  }
}

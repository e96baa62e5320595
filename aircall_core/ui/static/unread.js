// How many conversations are unread, wherever one works: beside the inbox in the navigation, and before the tab's title.
// Streamlit writes the title anew at every page, so the number is put back; while a call rings the title is the beacon's.

const SOON_MS = 1000; // what happens at once is counted once
const MOST = 999;
// By these something becomes unread, is read, or comes into sight.
const TELLING = new Set(['message.received', 'message.written', 'call.ended', 'call.dial_wanted', 'conversation.read', 'conversation.unread', 'conversation.closed', 'user.changed', 'team.changed', 'line.changed']);
const PREFIX = /^\(\d+\+?\) /;

/** What the count is shown on. Tests give their own. */
export function browserPage() {
  return {
    get title() {
      return document.title;
    },
    set title(text) {
      document.title = text;
    },
    onTitle: (call) => new MutationObserver(call).observe(document.head, { subtree: true, childList: true, characterData: true }),
    /** shell.css draws it: the navigation is Streamlit's, which makes it anew as it likes. */
    badge(text) {
      const { style, dataset } = document.documentElement;
      style.setProperty('--aircall-unread', JSON.stringify(text));
      if (text) dataset.unread = '';
      else delete dataset.unread;
    },
  };
}

export class Unread {
  constructor(live, page = browserPage()) {
    Object.assign(this, { live, page, count: 0, soon: null, asked: 0 });
    live.addEventListener('view', (event) => event.detail?.snapshot && this.#later(0));
    live.addEventListener('event', (event) => TELLING.has(event.detail.event.kind) && this.#later(SOON_MS));
    page.onTitle(() => this.#name());
  }

  #later(ms) {
    this.soon ??= this.live.env.after(ms, () => {
      this.soon = null;
      this.#ask();
    });
  }

  async #ask() {
    const mine = ++this.asked;
    try {
      const { unread } = await this.live.request('/desk/inbox/counts');
      if (mine === this.asked) this.#show(unread);
    } catch (error) {
      console.debug('aircall: the unread conversations were not counted', error.code); // the next event asks again
    }
  }

  #show(count) {
    this.count = count;
    this.page.badge(this.text);
    this.#name();
  }

  /** What the count looks like, '' where there is none. */
  get text() {
    if (!this.count) return '';
    return this.count > MOST ? `${MOST}+` : String(this.count);
  }

  #name() {
    if (this.live.beacon?.turning) return;
    const plain = this.page.title.replace(PREFIX, '');
    const wanted = this.text ? `(${this.text}) ${plain}` : plain;
    if (this.page.title !== wanted) this.page.title = wanted;
  }
}

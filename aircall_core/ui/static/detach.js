// The window of its own for calls: toolbar, ringer and duty switch once more, in a small window that stays on top of all
// others where the browser has Document Picture-in-Picture, else in a pop-up. It is another face of the same tab: audio,
// connection and state stay in the page, so a call never depends on it, and it goes when the page goes.

import { furnish } from './detached_page.js';
import { active } from './view.js';

const SIZE = { width: 380, height: 340 }; // a ringing card, or the toolbar, above the duty switch; the browser remembers another
const WISH = 'aircall.detach'; // of this browser: 'yes' opens it with "Go on duty", 'no' is not offered again
const OPEN = 'aircall.detached'; // of this tab: it was open when the page was left
const BY_HAND_MS = 500; // a page that is being left runs no more timers by then

/** What the browser gives; tests give their own. */
export function browserEnv() {
  const storage = (kind) => {
    try {
      return globalThis[kind];
    } catch {
      return null; // forbidden: wishes last as long as the page
    }
  };
  return {
    pip: globalThis.documentPictureInPicture,
    popUp: () => window.open('', 'aircall-detached', `popup,width=${SIZE.width},height=${SIZE.height}`),
    local: storage('localStorage'),
    session: storage('sessionStorage'),
    page: globalThis,
    after: (ms, run) => setTimeout(run, ms),
    furnish,
  };
}

/** Event 'change': it opened or closed, or what is wished for is another. */
export class Detached extends EventTarget {
  constructor(live, env = browserEnv()) {
    super();
    Object.assign(this, { live, env, window: null, home: null, onTop: false, busy: false, duty: false });
    this.left = env.session?.getItem(OPEN) === '1'; // it went with the page that was here before
    this.later = false; // put back by its user: nobody asks again before they go on duty anew
    env.page.addEventListener('pagehide', () => this.#end());
    live.addEventListener('view', () => this.#followDuty());
  }

  get open() {
    return this.window !== null;
  }

  /** Whether somebody who looks at the screen sees it. */
  get seen() {
    return this.open && (this.onTop || this.window.document.hasFocus());
  }

  /** Whether it shall be offered beside the duty switch. */
  get offered() {
    return !this.open && !this.busy && !this.later && this.wish !== 'no';
  }

  get wish() {
    return (this.env.local?.getItem(WISH) ?? this.memory) || null;
  }

  set wish(wish) {
    this.memory = wish;
    if (wish) this.env.local?.setItem(WISH, wish);
    else this.env.local?.removeItem(WISH);
    this.#changed();
  }

  /** Where the page's own ringer is, and how it leads to a conversation: what the window borrows its looks and ways from. */
  belongs(host, data, trigger) {
    this.home = { host, data, trigger };
  }

  /** Within a click. */
  async toggle() {
    if (this.open) this.putBack();
    else await this.show();
  }

  /** Open it; only within a click. Resolves to whether it is open: where it is not, a message has said why. */
  async show() {
    if (this.open || this.busy || !this.home) return this.open;
    this.busy = true;
    this.#changed();
    try {
      const made = await this.#request();
      if (made) this.#keep(made);
      else this.live.toast(this.live.t('detach.blocked'), { kind: 'error', key: 'detach' });
    } finally {
      this.busy = false;
      this.#changed();
    }
    return this.open;
  }

  async #request() {
    this.onTop = Boolean(this.env.pip);
    try {
      if (this.onTop) return await this.env.pip.requestWindow(SIZE);
    } catch (error) {
      console.warn('aircall: no window on top, trying a pop-up', error); // forbidden by a policy of the site or of the firm
      this.onTop = false;
    }
    return this.env.popUp();
  }

  #keep(made) {
    Object.assign(this, { window: made, left: false, later: false });
    this.env.session?.setItem(OPEN, '1');
    this.wish = 'yes';
    const { strip, alive } = this.env.furnish(made, this.live, this.home);
    this.strip = strip;
    made.addEventListener('pagehide', () => {
      if (this.window !== made) return;
      this.#forget();
      this.env.after(BY_HAND_MS, () => this.#putAway());
    });
    alive.catch((error) => {
      console.error('aircall: the call window could not be filled', error);
      this.putBack();
      this.live.toast(this.live.t('error.view'), { kind: 'error', key: 'detach' });
    });
  }

  /** Its user wants it in the page again. */
  putBack() {
    this.#end();
    this.#putAway();
  }

  /** Not again in this browser; the button beside the duty switch stays. */
  decline() {
    this.wish = 'no';
  }

  #putAway() {
    if (this.open) return;
    this.later = true;
    this.env.session?.removeItem(OPEN);
    if (this.wish === 'yes') this.wish = null;
    this.#changed();
  }

  #end() {
    const { window } = this;
    if (!window) return;
    this.#forget();
    window.close();
  }

  #forget() {
    this.strip();
    this.window = null;
    this.#changed();
  }

  /** It goes with the end of the duty, but not out of a call; the wish stays for the next time. */
  #followDuty() {
    const { duty } = this.live.view;
    if (duty && !this.duty) this.later = false;
    this.duty = duty;
    if (this.open && !duty && !active(this.live.view)) {
      this.#end();
      this.env.session?.removeItem(OPEN);
    }
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

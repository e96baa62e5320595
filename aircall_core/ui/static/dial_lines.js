// By which lines this user may call out: asked once a page, and anew when an administrator changes something.

const TELLING = new Set(['line.changed', 'trunk.changed', 'user.changed', 'team.changed', 'company.changed']);
const SOON_MS = 500;
const KEY = 'aircall.dial.line';

class DialLines extends EventTarget {
  constructor(live) {
    super();
    Object.assign(this, { live, list: null, may: false });
    live.addEventListener('event', ({ detail }) => TELLING.has(detail.event.kind) && this.#soon());
    live.addEventListener('view', ({ detail }) => detail?.snapshot && this.#soon());
    this.ready = this.load();
  }

  /** Asks the desk; `list` is null until it has answered, and for who may not call. Resolves to the list. */
  async load() {
    try {
      this.list = (await this.live.request('/desk/dial/lines')).lines;
      this.may = true;
    } catch (error) {
      if (error.code === 'forbidden') Object.assign(this, { list: null, may: false });
      else console.warn('aircall: the lines for calls out could not be read', error); // the next change asks again
    }
    this.dispatchEvent(new Event('change'));
    return this.list;
  }

  #soon() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.ready = this.load();
    }, SOON_MS);
  }

  of(id) {
    return this.list?.find((line) => line.id === id) ?? null;
  }

  /** The line that was chosen last in this browser, else the first. */
  get preferred() {
    let kept = null;
    try {
      kept = localStorage.getItem(KEY);
    } catch {
      /* storage forbidden: the first line is as good */
    }
    return this.of(kept) ?? this.list?.[0] ?? null;
  }

  set preferred(line) {
    try {
      localStorage.setItem(KEY, line.id);
    } catch {
      /* storage forbidden: chosen for this page only */
    }
  }
}

/** The page's one such list. */
export function dialLines(live) {
  live.dialLines ??= new DialLines(live);
  return live.dialLines;
}

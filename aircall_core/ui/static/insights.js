// What sources of insight cards say of callers, as the desk has it: asked for once, whoever shows it, and again when the
// log says that there is something else. Knows nothing of the DOM.

const SOON_MS = 60; // several sources answer at about the same time
const PATIENCE_MS = 3000; // a source has 2 s; whoever asked it may have died
const LOOKS = 2; // so often it is looked again without having been told
const NONE = Object.freeze({ cards: [], asking: false });

const pathOf = ({ call, conversation }) => (call ? `/desk/calls/${call}/insight` : conversation ? `/desk/conversations/${conversation}/insight` : '');

class Insights {
  constructor(live) {
    this.live = live;
    this.entries = new Map(); // path -> {answer, watchers, ...}
    live.addEventListener('event', ({ detail: { event } }) => this.#heard(event));
    live.addEventListener('view', ({ detail }) => detail.snapshot && this.#again(() => true));
  }

  /**
   * Call `tell(answer)` now and whenever there is another: {cards: [{source, contents}], asking}. `lazy`: the desk is not
   * asked before the log speaks of it. Returns what ends it.
   */
  watch(about, tell, { lazy = false } = {}) {
    const path = pathOf(about);
    if (!path) return () => {};
    let entry = this.entries.get(path);
    if (!entry) {
      entry = { path, answer: null, watchers: new Set(), loading: false, soon: null, looks: 0 };
      this.entries.set(path, entry);
    }
    entry.watchers.add(tell);
    if (entry.answer) tell(entry.answer);
    else if (!lazy && !entry.loading) this.#load(entry);
    return () => {
      entry.watchers.delete(tell);
      // A call that is accepted goes from the ringer to the toolbar: what is known of it stays until it is over.
      if (!entry.watchers.size && !about.call) this.#drop(entry);
    };
  }

  #heard(event) {
    if (event.kind === 'insight.shown' || event.kind === 'call.ended') {
      const [call, conversation] = [pathOf({ call: event.call_id }), pathOf({ conversation: event.conversation_id })];
      if (event.kind === 'call.ended' && this.entries.has(call)) this.#drop(this.entries.get(call));
      this.#again((entry) => entry.path === call || entry.path === conversation);
    } else if (event.kind === 'contact.changed') {
      this.#again((entry) => entry.answer !== null); // rules speak of contacts
    }
  }

  #again(wanted) {
    for (const entry of this.entries.values()) {
      if (!wanted(entry) || !entry.watchers.size) continue;
      entry.looks = 0;
      this.live.env.cancel(entry.soon);
      entry.soon = this.live.env.after(SOON_MS, () => this.#load(entry));
    }
  }

  async #load(entry) {
    if (entry.loading) {
      entry.stale = true;
      return;
    }
    Object.assign(entry, { loading: true, stale: false });
    try {
      entry.answer = await this.live.request(entry.path);
    } catch (error) {
      if (error.status) entry.answer = NONE; // not theirs to see, or gone; without a connection it is asked again
    }
    entry.loading = false;
    if (this.entries.get(entry.path) !== entry) return;
    if (entry.stale) return this.#load(entry);
    if (entry.answer?.asking) this.#lookLater(entry);
    if (entry.answer) for (const tell of entry.watchers) tell(entry.answer);
  }

  #lookLater(entry) {
    if (entry.looks >= LOOKS) entry.answer = { ...entry.answer, asking: false };
    else entry.soon = this.live.env.after(PATIENCE_MS, () => this.#load(entry));
    entry.looks += 1;
  }

  #drop(entry) {
    this.live.env.cancel(entry.soon);
    this.entries.delete(entry.path);
  }
}

/** The page's one. */
export function insightsOf(live) {
  return (live.insights ??= new Insights(live));
}

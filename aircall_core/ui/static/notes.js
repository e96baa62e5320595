// Notes on calls, saved as they are typed. Every keystroke is in the browser's storage before anything else happens, and
// stays there until the desk has said that it has it: through restarts of the desk, reloads, signing in again and closed
// tabs. What another tab has written meanwhile is put together with it (note_merge.js). Drafts of texts are saved the same way
// (drafts.js). Knows nothing of the DOM.

import { CommandError, newId } from './live.js';
import { merge } from './note_merge.js';

const PAUSE_MS = 700; // of typing, before it is sent
const LATEST_MS = 3000; // after a first unsent keystroke, also of somebody who types on
const PATIENCE_MS = 8000; // for an answer
const BACKOFF_MS = [1000, 2000, 4000, 8000, 15000];
const ORPHAN_MS = 60_000; // without Web Locks: a draft that no tab has touched for so long is nobody's
const REFUSALS = new Set([400, 403, 404, 413, 422]);
const MOST_OLDER = 3;
export const LONGEST = 20_000;

/** Without what no database keeps. */
const storable = (text) => text.replaceAll('\0', '').replace(/\p{Surrogate}/gu, '');

/** One user's note on one call. `state`: loading, empty, saved, saving, waiting (no connection) or refused. */
export class Note extends EventTarget {
  constructor(notes, call) {
    super();
    const draft = notes.draft(call);
    Object.assign(this, { notes, call, text: draft?.text ?? '', base: draft?.base ?? null, sent: draft?.sent ?? null });
    Object.assign(this, { loaded: false, busy: false, tries: 0, news: 0, problem: '', older: 0, since: null, timer: null, watchers: new Set() });
    this.soon(0);
  }

  get dirty() {
    return this.sent !== null || this.text !== (this.base?.text ?? '');
  }

  get state() {
    if (this.problem) return 'refused';
    if (this.dirty) return this.tries || this.notes.live.status !== 'online' ? 'waiting' : 'saving';
    if (!this.loaded) return 'loading';
    return this.text ? 'saved' : 'empty';
  }

  /** As the page shows it, until the desk has answered. */
  begin({ text, version }) {
    if (!this.loaded && this.base === null && !this.text) Object.assign(this, { text, base: { text, version } });
  }

  /** Told of every change; the returned function ends that. */
  watch(call) {
    this.watchers.add(call);
    return () => this.watchers.delete(call);
  }

  /** The user has typed: this is the whole text now. */
  write(text) {
    text = storable(text);
    if (text === this.text) return;
    this.text = text;
    this.problem = '';
    this.since ??= this.notes.now();
    this.keep();
    if (!this.busy && !this.tries) this.soon(Math.min(PAUSE_MS, Math.max(0, this.since + LATEST_MS - this.notes.now())));
    this.tell();
  }

  /** What is saved with the text, when the desk has that, and what it says of it: for what is more than a text. */
  more() {
    return {};
  }

  saved() {}

  took() {}

  /** Send what is unsent without waiting for a pause: the page is going. */
  flush() {
    if (!this.busy && this.loaded && this.dirty && !this.problem) this.#work({ keepalive: true });
  }

  /** Another tab of the user has saved this version. */
  hear(version) {
    this.news = Math.max(this.news, version);
    if (this.news > (this.base?.version ?? -1) && !this.busy) this.soon(0);
  }

  /** The line is back, or events may have been missed: do not wait for the next try. */
  again({ reload = false } = {}) {
    if (reload) this.loaded = false;
    this.tries = 0;
    if (!this.busy && !this.problem && (this.dirty || !this.loaded)) this.soon(0);
    this.tell();
  }

  /** Words that a tab left behind which is not there any more. */
  absorb(draft) {
    const fresh = this.base === null && !this.text;
    const from = draft.sent !== null && draft.sent === this.base?.text ? draft.sent : (draft.base?.text ?? '');
    this.text = fresh ? draft.text : merge(from, draft.text, this.text);
    if (fresh) Object.assign(this, { base: draft.base, sent: draft.sent });
    this.keep();
    this.again();
  }

  /** Look after it in so many ms, whatever was planned before. */
  soon(ms) {
    const { env } = this.notes.live;
    env.cancel(this.timer);
    this.timer = env.after(ms, () => this.#work());
  }

  async #work(options) {
    if (this.busy || this.problem) return;
    this.notes.live.env.cancel(this.timer);
    this.busy = true;
    try {
      if (!this.loaded || this.news > (this.base?.version ?? -1)) await this.#load();
      if (this.dirty) await this.#save(options);
      this.tries = 0;
    } catch (error) {
      if (REFUSALS.has(error.status)) this.problem = error.message;
      else this.tries += 1;
    }
    this.busy = false;
    const { env, status } = this.notes.live;
    if (this.tries && status !== 'gone') {
      this.soon(BACKOFF_MS[Math.min(this.tries, BACKOFF_MS.length) - 1] * (0.75 + env.random() * 0.5));
    } else if (!this.tries && !this.problem && (!this.loaded || this.dirty || this.news > this.base.version)) {
      this.soon(this.loaded ? PAUSE_MS : 0);
    }
    this.tell();
  }

  async #load() {
    const answer = await this.notes.ask(this.call);
    const { version } = answer;
    this.#take(answer);
    this.loaded = true;
    // An answer may be older than the event that came in its way; one that stays older is a store back from its backup.
    this.older = version < this.news ? this.older + 1 : 0;
    if (this.older > MOST_OLDER) this.news = version;
  }

  /** One write at a time, repeated until it has its answer; only then what was typed meanwhile. */
  async #save(options) {
    this.sent ??= this.text;
    if (this.sent === this.text) this.since = null;
    this.keep();
    try {
      const body = { text: this.sent, version: this.base.version, ...this.more() };
      const { version } = await this.notes.put(this.call, body, options);
      this.base = { text: this.sent, version };
      this.saved(body);
      this.sent = null;
      this.keep();
    } catch (error) {
      if (error.code !== 'changed') throw error;
      this.#take(error.details);
    }
  }

  /** What the desk has: the own write whose answer was lost, or what another tab wrote. */
  #take(answer) {
    const { text, version } = answer;
    this.took(answer);
    if (this.base?.version !== version || this.base.text !== text) {
      // What was typed before the first answer was typed without having seen it, and goes on behind it.
      if (this.sent !== text) this.text = this.base ? merge(this.base.text, this.text, text) : merge('', text, this.text);
      this.base = { text, version };
    }
    this.sent = null;
    this.keep();
  }

  /** Have the browser remember what the desk does not have. */
  keep() {
    if (this.dirty) this.notes.store(this.call, { text: this.text, base: this.base, sent: this.sent, at: this.notes.now() });
    else this.notes.store(this.call, null);
  }

  tell() {
    for (const call of [...this.watchers]) call(this);
  }
}

/** All notes of this page's user. */
export class Notes {
  constructor(live) {
    Object.assign(this, { live, open: new Map() });
    live.addEventListener('event', ({ detail }) => this.heard(detail.event));
    live.addEventListener('view', ({ detail }) => detail.snapshot && this.#each((note) => note.again({ reload: true })));
    live.addEventListener('status', () => {
      this.#each((note) => (live.status === 'online' ? note.again() : note.tell()));
      if (live.status === 'online') this.adopt();
    });
    if (live.status === 'online') this.adopt();
  }

  /** The note on a call; read from the desk when it is asked for first. `seen`: its text and version as the page shows it,
   * so that what is typed before the desk's answer goes on from there. */
  of(call, seen = null) {
    if (!this.open.has(call)) this.open.set(call, this.make(call));
    const note = this.open.get(call);
    if (seen) note.begin(seen);
    return note;
  }

  make(call) {
    return new Note(this, call);
  }

  heard(event) {
    if (event.kind === 'call.noted' && event.user_id === this.live.view.user) this.open.get(event.call_id)?.hear(event.data.version);
  }

  flush() {
    this.#each((note) => note.flush());
  }

  #each(deed) {
    for (const [call, note] of this.open) {
      if (note.dirty || note.watchers.size) deed(note);
      else if (!note.busy) this.open.delete(call); // nobody looks at it: it is read anew when somebody does
    }
  }

  now() {
    return this.live.env.now();
  }

  // ---- the desk

  ask(call) {
    return this.patiently(this.live.request(`/desk/calls/${call}/note`));
  }

  put(call, body, options) {
    return this.patiently(this.live.request(`/desk/calls/${call}/note`, { ...body, command: newId() }, { method: 'PUT', ...options }));
  }

  patiently(answer) {
    const { env } = this.live;
    return new Promise((resolve, reject) => {
      const timer = env.after(PATIENCE_MS, () => reject(new CommandError('timeout', this.live.t('error.timeout'))));
      answer.then(resolve, reject).finally(() => env.cancel(timer));
    });
  }

  // ---- the browser's storage: a draft for each user, call and tab

  /** What keys in the storage begin with. */
  get prefix() {
    return `aircall.note.${this.live.view.user}.`;
  }

  draft(call, tab = this.live.tab) {
    try {
      return JSON.parse(this.live.env.localStorage.getItem(`${this.prefix}${call}.${tab}`));
    } catch {
      return null;
    }
  }

  store(call, draft) {
    const key = `${this.prefix}${call}.${this.live.tab}`;
    try {
      if (draft) this.live.env.localStorage.setItem(key, JSON.stringify(draft));
      else this.live.env.localStorage.removeItem(key);
    } catch (error) {
      console.warn('aircall: this browser keeps no drafts of notes', error); // full or forbidden: the page still has it
    }
  }

  /** Send what this tab had not sent before its reload, and what tabs left behind that are gone. */
  adopt() {
    const { env, tab: own } = this.live;
    for (const key of this.#keys()) {
      const [call, tab] = key.slice(this.prefix.length).split('.');
      if (tab === own) {
        this.of(call);
        continue;
      }
      const take = () => {
        const draft = this.draft(call, tab);
        if (!draft) return;
        this.of(call).absorb(draft);
        env.localStorage.removeItem(key);
      };
      if (env.locks) env.locks.request(`aircall.tab.${tab}`, { ifAvailable: true }, (lock) => lock && take());
      else if (this.now() - (this.draft(call, tab)?.at ?? 0) > ORPHAN_MS) take();
    }
  }

  #keys() {
    try {
      const { localStorage: kept } = this.live.env;
      return Array.from({ length: kept.length }, (_, i) => kept.key(i)).filter((key) => key?.startsWith(this.prefix));
    } catch {
      return [];
    }
  }
}

/** The page's one Notes. */
export function notesOf(live) {
  if (!live.notes) {
    live.notes = new Notes(live);
    globalThis.addEventListener?.('pagehide', () => live.notes.flush());
  }
  return live.notes;
}

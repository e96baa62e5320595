// Texts to customers while they are written: saved as notes are (notes.js), with their attachments, for each user and
// conversation. Sending is asked for once: a text whose answer was lost keeps its command, so that asking again cannot send
// it twice, and the log's word that it was written empties the draft. Nothing is sent by itself later. Knows nothing of the DOM.

import { newId } from './live.js';
import { Note, Notes } from './notes.js';

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** One user's draft. `files`: what is attached; `failure`: '' or why the last sending came to nothing: {code, message}. */
export class Draft extends Note {
  constructor(drafts, conversation) {
    super(drafts, conversation);
    const kept = drafts.draft(conversation);
    Object.assign(this, { files: kept?.files ?? [], had: kept?.had ?? [], pending: kept?.pending ?? null, sending: false });
    this.failure = this.pending ? { code: 'unsure' } : null;
  }

  get ids() {
    return this.files.map((one) => one.id);
  }

  get dirty() {
    return super.dirty || !same(this.ids, this.had ?? []);
  }

  get empty() {
    return !this.text.trim() && !this.files.length;
  }

  write(text) {
    if (this.sending) return;
    const before = this.text;
    super.write(text);
    if (this.text !== before && this.failure?.code !== 'unsure') this.failure = null;
  }

  attach(file) {
    if (this.ids.includes(file.id)) return;
    this.#change([...this.files, file]);
  }

  detach(id) {
    if (!this.sending) this.#change(this.files.filter((one) => one.id !== id));
  }

  #change(files) {
    this.files = files;
    this.problem = '';
    this.failure = null;
    this.keep();
    if (!this.busy && !this.tries) this.soon(0);
    this.tell();
  }

  // ---- what Note does with what is more than a text

  more() {
    return { attachments: this.ids };
  }

  saved({ attachments }) {
    this.had = attachments;
  }

  /** What another tab has attached or taken away comes in; what this one has, stays. */
  took({ attachments = [] }) {
    const here = new Set(this.ids);
    const gone = new Set(this.had.filter((id) => !here.has(id)));
    const there = new Set(attachments.map((one) => one.id));
    const added = this.files.filter((one) => !there.has(one.id) && !this.had.includes(one.id));
    this.files = [...attachments.filter((one) => !gone.has(one.id)), ...added];
    this.had = attachments.map((one) => one.id);
  }

  absorb(draft) {
    const here = new Set(this.ids);
    this.files = [...this.files, ...(draft.files ?? []).filter((one) => !here.has(one.id))];
    super.absorb(draft);
  }

  keep() {
    const { text, base, sent, files, had, pending } = this;
    const worth = this.dirty || pending;
    this.notes.store(this.call, worth ? { text, base, sent, files, had, pending, at: this.notes.now() } : null);
  }

  // ---- sending

  /** Whether the text is on its way: it is queued at the desk. If not, `failure` says why, and all is as it was. */
  async send() {
    if (this.sending || this.empty) return false;
    const { live } = this.notes;
    if (live.status !== 'online') return this.#failed({ code: 'offline' });
    this.sending = true;
    this.failure = null;
    this.tell();
    await this.#idle();
    const [text, attachments] = [this.text, this.ids];
    const again = this.pending && this.pending.text === text && same(this.pending.attachments, attachments);
    if (!again) this.pending = { command: newId(), text, attachments };
    this.busy = true;
    live.env.cancel(this.timer);
    this.keep();
    try {
      await this.notes.send(this.call, { ...this.pending });
      this.#gone();
    } catch (error) {
      if (this.pending === null) return true; // the answer was lost, the event was not
      const known = error.status >= 400 && error.status < 500;
      if (known) this.pending = null;
      this.#failed(known ? { code: error.code, message: error.message } : { code: 'unsure', message: error.message });
    } finally {
      this.busy = false;
      this.sending = false;
      this.keep();
      this.soon(0);
      this.tell();
    }
    return this.failure === null;
  }

  /** The log says that a text of this user was queued here. */
  written(command) {
    if (this.pending?.command === command) this.#gone();
    else if (!this.sending) this.again({ reload: true }); // from another tab, which had the same draft
    this.tell();
  }

  /** The line is back and all that happened has been told: the desk never had it. */
  settled() {
    if (this.failure?.code === 'unsure' || this.failure?.code === 'offline') this.#failed({ code: 'unsent' });
  }

  /** The desk has it and has emptied its draft, whose version is asked for. What came after it was sent is the next text. */
  #gone() {
    const base = this.base && { ...this.base, text: '' };
    const went = new Set(this.pending?.attachments);
    const text = this.pending ? since(this.pending.text, this.text) : '';
    const files = this.pending ? this.files.filter((one) => !went.has(one.id)) : [];
    Object.assign(this, { text, files, had: [], base, sent: null, since: null, pending: null, failure: null, problem: '' });
    this.loaded = false;
    this.keep();
    if (!this.busy) this.soon(0);
  }

  #failed(failure) {
    this.failure = failure;
    this.tell();
    return false;
  }

  /** Resolves when the save under way has its answer: a save that comes after the text would bring its draft back. */
  async #idle() {
    while (this.busy) await new Promise((done) => this.notes.live.env.after(20, done));
  }
}

/** What a text holds that was not in the one that was sent; all of it where that was rewritten. */
const since = (sent, text) => (text.startsWith(sent) ? text.slice(sent.length).trimStart() : text);

/** All drafts of this page's user. */
export class Drafts extends Notes {
  constructor(live) {
    super(live);
    live.addEventListener('status', () => {
      if (live.status !== 'online') return;
      for (const draft of this.open.values()) draft.settled();
    });
  }

  get prefix() {
    return `aircall.draft.${this.live.view.user}.`;
  }

  make(conversation) {
    return new Draft(this, conversation);
  }

  heard(event) {
    if (event.kind !== 'message.written') return;
    const mine = event.user_id === this.live.view.user || event.actor === `user:${this.live.view.user}`;
    if (mine) this.open.get(event.conversation_id)?.written(event.data?.command);
  }

  ask(conversation) {
    return this.patiently(this.live.request(`/desk/conversations/${conversation}/draft`));
  }

  put(conversation, body, options) {
    const init = { method: 'PUT', ...options };
    return this.patiently(this.live.request(`/desk/conversations/${conversation}/draft`, { ...body, command: newId() }, init));
  }

  send(conversation, body) {
    return this.patiently(this.live.request(`/desk/conversations/${conversation}/messages`, body));
  }
}

/** The page's one Drafts. */
export function draftsOf(live) {
  if (!live.drafts) {
    live.drafts = new Drafts(live);
    globalThis.addEventListener?.('pagehide', () => live.drafts.flush());
  }
  return live.drafts;
}

// The browser's one line to the desk: realtime events in, commands out. One instance per page load, kept on `window`, so
// that Streamlit's reruns and page changes never touch it. Knows nothing of the DOM: views listen to its events
// ('view', 'event', 'status', 'aloud', 'device', 'toast', 'duplicated') and draw.

import { browserEnv } from './live_env.js';
import { apply, empty, ringing } from './view.js';

const BEAT_MS = 5000;
const SILENCE_MS = 11_000; // no frame for this long, though two beats asked for one: the connection is dead
const DOUBT_MS = 2000; // the same, where the browser itself says that the network is gone
const OUTCOME_MS = 8000;
const REQUEST_MS = 30_000;
const BACKOFF_MS = [200, 400, 800, 1600, 3000, 5000];

/** An id for a command, a tab or a peer: 20 characters of [A-Za-z0-9_-]. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(15));
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_');
}

/** An id that a storage keeps; a private window that forbids storage gets one for this page load. */
function kept(storage, key) {
  try {
    const known = storage.getItem(key);
    if (known) return known;
    const made = newId();
    storage.setItem(key, made);
    return made;
  } catch {
    return newId();
  }
}

/** A refused or failed command: `code` is the desk's, or 'unreachable' / 'timeout'; `by` says who took the call; `details`: all it said. */
export class CommandError extends Error {
  constructor(code, message, by = null, status = 0, details = {}) {
    super(message);
    Object.assign(this, { code, by, status, details });
  }
}

export class Live extends EventTarget {
  /** @param env what the page gives: WebSocket, fetch, timers, storages, navigator; tests give their own. */
  constructor(env) {
    super();
    this.env = env;
    this.browser = kept(env.localStorage, 'aircall.browser');
    this.tab = this.#ownTab();
    this.view = empty('');
    this.cards = {};
    this.names = {};
    this.seq = 0;
    this.status = 'connecting'; // connecting, online, offline, gone
    this.goneReason = '';
    this.aloud = undefined; // undefined: not told yet; null: nobody elected
    this.device = { armed: false, mic: 'unknown', sound: 'unknown', notifications: 'unknown' };
    this.pending = new Map(); // command id -> settle(event)
    this.text = {};
    this.deskUrl = '';
    this.skew = 0;
    this.attempt = 0;
    this.socket = null;
  }

  /** A duplicated tab copies sessionStorage: the Web Lock on the tab's id shows whether its first owner still lives. */
  #ownTab() {
    return kept(this.env.sessionStorage, 'aircall.tab');
  }

  /** Begin, or take up new facts about the page (a rerun passes the same ones again). */
  async start({ deskUrl, user, text }) {
    this.text = text ?? this.text;
    if (this.started) return;
    this.started = true;
    this.deskUrl = deskUrl;
    this.view = empty(user ?? '');
    await this.#claimTab();
    this.#connect();
    this.env.every(BEAT_MS, () => this.#tick());
    this.env.onWake(() => this.#wake());
    this.env.onOffline(() => this.#doubt());
  }

  async #claimTab() {
    const locks = this.env.locks;
    if (!locks) return;
    const claim = (id) =>
      new Promise((settled) => {
        locks.request(`aircall.tab.${id}`, { ifAvailable: true }, (lock) => {
          settled(Boolean(lock));
          return lock ? new Promise(() => {}) : undefined; // held until the page goes
        });
      });
    if (await claim(this.tab)) return;
    this.tab = newId();
    try {
      this.env.sessionStorage.setItem('aircall.tab', this.tab);
    } catch {
      /* storage forbidden: the id lives as long as the page */
    }
    await claim(this.tab);
    this.#emit('duplicated');
  }

  /** The desk's clock, from which calls are timed (ms). */
  now() {
    return this.env.now() + this.skew;
  }

  /** Texts come from the page, in its language. `{name}` in them is replaced. */
  t(key, values = {}) {
    const text = this.text[key] ?? key;
    return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  }

  // ---- realtime

  #connect() {
    if (this.status === 'gone') return;
    const url = new URL('/realtime', this.deskUrl);
    url.protocol = url.protocol.replace('http', 'ws');
    if (this.seq > 0) url.searchParams.set('after', String(this.seq));
    url.searchParams.set('tab', this.tab);
    url.searchParams.set('browser', this.browser);
    const socket = new this.env.WebSocket(url.href);
    this.socket = socket;
    this.heardAt = this.env.now();
    let opened = false;
    socket.onopen = () => {
      opened = true;
      this.heardAt = this.env.now();
      this.beat();
      this.#tellViewing();
    };
    socket.onmessage = (message) => {
      if (this.socket !== socket) return;
      this.heardAt = this.env.now();
      this.#receive(JSON.parse(message.data));
    };
    socket.onclose = () => {
      if (this.socket === socket) this.#lost(opened);
    };
  }

  #lost(opened) {
    this.socket = null;
    if (this.status === 'gone') return;
    this.#setStatus('offline');
    if (!opened) this.#checkSession();
    const wait = BACKOFF_MS[Math.min(this.attempt, BACKOFF_MS.length - 1)];
    this.attempt += 1;
    this.retry = this.env.after(wait * (0.75 + this.env.random() * 0.5), () => this.#connect());
  }

  /** A refused handshake looks like a dead desk; only the session's own route can tell them apart. */
  async #checkSession() {
    try {
      const answer = await this.env.fetch(new URL('/session/me', this.deskUrl).href, { credentials: 'include' });
      if (answer.status === 401) this.#gone('revoked');
    } catch {
      /* the desk is away: the retry that is already set will find it */
    }
  }

  /** Signed out: no event will ever say that a call rings no more, so none rings here. One in progress stays on show. */
  #gone(reason) {
    this.goneReason = reason;
    this.#setStatus('gone');
    this.socket?.close();
    const calls = { ...this.view.calls };
    for (const { id } of ringing(this.view)) delete calls[id];
    this.view = { ...this.view, calls };
    this.#emit('view');
  }

  /** The machine woke, the network came back or the tab came into view: do not wait for the next try. */
  #wake() {
    if (this.status === 'gone') return;
    if (!this.socket) {
      this.env.cancel(this.retry);
      this.attempt = 0;
      this.#connect();
    } else {
      this.beat();
    }
  }

  #tick() {
    if (this.socket && this.env.now() - this.heardAt > SILENCE_MS) this.#giveUp();
    else this.beat();
  }

  /** The browser says that the network is gone. It may be wrong of a desk on this machine: whoever answers is there. */
  #doubt() {
    const { socket } = this;
    if (!socket) return;
    const asked = this.env.now();
    this.beat();
    this.env.after(DOUBT_MS, () => this.socket === socket && this.heardAt <= asked && this.#giveUp());
  }

  #giveUp() {
    const dead = this.socket;
    this.socket = null;
    dead.onclose = null;
    dead.close();
    this.#lost(true);
  }

  /** Tell the desk that this tab lives and what it can do. Any answer also proves that the line is alive. */
  beat() {
    if (this.socket?.readyState !== 1) return;
    const { armed, mic, sound, notifications } = this.device;
    const visible = this.env.visible();
    this.socket.send(JSON.stringify({ t: 'beat', armed, visible, mic, sound, notifications }));
    this.socket.send(JSON.stringify({ t: 'ping' }));
  }

  /** The microphone, the sound or the permission changed: remember, tell the desk, tell the views. */
  setDevice(change) {
    const before = JSON.stringify(this.device);
    Object.assign(this.device, change);
    if (JSON.stringify(this.device) === before) return;
    this.beat();
    this.#emit('device');
  }

  /** Which conversation this tab shows, so that others who look at it know. `left`: only if it still is this one. */
  setViewing(conversation, left = null) {
    if (left !== null && this.viewing !== left) return;
    this.viewing = conversation;
    this.#tellViewing(true);
  }

  #tellViewing(gone = false) {
    if (this.socket?.readyState !== 1 || !(this.viewing || gone)) return;
    this.socket.send(JSON.stringify({ t: 'viewing', conversation: this.viewing ?? null }));
  }

  #receive(frame) {
    switch (frame.t) {
      case 'snapshot':
        this.seq = frame.seq;
        this.skew = frame.now - this.env.now();
        this.view = frame.view;
        for (const [id, card] of Object.entries(frame.cards)) this.#learn(id, card);
        this.#online();
        this.#emit('view', { snapshot: true });
        break;
      case 'event':
        this.#event(frame);
        break;
      case 'caught_up':
        this.seq = Math.max(this.seq, frame.seq);
        this.#online();
        break;
      case 'aloud':
        this.aloud = frame.browser;
        this.#emit('aloud');
        break;
      case 'viewers':
        this.#emit('viewers', { conversation: frame.conversation, users: frame.users });
        break;
      case 'gone':
        if (frame.reason === 'revoked') this.#gone('revoked');
        break;
      default: // pong, and kinds that a newer desk may add
    }
  }

  #online() {
    this.attempt = 0;
    this.#setStatus('online');
  }

  #event(event) {
    if (event.seq <= this.seq) return; // delivery is at least once
    this.seq = event.seq;
    if (event.who) this.names[event.who.id] = event.who.name;
    if (event.card) this.#learn(event.call_id, event.card);
    const before = this.view;
    this.view = apply(before, event);
    this.#emit('event', { event, before });
    const cards = event.kind === 'conversation.assigned' && this.#assigned(event);
    if (this.view !== before || cards) this.#emit('view', { event });
    const command = event.data?.command;
    if (command) this.pending.get(command)?.(event);
  }

  #learn(callId, card) {
    this.cards[callId] = card;
    Object.assign(this.names, card.people);
  }

  /** Whose a conversation is shows on the cards of its calls; whether there are any. */
  #assigned({ conversation_id: conversation, data }) {
    const concerned = Object.entries(this.cards).filter(([, card]) => card.conversation_id === conversation);
    for (const [id, card] of concerned) this.cards[id] = { ...card, assigned_to: data.to };
    return concerned.length > 0;
  }

  #setStatus(status) {
    if (this.status === status) return;
    this.status = status;
    this.#emit('status');
  }

  #emit(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  // ---- commands

  /**
   * GET, or POST where there is a body, to the desk; its JSON, or a CommandError whose message can be shown. A connection
   * that the network has dropped without a word would hold it for minutes: it ends by itself, or by the caller's `signal`.
   */
  async request(path, body, options = {}) {
    const late = new AbortController();
    const init = { credentials: 'include', headers: { accept: 'application/json' }, signal: late.signal, ...options };
    if (body !== undefined) {
      init.method ??= 'POST';
      init.body = JSON.stringify(body); // as text/plain: a "simple" request, which saves the preflight's round trip
    }
    const limit = this.env.after(REQUEST_MS, () => late.abort());
    let answer, json;
    try {
      answer = await this.env.fetch(new URL(path, this.deskUrl).href, init);
      json = await answer.json().catch((error) => {
        if (late.signal.aborted) throw error;
        return null; // nothing, or not JSON
      });
    } catch {
      throw late.signal.aborted
        ? new CommandError('timeout', this.t('error.slow'))
        : new CommandError('unreachable', this.t('error.unreachable'));
    } finally {
      this.env.cancel(limit);
    }
    if (answer.ok) return json;
    if (answer.status === 401) this.#gone('revoked');
    const error = json?.error ?? {};
    throw new CommandError(error.code ?? 'failed', error.message ?? this.t('error.failed'), error.by ?? null, answer.status, error);
  }

  /**
   * Send a command and wait for its end: the event that carries its id, or `until(view)` being true. The deed may fail
   * after the desk took the command, so only the log's word counts; and it counts before the answer to the request, which
   * may be lost.
   */
  async command(path, body = {}, { until } = {}) {
    const id = newId();
    const wait = this.#outcome(id, until);
    const asked = this.request(path, { ...body, command: id }).then(() => (wait.look(), wait.ended));
    asked.catch(() => {}); // the log was faster
    try {
      return await Promise.race([asked, wait.ended]);
    } finally {
      wait.stop();
    }
  }

  #outcome(id, until) {
    let settle;
    const ended = new Promise((resolve, reject) => (settle = { resolve, reject }));
    ended.catch(() => {}); // a refused request is reported in its place
    const stop = () => {
      this.pending.delete(id);
      this.removeEventListener('view', look);
      this.env.cancel(timer);
    };
    const done = (how, value) => {
      stop();
      settle[how](value);
    };
    const look = () => until?.(this.view) && done('resolve', null);
    const timer = this.env.after(OUTCOME_MS, () =>
      done('reject', new CommandError('timeout', this.t('error.timeout'))),
    );
    this.pending.set(id, (event) => {
      if (event.kind === 'command.failed' || event.kind === 'call.accept_failed') {
        const code = event.data.code ?? event.data.reason ?? 'failed';
        done('reject', new CommandError(code, event.data.message ?? this.#reason(event.kind, code)));
      } else if (!event.kind.endsWith('_wanted') && event.kind !== 'call.accepting') {
        done('resolve', event);
      }
    });
    this.addEventListener('view', look);
    return { ended, stop, look };
  }

  #reason(kind, code) {
    const key = `${kind === 'command.failed' ? 'undone' : 'failed'}.${code}`;
    return this.text[key] ?? this.t('error.failed');
  }

  /** A short message at the edge of the page. Errors stay until they are closed. */
  toast(text, { kind = 'info', key } = {}) {
    this.#emit('toast', { text, kind, key });
  }
}

/** The page's one Live. */
export function live() {
  return (window.__aircall ??= new Live(browserEnv()));
}

/** Where the desk is: the configured address, or this host name at the desk's port. */
export function deskUrl(data) {
  return data.desk_url || `${location.protocol}//${location.hostname}:${data.desk_port}`;
}

// A stage for the browser's modules without a browser: time, sockets, the desk's answers, storages and locks that tests move.

import { readdirSync, readFileSync } from 'node:fs';

import { empty } from '../../aircall_core/ui/static/view.js';

globalThis.CustomEvent ??= class extends Event {
  constructor(type, init) {
    super(type);
    this.detail = init.detail;
  }
};

/** Let promises that are ready go on. */
export async function settle() {
  for (let i = 0; i < 12; i += 1) await Promise.resolve();
}

export class Storage {
  constructor(values = {}) {
    this.values = new Map(Object.entries(values));
  }
  getItem(key) {
    return this.values.get(key) ?? null;
  }
  setItem(key, value) {
    this.values.set(key, value);
  }
  removeItem(key) {
    this.values.delete(key);
  }
  get length() {
    return this.values.size;
  }
  key(i) {
    return [...this.values.keys()][i] ?? null;
  }
}

/** navigator.locks of one browser, shared by its tabs; `tab.leave()` is what closing a page does. */
export class Locks {
  constructor() {
    this.held = new Map();
    this.queue = [];
  }
  tab() {
    const mine = new Set();
    const locks = this;
    return {
      async request(name, options, run) {
        if (locks.held.has(name)) {
          if (options.ifAvailable) return run(null);
          await new Promise((resolve, reject) => {
            const waiter = { name, resolve, owner: mine };
            locks.queue.push(waiter);
            options.signal?.addEventListener('abort', () => {
              locks.queue = locks.queue.filter((one) => one !== waiter);
              reject(Object.assign(new Error('aborted'), { name: 'AbortError' }));
            });
          });
        }
        locks.held.set(name, mine);
        mine.add(name);
        try {
          return await run({ name });
        } finally {
          locks.free(name, mine);
        }
      },
      leave() {
        locks.queue = locks.queue.filter((one) => one.owner !== mine);
        for (const name of [...mine]) locks.free(name, mine);
      },
    };
  }
  free(name, owner) {
    if (this.held.get(name) !== owner) return;
    this.held.delete(name);
    owner.delete(name);
    const next = this.queue.find((one) => one.name === name);
    if (!next) return;
    this.queue = this.queue.filter((one) => one !== next);
    this.held.set(name, next.owner);
    next.resolve();
  }
}

/** One page load: `env` for Live, and the hands that move it. */
export function stage({ session = new Storage(), local = new Storage(), locks = new Locks().tab() } = {}) {
  const world = {
    time: 1000,
    timers: [],
    sockets: [],
    requests: [],
    answers: {},
    visible: true,
  };
  class Socket {
    constructor(url) {
      Object.assign(this, { url: new URL(url), sent: [], readyState: 0 });
      world.sockets.push(this);
    }
    send(text) {
      this.sent.push(JSON.parse(text));
    }
    close() {
      this.readyState = 3;
      this.onclose?.();
    }
  }
  world.open = () => {
    const socket = world.sockets.at(-1);
    socket.readyState = 1;
    socket.onopen();
    return socket;
  };
  world.frame = (frame) => world.sockets.at(-1).onmessage({ data: JSON.stringify(frame) });
  world.drop = () => world.sockets.at(-1).close();
  world.snapshot = (view, { seq = 1, cards = {} } = {}) => world.frame({ t: 'snapshot', seq, now: world.time, view, cards });
  world.event = (seq, kind, more = {}) =>
    world.frame({ t: 'event', seq, at: world.time, kind, call_id: 'c1', conversation_id: 'k1', line_id: 'l1', user_id: null, data: {}, ...more });
  /** Time passes: what is due runs, in its order. */
  world.pass = async (ms) => {
    const end = world.time + ms;
    for (;;) {
      const due = world.timers.filter((one) => one.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      world.time = due.at;
      if (due.every) due.at += due.every;
      else world.timers = world.timers.filter((one) => one !== due);
      due.run();
      await settle();
    }
    world.time = end;
    await settle();
  };
  const timer = (at, run, every = 0) => {
    const made = { at, run, every };
    world.timers.push(made);
    return made;
  };
  world.env = {
    WebSocket: Socket,
    fetch: async (url, init = {}) => {
      const path = new URL(url).pathname;
      const body = init.body ? JSON.parse(init.body) : undefined;
      world.requests.push({ path, body, credentials: init.credentials });
      const given = world.answers[path] ?? { status: 202, json: {} };
      const aborted = new Promise((_, reject) => init.signal?.addEventListener('abort', () => reject(new Error('aborted'))));
      const answer = typeof given === 'function' ? await Promise.race([given(body), aborted]) : given;
      if (answer instanceof Error) throw answer;
      return { ok: answer.status < 400, status: answer.status, json: async () => answer.json ?? {} };
    },
    now: () => world.time,
    random: () => 0.5,
    after: (ms, run) => timer(world.time + ms, run),
    cancel: (one) => (world.timers = world.timers.filter((other) => other !== one)),
    every: (ms, run) => timer(world.time + ms, run, ms),
    localStorage: local,
    sessionStorage: session,
    locks,
    visible: () => world.visible,
    onOffline: (run) => (world.offline = run),
    onWake: (run) => (world.wake = run),
  };
  return world;
}

export const TEXT = { 'error.timeout': 'No answer yet', 'error.slow': 'Too slow', 'error.unreachable': 'Away', 'error.failed': 'Failed', 'failed.no_audio': 'No audio' };

/** All that the browser says in English, from its file and its folder. */
export function words() {
  const folder = new URL('../../aircall_core/ui/locales/', import.meta.url);
  const files = ['en.json', ...readdirSync(new URL('en/', folder)).map((name) => `en/${name}`)];
  return Object.assign({}, ...files.map((name) => JSON.parse(readFileSync(new URL(name, folder))).ui));
}

/** A call of the view. */
export function call(more = {}) {
  return {
    id: 'c1', line: 'l1', conversation: 'k1', state: 'ringing', arrived_at: 0, ringing: ['me'], by: null, peer: null,
    answered_at: null, muted: false, away: false, recording: 'off', ...more,
  };
}

export function view(...calls) {
  return { ...empty('me'), duty: true, calls: Object.fromEntries(calls.map((one) => [one.id, one])) };
}

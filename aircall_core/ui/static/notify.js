// Notifications of the browser for a ring, or a text (text_news.js), that nobody looks at. Which calls are shown is decided
// here; the service worker (sw.js) shows them while no tab of the console has the focus, and brings what was clicked back
// to a tab.

import { callerTitle } from './dom.js';
import { explain } from './explain.js';
import { active, ringing } from './view.js';

const OFF = 'aircall.notify';

/** What the browser gives; tests give their own. */
export function browserEnv() {
  const secure = globalThis.isSecureContext;
  return {
    secure,
    Notification: globalThis.Notification,
    worker: secure ? navigator.serviceWorker : undefined,
    locks: navigator.locks,
    channel: globalThis.BroadcastChannel ? new BroadcastChannel('aircall.notify') : null,
    storage: (() => {
      try {
        return localStorage;
      } catch {
        return null; // forbidden: the choice lasts as long as the page
      }
    })(),
    icon: new URL('./icon.png', import.meta.url).href,
    looking: () => document.visibilityState === 'visible' && document.hasFocus(),
    front: () => window.focus(),
    onLook(call) {
      for (const name of ['focus', 'blur']) addEventListener(name, call);
      document.addEventListener('visibilitychange', call);
    },
    async onPermission(call) {
      const status = await navigator.permissions?.query({ name: 'notifications' });
      status?.addEventListener('change', call);
    },
    /** The call that a notification asked this new tab to accept; it is asked once. */
    takeAccept() {
      const url = new URL(location.href);
      const call = url.searchParams.get('accept');
      if (call === null) return null;
      url.searchParams.delete('accept');
      history.replaceState(history.state, '', url);
      return call;
    },
  };
}

/** Event 'change': the permission, or what the user wants, is another. */
export class Notifier extends EventTarget {
  constructor(live, env = browserEnv()) {
    super();
    this.t = (key, values) => live.t(key, values);
    Object.assign(this, { live, env, holds: false, told: true, closed: new Set(), plain: new Map(), plainTexts: new Map() }); // told: what an earlier life of this browser left is closed
    this.#changed();
    const tell = () => this.#tell();
    for (const name of ['view', 'aloud', 'status']) live.addEventListener(name, tell);
    live.ringer.addEventListener('change', tell);
    live.calls.addEventListener('change', tell);
    live.detached?.addEventListener('change', tell);
    env.onLook(() => {
      tell();
      env.channel?.postMessage('look'); // the tab that tells may be another one
    });
    env.channel?.addEventListener('message', tell);
    env.worker?.addEventListener('message', (event) => this.#hear(event));
    env.worker?.startMessages?.();
    env.onPermission(() => this.#changed()).catch((error) => console.debug('aircall: no news of permissions', error));
    env.locks?.request(OFF, () => ((this.holds = true), tell(), new Promise(() => {}))); // as long as the page lives
    this.#acceptFromAddress(env.takeAccept());
  }

  /** granted, denied, default (not asked yet), off (the user's wish), insecure, or none where the browser has none. */
  get state() {
    if (!this.env.Notification) return this.env.secure ? 'none' : 'insecure';
    const { permission } = this.env.Notification;
    return permission === 'granted' && this.unwanted ? 'off' : permission;
  }

  get unwanted() {
    return (this.env.storage?.getItem(OFF) ?? this.memory) === 'off';
  }

  /** Ask where nobody has been asked yet; to be called within a click. Resolves to the state. */
  async ask() {
    if (this.state === 'default' && !this.unwanted) await this.env.Notification.requestPermission();
    this.#changed();
    return this.state;
  }

  /** The user's switch: within a click, since it may ask. */
  async turn(on) {
    this.memory = on ? 'on' : 'off';
    this.env.storage?.setItem(OFF, this.memory);
    if (on) await this.ask();
    this.#changed();
  }

  /** One for show, so that the system's own "do not disturb" is found before a call is missed. */
  async try() {
    const { t } = this;
    const options = { body: t('notify.try_text'), icon: this.env.icon, tag: 'aircall.try' };
    const registration = await this.registering;
    if (registration) await registration.showNotification(t('notify.try_title'), options);
    else new this.env.Notification(t('notify.try_title'), options);
  }

  // ---- texts

  /** Whether this tab is the one that notifies this user now. */
  async tellsHere() {
    return this.live.status === 'online' && this.state === 'granted' && !this.#elsewhere && (await this.#tells());
  }

  /** A text came in, unless somebody looks at the console. A further one of its conversation takes its place. */
  async text({ conversation, entry, title, body }) {
    const options = { body, icon: this.env.icon, badge: this.env.icon, silent: true, tag: `text.${conversation}` };
    const looking = this.env.looking() || Boolean(this.live.detached?.seen);
    const registration = await this.registering;
    if (registration) registration.active.postMessage({ t: 'text', looking, conversation, entry, title, options });
    else if (!looking) this.#plainly(this.plainTexts, conversation, title, options, () => this.#open({ id: conversation, entry }));
  }

  /** It was read or answered. */
  async textOver(conversation) {
    const registration = await this.registering;
    if (registration) registration.active.postMessage({ t: 'text-over', conversation });
    else this.plainTexts.get(conversation)?.close();
    this.plainTexts.delete(conversation);
  }

  #open(place) {
    this.live.dispatchEvent(new CustomEvent('open-conversation', { detail: place }));
  }

  #changed() {
    const { state } = this;
    if (state === 'granted') this.registering ??= this.#register();
    this.live.setDevice({ notifications: state });
    this.dispatchEvent(new Event('change'));
    this.#tell();
  }

  async #register() {
    try {
      await this.env.worker?.register('/sw.js', { scope: '/' });
      return (await this.env.worker?.ready) ?? null;
    } catch (error) {
      console.warn('aircall: no service worker, so notifications have no buttons', error); // private windows of some browsers
      return null;
    }
  }

  // ---- out

  /** Another browser of this user rings. */
  get #elsewhere() {
    return this.live.aloud != null && this.live.aloud !== this.live.browser;
  }

  /** Whether this tab tells. One tab of one browser does: the one that rings aloud; where none may sound, the one that holds our own lock. */
  async #tells() {
    const { live, env } = this;
    if (live.ringer.elected) return true;
    if (this.#elsewhere) return false;
    if (!env.locks) return true;
    if (!this.holds) return false;
    const { held } = await env.locks.query();
    return !held.some((one) => one.name === 'aircall.aloud');
  }

  /** Again and again until nothing new has happened: what is sent is always the newest. */
  #tell() {
    this.again = true;
    this.telling ??= (async () => {
      while (this.again) {
        this.again = false;
        await this.#tellOnce();
      }
    })().finally(() => (this.telling = null));
  }

  async #tellOnce() {
    const { live } = this;
    const registration = await this.registering;
    const tells = await this.#tells();
    if (!['online', 'gone'].includes(live.status)) return; // nothing is known: what is shown stays
    for (const id of this.closed) if (!live.view.calls[id]) this.closed.delete(id);
    const here = live.status === 'online' && this.state === 'granted' && !this.#elsewhere;
    if (here && !tells) return;
    const open = (call) => call.state === 'ringing' && !this.closed.has(call.id) && !live.calls.accepting.has(call.id);
    const calls = here ? ringing(live.view).filter(open) : [];
    if (!calls.length && !this.told) return;
    this.told = calls.length > 0;
    const looking = this.env.looking() || Boolean(this.live.detached?.seen); // a window on top says it as well
    if (registration) registration.active.postMessage({ t: 'ringing', looking, notes: calls.map((call) => this.#note(call)) });
    else this.#withoutWorker(looking ? [] : calls);
  }

  #note(call) {
    const { live } = this;
    const { t } = this;
    const card = live.cards[call.id];
    const branch = card?.path?.at(-1);
    return {
      call: call.id,
      desk: live.deskUrl,
      title: t('notify.title', { who: callerTitle(card, t) }),
      options: {
        body: [branch, card?.line_name, card?.caller_name && card.number].filter(Boolean).join(' · '),
        icon: this.env.icon,
        badge: this.env.icon,
        timestamp: call.arrived_at,
        requireInteraction: true,
        silent: live.tone.ringing, // the ring itself is heard
        actions: [{ action: 'accept', title: t('ringer.accept') }, { action: 'reject', title: t('ringer.reject') }],
      },
    };
  }

  /** Plain notifications of this page: no buttons, and gone with it. */
  #withoutWorker(notes) {
    for (const [id, shown] of this.plain) {
      if (notes.some((call) => call.id === id)) continue;
      shown.close();
      this.plain.delete(id);
    }
    for (const call of notes) {
      if (this.plain.has(call.id)) continue;
      const { title, options } = this.#note(call);
      const { actions: _none, ...rest } = options;
      this.#plainly(this.plain, call.id, title, { ...rest, tag: `ring.${call.id}` }, () => this.#show(call.id));
    }
  }

  #plainly(known, id, title, options, chosen) {
    try {
      const shown = new this.env.Notification(title, options);
      shown.onclick = () => (this.env.front(), shown.close(), chosen());
      known.set(id, shown);
    } catch (error) {
      console.warn('aircall: this browser shows notifications only from a service worker', error);
    }
  }

  // ---- in

  #hear(event) {
    const { t, action, call, place } = event.data ?? {};
    if (t === 'closed') this.closed.add(call);
    if (t !== 'chosen') return;
    event.ports[0]?.postMessage('heard');
    if (action === 'open') this.#open(place);
    else if (action === 'accept') this.#accept(call);
    else if (action === 'reject') this.#reject(call);
    else this.#show(call);
  }

  #show(call) {
    this.live.dispatchEvent(new CustomEvent('focus-ring', { detail: { call } }));
  }

  async #accept(id) {
    const { live } = this;
    const { t } = this;
    const mine = active(live.view);
    if (mine?.id === id) return;
    if (!ringing(live.view).some((call) => call.id === id)) {
      live.toast(t('notify.gone'), { key: `ring.${id}` });
      return;
    }
    try {
      await live.calls.accept(id);
      live.dispatchEvent(new Event('focus-call'));
    } catch (error) {
      live.toast(error.by ? t('ringer.taken', { name: error.by.name }) : explain(error, t), { kind: 'error', key: `ring.${id}` });
    }
  }

  async #reject(id) {
    const { live } = this;
    try {
      await live.calls.reject(id);
    } catch (error) {
      live.toast(explain(error, this.t), { kind: 'error', key: `ring.${id}` });
    }
  }

  /** Accepted from a notification while no tab was left: this tab was opened for it. A call that rings others is not ours. */
  #acceptFromAddress(id) {
    if (!id) return;
    const look = (event) => {
      if (!event.detail?.snapshot) return;
      this.live.removeEventListener('view', look);
      this.#accept(id);
    };
    this.live.addEventListener('view', look);
  }
}

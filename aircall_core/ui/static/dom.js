// The few things every view needs: elements, icons, its stylesheet, times, and keeping one subscription a mount.

import { betweenRuns } from './runs.js';

const SVG = 'http://www.w3.org/2000/svg';
const styles = new Map(); // address -> its text
const sheets = new WeakMap(); // document -> address -> the sheet: one made for the page is of no use in another document

/** An element with attributes (`on…` functions become listeners, `text` its text) and children. Text is never HTML. */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'text') node.textContent = value;
    else if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const PATHS = {
  phone:
    'M6.6 10.8a15 15 0 0 0 6.6 6.6l2.2-2.2a1 1 0 0 1 1-.25 11.4 11.4 0 0 0 3.6.57 1 1 0 0 1 1 1V20a1 1 0 0 1-1 1A17 17 0 0 1 3 4a1 1 0 0 1 1-1h3.5a1 1 0 0 1 1 1c0 1.25.2 2.45.57 3.57a1 1 0 0 1-.25 1z',
  down: 'M12 9c-1.6 0-3.15.25-4.6.72v3.1a1 1 0 0 1-.56.9c-.98.49-1.87 1.12-2.66 1.85a1 1 0 0 1-1.4-.01L.3 13.08a1 1 0 0 1 0-1.41A16.9 16.9 0 0 1 12 7c4.54 0 8.66 1.78 11.7 4.67a1 1 0 0 1 0 1.41l-2.48 2.48a1 1 0 0 1-1.4.01 11.1 11.1 0 0 0-2.67-1.85 1 1 0 0 1-.56-.9v-3.1A15 15 0 0 0 12 9z',
  mic: 'M12 14.5a3 3 0 0 0 3-3v-6a3 3 0 0 0-6 0v6a3 3 0 0 0 3 3zm5.3-3a5.3 5.3 0 0 1-10.6 0H5a7 7 0 0 0 6.1 6.93V21.5h1.8v-3.07A7 7 0 0 0 19 11.5z',
  muted:
    'M19 11.5h-1.7c0 .74-.16 1.43-.43 2.05l1.23 1.23c.56-.98.9-2.09.9-3.28zm-4 .17V5.5a3 3 0 0 0-6-.3zM4.3 3 3 4.3l6 6v1.2a3 3 0 0 0 3.7 2.9l1.65 1.66A5.3 5.3 0 0 1 6.7 11.5H5a7 7 0 0 0 6.1 6.93v3.07h1.8v-3.07a7 7 0 0 0 2.77-1.02L19.7 21.5 21 20.2z',
  chat: 'M20 2H4a2 2 0 0 0-2 2v18l4-4h14a2 2 0 0 0 2-2V4a2 2 0 0 0-2-2zm0 14H5.2L4 17.2V4h16z',
  close: 'M18.3 5.7 12 12l6.3 6.3-1.4 1.4-6.3-6.3-6.3 6.3-1.4-1.4L9.2 12 2.9 5.7l1.4-1.4 6.3 6.3 6.3-6.3z',
  sound: 'M3 9.5v5h4l5 5v-15l-5 5zm13.5 2.5A4.5 4.5 0 0 0 14 7.97v8.06A4.5 4.5 0 0 0 16.5 12z',
  play: 'M8 5v14l11-7z',
  pause: 'M6 5h4v14H6zm8 0h4v14h-4z',
  download: 'M19 9h-4V3H9v6H5l7 7zM5 18v2h14v-2z',
  check: 'M9 16.2 4.8 12l-1.4 1.4L9 19 21 7l-1.4-1.4z',
  warn: 'M1 21h22L12 2zm12-3h-2v-2h2zm0-4h-2v-4h2z',
  power: 'M13 3h-2v10h2zm4.83 2.17-1.42 1.42A6.9 6.9 0 0 1 19 12a7 7 0 1 1-10.58-5.42L6.99 5.16A8.94 8.94 0 0 0 3 12a9 9 0 1 0 18 0c0-2.74-1.23-5.18-3.17-6.83z',
  first: 'M8 11h3v10h2V11h3l-4-4zM4 3v2h16V3z',
  below: 'M7.41 8.59 12 13.17l4.59-4.58L18 10l-6 6-6-6z',
  queue: 'M3 5h18v2H3zm0 6h11v2H3zm0 6h11v2H3zm13-3.5v8l5.5-4z',
  up: 'M7.41 15.41 12 10.83l4.59 4.58L18 14l-6-6-6 6z',
  bell: 'M12 22a2 2 0 0 0 2-2h-4a2 2 0 0 0 2 2zm6-6v-5c0-3.07-1.63-5.64-4.5-6.32V4a1.5 1.5 0 0 0-3 0v.68C7.64 5.36 6 7.92 6 11v5l-2 2v1h16v-1z',
  quiet:
    'M20 18.69 5.27 3.49 4 4.76l2.8 2.81A7.1 7.1 0 0 0 6 11v5l-2 2v1h13.73l2 2L21 19.72zM12 22a2 2 0 0 0 2-2h-4a2 2 0 0 0 2 2zm6-7.32V11c0-3.08-1.64-5.64-4.5-6.32V4a1.5 1.5 0 0 0-3 0v.68c-.7.16-1.33.44-1.88.82z',
  voicemail: 'M18.5 6a5.5 5.5 0 0 0-4.52 8.63h-3.96A5.5 5.5 0 1 0 5.5 17h13a5.5 5.5 0 1 0 0-11zm-13 9a3.5 3.5 0 1 1 0-7 3.5 3.5 0 0 1 0 7zm13 0a3.5 3.5 0 1 1 0-7 3.5 3.5 0 0 1 0 7z',
  missed: 'M19.6 7 12 14.6 6.4 9H11V7H3v8h2v-4.6l7 7 9-9z',
  back: 'M20 15.5a11.4 11.4 0 0 1-3.57-.57 1 1 0 0 0-1.02.24l-2.2 2.2a15.1 15.1 0 0 1-6.59-6.59l2.2-2.2c.28-.28.36-.67.25-1.02A11.4 11.4 0 0 1 8.5 4a1 1 0 0 0-1-1H4a1 1 0 0 0-1 1 17 17 0 0 0 17 17 1 1 0 0 0 1-1v-3.5a1 1 0 0 0-1-1zM21 6.4 19.6 5 15 9.6V6h-2v7h7v-2h-3.6z',
  detach: 'M19 11h-8v6h8zm4 8V5a2 2 0 0 0-2-2H3a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h18a2 2 0 0 0 2-2zm-2 0H3V5h18z',
  attach: 'M21 3H3a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h18a2 2 0 0 0 2-2V5a2 2 0 0 0-2-2zm0 16H3V5h18zM5 15.6 9.6 11H6V9h7v7h-2v-3.6L6.4 17z',
  keypad: 'M4 3h4v4H4zm6 0h4v4h-4zm6 0h4v4h-4zM4 9h4v4H4zm6 0h4v4h-4zm6 0h4v4h-4zM4 15h4v4H4zm6 0h4v4h-4zm6 0h4v4h-4z',
  transfer: 'M14 4v4.5C7 9.2 4 13.6 3 18.5c2.6-3.4 6-5 11-5V18l7-7z',
  add: 'M15 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zm-9-2V7H4v3H1v2h3v3h2v-3h3v-2zm9 4c-2.7 0-8 1.3-8 4v2h16v-2c0-2.7-5.3-4-8-4z',
  record: 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm0 18a8 8 0 1 1 0-16 8 8 0 0 1 0 16zm0-13a5 5 0 1 0 0 10 5 5 0 0 0 0-10z',
  erase: 'M22 3H7c-.7 0-1.2.35-1.6.88L0 12l5.4 8.1c.4.54.9.9 1.6.9h15a2 2 0 0 0 2-2V5a2 2 0 0 0-2-2zm-3 12.6L17.6 17 14 13.4 10.4 17 9 15.6l3.6-3.6L9 8.4 10.4 7l3.6 3.6L17.6 7 19 8.4 15.4 12z',
  find: 'M15.5 14h-.79l-.28-.27a6.5 6.5 0 1 0-.7.7l.27.28v.79l5 4.99L20.49 19zm-6 0a4.5 4.5 0 1 1 0-9 4.5 4.5 0 0 1 0 9z',
  send: 'M2 21 23 12 2 3v7l15 2-15 2z',
  smile:
    'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm0 18a8 8 0 1 1 0-16 8 8 0 0 1 0 16zm3.5-9a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zm-7 0a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zm3.5 6.5c2.33 0 4.31-1.46 5.11-3.5H6.89c.8 2.04 2.78 3.5 5.11 3.5z',
  clip: 'M16.5 6v11.5a4 4 0 0 1-8 0V5a2.5 2.5 0 0 1 5 0v10.5a1 1 0 0 1-2 0V6H10v9.5a2.5 2.5 0 0 0 5 0V5a4 4 0 0 0-8 0v12.5a5.5 5.5 0 0 0 11 0V6z',
  template: 'M14 2H6a2 2 0 0 0-2 2v16a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2V8zm2 16H8v-2h8zm0-4H8v-2h8zm-3-5V3.5L18.5 9z',
  file: 'M6 2a2 2 0 0 0-2 2v16a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2V8l-6-6zm7 7V3.5L18.5 9z',
  edit: 'M3 17.25V21h3.75L17.81 9.94l-3.75-3.75zM20.71 7.04a1 1 0 0 0 0-1.41l-2.34-2.34a1 1 0 0 0-1.41 0l-1.83 1.83 3.75 3.75z',
  mail: 'M20 4H4a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h16a2 2 0 0 0 2-2V6a2 2 0 0 0-2-2zm0 4-8 5-8-5V6l8 5 8-5z',
  spark: 'M12 2l2.4 7.6L22 12l-7.6 2.4L12 22l-2.4-7.6L2 12l7.6-2.4z',
  clock: 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm0 18a8 8 0 1 1 0-16 8 8 0 0 1 0 16zm.75-13h-1.5v6l5.1 3.06.75-1.23-4.35-2.58z',
  checks: 'M18 7l-1.41-1.41-6.34 6.34 1.41 1.41zm4.24-1.41L11.66 16.17 7.48 12l-1.41 1.41L11.66 19l12-12zM.41 13.41 6 19l1.41-1.41L1.83 12z',
  plus: 'M19 13h-6v6h-2v-6H5v-2h6V5h2v6h6z',
  person: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zm0 2c-2.7 0-8 1.3-8 4v2h16v-2c0-2.7-5.3-4-8-4z',
  forum: 'M21 6h-2v9H6v2a1 1 0 0 0 1 1h11l4 4V7a1 1 0 0 0-1-1zm-4 6V3a1 1 0 0 0-1-1H3a1 1 0 0 0-1 1v14l4-4h10a1 1 0 0 0 1-1z',
  filter: 'M10 18h4v-2h-4zM3 6v2h18V6zm3 7h12v-2H6z',
  sort: 'M3 18h6v-2H3zM3 6v2h18V6zm0 7h12v-2H3z',
  undo: 'M12.5 8c-2.65 0-5.05 1-6.9 2.6L2 7v9h9l-3.62-3.62A8.5 8.5 0 0 1 20.6 16l2.37-.78A11 11 0 0 0 12.5 8z',
  copy: 'M16 1H4a2 2 0 0 0-2 2v14h2V3h12zm3 4H8a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h11a2 2 0 0 0 2-2V7a2 2 0 0 0-2-2zm0 16H8V7h11z',
};

/** An icon's outline on a field of 24 by 24. */
export const glyph = (name) => PATHS[name];

/** A decorative icon: its button carries the name. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}

/** Swap a button's icon without touching its focus. */
export function setIcon(button, name) {
  if (button.dataset.icon === name) return;
  button.dataset.icon = name;
  button.querySelector('svg').replaceWith(icon(name));
}

function style(url) {
  if (!styles.has(url)) {
    const loading = fetch(url).then((answer) => (answer.ok ? answer.text() : Promise.reject(new Error(`${url}: ${answer.status}`))));
    loading.catch(() => styles.delete(url)); // a console that was away is asked again at the next mount
    styles.set(url, loading);
  }
  return styles.get(url);
}

function sheet(doc, url, css) {
  if (!sheets.has(doc)) sheets.set(doc, new Map());
  const known = sheets.get(doc);
  if (!known.has(url)) {
    const made = new doc.defaultView.CSSStyleSheet();
    made.replaceSync(css);
    known.set(url, made);
  }
  return known.get(url);
}

/** Give a shadow root its stylesheets before anything is drawn, so that nothing shows unstyled. */
export async function adopt(root, base, ...names) {
  const urls = ['base.css', ...names].map((name) => new URL(name, base).href);
  const texts = await Promise.all(urls.map(style));
  root.adoptedStyleSheets = urls.map((url, i) => sheet(root.ownerDocument, url, texts[i]));
}

/** The theme's variables that our styles use (`--st-…`), as they are at this element: another document has none. */
export async function themeOf(element) {
  const used = new Set((await Promise.all(styles.values())).join('').match(/--st-[\w-]+/g));
  const now = getComputedStyle(element);
  return [...used].map((name) => [name, now.getPropertyValue(name)]).filter(([, value]) => value);
}

const catalogues = new Map();

/** The texts of the page's language, loaded once. */
function texts(url) {
  if (!url) return {};
  if (!catalogues.has(url)) {
    const loading = fetch(url).then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(`${url}: ${answer.status}`))));
    loading.catch(() => catalogues.delete(url));
    catalogues.set(url, loading);
  }
  return catalogues.get(url);
}

/**
 * Keep a view usable while one of Streamlit's dialogs is open (a form, or "Connection error" when the console is away):
 * they make all else inert, except what carries this mark of theirs.
 */
export function aboveDialogs(host) {
  host.getRootNode().host?.setAttribute('data-react-aria-top-layer', 'true');
}

/**
 * A mount that obeys Components v2: the page calls it anew whenever its data changes, and its clean-up once at the end.
 * `build(root, api)` runs once and returns {update?, destroy?}; `api.trigger(name, value)` always uses the newest setter.
 * `api.rerun(name, value)` is a trigger for what the user did not ask for: it waits for the user's own way (runs.js).
 */
export function mounter(build, ...sheetNames) {
  const mounted = new WeakMap();
  return ({ parentElement: root, data, setTriggerValue }) => {
    const known = mounted.get(root);
    if (known) {
      known.trigger = setTriggerValue;
      known.data = data;
      known.view?.update?.(data);
      return known.cleanup;
    }
    const state = { trigger: setTriggerValue, data, gone: false, rerun: () => {} };
    const trigger = (name, value) => state.trigger?.(name, value);
    const rerun = (name, value) => (state.rerun(), (state.rerun = betweenRuns(() => trigger(name, value))));
    mounted.set(root, state);
    state.cleanup = () => {
      state.gone = true;
      mounted.delete(root);
      state.rerun();
      state.view?.destroy?.();
      state.host?.remove();
    };
    Promise.all([texts(data.texts), adopt(root, import.meta.url, ...sheetNames)]).then(
      ([text]) => {
        if (state.gone) return;
        state.data = { ...state.data, text };
        state.host = document.createElement('div');
        state.host.className = data.detached ? 'host detached' : 'host';
        root.append(state.host);
        state.view = build(state.host, { data: state.data, trigger, rerun });
        state.view?.update?.(state.data);
      },
      (error) => {
        mounted.delete(root);
        console.error('aircall: a view could not be loaded', error);
        root.append(h('p', { role: 'alert', text: 'This part could not be loaded. Reload the page.' }));
      },
    );
    return state.cleanup;
  };
}

/** Listen to an EventTarget; the returned function stops all that was begun. */
export function listeners() {
  const stops = [];
  return {
    on(target, name, call) {
      target.addEventListener(name, call);
      stops.push(() => target.removeEventListener(name, call));
    },
    add: (stop) => stops.push(stop),
    stop: () => stops.splice(0).forEach((stop) => stop()),
  };
}

/** 0:07, 12:34, 1:02:03. */
export function clock(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (n) => String(n).padStart(2, '0');
  const [hh, mm, ss] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return hh ? `${hh}:${two(mm)}:${two(ss)}` : `${mm}:${two(ss)}`;
}

/** The letters for a caller without a picture; '' for a caller without a name. */
export function initials(name) {
  const words = name.trim().split(/\s+/).filter((word) => /\p{L}/u.test(word));
  if (!words.length) return '';
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters.map((word) => [...word].find((c) => /\p{L}/u.test(c))).join('').toUpperCase();
}

/** How a caller is called: their name, else their number, else that they hid it. */
export function callerTitle(card, t) {
  return card?.caller_name || card?.number || t(card?.anonymous ? 'caller.anonymous' : 'caller.unknown');
}

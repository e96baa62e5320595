// What stands in the window of its own: the page's parts, mounted into another document with the page's theme.

import { h, themeOf } from './dom.js';
import { active, ringing } from './view.js';

const PARTS = ['link', 'ringer', 'toolbar', 'duty'];

/** Fill a window. Returns {strip(), alive}: what empties it, and a promise that rejects when a part cannot be loaded. */
export function furnish(win, live, home) {
  const doc = win.document;
  const t = (key) => live.t(key);
  const stops = [];
  // A pop-up that was left over by a page that crashed is taken over, and an empty one has no doctype.
  if (doc.compatMode === 'BackCompat') {
    doc.open();
    doc.write('<!doctype html><html><head></head><body></body></html>');
    doc.close();
  }
  doc.head.replaceChildren(h('meta', { charset: 'utf-8' }), h('style', { text: LOOKS }));
  doc.documentElement.lang = document.documentElement.lang || 'en';
  doc.documentElement.style.setProperty('--aircall-sidebar', '100vw');
  doc.title = t('detach.title');
  const rest = h('p', { class: 'rest' });
  doc.body.replaceChildren(rest);

  let gone = false;
  async function mount(name) {
    const module = await import(`./${name}.js`);
    if (gone) return;
    const place = h('div', { class: name });
    doc.body.append(place);
    const parentElement = place.attachShadow({ mode: 'open' });
    const setTriggerValue = (...what) => {
      home.trigger(...what);
      window.focus(); // what it leads to is in the page
    };
    stops.push(module.mount({ parentElement, data: { ...home.data, detached: true }, setTriggerValue }));
  }

  const draw = () => {
    rest.hidden = Boolean(active(live.view) || ringing(live.view).length);
    rest.textContent = t(live.view.duty ? 'detach.rest' : 'detach.off');
  };
  live.addEventListener('view', draw);
  stops.push(() => live.removeEventListener('view', draw));
  draw();

  const tint = async () => {
    const { style } = doc.documentElement;
    style.colorScheme = getComputedStyle(document.querySelector('.stApp') ?? document.documentElement).colorScheme;
    for (const [name, value] of await themeOf(home.host)) style.setProperty(name, value);
  };
  const theme = new MutationObserver(tint);
  const app = document.querySelector('.stApp');
  if (app) theme.observe(app, { attributeFilter: ['class'] });
  stops.push(() => theme.disconnect());

  const alive = tint().then(() => Promise.all(PARTS.map(mount)));
  const strip = () => {
    gone = true;
    stops.splice(0).forEach((stop) => stop());
  };
  return { strip, alive };
}

const LOOKS = `
html { color-scheme: light dark; background: var(--st-background-color, #fff); color: var(--st-text-color, #1f2530); }
body { margin: 0; font: 0.9375rem/1.4 var(--st-font, system-ui, sans-serif); overflow: hidden; }
.rest { position: fixed; inset: 0 0 var(--aircall-dock, 3.75rem); display: grid; place-items: center; margin: 0; padding: 1.5rem; text-align: center; opacity: 0.72; }
.rest[hidden] { display: none; }
`;

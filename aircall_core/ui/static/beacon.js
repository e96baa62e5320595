// The tab itself calls while a call rings: its title says who, its icon turns into a ringing phone. Streamlit writes both
// anew at every run, so what it wrote is remembered and ours is put back.

import { callerTitle, glyph } from './dom.js';
import { ringing } from './view.js';

const TURN_MS = 1500;

/** What the beacon moves: title, icon, time. Tests give their own. */
export function browserPage() {
  const icons = () => [...document.querySelectorAll('link[rel~="icon"]')];
  return {
    get title() {
      return document.title;
    },
    set title(text) {
      document.title = text;
    },
    get icon() {
      return icons()[0]?.href ?? '';
    },
    set icon(href) {
      for (const link of icons()) link.href = href;
    },
    ringingIcon: drawIcon,
    every: (ms, run) => setInterval(run, ms),
    stop: (timer) => clearInterval(timer),
  };
}

/** A white phone on green, as an image address; '' where the page cannot draw. */
function drawIcon() {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 64;
  const draw = canvas.getContext('2d');
  if (!draw) return '';
  draw.fillStyle = '#0b7a4b';
  draw.arc(32, 32, 32, 0, 2 * Math.PI);
  draw.fill();
  draw.translate(11, 11);
  draw.scale(1.75, 1.75);
  draw.fillStyle = '#fff';
  draw.fill(new Path2D(glyph('phone')));
  return canvas.toDataURL('image/png');
}

export class Beacon {
  constructor(live, page = browserPage()) {
    Object.assign(this, { live, page, turning: null, plain: { title: '', icon: '' } });
    live.addEventListener('view', () => this.update());
  }

  update() {
    const [first] = ringing(this.live.view);
    if (!first) return this.#rest();
    this.text = this.live.t('title.ringing', { who: callerTitle(this.live.cards[first.id], (key) => this.live.t(key)) });
    if (this.turning) return undefined;
    this.ring ??= this.page.ringingIcon();
    this.#keep();
    this.#show(true);
    this.turning = this.page.every(TURN_MS, () => {
      this.#keep();
      this.#show(this.page.title !== this.text);
    });
    return undefined;
  }

  /** What is there now and not ours is what will be put back. */
  #keep() {
    const { page, plain } = this;
    if (page.title !== this.shown) plain.title = page.title;
    if (this.ring && page.icon !== this.ring) plain.icon = page.icon;
  }

  #show(text) {
    this.shown = text ? this.text : this.plain.title;
    this.page.title = this.shown;
    if (this.ring && this.page.icon !== this.ring) this.page.icon = this.ring;
  }

  #rest() {
    if (!this.turning) return;
    this.page.stop(this.turning);
    this.turning = null;
    this.#keep();
    this.page.title = this.plain.title;
    if (this.ring) this.page.icon = this.plain.icon;
    this.shown = undefined;
  }
}

// The picture of a call flow, as ui/flow_editor/picture.py lays it out. A click on a step chooses it.

import { h, mounter } from './dom.js';

const SVG = 'http://www.w3.org/2000/svg';

// Letters that fit a box of 168 px at their sizes; what is longer is cut, and whole in the box's tooltip.
const TITLE_FITS = 22;
const TEXT_FITS = 28;

const s = (tag, attributes, ...children) => {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};

const cut = (text, fits) => ([...text].length > fits ? `${[...text].slice(0, fits - 1).join('')}…` : text);

const label = (x, y, cls, text) => {
  const node = s('text', { x, y, class: cls });
  node.textContent = text;
  return node;
};

function box(one, choose) {
  const middle = one.x + one.w / 2;
  const rect = s('rect', { x: one.x, y: one.y, width: one.w, height: one.h, rx: one.id ? 8 : one.h / 2 });
  const group = s('g', { class: `box ${one.kind} ${one.end ? 'end' : ''} ${one.chosen ? 'chosen' : ''} ${one.wrong ? 'wrong' : ''}` }, rect);
  if (!one.text) {
    group.append(label(middle, one.y + one.h / 2 + 4, 'title', cut(one.title, TITLE_FITS)));
  } else {
    group.append(
      label(middle, one.y + 20, 'title', cut(one.title, TITLE_FITS)),
      label(middle, one.y + 38, 'text', cut(one.text, TEXT_FITS)),
    );
  }
  const whole = s('title', {});
  whole.textContent = one.text ? `${one.title}: ${one.text}` : one.title;
  group.prepend(whole);
  if (one.id) group.addEventListener('click', () => choose(one.id));
  return group;
}

function build(host, { data, trigger }) {
  const frame = h('div', { class: 'picture', tabindex: '0', role: 'img' });
  const fit = h('button', { type: 'button', class: 'fit', 'aria-pressed': 'false', text: data.fit, onclick: toggle });
  host.append(fit, frame);
  let middle = 0;
  let shown = false;

  function toggle() {
    const whole = frame.classList.toggle('whole');
    fit.setAttribute('aria-pressed', whole);
    if (!whole) centre();
  }

  /** The caller's first step in the middle, where a picture is wider than its frame. */
  function centre() {
    frame.scrollLeft = middle - frame.clientWidth / 2;
  }

  // A tab that is not shown yet has no width to scroll in.
  const seen = new ResizeObserver(() => {
    fit.hidden = frame.scrollWidth <= frame.clientWidth && !frame.classList.contains('whole');
    if (!shown && frame.clientWidth) {
      shown = true;
      centre();
    }
  });
  seen.observe(frame);

  const update = ({ picture, name }) => {
    const svg = s('svg', { viewBox: `0 0 ${picture.width} ${picture.height}`, width: picture.width, height: picture.height, 'aria-hidden': 'true' });
    for (const points of picture.lines) svg.append(s('polyline', { points: points.map((p) => p.join(',')).join(' ') }));
    for (const one of picture.labels) svg.append(label(one.x, one.y + 4, 'branch', cut(one.text, TEXT_FITS)));
    for (const one of picture.boxes) svg.append(box(one, (id) => trigger('choose', id)));
    frame.setAttribute('aria-label', name);
    frame.replaceChildren(svg);
    middle = picture.middle;
  };
  return { update, destroy: () => seen.disconnect() };
}

export const mount = mounter(build, 'flow_picture.css');

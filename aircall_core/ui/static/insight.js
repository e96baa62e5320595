// The insight card of a caller: what a CRM, a rule or a posted card says. Plain text and links to web pages, whatever
// somebody has written into them.

import { h } from './dom.js';
import { insightsOf } from './insights.js';

const WEB = ['http:', 'https:'];

/** The address of a web page; '' for everything else. The desk lets no other through, and neither do we. */
export function webPage(text) {
  try {
    const url = new URL(text);
    return WEB.includes(url.protocol) ? url.href : '';
  } catch {
    return '';
  }
}

/**
 * `update({call} | {conversation} | {})` shows it; `lazy` in it: the desk is asked only once the log speaks of a card.
 * `always`: it keeps its place, and says so when nothing is known.
 */
export function insightCard(live, { always = false } = {}) {
  const t = (key, values) => live.t(key, values);
  const list = h('div', { class: 'cards' });
  const state = h('p', { class: 'soft state' });
  const node = h('section', { class: 'insight', role: 'group', 'aria-label': t('insight.title'), hidden: !always }, list, state);
  let shown = '';
  let unwatch = () => {};
  let drawn = '';

  function draw({ cards, asking }) {
    const now = JSON.stringify(cards);
    if (now !== drawn) list.replaceChildren(...cards.map(card)); // what is read or pointed at is left alone
    drawn = now;
    const words = asking ? t('insight.asking') : cards.length ? '' : t('insight.none');
    state.textContent = words;
    state.hidden = cards.length > 0; // more may come, but there is something to read
    node.hidden = !always && !cards.length;
    node.classList.toggle('none', !cards.length);
    scrollable();
  }

  function scrollable() {
    if (always && node.scrollHeight > node.clientHeight + 1) node.setAttribute('tabindex', '0');
    else node.removeAttribute('tabindex');
  }

  function card({ source, contents }) {
    const name = source ? h('p', { class: 'source soft cut', text: source }) : null; // at the end of the first line
    return h('div', { class: 'one' }, name, ...contents.map(line));
  }

  function line({ type, text, label, link }) {
    const page = webPage(link);
    const words = page ? h('a', { href: page, target: '_blank', rel: 'noopener noreferrer', title: t('insight.opens'), text }) : h('span', { text });
    if (type === 'title') return h('p', { class: 'head' }, words, label ? h('span', { class: 'soft', text: ` ${label}` }) : '');
    return h('p', { class: type === 'user' ? 'line user' : 'line' }, label ? h('span', { class: 'soft label', text: `${label} ` }) : '', words);
  }

  function update({ call = null, conversation = null, lazy = false } = {}) {
    const wanted = call ? `call ${call}` : conversation ? `conversation ${conversation}` : '';
    if (wanted === shown) return;
    shown = wanted;
    unwatch();
    draw({ cards: [], asking: Boolean(wanted) && !lazy });
    unwatch = insightsOf(live).watch({ call, conversation }, draw, { lazy });
  }
  return { node, update, stop: () => update({}) };
}

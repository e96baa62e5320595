// Finding words in a conversation's texts and notes: how many there are, the next and the previous, marked where they stand.

import { h, icon } from './dom.js';

const MARK = 'aircall-found';

export function timelineFind(live, { conversation, query, jump, closed }) {
  const t = (key, values) => live.t(key, values);
  let hits = [];
  let at = -1;
  let turn = 0;
  let timer = null;
  const field = h('input', { type: 'search', class: 'find-field', maxlength: '200', 'aria-label': t('timeline.find'), placeholder: t('timeline.find'), oninput: later, onkeydown: keys });
  const count = h('p', { class: 'soft num count', role: 'status' });
  const up = h('button', { type: 'button', class: 'plain tool', disabled: true, 'aria-label': t('timeline.find.older'), title: t('timeline.find.older'), onclick: () => go(1) }, icon('up'));
  const down = h('button', { type: 'button', class: 'plain tool', disabled: true, 'aria-label': t('timeline.find.newer'), title: t('timeline.find.newer'), onclick: () => go(-1) }, icon('below'));
  const off = h('button', { type: 'button', class: 'plain tool', 'aria-label': t('timeline.find.close'), title: t('timeline.find.close'), onclick: close }, icon('close'));
  const node = h('div', { class: 'find', role: 'search', hidden: true }, field, count, up, down, off);

  function keys(event) {
    event.stopPropagation();
    if (event.key === 'Escape') close();
    else if (event.key === 'Enter') {
      event.preventDefault();
      if (timer) look();
      else go(event.shiftKey ? -1 : 1);
    }
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(look, 250);
  }

  async function look() {
    clearTimeout(timer);
    timer = null;
    const mine = (turn += 1);
    const text = field.value.trim();
    hits = [];
    at = -1;
    if (text) {
      try {
        const found = await live.request(`/desk/conversations/${conversation}/find?${new URLSearchParams({ text, ...query() })}`);
        if (mine !== turn) return;
        hits = found;
      } catch (error) {
        if (mine !== turn) return;
        count.textContent = error.message;
        return;
      }
    }
    clear();
    draw();
    if (hits.length) await go(1);
  }

  function draw() {
    count.textContent = !field.value.trim() ? '' : hits.length ? t('timeline.find.count', { at: Math.max(1, at + 1), count: hits.length }) : t('timeline.find.none');
    up.disabled = down.disabled = hits.length < 2;
  }

  async function go(step) {
    if (!hits.length) return;
    at = (at + step + hits.length) % hits.length;
    draw();
    const active = node.getRootNode().activeElement;
    const words = hits[at].pieces.filter(([, wanted]) => wanted).map(([text]) => text);
    await jump(hits[at].entry, words);
    if (active && node.contains(active)) active.focus(); // the next press of Enter goes on
  }

  function open() {
    node.hidden = false;
    field.focus();
    field.select();
  }

  function close() {
    node.hidden = true;
    clear();
    closed();
  }

  function clear() {
    globalThis.CSS?.highlights?.delete(MARK);
  }

  /** Mark words where they stand, without touching the nodes: those belong to their bubbles. */
  function highlight(entry, words) {
    clear();
    if (!globalThis.CSS?.highlights || !words.length) return;
    const wanted = [...new Set(words.map((one) => one.toLowerCase()))];
    const ranges = [];
    const walker = document.createTreeWalker(entry, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const text = walker.currentNode.data.toLowerCase();
      for (const word of wanted) {
        for (let from = text.indexOf(word); from >= 0; from = text.indexOf(word, from + word.length)) {
          const range = new Range();
          range.setStart(walker.currentNode, from);
          range.setEnd(walker.currentNode, Math.min(walker.currentNode.length, from + word.length));
          ranges.push(range);
        }
      }
    }
    CSS.highlights.set(MARK, new Highlight(...ranges));
  }

  return { node, open, close, highlight, again: () => !node.hidden && look(), stop: () => (clearTimeout(timer), clear()) };
}

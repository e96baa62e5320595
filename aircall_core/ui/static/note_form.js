// A note on the customer, without any call: written here, kept by this browser while it is, and saved by its button.

import { h, icon } from './dom.js';
import { explain } from './explain.js';
import { newId } from './live.js';
import { inside } from './note_pad.js';
import { LONGEST } from './notes.js';

export function noteForm(live, conversation) {
  const t = (key, values) => live.t(key, values);
  const key = `aircall.remark.${live.view.user}.${conversation}`;
  let command = newId(); // of this text: asking twice writes one note
  let busy = false;

  const area = h('textarea', { class: 'words', rows: 2, maxlength: LONGEST, 'aria-label': t('remark.label'), placeholder: t('remark.hint'), oninput: typed, onkeydown: keys });
  const problem = h('p', { class: 'problem', role: 'alert' });
  const label = h('span', { text: t('remark.save') });
  const save = h('button', { type: 'button', class: 'send', onclick: post }, icon('check'), label);
  const said = h('p', { class: 'sr', role: 'status' });
  const node = h('div', { class: 'text-form note-form' }, area, problem, h('div', { class: 'bar' }, h('span', { class: 'soft small', text: t('remark.who') }), h('span', { class: 'grow' }), save), said);

  function keep() {
    try {
      if (area.value) live.env.localStorage.setItem(key, area.value);
      else live.env.localStorage.removeItem(key);
    } catch {
      /* full or forbidden: the page still has it */
    }
  }

  function typed() {
    command = newId();
    problem.textContent = '';
    keep();
    draw();
  }

  function keys(event) {
    inside(event);
    if (event.key !== 'Enter' || event.isComposing || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    post();
  }

  async function post() {
    const text = area.value.trim();
    if (busy || !text) return;
    busy = true;
    problem.textContent = '';
    draw();
    try {
      await live.request(`/desk/conversations/${conversation}/notes`, { text, command });
      area.value = '';
      command = newId();
      keep();
      said.textContent = '';
      said.textContent = t('remark.saved');
    } catch (error) {
      problem.textContent = t('remark.failed', { why: explain(error, t) });
    } finally {
      busy = false;
      draw();
      area.focus();
    }
  }

  function draw() {
    area.rows = Math.min(10, Math.max(2, area.value.split('\n').length));
    area.readOnly = busy;
    save.setAttribute('aria-busy', String(busy));
    save.setAttribute('aria-disabled', String(busy || !area.value.trim()));
    label.textContent = t(busy ? 'remark.saving' : 'remark.save');
  }

  try {
    area.value = live.env.localStorage.getItem(key) ?? '';
  } catch {
    /* nothing was kept */
  }
  draw();
  return { node, focus: () => area.focus(), stop() {} };
}

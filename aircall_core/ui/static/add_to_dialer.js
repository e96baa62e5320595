// "Add to Power Dialer" in a conversation's header: onto one of the lists that the conversation's line dials. Where the plan
// has no power dialer it says so; it is not there for who may not dial.

import { h, icon, listeners } from './dom.js';
import { explain } from './explain.js';

const TELLING = new Set(['dial_list.changed', 'company.changed']);

/** @param who {line, number: E.164, name, spoken} */
export function addToDialer(live, who) {
  const t = (key, values) => live.t(key, values);
  const subs = listeners();
  let lists = null;
  let why = ''; // the plan has no power dialer
  let busy = false;
  const button = h('button', { type: 'button', hidden: true, 'aria-haspopup': 'dialog', 'aria-expanded': 'false', onclick: open }, icon('queue'), h('span', { text: t('to_dialer.add') }));
  const said = h('p', { class: 'problem', role: 'alert', hidden: true });
  const choices = h('div', { class: 'to-lists' });
  const menu = h('div', { class: 'to-dialer', popover: 'auto', role: 'dialog', 'aria-label': t('to_dialer.choose') }, h('p', { class: 'to-title', text: t('to_dialer.choose') }), choices, said);
  menu.addEventListener('toggle', (event) => button.setAttribute('aria-expanded', String(event.newState === 'open')));
  const node = h('span', { class: 'to-dialer-of' }, button, menu);

  async function load() {
    try {
      lists = (await live.request('/desk/dial-lists')).lists;
      why = '';
    } catch (error) {
      if (!['plan', 'forbidden'].includes(error.code)) console.warn('aircall: the dial lists could not be read', error.code);
      lists = null;
      why = error.code === 'plan' ? error.message : '';
    }
    draw();
  }

  function draw() {
    button.hidden = (!lists && !why) || !who.number;
    button.toggleAttribute('data-off', Boolean(why));
    const own = (lists ?? []).filter((one) => one.line_id === who.line);
    choices.replaceChildren(
      ...(own.length
        ? own.map((one) => h('button', { type: 'button', onclick: () => add(one) }, h('span', { class: 'cut', text: one.name }), h('span', { class: 'soft num', text: t('dialer.left', one) })))
        : [h('p', { class: 'soft', text: why || t('to_dialer.none') })]),
    );
  }

  function open() {
    said.hidden = true;
    menu.togglePopover();
    if (!menu.matches(':popover-open')) return;
    const at = button.getBoundingClientRect();
    const width = menu.offsetWidth;
    menu.style.top = `${at.bottom + 6}px`;
    menu.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
    choices.querySelector('button')?.focus();
  }

  async function add(list) {
    if (busy) return;
    busy = true;
    try {
      await live.request(`/desk/dial-lists/${list.id}/entries`, { number: who.number, name: who.name ?? '' });
      menu.hidePopover();
      button.focus();
      live.toast(t('to_dialer.added', { who: who.name || who.spoken, list: list.name }), { key: 'dialer' });
    } catch (error) {
      said.textContent = error.details?.fields?.number ?? explain(error, t);
      said.hidden = false;
    } finally {
      busy = false;
    }
  }

  let soon = null;
  subs.on(live, 'event', ({ detail }) => {
    if (!TELLING.has(detail.event.kind)) return;
    soon ??= setTimeout(() => {
      soon = null;
      load();
    }, 500);
  });
  load();
  return { node, stop: () => (clearTimeout(soon), subs.stop()) };
}

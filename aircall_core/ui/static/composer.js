// What stands below a conversation: a text to the customer, or a note about them. Where the line cannot send texts it says why,
// and where that is turned on, to whoever can turn it on.

import { h, icon, listeners, mounter } from './dom.js';
import { noteForm } from './note_form.js';
import { shared } from './shared.js';
import { textForm } from './text_form.js';

/** Where something is turned on: the page of the console. */
const PAGES = { plan: 'plan', no_account: 'lines', account_off: 'messaging' };
const ASKED_AGAIN = new Set(['opt_out.changed', 'messaging.changed', 'company.changed', 'line.changed', 'contact.changed', 'conversation.reopened']);
const TAB = 'aircall.composer';
let shown = null; // of two, while one page follows another, the newer says how high it is

function build(host, { data, trigger }) {
  const live = shared(data);
  const t = (key, values) => live.t(key, values);
  const subs = listeners();
  const id = data.conversation;
  let facts = null;
  let form = null;
  let failed = null;
  let asking = null;

  const panels = { text: h('div', { role: 'tabpanel', id: 'panel-text', 'aria-labelledby': 'tab-text' }), note: h('div', { role: 'tabpanel', id: 'panel-note', 'aria-labelledby': 'tab-note', hidden: true }) };
  const note = noteForm(live, id);
  panels.note.append(note.node);
  const tabs = Object.fromEntries(['text', 'note'].map((name) => [name, h('button', { type: 'button', role: 'tab', id: `tab-${name}`, class: 'plain tab', 'aria-controls': `panel-${name}`, onclick: () => choose(name, true) }, icon(name === 'text' ? 'chat' : 'edit'), t(`compose.tab.${name}`))]));
  const list = h('div', { role: 'tablist', class: 'tabs', 'aria-label': t('compose.title'), onkeydown: arrows }, tabs.text, tabs.note);
  const node = h('section', { class: 'composer', 'aria-label': t('compose.title') }, list, panels.text, panels.note);
  host.append(node);

  function choose(name, byHand) {
    for (const [other, tab] of Object.entries(tabs)) {
      tab.setAttribute('aria-selected', String(other === name));
      tab.tabIndex = other === name ? 0 : -1;
      panels[other].hidden = other !== name;
    }
    node.dataset.tab = name;
    if (!byHand) return;
    remember(name);
    if (name === 'note') note.focus();
    else form?.focus();
  }

  function arrows(event) {
    if (!['ArrowLeft', 'ArrowRight'].includes(event.key)) return;
    event.preventDefault();
    const other = node.dataset.tab === 'text' ? 'note' : 'text';
    choose(other, false);
    tabs[other].focus();
  }

  // ---- texts

  async function load() {
    if (asking) return asking;
    asking = live.request(`/desk/conversations/${id}/composer`);
    try {
      facts = await asking;
      failed = null;
    } catch (error) {
      console.warn('aircall: whether texts can be sent could not be read', error.code);
      failed = error;
    } finally {
      asking = null;
      draw();
    }
    return null;
  }

  function draw() {
    if (facts?.eligibility.ok) {
      if (!form) {
        form = textForm(live, id, () => facts);
        panels.text.replaceChildren(form.node);
      }
      form.draw();
      return;
    }
    form?.stop();
    form = null;
    panels.text.replaceChildren(facts ? refused(facts.eligibility) : failed ? broken() : h('p', { class: 'soft wait', role: 'status', text: t('loading') }));
  }

  function broken() {
    return h('p', { class: 'why', role: 'alert' }, icon('warn'), h('span', { class: 'grow', text: t('compose.error', { why: failed.message }) }), h('button', { type: 'button', onclick: load }, t('retry')));
  }

  function refused({ code, message }) {
    const key = `compose.why.${code}`;
    const where = PAGES[code];
    const admin = data.role === 'administrator';
    return h(
      'div',
      { class: 'why', 'data-code': code },
      icon(code === 'opted_out' ? 'quiet' : 'chat'),
      h('div', { class: 'grow' }, h('p', {}, h('strong', { text: live.text[key] ? t(key) : message })), h('p', { class: 'soft small', text: more(code, where, admin) })),
      where && admin ? h('button', { type: 'button', onclick: () => trigger('go', where) }, t(`compose.turn_on.${where}`)) : null,
    );
  }

  function more(code, where, admin) {
    if (where) return t(admin ? `compose.where.${where}` : 'compose.ask_admin');
    const key = `compose.more.${code}`;
    return live.text[key] ? t(key) : '';
  }

  // ---- life

  function remember(name) {
    try {
      live.env.sessionStorage.setItem(TAB, name);
    } catch {
      /* the next conversation begins with texts */
    }
  }

  function remembered() {
    try {
      return live.env.sessionStorage.getItem(TAB) === 'note' ? 'note' : 'text';
    } catch {
      return 'text';
    }
  }

  subs.on(live, 'event', ({ detail: { event } }) => {
    const here = !event.conversation_id || event.conversation_id === id;
    if (here && ASKED_AGAIN.has(event.kind)) load();
  });
  subs.on(live, 'status', () => live.status === 'online' && load());
  // The timeline above leaves as much room.
  const fit = new ResizeObserver(() => document.documentElement.style.setProperty('--aircall-composer', `${Math.ceil(node.getBoundingClientRect().height)}px`));
  shown = node;
  fit.observe(node);
  subs.add(() => {
    fit.disconnect();
    if (shown === node) document.documentElement.style.removeProperty('--aircall-composer');
  });
  choose(remembered(), false);
  draw();
  load();
  return {
    destroy() {
      subs.stop();
      form?.stop();
      note.stop();
    },
  };
}

export const mount = mounter(build, 'composer.css');

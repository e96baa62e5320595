// Whose a conversation is: a field that says it, and on focus a list of those who can have it, searched by typing.

import { h, listeners } from './dom.js';
import { explain } from './explain.js';
import { newId } from './live.js';

let made = 0;

/** `of(conversation id)` shows whose it is; `say(words)` tells what went wrong. */
export function assignBox(live, say) {
  const t = (key, values) => live.t(key, values);
  const subs = listeners();
  const id = `assign-${(made += 1)}`;
  let conversation = null;
  let owner = null;
  let people = []; // those who can have it: {id, name}
  let options = []; // as listed now; id null: nobody
  let at = 0;

  const field = h('input', {
    role: 'combobox', autocomplete: 'off', 'aria-expanded': 'false', 'aria-controls': id, 'aria-autocomplete': 'list', 'aria-label': t('assign.label'),
    onfocus: open, onblur: close, oninput: () => fill(field.value), onkeydown: keys, onclick: open,
  });
  const list = h('ul', { id, role: 'listbox', class: 'people', 'aria-label': t('assign.label'), hidden: true });
  const node = h('div', { class: 'assign' }, h('p', { class: 'heading', 'aria-hidden': 'true', text: t('assign.label') }), field, list);

  const nameOf = (user) => (user === null ? t('assign.nobody') : user === live.view.user ? t('assign.me', { name: live.names[user] ?? people.find((one) => one.id === user)?.name ?? '' }) : (people.find((one) => one.id === user)?.name ?? live.names[user] ?? t('someone')));

  async function load() {
    const asked = conversation;
    try {
      const answer = await live.request(`/desk/conversations/${asked}/assignees`);
      if (asked !== conversation) return;
      node.hidden = false;
      people = answer.users;
      owner = answer.assigned_to;
      draw();
      if (!list.hidden) fill('');
    } catch (error) {
      if (error.status === 404 && asked === conversation) node.hidden = true; // a call of a line that is not theirs, and over
      console.warn('aircall: who can have the conversation could not be read', error.code); // opening the list asks again
    }
  }

  function draw() {
    if (list.hidden) field.value = nameOf(owner);
  }

  function open() {
    if (!list.hidden) return;
    list.hidden = false;
    field.setAttribute('aria-expanded', 'true');
    field.select();
    fill('');
    list.scrollIntoView({ block: 'nearest' });
    if (!people.length) load();
  }

  function close() {
    list.hidden = true;
    field.setAttribute('aria-expanded', 'false');
    field.removeAttribute('aria-activedescendant');
    draw();
  }

  function fill(text) {
    const wanted = text.trim().toLowerCase();
    const mine = people.filter((one) => one.id === live.view.user);
    const others = people.filter((one) => one.id !== live.view.user);
    options = [{ id: null }, ...mine, ...others].filter((one) => nameOf(one.id).toLowerCase().includes(wanted));
    at = Math.max(0, wanted ? 0 : options.findIndex((one) => one.id === owner));
    list.replaceChildren(...options.map((one, i) => {
      const item = h('li', { id: `${id}-${i}`, role: 'option', class: 'cut', 'aria-selected': String(one.id === owner), text: nameOf(one.id) });
      item.addEventListener('pointerdown', (event) => (event.preventDefault(), give(one.id))); // before the field loses the focus
      return item;
    }));
    if (!options.length) list.append(h('li', { class: 'soft', text: t('assign.none') }));
    point();
  }

  function point() {
    [...list.children].forEach((item, i) => item.toggleAttribute('data-at', options.length > 0 && i === at));
    const now = options.length ? list.children[at] : null;
    if (now) field.setAttribute('aria-activedescendant', now.id);
    else field.removeAttribute('aria-activedescendant');
    now?.scrollIntoView({ block: 'nearest' });
  }

  function keys(event) {
    const { key } = event;
    if (['ArrowLeft', 'ArrowRight', 'Home', 'End'].includes(key)) return void event.stopPropagation();
    const step = { ArrowDown: 1, ArrowUp: -1 }[key];
    if (!step && !['Enter', 'Escape'].includes(key)) return;
    event.stopPropagation();
    event.preventDefault();
    if (key === 'Escape') return void close();
    if (list.hidden) return void open();
    if (key === 'Enter') return void (options.length && give(options[at].id));
    at = (at + step + options.length) % Math.max(1, options.length);
    point();
  }

  async function give(user) {
    close();
    if (user === owner) return;
    const of = conversation;
    field.value = nameOf(user);
    field.setAttribute('aria-busy', 'true');
    try {
      await live.request(`/desk/conversations/${of}/assign`, { user_id: user, command: newId() });
      if (of === conversation) owner = user;
      say('');
    } catch (error) {
      people = [];
      say(explain(error, t));
    } finally {
      field.removeAttribute('aria-busy');
      draw();
    }
  }

  subs.on(live, 'event', ({ detail: { event } }) => {
    if (event.kind !== 'conversation.assigned' || event.conversation_id !== conversation) return;
    owner = event.data.to ?? null;
    if (owner && !people.some((one) => one.id === owner)) load();
    draw();
  });
  subs.on(live, 'view', ({ detail }) => detail.snapshot && conversation && load());

  function of(which) {
    if (which === conversation) return;
    conversation = which;
    people = [];
    owner = null;
    if (conversation) load();
    draw();
  }
  return { node, of, stop: subs.stop };
}

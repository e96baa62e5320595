// One contact: its profile, edited in place; calling and writing; its last conversations; merging, parting again, erasing.

import { mergeForm, textForm } from './contact_forms.js';
import { dialBox } from './dial.js';
import { dialLines } from './dial_lines.js';
import { h, icon, listeners } from './dom.js';
import { explain } from './explain.js';
import { ago } from './moments.js';
import { profile } from './profile.js';

/** `open(conversation)`, `close()`, `go(contact)`, `erase(contact)`; `writes`, `leads`: what the user may do. */
export function contactCard(live, { writes, leads, open, close, go, erase }) {
  const t = (key, values) => live.t(key, values);
  const subs = listeners();
  const lines = dialLines(live);
  const dial = dialBox(live);
  let id = null;
  let found = null;
  let asked = 0;

  const who = profile(live, { writes, leads, changed: look });
  const state = h('div', { class: 'state' });
  const by = h('select', { class: 'field', 'aria-label': t('contacts.by_line'), onchange: () => (lines.preferred = lines.of(by.value)) });
  const byLine = h('label', { class: 'by-line', hidden: true }, h('span', { class: 'soft small', text: t('contacts.by_line') }), by);
  const calls = h('div', { class: 'calls part' });
  const form = h('div', { class: 'form part', hidden: true });
  const rest = h('div', { class: 'rest' });
  const shut = h('button', { class: 'plain shut', type: 'button', 'aria-label': t('contacts.close'), onclick: close }, icon('close'));
  const node = h('section', { class: 'snapshot card', 'aria-label': t('contacts.card'), tabindex: '-1' }, shut, state, who.node, calls, form, rest, dial.node);
  node.addEventListener('keydown', (event) => event.key === 'Escape' && !event.defaultPrevented && close());

  function show(next) {
    if (next !== id) {
      id = next;
      found = null;
      who.node.hidden = calls.hidden = rest.hidden = true;
      put(null);
      state.replaceChildren(h('p', { class: 'sr', role: 'status', text: t('loading') }), ...['wide', '', '', 'wide'].map((kind) => h('div', { class: `ghost ${kind}` })));
    }
    look();
  }

  async function look() {
    if (!id) return;
    const mine = ++asked;
    try {
      const answer = await live.request(`/desk/contacts/${id}`);
      if (mine !== asked) return;
      found = answer;
      state.replaceChildren();
      draw();
    } catch (error) {
      if (mine !== asked) return;
      const gone = error.code === 'not_found';
      if (gone) who.node.hidden = calls.hidden = rest.hidden = true;
      state.replaceChildren(h('p', { class: 'failed', role: 'alert' }, gone ? t('contacts.gone') : explain(error, t), gone ? '' : h('button', { type: 'button', onclick: look }, t('retry'))));
    }
  }

  function draw() {
    who.node.hidden = calls.hidden = rest.hidden = false;
    who.update({ contact: found, fields: found.fields, party: null, maybe: [] });
    ways();
    rest.replaceChildren(last(), ...found.merges.map(merged), deeds());
  }

  // ---- calling and writing

  function ways() {
    const may = lines.may && lines.list?.length;
    byLine.hidden = !may || lines.list.length < 2;
    by.replaceChildren(...(lines.list ?? []).map((line) => h('option', { value: line.id, text: line.name ?? line.spoken })));
    if (lines.preferred) by.value = lines.preferred.id;
    const numbers = writes ? found.numbers : [];
    calls.hidden = !numbers.length;
    const deed = (one, kind, sign, call) => h('button', { type: 'button', class: kind === 'call' ? 'accept small-deed' : 'small-deed', 'aria-label': t(`contacts.${kind}_number`, { number: one.spoken }), onclick: call }, icon(sign), h('span', { text: t(`contacts.${kind}`) }));
    calls.replaceChildren(
      ...numbers.map((one) =>
        h('div', { class: 'way' }, h('span', { class: 'num grow cut', text: `${one.flag ? `${one.flag} ` : ''}${one.spoken}` }, one.label ? h('span', { class: 'soft', text: ` ${one.label}` }) : ''), deed(one, 'call', 'phone', () => call(one)), deed(one, 'text', 'chat', () => text(one))),
      ),
      byLine,
    );
  }

  async function call(one) {
    await dial.dial({ line: lines.of(by.value)?.id ?? lines.preferred?.id ?? '', number: one.number, spoken: one.spoken, name: found.name });
  }

  /** Where there is a conversation, one writes there, with all that was said before in sight. */
  function text(one) {
    const known = found.conversations.find((each) => each.party === one.number);
    if (known) open(known.id);
    else put(textForm(live, { number: one, lines, done: open, close: () => put(null) }));
  }

  function put(made) {
    form.replaceChildren(...(made ? [made.node] : []));
    form.hidden = !made;
    made?.focus();
  }

  // ---- below

  function last() {
    const now = Date.now();
    const rows = found.conversations.map((one) =>
      h('li', {}, h('button', { type: 'button', class: 'plain item', 'data-look': one.missed ? 'bad' : '', onclick: () => open(one.id) }, h('span', { class: 'sign' }, icon(one.missed ? 'missed' : 'forum')), h('span', { class: 'two' }, h('span', { class: 'first cut', text: one.line_name }), h('span', { class: 'soft small detail', text: [one.spoken, one.missed && t('contacts.missed'), one.closed_at && t('contacts.closed')].filter(Boolean).join(' · ') })), h('time', { class: 'soft small', datetime: new Date(one.last_at).toISOString(), title: new Date(one.last_at).toLocaleString(), text: ago(one.last_at, now) }))),
    );
    return h('section', { class: 'part', 'aria-label': t('contacts.last') }, h('h2', { text: t('contacts.last') }), rows.length ? h('ul', { class: 'lines-of' }, ...rows) : h('p', { class: 'soft small', text: t('contacts.last_none') }));
  }

  function merged(one, place) {
    const undo = h('button', { type: 'button', class: 'small-deed', hidden: !writes || place > 0, onclick: () => attempt(undo, `/desk/contact-merges/${one.id}/undo`, {}) }, t('contacts.undo'));
    return h('div', { class: 'part merged' }, h('p', { class: 'small grow', text: t('contacts.merged', { name: one.name || t('contacts.unnamed') }) }), undo);
  }

  function deeds() {
    const merge = h('button', { type: 'button', class: 'small-deed', onclick: () => put(mergeForm(live, { contact: found, done: () => (put(null), look()), close: () => put(null) })) }, t('contacts.merge'));
    const wipe = h('button', { type: 'button', class: 'small-deed danger', onclick: () => erase(found) }, t('contacts.erase'));
    return h('div', { class: 'part foot', hidden: !writes }, merge, leads ? wipe : null);
  }

  async function attempt(button, path, body) {
    if (button.getAttribute('aria-busy') === 'true') return;
    button.setAttribute('aria-busy', 'true');
    try {
      const { contact } = await live.request(path, body);
      await look();
      if (contact) go(id);
    } catch (error) {
      state.replaceChildren(h('p', { class: 'failed', role: 'alert', text: explain(error, t) }));
    }
    button.removeAttribute('aria-busy');
  }

  subs.on(lines, 'change', () => found && ways());
  return { node, show, look, stop: subs.stop };
}

// Beside a conversation: insight cards, who the customer is, what is open, what they had with us, what is related, and the AI's
// part. Read from the desk, and again when something happened that shows here.

import { h, listeners, mounter } from './dom.js';
import { explain } from './explain.js';
import { insightCard } from './insight.js';
import { profile } from './profile.js';
import { shared } from './shared.js';
import { parts } from './snapshot_parts.js';

const PAUSE_MS = 400; // several events come with one deed
// Of this conversation, or of any: a contact, a related conversation and the plan are not this conversation's.
const OWN = /^(call\.(arrived|dial_wanted|answered|ended|noted)|message\.|callback\.|conversation\.(closed|reopened|noted|read|unread))/;
const ANY = new Set(['contact.changed', 'company.changed', 'insight.shown']);

function build(host, { data, trigger }) {
  const live = shared(data);
  const t = (key, values) => live.t(key, values);
  const subs = listeners();
  const id = data.conversation;
  let found = null;
  let drawn = '';
  let asking = false;
  let again = false;
  let soon = null;

  const who = profile(live, { writes: Boolean(data.writes), leads: ['administrator', 'supervisor'].includes(data.role), here: id, changed: load });
  const draw = parts(live, { role: data.role, here: id, page: (name) => trigger('go', name), go });
  const insight = insightCard(live);
  const rest = h('div', { class: 'rest' });
  const state = h('div', { class: 'state' });
  const node = h('aside', { class: 'snapshot', 'aria-label': t('snapshot.title') }, insight.node, state, who.node, rest);
  host.append(node);
  who.node.hidden = true;
  insight.update({ conversation: id });
  loading();

  function go(conversation, entry) {
    if (conversation === id) live.dispatchEvent(new CustomEvent('conversation:entry', { detail: { conversation, id: entry } }));
    else trigger('open', entry ? `${conversation}:${entry}` : conversation);
  }

  function loading() {
    state.replaceChildren(h('p', { class: 'sr', role: 'status', text: t('loading') }), ...['wide', '', '', 'wide', ''].map((look) => h('div', { class: `ghost ${look}` })));
  }

  /** What failed stands above what was known before, which stays. */
  function failed(error) {
    const words = found ? t('snapshot.stale') : t('snapshot.error', { why: explain(error, t) });
    state.replaceChildren(h('p', { class: 'failed', role: 'alert' }, `${words} `, h('button', { type: 'button', onclick: load }, t('retry'))));
  }

  async function load() {
    if (asking) return void (again = true);
    asking = true;
    try {
      found = await live.request(`/desk/conversations/${id}/snapshot`);
      state.replaceChildren();
      show();
    } catch (error) {
      console.warn('aircall: the snapshot could not be read', error.code);
      failed(error);
    }
    asking = false;
    if (again) {
      again = false;
      load();
    }
    return undefined;
  }

  function show() {
    who.node.hidden = false;
    who.update(found);
    const { contact, fields, maybe, party, now, ...others } = found;
    const all = JSON.stringify([others, Math.floor(now / 60_000)]);
    if (all === drawn) return;
    drawn = all;
    const active = rest.contains(rest.getRootNode().activeElement) ? [...rest.querySelectorAll('button')].indexOf(rest.getRootNode().activeElement) : -1;
    rest.replaceChildren(...draw(found));
    if (active >= 0) rest.querySelectorAll('button')[active]?.focus();
  }

  function later() {
    soon ??= setTimeout(() => ((soon = null), load()), PAUSE_MS);
  }

  subs.on(live, 'event', ({ detail: { event } }) => {
    if (ANY.has(event.kind)) return later();
    const ours = event.conversation_id === id || found?.related.same_customer.some((one) => one.id === event.conversation_id);
    return ours && OWN.test(event.kind) ? later() : undefined;
  });
  subs.on(live, 'status', () => live.status === 'online' && later());
  subs.on(live, 'view', ({ detail }) => detail.snapshot && later());
  load();
  return {
    destroy() {
      subs.stop();
      insight.stop();
      clearTimeout(soon);
    },
  };
}

export const mount = mounter(build, 'insight.css', 'snapshot.css');

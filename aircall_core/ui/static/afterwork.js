// Between the end of a call and the next ring: the countdown of wrap-up, the tags that a call still needs, and the note on
// the call that was left. Shown above the duty switch for as long as the log says so; a reload or another tab shows the same.

import { callPanel } from './call_panel.js';
import { tagChips } from './call_tags.js';
import { callerTitle, clock, h, icon } from './dom.js';
import { explain } from './explain.js';
import { LastCall } from './last_call.js';

/** The countdown with its two buttons. */
export function wrapUp(live, say) {
  const t = (key, values) => live.t(key, values);
  let busy = '';
  const left = h('span', { class: 'num big', role: 'timer', 'aria-label': t('wrap.left') });
  const bar = h('span', { class: 'fill' });
  const finish = h('button', { type: 'button', text: t('wrap.finish'), onclick: () => run('end', (view) => !(view.me.wrap_up_until > live.now())) });
  const extend = h('button', { type: 'button', class: 'plain', text: t('wrap.extend'), title: t('wrap.extend_hint'), onclick: longer });
  const node = h(
    'div',
    { class: 'after', role: 'group', 'aria-label': t('wrap.title'), hidden: true },
    h('div', { class: 'track', 'aria-hidden': 'true' }, bar),
    h('div', { class: 'first' }, h('span', { class: 'grow', text: t('wrap.title') }), left),
    h('div', { class: 'pair' }, finish, extend),
  );

  function longer() {
    const before = live.view.me.wrap_up_until;
    return run('extend', (view) => view.me.wrap_up_until > before);
  }

  async function run(what, until) {
    if (busy) return;
    busy = what;
    draw();
    try {
      await live.command(`/desk/wrap-up/${what}`, {}, { until });
      say('');
    } catch (error) {
      if (error.code !== 'over') say(explain(error, t)); // it ran out in this very moment
    } finally {
      busy = '';
      draw();
    }
  }

  function draw() {
    node.hidden = live.view.me.status !== 'wrap_up';
    finish.setAttribute('aria-busy', String(busy === 'end'));
    extend.setAttribute('aria-busy', String(busy === 'extend'));
    tick();
  }

  function tick() {
    if (node.hidden) return;
    const { since, wrap_up_until: until } = live.view.me;
    const ms = Math.max(0, (until ?? 0) - live.now());
    left.textContent = clock(Math.ceil(ms / 1000) * 1000);
    bar.style.width = `${Math.min(100, (100 * ms) / Math.max(1, until - since))}%`;
  }
  return { node, draw, tick };
}

/** The choice of tags for the oldest call that owes one. */
export function tagChooser(live, say) {
  const t = (key, values) => live.t(key, values);
  let call = null;
  let busy = false;
  const chosen = new Set();

  const who = h('p', { class: 'soft cut small' });
  const chips = tagChips(live, { chosen, toggle, failed });
  const save = h('button', { type: 'button', class: 'accept', text: t('tags.save'), onclick: give });
  const again = h('button', { type: 'button', text: t('retry'), hidden: true, onclick: () => chips.load().then(able) });
  const node = h(
    'div',
    { class: 'after', role: 'group', 'aria-label': t('tags.title'), hidden: true },
    h('p', { class: 'title', text: t('tags.title') }),
    who,
    chips.search,
    chips.list,
    h('div', { class: 'pair' }, save, again),
  );
  live.addEventListener('event', news);

  function news({ detail }) {
    if (detail.event.kind !== 'tag.changed') return;
    chips.forget();
    draw();
  }

  function failed(error) {
    say(explain(error, t));
    able();
  }

  function toggle(id) {
    if (!chosen.delete(id)) chosen.add(id);
    chips.draw();
    able();
  }

  function able() {
    again.hidden = !chips.broken;
    save.hidden = chips.broken;
    const ready = chosen.size > 0 && !busy && live.status === 'online';
    if (ready) save.removeAttribute('aria-disabled');
    else save.setAttribute('aria-disabled', 'true');
    save.setAttribute('aria-busy', String(busy));
  }

  async function give() {
    if (busy || !chosen.size || !call) return;
    const of = call;
    busy = true;
    able();
    try {
      await live.command(`/desk/calls/${of}/tags`, { tags: [...chosen] }, { until: (view) => !view.me.tags_due.includes(of) });
      say('');
    } catch (error) {
      chips.forget(); // one of them may be gone
      say(explain(error, t));
    } finally {
      busy = false;
      draw();
    }
  }

  function draw() {
    const { status, tags_due: due } = live.view.me;
    const [first = null] = due;
    node.hidden = !first || !['wrap_up', 'tagging'].includes(status);
    if (node.hidden) return;
    if (first !== call) {
      call = first;
      chosen.clear();
      chips.clear();
    }
    const card = live.cards[call];
    const count = due.length > 1 ? t('tags.count', { count: due.length }) : '';
    who.textContent = [card ? callerTitle(card, t) : '', card?.line_name, count].filter(Boolean).join(' · ');
    who.hidden = !who.textContent;
    chips.draw();
    able();
  }
  return { node, draw, stop: () => live.removeEventListener('event', news) };
}

/** The note on the call that has just been left, its tags, and whose the conversation is. */
export function lastWords(live) {
  const t = (key, values) => live.t(key, values);
  const last = new LastCall(live);
  const panel = callPanel(live);
  const who = h('span', { class: 'cut grow' });
  const fold = h('button', { type: 'button', class: 'plain fold', onclick: () => ((open = !open), draw()) }, who, icon('up'));
  const node = h('div', { class: 'after', role: 'group', 'aria-label': t('panel.title'), hidden: true }, fold, h('div', { class: 'room' }, panel.node));
  let open = null; // as the user wants it; else as there is room

  function draw() {
    const { status, tags_due: due } = live.view.me;
    const call = ['wrap_up', 'tagging'].includes(status) ? last.call : null;
    if (!call && node.matches(':focus-within')) return; // who writes is not interrupted: it goes when they leave the field
    node.hidden = !call;
    if (call) who.textContent = t('wrap.call', { caller: [call.title, call.line].filter(Boolean).join(' · ') });
    const shown = open ?? (node.ownerDocument.defaultView?.innerWidth ?? 0) > 768;
    fold.setAttribute('aria-expanded', String(shown));
    panel.node.parentNode.hidden = !shown;
    panel.update(call, { tagged: !due.includes(call?.id) }); // what is owed is chosen above
  }
  node.addEventListener('focusout', () => setTimeout(draw));
  return { node, draw, stop: () => (last.stop(), panel.stop()) };
}

/** Over the page: nobody is rung since calls were missed, and one click ends it. */
export function pauseBanner(live, resume) {
  const t = (key, values) => live.t(key, values);
  const node = h(
    'div',
    { class: 'pause', role: 'alert', popover: 'manual' },
    icon('warn'),
    h('div', { class: 'lines' }, h('p', { class: 'title', text: t('pause.title') }), h('p', { text: t('pause.text') })),
    h('button', { type: 'button', class: 'accept', text: t('pause.resume'), onclick: resume }),
  );
  function draw() {
    const { status, reason } = live.view.me;
    const shown = status === 'unavailable' && reason === 'missed_calls';
    if (shown !== node.matches(':popover-open')) node.togglePopover(shown);
    document.documentElement.classList.toggle('aircall-paused', shown); // the page makes room for it
  }
  return { node, draw };
}

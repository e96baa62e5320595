// Between the end of a call and the next ring: the countdown of wrap-up, and the tags that the call still needs. Shown
// above the duty switch for as long as the log says so; a reload or another tab shows the same.

import { callerTitle, clock, h, icon } from './dom.js';
import { explain } from './explain.js';

const SEARCH_FROM = 9; // so many tags are looked through by eye

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
  let tags = null; // as the desk has them; null: not asked yet
  let failed = false;
  let busy = false;
  const chosen = new Set();

  const who = h('p', { class: 'soft cut small' });
  const search = h('input', { type: 'search', 'aria-label': t('tags.search'), placeholder: t('tags.search'), autocomplete: 'off', hidden: true, oninput: fill });
  const list = h('div', { class: 'chips', role: 'group', 'aria-label': t('tags.list') });
  const save = h('button', { type: 'button', class: 'accept', text: t('tags.save'), onclick: give });
  const again = h('button', { type: 'button', text: t('retry'), hidden: true, onclick: load });
  const node = h(
    'div',
    { class: 'after', role: 'group', 'aria-label': t('tags.title'), hidden: true },
    h('p', { class: 'title', text: t('tags.title') }),
    who,
    search,
    list,
    h('div', { class: 'pair' }, save, again),
  );
  live.addEventListener('event', news);

  function news({ detail }) {
    if (detail.event.kind !== 'tag.changed') return;
    tags = null;
    draw();
  }

  async function load() {
    failed = false;
    tags = [];
    try {
      tags = (await live.request('/desk/tags')).tags.filter((one) => !one.archived);
    } catch (error) {
      failed = true;
      say(explain(error, t));
    }
    fill();
  }

  function fill() {
    const wanted = search.value.trim().toLowerCase();
    search.hidden = tags.length < SEARCH_FROM;
    again.hidden = !failed;
    save.hidden = failed;
    list.replaceChildren(...tags.filter((one) => one.name.toLowerCase().includes(wanted) || chosen.has(one.id)).map(chip));
    if (failed) tags = null;
    able();
  }

  function chip(tag) {
    const swatch = h('span', { class: 'swatch', 'aria-hidden': 'true' });
    swatch.style.background = tag.color;
    const one = h('button', { type: 'button', class: 'chip', 'aria-pressed': String(chosen.has(tag.id)) }, swatch, h('span', { class: 'cut', text: tag.name }), icon('check'));
    one.addEventListener('click', () => {
      if (!chosen.delete(tag.id)) chosen.add(tag.id);
      one.setAttribute('aria-pressed', String(chosen.has(tag.id)));
      able();
    });
    return one;
  }

  function able() {
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
      tags = null; // one of them may be gone
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
      search.value = '';
      if (tags) fill();
    }
    const card = live.cards[call];
    const count = due.length > 1 ? t('tags.count', { count: due.length }) : '';
    who.textContent = [card ? callerTitle(card, t) : '', card?.line_name, count].filter(Boolean).join(' · ');
    who.hidden = !who.textContent;
    if (!tags && !failed) load();
    else able();
  }
  return { node, draw, stop: () => live.removeEventListener('event', news) };
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

// Above the timeline: which channels, which of the customer's lines and which days are shown; and finding words in it.

import { h, icon } from './dom.js';
import { timelineFind } from './timeline_find.js';

const CHANNELS = ['call', 'text', 'note', 'log'];

/** `changed()`: something else is to be shown; `jump(entry, words)`: to what was found. */
export function timelineBar(live, { conversation, changed, jump }) {
  const t = (key, values) => live.t(key, values);
  const channels = new Set(CHANNELS);
  let profile = false;
  let line = '';
  let [from, to] = ['', ''];

  const chips = CHANNELS.map((channel) =>
    h('button', { type: 'button', class: 'chip', 'aria-pressed': 'true', 'data-channel': channel, onclick: (event) => toggle(channel, event.currentTarget) }, t(`timeline.channel.${channel}`)),
  );
  const scope = h('select', { class: 'pick', 'aria-label': t('timeline.scope'), hidden: true, onchange: choose });
  const dates = [h('input', { type: 'date', 'aria-label': t('timeline.from'), onchange: span }), h('input', { type: 'date', 'aria-label': t('timeline.to'), onchange: span })];
  const days = h('div', { class: 'days', hidden: true }, h('label', {}, t('timeline.from'), dates[0]), h('label', {}, t('timeline.to'), dates[1]), h('button', { type: 'button', class: 'plain small', text: t('timeline.all_days'), onclick: anyDay }));
  const when = h('button', { type: 'button', class: 'plain tool', 'aria-expanded': 'false', 'aria-label': t('timeline.days'), title: t('timeline.days'), onclick: () => fold(days, when) }, icon('clock'));
  const seek = h('button', { type: 'button', class: 'plain tool', 'aria-expanded': 'false', 'aria-label': t('timeline.find'), title: t('timeline.find'), onclick: openFind }, icon('find'));
  const find = timelineFind(live, { conversation, query: scopeQuery, jump, closed: () => (seek.setAttribute('aria-expanded', 'false'), seek.focus()) });
  const row = h('div', { class: 'bar-row', role: 'group', 'aria-label': t('timeline.shown') }, h('div', { class: 'chips' }, ...chips), scope, h('span', { class: 'grow' }), when, seek);
  const node = h('div', { class: 'timeline-bar' }, row, days, find.node);

  function toggle(channel, button) {
    if (channels.has(channel) && channels.size > 1) channels.delete(channel);
    else channels.add(channel);
    button.setAttribute('aria-pressed', String(channels.has(channel)));
    changed();
  }

  function choose() {
    profile = scope.value !== '';
    line = scope.value === 'all' ? '' : scope.value;
    changed();
    find.again();
  }

  function span() {
    [from, to] = dates.map((one) => one.value);
    when.toggleAttribute('data-on', Boolean(from || to));
    changed();
  }

  function anyDay() {
    dates.forEach((one) => (one.value = ''));
    span();
    fold(days, when);
    when.focus();
  }

  /** Show everything again; whether that is more than was shown. */
  function clear() {
    if (!filtered()) return false;
    CHANNELS.forEach((channel) => channels.add(channel));
    chips.forEach((chip) => chip.setAttribute('aria-pressed', 'true'));
    dates.forEach((one) => (one.value = ''));
    [from, to, line] = ['', '', ''];
    when.removeAttribute('data-on');
    scope.value = profile ? 'all' : '';
    return true;
  }

  const filtered = () => channels.size < CHANNELS.length || Boolean(from || to || line);

  function fold(what, button) {
    what.hidden = !what.hidden;
    button.setAttribute('aria-expanded', String(!what.hidden));
    if (!what.hidden) what.querySelector('input')?.focus();
  }

  function openFind() {
    if (find.node.hidden) find.open();
    else find.close();
    seek.setAttribute('aria-expanded', String(!find.node.hidden));
  }

  /** What the customer's conversations are, this one first: the choice of the whole profile is there if there are others. */
  function offer(together) {
    const lines = new Map(together.map((one) => [one.line.id, one.line.name]));
    const options = [['', t('timeline.this')], ['all', t('timeline.profile')], ...(lines.size > 1 ? lines : [])];
    const now = JSON.stringify(options);
    scope.hidden = together.length < 2;
    if (scope.dataset.options === now) return;
    scope.dataset.options = now;
    scope.replaceChildren(...options.map(([value, text]) => h('option', { value, text })));
    scope.value = profile ? line || 'all' : '';
  }

  function scopeQuery() {
    return profile ? { scope: 'profile', ...(line ? { line } : {}) } : {};
  }

  /** A day as it is here: from its first moment, or to the first moment of the next one. */
  function moment(day, next) {
    const [year, month, date] = day.split('-').map(Number);
    return String(new Date(year, month - 1, date + (next ? 1 : 0)).getTime());
  }

  return {
    node, offer, channels, clear,
    highlight: find.highlight,
    get profile() { return profile; },
    get past() { return Boolean(to) && Number(moment(to, true)) <= live.now(); },
    get line() { return line; },
    get filtered() { return filtered(); },
    query: () => ({
      ...scopeQuery(),
      ...(channels.size < CHANNELS.length ? { channels: [...channels].join(',') } : {}),
      ...(from ? { from: moment(from, false) } : {}),
      ...(to ? { to: moment(to, true) } : {}),
    }),
    stop: find.stop,
  };
}

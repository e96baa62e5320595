// The user's own availability: a button that says what it is now and for how long, and a menu to choose from. What it
// shows is the status of the log; what is chosen here is only one of its causes.

import { clock, h, icon } from './dom.js';
import { explain } from './explain.js';

export const REASONS = ['break', 'lunch', 'training', 'back_office', 'other'];

// Colours by what a caller would find: ready, busy, kept away, gone.
const LOOKS = {
  available: 'on', in_call: 'busy', wrap_up: 'busy', tagging: 'busy', unavailable: 'paused', out_of_hours: 'paused', off_duty: 'off',
};

/** Button and menu; `draw(weak)` draws them anew, `say(text)` is told why a choice was refused. */
export function availability(live, say) {
  const t = (key, values) => live.t(key, values);
  let busy = false;

  const dot = h('span', { class: 'dot', 'aria-hidden': 'true' });
  const title = h('span', { class: 'title cut' });
  const words = h('span', { class: 'cut' });
  const since = h('span', { class: 'num' });
  const hint = h('span', { class: 'hint soft', 'aria-hidden': 'true' }, since, words);
  const button = h(
    'button',
    { type: 'button', class: 'plain status', 'aria-haspopup': 'menu', 'aria-expanded': 'false', onclick: () => (menu.hidden ? open() : close()), onkeydown: opens },
    dot,
    h('span', { class: 'lines' }, title, hint),
    icon('up'),
  );
  const items = [
    item('available', null, t('choice.available'), t('choice.available_hint')),
    item('auto', null, t('choice.auto'), t('choice.auto_hint')),
    ...REASONS.map((reason) => item('unavailable', reason, t(`reason.${reason}`))),
  ];
  const group = h('div', { role: 'group', 'aria-label': t('choice.unavailable') }, h('p', { class: 'heading soft', 'aria-hidden': 'true', text: t('choice.unavailable') }), ...items.slice(2));
  const menu = h('div', { class: 'menu', role: 'menu', 'aria-label': t('choice.title'), hidden: true, onkeydown: keys, onfocusout: left }, items[0], items[1], group);
  const said = h('p', { class: 'sr', role: 'status' });

  function item(choice, reason, label, note = '') {
    const one = h(
      'button',
      { type: 'button', role: 'menuitemradio', class: 'plain item', tabindex: '-1', onclick: () => choose(choice, reason) },
      h('span', { class: 'mark', 'aria-hidden': 'true' }, icon('check')),
      h('span', { class: 'lines' }, h('span', { text: label }), note ? h('span', { class: 'hint soft', text: note }) : null),
    );
    one.is = (me) => me.choice === choice && (me.choice_reason ?? null) === reason;
    return one;
  }

  function open(last = false) {
    menu.hidden = false;
    button.setAttribute('aria-expanded', 'true');
    (items.find((one) => one.is(live.view.me)) ?? items.at(last ? -1 : 0)).focus();
  }

  function close(back = true) {
    if (menu.hidden) return;
    menu.hidden = true;
    button.setAttribute('aria-expanded', 'false');
    if (back) button.focus();
  }

  function opens(event) {
    if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return;
    event.preventDefault();
    open(event.key === 'ArrowUp');
  }

  /** Arrows and the first letter move, Escape and Tab leave: the menu pattern. */
  function keys(event) {
    const at = items.indexOf(menu.getRootNode().activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    const letter = event.key.length === 1 && !event.ctrlKey && !event.altKey && !event.metaKey && event.key !== ' ' ? event.key.toLowerCase() : '';
    if (to !== undefined) items[(to + items.length) % items.length].focus();
    else if (letter) [...items.slice(at + 1), ...items].find((one) => one.textContent.toLowerCase().startsWith(letter))?.focus();
    else if (event.key === 'Escape') close();
    else if (event.key === 'Tab') return close();
    else return undefined;
    event.preventDefault();
    event.stopPropagation();
    return undefined;
  }

  function left(event) {
    if (!menu.contains(event.relatedTarget) && event.relatedTarget !== button) close(false);
  }

  async function choose(choice, reason) {
    close();
    const { me } = live.view;
    if (busy || (me.choice === choice && (me.choice_reason ?? null) === reason)) return;
    busy = true;
    draw();
    try {
      say('');
      await live.command('/desk/availability', { choice, reason }, { until: (view) => view.me.choice === choice && (view.me.choice_reason ?? null) === reason });
    } catch (error) {
      say(explain(error, t));
    } finally {
      busy = false;
      draw();
    }
  }

  let weak = '';
  /** `problem`: what keeps this tab from ringing although its user is available. */
  function draw(problem = weak) {
    weak = problem;
    const { me } = live.view;
    const known = live.status === 'online' && me.status !== 'offline'; // offline: our first beat is on its way
    const name = known ? t(`status.${me.status}`) : t(live.status === 'connecting' || live.status === 'online' ? 'loading' : 'reconnecting');
    const look = !known ? 'away' : me.status === 'available' && weak ? 'warn' : LOOKS[me.status];
    if (button.dataset.look !== look) button.dataset.look = look;
    if (title.textContent !== name) {
      title.textContent = name;
      button.setAttribute('aria-label', t('status.name', { status: name }));
      if (known) said.textContent = t('status.name', { status: name });
    }
    words.textContent = known ? more(me) : '';
    button.setAttribute('aria-busy', String(busy));
    for (const one of items) one.setAttribute('aria-checked', String(one.is(me)));
    tick();
  }

  /** The second line: why, or what follows from it. */
  function more(me) {
    if (me.status === 'unavailable') return t(`reason.${me.reason}`);
    if (me.status === 'off_duty') return t('duty.off_hint');
    if (me.status !== 'available') return '';
    return weak || t(me.choice === 'auto' ? 'choice.auto_now' : 'duty.on_hint');
  }

  function tick() {
    const { me } = live.view;
    const timed = me.since && live.status === 'online' && me.status !== 'offline' && !(weak && me.status === 'available');
    const text = timed ? clock(live.now() - me.since) : '';
    if (since.textContent !== text) since.textContent = text;
  }

  return { button, menu, said, draw, tick, resume: () => choose('available', null) };
}

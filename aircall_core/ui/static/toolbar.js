// The call in progress, at the lower left of every page. It hangs at the bottom and grows upwards: its buttons never move,
// and its nodes are never made anew. What it shows is what the log has said; who has the call is in family.js, what can be
// done with it in deeds.js, the words in parties.js.

import { callPanel } from './call_panel.js';
import { Rows } from './call_rows.js';
import { Chooser } from './chooser.js';
import { deeds, hangupOf, keysFor } from './deeds.js';
import { Details } from './details.js';
import { aboveDialogs, callerTitle, clock, h, icon, listeners, mounter, setIcon } from './dom.js';
import { explain } from './explain.js';
import { answered, carried, children, current } from './family.js';
import { insightCard } from './insight.js';
import { Keypad } from './keypad.js';
import { Outcome } from './outcome.js';
import { party, standing, target, whyLeft } from './parties.js';
import { shared } from './shared.js';

const LOST = ['reconnecting', 'failed'];
const KEYED = ['mute', 'hold', 'keypad', 'transfer', 'record', 'hangup']; // have a shortcut

function build(host, { data, trigger }) {
  const live = shared(data);
  const t = (key, values) => live.t(key, values);
  const [doc, win] = [host.ownerDocument, host.ownerDocument.defaultView];
  const subs = listeners();
  const busy = new Set();
  let call = null;
  let media = '';

  const name = h('button', { type: 'button', class: 'name plain', title: t('open'), onclick: () => trigger('open', call.conversation) }, h('span', { class: 'cut' }));
  const timer = h('span', { class: 'num', role: 'timer', 'aria-label': t('toolbar.time') });
  const detail = h('p', { class: 'detail soft cut' });
  const rec = h('span', { class: 'rec' });
  const details = new Details(live, { brief: true });
  const insight = insightCard(live);
  const panel = callPanel(live);
  const more = h('button', { type: 'button', class: 'plain more', 'aria-expanded': 'false', 'aria-label': t('toolbar.more'), onclick: unfold }, h('span', { text: t('toolbar.notes') }), icon('up'));
  const state = h('span', { class: 'words', role: 'status' });
  const since = h('span', { class: 'num', role: 'timer', 'aria-label': t('toolbar.since') });
  const here = h('button', { class: 'here', type: 'button', hidden: true, onclick: () => run('here', () => live.calls.bringHere(call.id)) }, t('toolbar.here'));
  const text = h('p');
  const note = h('div', { class: 'note', role: 'alert', hidden: true }, icon('warn'), text, h('button', { class: 'plain', type: 'button', 'aria-label': t('close'), onclick: () => say('') }, icon('close')));

  const command = (path, body, until) => live.command(`/desk/calls/${path}`, body, { until });
  const buttons = {
    mute: button('mic', 'toolbar.mute', () => run('mute', () => live.calls.mute(call.id, !call.muted))),
    hold: button('pause', 'toolbar.hold', () => run('hold', hold)),
    keypad: button('keypad', 'toolbar.keypad', () => toggle(keypad)),
    transfer: button('transfer', 'toolbar.transfer', () => toggle(transfer)),
    add: button('add', 'toolbar.add', () => toggle(add)),
    record: button('record', 'toolbar.record', () => run('record', record)),
    open: button('chat', 'open', () => trigger('open', call.conversation), 'toolbar.open'),
    detach: button('detach', 'detach.open', () => live.detached.toggle()),
    hangup: button('down', 'toolbar.hangup', () => run('hangup', () => live.calls.hangup(hangupOf(live.view, call)))),
  };
  const order = Object.values(buttons);
  for (const one of [buttons.mute, buttons.hold, buttons.record]) one.setAttribute('aria-pressed', 'false');
  for (const one of [buttons.keypad, buttons.transfer, buttons.add]) one.setAttribute('aria-haspopup', 'dialog');
  buttons.add.setAttribute('aria-label', t('toolbar.add_name'));
  buttons.hangup.className = 'reject hangup';
  for (const key of KEYED) live.shortcuts.bind(buttons[key], key);

  const rows = new Rows(live, { run: (what, deed) => run(what, deed), busy });
  const keypad = new Keypad(live, { button: buttons.keypad, target: () => keysFor(live.view, call) });
  const transfer = new Chooser(live, { button: buttons.transfer, add: false, call: () => call });
  const add = new Chooser(live, { button: buttons.add, add: true, call: () => call });
  const popovers = [keypad, transfer, add];
  const outcome = new Outcome(live);
  const bar = h(
    'div',
    { class: 'bar', role: 'toolbar', 'aria-label': t('toolbar.title'), popover: 'manual', onkeydown: arrows },
    h(
      'div',
      { class: 'upper' },
      note,
      rows.node,
      h('div', { class: 'top' }, name, timer),
      h('div', { class: 'second' }, detail, rec),
      details.node,
      insight.node,
      panel.node,
    ),
    h('div', { class: 'state' }, state, since, here, more),
    h('div', { class: 'buttons' }, ...order),
  );
  aboveDialogs(host);
  host.append(bar, outcome.node, ...popovers.map((one) => one.node));

  function button(glyph, key, click, short = key) {
    const one = h('button', { type: 'button', 'aria-label': t(key), title: t(key), tabindex: '-1', 'data-icon': glyph }, icon(glyph), h('span', { text: t(short) }));
    one.addEventListener('click', () => one.getAttribute('aria-disabled') !== 'true' && click());
    return one;
  }

  /** One deed at a time of each name; what goes wrong is said above. */
  async function run(what, deed) {
    if (busy.has(what) || !call) return;
    busy.add(what);
    say('');
    draw();
    try {
      await deed();
    } catch (error) {
      say(explain(error, t));
    } finally {
      busy.delete(what);
      draw();
    }
  }

  function hold() {
    const [{ id }, held] = [call, !call.held];
    return command(`${id}/hold`, { held }, (view) => !view.calls[id] || view.calls[id].held === held);
  }

  function record() {
    const [{ id }, on] = [call, call.recording !== 'started'];
    return command(`${id}/recording`, { on }, (view) => !view.calls[id] || (view.calls[id].recording === 'started') === on);
  }

  function toggle(popover) {
    for (const one of popovers) if (one !== popover) one.close();
    popover.toggle();
  }

  function say(words) {
    text.textContent = words;
    note.hidden = !words;
  }

  function unfold() {
    more.setAttribute('aria-expanded', String(bar.classList.toggle('unfolded')));
  }

  /** One stop for Tab, arrows inside: the toolbar pattern. */
  function arrows(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
    const now = order.indexOf(host.getRootNode().activeElement);
    if (!step || now < 0) return;
    const next = step === -Infinity ? 0 : step === Infinity ? order.length - 1 : (now + step + order.length) % order.length;
    order.forEach((one, i) => one.setAttribute('tabindex', i === next ? '0' : '-1'));
    order[next].focus();
    event.preventDefault();
  }

  /** [words, look, since when]: how the call stands, and how we stand in it. */
  function stands() {
    if (live.status !== 'online') return [t('reconnecting'), 'warn', null];
    if (busy.has('hangup')) return [t('toolbar.ending'), '', null];
    const [words, look, from] = standing(live.view, call, { card: live.cards[call.id], t });
    if (!answered(call)) return [words, look, from];
    const owned = live.calls.owns(call.id);
    if (call.away || (owned && LOST.includes(media))) return [t('toolbar.away'), 'warn', null];
    if (!owned) return [t('toolbar.elsewhere'), '', null];
    if (live.phone.mic !== 'ok' && live.phone.mic !== 'unknown') return [t('toolbar.no_mic'), 'warn', null];
    if (call.muted) return [t('toolbar.muted'), 'warn', null];
    return [words, look, from];
  }

  function draw() {
    const before = call?.id;
    call = current(live.view);
    const shown = bar.matches(':popover-open');
    doc.documentElement.classList.toggle('aircall-in-call', Boolean(call));
    if (call?.id !== before) {
      say('');
      media = call ? (live.phone.stateOf(call.id) ?? '') : '';
      for (const one of popovers) one.close();
    }
    if (!call) {
      rows.update(null, []);
      insight.update({});
      panel.update(null);
      if (shown) bar.hidePopover();
      tickWhile(false);
      return;
    }
    const card = live.cards[call.id];
    const who = party(card, t);
    put(name.firstChild, who.name);
    put(detail, who.detail);
    details.update(call, card);
    insight.update({ call: call.id, lazy: !card?.insight });
    panel.update(call);
    more.classList.toggle('unsaved', ['waiting', 'refused'].includes(panel.state()));
    const [words, look, from] = stands();
    put(state, words);
    state.parentNode.dataset.look = look;
    since.from = from;
    drawRecording();
    drawButtons();
    here.hidden = !answered(call) || live.status !== 'online' || live.calls.owns(call.id) || busy.has('here');
    const called = children(live.view, call.id);
    if (called.some((one) => !rows.has(one.id))) say(''); // what was said of an earlier one is past
    rows.update(call, [...called, ...carried(live.view).filter((one) => one.id !== call.id)]);
    for (const one of popovers) one.draw();
    if (!shown) bar.showPopover();
    tick();
    tickWhile(true);
  }

  function drawRecording() {
    const { recording } = call;
    rec.dataset.state = recording;
    put(rec, { started: t('toolbar.recording'), paused: t('toolbar.rec_paused') }[recording] ?? '');
  }

  function drawButtons() {
    const all = deeds(live.view, call, { online: live.status === 'online', busy });
    for (const [key, deed] of Object.entries(all)) {
      const one = buttons[key];
      if ('on' in deed) one.setAttribute('aria-pressed', String(deed.on));
      one.setAttribute('aria-busy', String(Boolean(deed.busy)));
      able(one, !deed.why && !deed.busy);
      const title = deed.why ? `${t(`toolbar.${key}`)}: ${t(deed.why)}` : hint(key);
      if (one.title !== title) one.title = title;
    }
    setIcon(buttons.mute, call.muted ? 'muted' : 'mic');
    setIcon(buttons.hold, all.hold.on ? 'play' : 'pause');
    buttons.detach.setAttribute('aria-pressed', String(live.detached.open));
    buttons.detach.title = t(live.detached.open ? 'detach.back_hint' : 'detach.open_hint');
    setIcon(buttons.detach, live.detached.open ? 'attach' : 'detach');
    if (!bar.querySelector('.buttons [tabindex="0"]')) buttons.mute.setAttribute('tabindex', '0');
  }

  function hint(key) {
    const words = { add: 'toolbar.add_name', open: 'open', record: call.recording === 'paused' ? 'toolbar.record_go_on' : 'toolbar.record_pause' };
    const hangsUp = key === 'hangup' && hangupOf(live.view, call) !== call.id ? 'toolbar.hangup_asked' : key === 'hangup' && children(live.view, call.id).length ? 'toolbar.leave' : '';
    const plain = t(hangsUp || (words[key] ?? `toolbar.${key}`));
    return KEYED.includes(key) ? live.shortcuts.hint(key, plain) : plain;
  }

  function able(one, yes) {
    if (yes) one.removeAttribute('aria-disabled');
    else one.setAttribute('aria-disabled', 'true');
  }

  function put(node, words) {
    if (node.textContent !== words) node.textContent = words;
  }

  function tick() {
    put(timer, call?.answered_at ? clock(live.now() - call.answered_at) : '');
    put(since, since.from ? clock(live.now() - since.from) : '');
    rows.tick();
  }

  let ticking = null;
  /** At the turn of each second of the call, so that none is shown longer than another. */
  function tickWhile(on) {
    win.clearTimeout(ticking);
    ticking = on ? win.setTimeout(() => (tick(), tickWhile(true)), 1000 - (Math.max(0, live.now() - (call.answered_at ?? 0)) % 1000)) : null;
  }

  /** Why the user's own call, or one made for it, ended when it was not they who ended it. */
  function ended({ event, before }) {
    const { view } = live;
    const old = before.calls[event.call_id];
    if (!old || (event.user_id === view.user && event.kind === 'call.ended' && event.data.by === 'agent')) return;
    const card = live.cards[event.call_id];
    if (old.parent && old.started_by === view.user) {
      if (event.kind === 'call.ended' && !['merged', 'parent_over', 'cancelled'].includes(event.data.reason)) asked(old, before, event, card);
      return;
    }
    if (old.by !== view.user || view.calls[event.call_id]?.by === view.user) return;
    const caller = party(card, t).name;
    if (event.kind === 'call.ended' && event.data.outcome === 'lost') {
      live.toast(t('toolbar.lost', { caller }), { kind: 'error', key: 'ended' });
    } else if (event.kind === 'call.ended' && old.parent) {
      const ours = event.data.reason === 'merged'; // what we were asked about is our call now
      live.toast(t(ours ? 'toolbar.passed_on' : 'toolbar.asked_over', { name: caller, caller: callerTitle(card, t) }), { key: 'ended' });
    } else if (event.kind === 'call.transferring') {
      live.toast(t('toolbar.sent_on', { caller }), { key: 'ended' });
    } else if (event.kind === 'call.ended' && (event.data.by === 'caller' || event.data.by === 'callee') && old.answered_at) {
      live.toast(t('ringer.hung_up', { caller }), { key: 'ended' });
    } else if (event.kind === 'call.returned') {
      live.toast(t('toolbar.returned', { caller }), { kind: 'error', key: 'ended' });
    }
  }

  /** Somebody whom we called for our call said no, did not answer, or left. */
  function asked(old, before, event, card) {
    const words = whyLeft(event.data, target(old, card, { names: live.names, t }), t);
    const parent = live.view.calls[old.parent];
    if (!parent) return live.toast(words, { key: 'asked' });
    const caller = callerTitle(live.cards[parent.id], t);
    return say(before.calls[parent.id].held && !old.held ? `${words} ${t('left.back', { caller })}` : words);
  }

  // Toasts stay above it, and it is as high as what is known of the call.
  const height = new win.ResizeObserver(() => doc.documentElement.style.setProperty('--aircall-bar', `${bar.offsetHeight}px`));
  height.observe(bar);
  subs.add(() => height.disconnect());

  subs.on(live, 'view', draw);
  subs.on(live, 'focus-call', () => {
    draw(); // this view may not have heard of the call yet
    if (call) buttons.mute.focus();
  });
  subs.on(live, 'status', draw);
  subs.on(live, 'event', (e) => ended(e.detail));
  subs.on(live.calls, 'change', draw);
  subs.on(live.detached, 'change', draw);
  subs.on(live.phone, 'mic', draw);
  subs.on(live.phone, 'state', (e) => {
    if (e.detail.callId !== call?.id) return;
    media = e.detail.state;
    draw();
  });
  draw();
  return {
    destroy() {
      tickWhile(false);
      outcome.destroy();
      insight.stop();
      panel.stop();
      for (const one of popovers) one.destroy();
      subs.stop();
    },
  };
}

export const mount = mounter(build, 'dock.css', 'details.css', 'insight.css', 'call_panel.css', 'toolbar.css', 'call_popovers.css');

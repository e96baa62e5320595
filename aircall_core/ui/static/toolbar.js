// The call in progress, at the lower left of every page. Its size never changes with the call's state; what it shows is
// what the log has said.

import { aboveDialogs, callerTitle, clock, h, icon, listeners, mounter, setIcon } from './dom.js';
import { Details } from './details.js';
import { explain } from './explain.js';
import { shared } from './shared.js';
import { active } from './view.js';

function build(host, { data, trigger }) {
  const live = shared(data);
  const t = (key, values) => live.t(key, values);
  const subs = listeners();
  let call = null;
  let busy = '';

  const name = h('p', { class: 'name cut' });
  const detail = h('p', { class: 'detail soft cut' });
  const details = new Details(live, { brief: true });
  const state = h('span', { class: 'state', role: 'status' });
  const timer = h('span', { class: 'num', role: 'timer', 'aria-label': t('toolbar.time') });
  const mute = button('mic', t('toolbar.mute'), t('toolbar.mute'), () => run('mute', () => live.calls.mute(call.id, !call.muted)));
  const hangup = button('down', t('toolbar.hangup'), t('toolbar.hangup'), () => run('hangup', () => live.calls.hangup(call.id)), 'reject');
  const open = button('chat', t('open'), t('toolbar.open'), () => trigger('open', call.conversation));
  const here = h('button', { class: 'here', type: 'button', hidden: true, onclick: () => run('here', () => live.calls.bringHere(call.id)) }, t('toolbar.here'));
  const bar = h(
    'div',
    { class: 'bar', role: 'toolbar', 'aria-label': t('toolbar.title'), popover: 'manual', onkeydown: arrows },
    h('div', { class: 'top' }, h('div', { class: 'lines' }, name, detail), h('div', { class: 'right' }, timer)),
    details.node,
    h('div', { class: 'row' }, state, here),
    h('div', { class: 'buttons' }, mute, open, hangup),
  );
  mute.setAttribute('aria-pressed', 'false');
  aboveDialogs(host);
  host.append(bar);

  function button(glyph, label, short, click, look = '') {
    const one = h('button', { type: 'button', class: look, 'aria-label': label, title: label, tabindex: '-1', 'data-icon': glyph }, icon(glyph), h('span', { text: short }));
    one.addEventListener('click', () => one.getAttribute('aria-disabled') !== 'true' && click());
    return one;
  }

  async function run(what, deed) {
    if (busy || !call) return;
    busy = what;
    draw();
    try {
      await deed();
    } catch (error) {
      live.toast(explain(error, t), { kind: 'error', key: 'toolbar' });
    } finally {
      busy = '';
      draw();
    }
  }

  /** One stop for Tab, arrows inside: the toolbar pattern. */
  function arrows(event) {
    const all = [mute, open, hangup, here].filter((one) => !one.hidden);
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
    if (!step) return;
    const now = all.indexOf(host.getRootNode().activeElement);
    const next = step === -Infinity ? 0 : step === Infinity ? all.length - 1 : (now + step + all.length) % all.length;
    all.forEach((one, i) => one.setAttribute('tabindex', i === next ? '0' : '-1'));
    all[next].focus();
    event.preventDefault();
  }

  function stateText() {
    if (live.status !== 'online') return [t('reconnecting'), 'warn'];
    if (busy === 'hangup') return [t('toolbar.ending'), ''];
    if (call.state === 'accepting') return [t('connecting'), ''];
    if (call.away) return [t('toolbar.away'), 'warn'];
    if (!live.calls.owns(call.id)) return [t('toolbar.elsewhere'), ''];
    if (media === 'reconnecting' || media === 'failed') return [t('toolbar.away'), 'warn'];
    if (call.muted) return [t('toolbar.muted'), 'warn'];
    if (call.recording === 'started') return [t('toolbar.recording'), 'rec'];
    return [t('toolbar.talking'), ''];
  }

  let media = '';
  function draw() {
    call = active(live.view);
    const shown = bar.matches(':popover-open');
    document.documentElement.classList.toggle('aircall-in-call', Boolean(call));
    if (!call) {
      if (shown) bar.hidePopover();
      media = '';
      tickWhile(false);
      return;
    }
    const card = live.cards[call.id];
    name.textContent = callerTitle(card, t);
    const number = card?.caller_name ? card.number : '';
    detail.textContent = [number, card?.line_name].filter(Boolean).join(' · ');
    details.update(call, card);
    const [text, look] = stateText();
    if (state.textContent !== text) state.textContent = text;
    state.className = `state ${look}`;
    mute.setAttribute('aria-pressed', String(call.muted));
    setIcon(mute, call.muted ? 'muted' : 'mic');
    const answered = call.state !== 'accepting';
    able(mute, answered && !busy);
    able(hangup, !busy || busy === 'mute');
    able(open, Boolean(call.conversation));
    here.hidden = !answered || live.status !== 'online' || live.calls.owns(call.id) || busy === 'here';
    if (!bar.querySelector('[tabindex="0"]')) mute.setAttribute('tabindex', '0');
    if (!shown) bar.showPopover();
    tick();
    tickWhile(true);
  }

  function able(one, yes) {
    if (yes) one.removeAttribute('aria-disabled');
    else one.setAttribute('aria-disabled', 'true');
  }

  function tick() {
    timer.textContent = call?.answered_at ? clock(live.now() - call.answered_at) : '';
  }

  let ticking = null;
  function tickWhile(on) {
    if (on && !ticking) ticking = setInterval(tick, 1000);
    if (!on && ticking) ticking = clearInterval(ticking);
  }

  /** Why the user's own call ended, when it was not they who ended it. */
  function ended({ event, before }) {
    const old = before.calls[event.call_id];
    if (old?.by !== live.view.user || live.view.calls[event.call_id]?.by === live.view.user) return;
    const caller = callerTitle(live.cards[event.call_id], t);
    if (event.kind === 'call.ended' && event.data.outcome === 'lost') {
      live.toast(t('toolbar.lost', { caller }), { kind: 'error', key: 'ended' });
    } else if (event.kind === 'call.ended' && event.data.by === 'caller') {
      live.toast(t('ringer.hung_up', { caller }), { key: 'ended' });
    } else if (event.kind === 'call.returned') {
      live.toast(t('toolbar.returned', { caller }), { kind: 'error', key: 'ended' });
    }
  }

  // Toasts stay above it, and it is as high as what is known of the call.
  const height = new ResizeObserver(() => document.documentElement.style.setProperty('--aircall-bar', `${bar.offsetHeight}px`));
  height.observe(bar);
  subs.add(() => height.disconnect());

  subs.on(live, 'view', draw);
  subs.on(live, 'focus-call', () => {
    draw(); // this view may not have heard of the call yet
    if (call) mute.focus();
  });
  subs.on(live, 'status', draw);
  subs.on(live, 'event', (e) => ended(e.detail));
  subs.on(live.calls, 'change', draw);
  subs.on(live.phone, 'state', (e) => {
    if (e.detail.callId !== call?.id) return;
    media = e.detail.state;
    draw();
  });
  draw();
  return {
    destroy() {
      tickWhile(false);
      subs.stop();
    },
  };
}

export const mount = mounter(build, 'dock.css', 'details.css', 'toolbar.css');

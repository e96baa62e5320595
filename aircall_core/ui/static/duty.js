// The dock at the lower left: "Go on duty", the user's availability beside it, and above them what a call left to do.
// "Go on duty": one click that makes the microphone, the sound and the notifications ready and then tells the desk. What
// is missing is said in words, with what to do; nothing is asked for before the click.

import { lastWords, pauseBanner, tagChooser, wrapUp } from './afterwork.js';
import { availability } from './availability.js';
import { aboveDialogs, h, icon, listeners, mounter } from './dom.js';
import { detachOffer } from './detach_offer.js';
import { DialPad } from './dial_pad.js';
import { explain } from './explain.js';
import { notifyHint } from './notify_hint.js';
import { shared } from './shared.js';

function build(host, { data }) {
  const live = shared(data);
  const t = (key, values) => live.t(key, values);
  const subs = listeners();
  let busy = false;
  let resuming = false;
  let problem = '';

  const say = (words) => {
    problem = words;
    draw();
  };
  const status = availability(live, say);
  const wrap = wrapUp(live, say);
  const tags = tagChooser(live, say);
  const words = lastWords(live);
  const pause = pauseBanner(live, status.resume);
  const label = h('span', {});
  const button = h('button', { type: 'button', class: 'duty', onclick: toggle }, icon('power'), label);
  const arm = h('button', { type: 'button', class: 'plain arm', hidden: true, onclick: () => ready().then(draw) }, icon('sound'), h('span', { text: t('duty.arm') }));
  const text = h('p', {});
  const notice = h(
    'div',
    { class: 'notice', hidden: true, role: 'alert' },
    icon('warn'),
    text,
    h('button', { class: 'plain', type: 'button', 'aria-label': t('close'), onclick: () => ((problem = ''), draw()) }, icon('close')),
  );
  const doc = host.ownerDocument; // the page's, or that of the window of its own
  const win = doc.defaultView;
  const quiet = notifyHint(live);
  const apart = detachOffer(live);
  const pad = new DialPad(live);
  const line = h('div', { class: 'line' }, status.button, h('div', { class: 'tools' }, pad.button, arm, apart.button), button);
  const dock = h('section', { class: 'dock', 'aria-label': t('duty.title'), popover: 'manual' }, notice, quiet.node, apart.node, wrap.node, tags.node, words.node, line, status.menu, status.said);
  aboveDialogs(host);
  host.append(dock, pause.node, pad.node);

  /** Microphone, sound, permission: asked for in one go, since a browser counts only what begins within the click. */
  async function ready() {
    // The third is not waited for: it may stay unanswered, and who rings without it can work.
    live.notifier.ask().then(draw, (error) => console.debug('aircall: notifications were not asked for', error));
    const [mic, sound] = await Promise.allSettled([live.phone.arm(), live.tone.unlock()]);
    if (mic.status === 'rejected') {
      problem = explain(mic.reason, t);
      return false;
    }
    if (sound.value !== 'ok') {
      problem = t('duty.no_sound');
      return false;
    }
    return true;
  }

  async function toggle() {
    if (busy) return;
    const on = !live.view.duty;
    busy = true;
    problem = '';
    draw();
    try {
      // Within the same click as the permissions, since a window of its own needs one too.
      const prepared = on ? ready() : Promise.resolve(true);
      if (on && live.detached.wish === 'yes') live.detached.show();
      if (await prepared) {
        await live.command('/desk/duty', { on, tab: live.tab }, { until: (view) => view.duty === on });
      }
    } catch (error) {
      problem = explain(error, t);
    } finally {
      busy = false;
      draw();
    }
  }

  /** After a reload: what was allowed before needs no click, except sound in strict browsers. */
  async function resume() {
    if (!live.view.duty || resume.done || data.detached) return;
    resume.done = true;
    try {
      const asked = await navigator.permissions?.query({ name: 'microphone' });
      if (asked?.state !== 'granted') return;
      resuming = true;
      draw();
      await live.phone.arm();
      await live.tone.unlock(); // after the microphone: while it is captured, browsers let a page sound without a click
    } catch (error) {
      console.warn('aircall: the microphone was not taken up again', error); // the button beside asks with a click
    }
    resuming = false;
    draw();
  }

  function draw() {
    const { view, device } = live;
    const online = live.status === 'online';
    const weak = view.duty && !device.armed;
    const missing = live.phone.armed ? 'duty.warn_sound' : 'duty.warn_mic';
    status.draw(weak ? t(resuming ? 'duty.resuming' : missing) : '');
    wrap.draw();
    tags.draw();
    words.draw();
    pause.draw();
    const name = t(view.duty ? 'duty.go_off' : 'duty.go_on');
    if (label.textContent !== name) button.title = label.textContent = name;
    button.className = view.duty ? 'duty short' : 'duty accept';
    button.setAttribute('aria-busy', String(busy));
    if (busy || !online) button.setAttribute('aria-disabled', 'true');
    else button.removeAttribute('aria-disabled');
    arm.hidden = !online || !weak || resuming || busy;
    notice.hidden = !problem;
    if (text.textContent !== problem) text.textContent = problem;
    quiet.draw();
    apart.draw();
    if (dock.isConnected && !dock.matches(':popover-open')) dock.showPopover(); // not after the end of its window
  }

  /** Somebody else has chosen for this user. */
  function chosenForMe({ kind, user_id: who, actor, data }) {
    if (kind !== 'user.choice' || who !== live.view.user || !actor.startsWith('user:') || actor === `user:${who}`) return;
    live.toast(t(data.choice === 'unavailable' ? 'choice.made_unavailable' : 'choice.made_available'), { key: 'choice' });
  }

  const lift = () => doc.documentElement.style.setProperty('--aircall-dock', `${dock.offsetHeight}px`);
  const height = new win.ResizeObserver(lift);
  height.observe(dock);
  subs.add(() => height.disconnect());
  const sidebar = doc.querySelector('[data-testid="stSidebar"]');
  const measure = () => {
    const open = sidebar && sidebar.getBoundingClientRect().right > 40;
    const width = open ? sidebar.getBoundingClientRect().width : 300;
    doc.documentElement.style.setProperty('--aircall-sidebar', `${width}px`);
  };
  if (sidebar) {
    const watch = new win.ResizeObserver(measure);
    watch.observe(sidebar);
    subs.add(() => watch.disconnect());
  }
  if (!data.detached) measure();

  const ticking = win.setInterval(() => (status.tick(), wrap.tick()), 1000);
  subs.add(() => win.clearInterval(ticking));
  subs.add(tags.stop);
  subs.add(() => pad.destroy());
  subs.add(words.stop);
  subs.on(live, 'view', () => (resume(), draw()));
  subs.on(live, 'event', (event) => chosenForMe(event.detail.event));
  subs.on(live, 'status', draw);
  subs.on(live, 'device', draw);
  subs.on(live.notifier, 'change', draw);
  subs.on(live.detached, 'change', () => (draw(), lift())); // Chromium forgets a change of size while that window opens
  draw();
  return { destroy: () => subs.stop() };
}

export const mount = mounter(build, 'dock.css', 'duty.css', 'availability.css', 'call_panel.css', 'detach.css', 'call_popovers.css', 'dial_pad.css');

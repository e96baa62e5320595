// Whom the agent dials: the next number with its note and its history, the call to it, and what came of the last one. What is
// claimed stays this page's for as long as the page says so; a page that is gone gives it back by itself (desk/dial_entries.py).

import { callTags } from './call_tags.js';
import { dialLines } from './dial_lines.js';
import { cameOf, cannot, disable, fill, reasons, underWay, waiting } from './dialer_words.js';
import { h, icon } from './dom.js';
import { explain } from './explain.js';
import { current } from './family.js';
import { byHand, Pace } from './pace.js';

const KEEP_MS = 30_000;

export class DialerStage {
  /** @param page {path of the list, list(), open(conversation), changed(): something was done} */
  constructor(live, page) {
    Object.assign(this, { live, page, mine: null, calling: null, last: null, running: false, busy: false, turn: 0, said: '' });
    this.t = (key, values) => live.t(key, values);
    this.pace = new Pace();
    this.lines = dialLines(live);
    this.#make();
    this.heard = () => this.draw();
    this.lines.addEventListener('change', this.heard);
    this.keeping = live.env.every(KEEP_MS, () => this.#keep());
  }

  #make() {
    const { t } = this;
    const button = (name, text, press, ...inside) => (this[name] = h('button', { type: 'button', onclick: press }, ...inside, h('span', { text })));
    this.label = h('p', { class: 'label' });
    this.status = h('p', { class: 'status', role: 'status' });
    this.avatar = h('span', { class: 'avatar', 'aria-hidden': 'true' });
    this.name = h('h2', { class: 'name' });
    this.number = h('p', { class: 'number num' });
    this.note = h('p', { class: 'note' });
    this.tries = h('ul', { class: 'tries', 'aria-label': t('dialer.tries') });
    this.go = h('button', { type: 'button', class: 'accept go', onclick: () => this.dial() }, icon('phone'), h('span', { text: t('dialer.dial') }), (this.left = h('span', { class: 'left num', 'aria-hidden': 'true' })));
    button('pause', t('dialer.pause'), () => this.#turn(!this.paused), (this.pauseIcon = h('span', { class: 'ic' })));
    button('skip', t('dialer.skip'), () => this.#reasons(this.why.hidden));
    this.skip.setAttribute('aria-expanded', 'false');
    button('later', t('dialer.later'), () => this.#put(true));
    this.later.title = t('dialer.later_hint');
    button('stop', t('dialer.stop'), () => this.#put(false));
    this.stop.title = t('dialer.stop_hint');
    button('history', t('dialer.open'), () => this.page.open(this.mine.conversation_id), icon('chat'));
    this.history.className = 'plain history';
    this.history.setAttribute('aria-label', t('dialer.open'));
    this.why = reasons(t, (reason) => this.#skip(reason), () => this.#forbid(this.mine));
    this.deeds = h('div', { class: 'deeds' }, this.go, this.pause, this.skip, this.later, this.stop);
    this.problem = h('p', { class: 'problem', role: 'alert', hidden: true });
    this.card = h(
      'section',
      { class: 'card', 'aria-label': t('dialer.next') },
      h('div', { class: 'top' }, this.label, this.status),
      (this.who = h('div', { class: 'who' }, this.avatar, h('div', { class: 'grow' }, this.name, this.number), this.history)),
      this.note,
      this.tries,
      this.problem,
      this.deeds,
      this.why,
    );
    this.starting = h('button', { type: 'button', class: 'accept go', onclick: () => this.start() }, icon('play'), h('span', { text: t('dialer.start') }));
    this.idleTitle = h('h2', {});
    this.idleText = h('p', { class: 'soft' });
    this.idleProblem = h('p', { class: 'problem', role: 'alert', hidden: true });
    this.idle = h('section', { class: 'idle', 'aria-label': t('dialer.next') }, this.idleTitle, this.idleText, this.starting, this.idleProblem);
    this.tags = callTags(this.live, (text) => ((this.lastSaid.textContent = text), (this.lastSaid.hidden = !text)));
    this.lastWho = h('p', { class: 'last-who cut' });
    this.lastOutcome = h('span', { class: 'outcome' });
    this.lastSaid = h('p', { class: 'problem', role: 'alert', hidden: true });
    this.again = h('button', { type: 'button', onclick: () => this.#again() }, icon('back'), h('span', { text: t('dialer.again') }));
    this.forbid = h('button', { type: 'button', onclick: () => this.#forbid(this.last) }, icon('close'), h('span', { text: t('dialer.do_not_call') }));
    this.lastNode = h(
      'section',
      { class: 'last', 'aria-label': t('dialer.last'), hidden: true },
      h('div', { class: 'top' }, h('p', { class: 'label', text: t('dialer.last') }), this.lastOutcome),
      this.lastWho,
      this.tags.node,
      this.lastSaid,
      h('div', { class: 'deeds small' }, this.again, this.forbid),
    );
    // Who writes down how the last call went is not hurried on to the next one.
    for (const kind of ['pointerdown', 'keydown']) this.lastNode.addEventListener(kind, () => this.pace.again());
    this.node = h('div', { class: 'stage' }, this.card, this.idle, this.lastNode);
  }

  get paused() {
    return !this.running;
  }

  /**
   * What the desk says: the claimed entry, and one whose call goes on (after a reload, or by another tab). `asked`: `turn` when
   * it was asked: what is older than the last deed or call would bring back what is over, and is asked anew by what changed it.
   */
  take({ mine, calling }, asked) {
    if (this.busy || asked !== this.turn) return;
    const call = calling?.call.id;
    if (!this.calling && call) {
      this.calling = { entry: calling, call, seen: Boolean(this.live.view.calls[call]) };
      if (!this.calling.seen) this.page.changed(); // the view lacks it still, or already: the next answer says which
    } else if (this.calling && this.calling.call !== call && !this.live.view.calls[this.calling.call]) {
      this.#ended(this.calling); // so soon that the view was never seen with it
    }
    if (mine?.id !== this.mine?.id) this.#show(mine);
    else if (mine) this.mine = mine;
  }

  concerns(call) {
    return Boolean(call) && (call === this.calling?.call || call === this.last?.call?.id);
  }

  /** The view has changed: has our call ended? */
  follow() {
    const { calling, live } = this;
    if (calling) {
      const there = Boolean(live.view.calls[calling.call]);
      calling.seen ||= there;
      if (calling.seen && !there && live.status === 'online') this.#ended(calling);
    }
    this.draw();
  }

  async #ended(calling) {
    this.turn += 1;
    this.calling = null;
    this.last = calling.entry;
    this.#drawLast();
    await this.#readLast();
    const said = await this.#ourFault();
    if (this.running || said) await this.#claim();
    if (said) {
      this.running = false;
      this.said = said;
    }
    this.page.changed();
    this.draw();
  }

  /** A microphone or a trunk that does not work would use up the whole list: why to stop, in words, or ''. */
  async #ourFault() {
    const { last, t } = this;
    const { outcome, reason } = last.call ?? {};
    if (reason === 'no_audio') {
      try {
        await this.live.request(`/desk/dial-entries/${last.id}/again`, { last: false }); // nobody has called it
        this.last = { ...last, settled: true };
        this.#drawLast();
      } catch (error) {
        console.warn('aircall: a number that was not called could not be put back', error.code); // it stands under Dialled
      }
      return t('dialer.no_audio', { who: last.name || last.spoken });
    }
    return ['failed', 'lost'].includes(outcome) && reason !== 'not_found' ? t('dialer.trouble') : '';
  }

  async #readLast() {
    try {
      const { entry } = await this.live.request(`/desk/dial-entries/${this.last.id}`);
      if (entry.id === this.last?.id) this.last = entry;
    } catch (error) {
      console.warn('aircall: the last call could not be read', error.code); // its row among the dialled ones says it
    }
    this.#drawLast();
  }

  // ---- deeds

  start() {
    this.running = true;
    return this.#claim();
  }

  /** One deed at a time; what is wrong stands on the card, and the dialer waits for the agent. */
  async #do(deed) {
    if (this.busy) return;
    this.busy = true;
    this.said = '';
    this.draw();
    try {
      await deed();
    } catch (error) {
      this.said = explain(error, this.t);
      this.running = false;
      if (error.code === 'not_claimed') this.#show(null);
    } finally {
      this.busy = false;
      this.turn += 1;
      this.page.changed();
      this.draw();
    }
  }

  #claim() {
    return this.#do(async () => {
      const { entry } = await this.live.request(`${this.page.path}/next`, {});
      this.#show(entry);
      if (!entry) this.running = false;
    });
  }

  dial() {
    const { mine } = this;
    if (!mine || !byHand(this.now.why)) return undefined;
    this.running = true;
    return this.#do(async () => {
      const { call } = await this.live.calls.dial({ line: mine.line_id, number: mine.number, entry: mine.id });
      (this.live.dialerCalls ??= new Set()).add(call); // how they end is told here, with what to do about it
      this.calling = { entry: { ...mine, call: { id: call } }, call, seen: Boolean(this.live.view.calls[call]) };
      this.#show(null);
    });
  }

  #turn(paused) {
    this.running = !paused;
    this.pace.again();
    this.draw();
  }

  /** Done with the entry in sight: on to the next one, if the dialer is not to stop. */
  #leave(path, body, goOn = true) {
    return this.#do(async () => {
      await this.live.request(path, body);
      this.#show(null);
      if (!goOn) return;
      const { entry } = await this.live.request(`${this.page.path}/next`, {});
      this.#show(entry);
    });
  }

  #skip(reason) {
    return this.#leave(`/desk/dial-entries/${this.mine.id}/skip`, { reason });
  }

  /** Behind all others and on to the next one, or back to its place and no further. */
  #put(last) {
    if (!last) this.running = false;
    return this.#leave(`/desk/dial-entries/${this.mine.id}/again`, { last }, last);
  }

  #forbid(entry) {
    if (entry === this.mine) return this.#leave(`/desk/dial-entries/${entry.id}/do-not-call`, {});
    return this.#afterwards(`/desk/dial-entries/${entry.id}/do-not-call`, {}, 'dialer.forbidden');
  }

  #again() {
    return this.#afterwards(`/desk/dial-entries/${this.last.id}/again`, { last: true }, 'dialer.is_again');
  }

  async #afterwards(path, body, done) {
    const { last } = this;
    try {
      await this.live.request(path, body);
      this.live.toast(this.t(done, { who: last.name || last.spoken }), { key: 'dialer' });
      this.last = { ...last, settled: true };
    } catch (error) {
      this.lastSaid.textContent = explain(error, this.t);
      this.lastSaid.hidden = false;
    }
    this.#drawLast();
    this.page.changed();
  }

  async #keep() {
    if (!this.mine || this.live.status !== 'online') return;
    try {
      await this.live.request(`/desk/dial-entries/${this.mine.id}/keep`, {});
    } catch (error) {
      if (error.code === 'not_claimed' || error.code === 'not_found') this.page.changed();
      else console.warn('aircall: the claim could not be kept', error.code); // tried again before it runs out
    }
  }

  // ---- drawing

  #show(entry) {
    const focus = this.node.contains(this.node.getRootNode().activeElement);
    this.mine = entry;
    this.pace.again();
    this.#reasons(false);
    if (entry) fill(this, entry);
    this.draw();
    if (focus) (entry ? this.go : this.starting).focus();
  }

  #reasons(shown) {
    this.why.hidden = !shown;
    this.skip.setAttribute('aria-expanded', String(shown));
    if (shown) {
      this.#turn(true);
      this.why.querySelector('button').focus();
    }
  }

  get now() {
    const { live } = this;
    const list = this.page.list();
    const state = { online: live.status === 'online', duty: live.view.duty, busy: Boolean(this.calling || current(live.view)), me: live.view.me, paused: this.paused, seconds: list?.pause_s ?? 0 };
    if (!this.mine || this.busy) return { why: this.busy ? 'busy' : 'none', left: null };
    return this.pace.look(state, live.env.now());
  }

  tick() {
    if (!this.mine) {
      if (this.calling) this.#drawCalling();
      return;
    }
    const { why, left } = this.now;
    this.left.textContent = left ?? '';
    this.left.hidden = left === null;
    if (left === 0 && !why) this.dial();
    else this.#say(why, left);
  }

  #say(why, left) {
    const text = waiting(why, this.page.list(), this.t);
    if (left === null || !this.status.dataset.counting) {
      if (this.status.textContent !== text) this.status.textContent = text;
    }
    this.status.dataset.counting = why ? '' : 'yes';
    this.card.dataset.why = why;
  }

  draw() {
    const { t, calling, mine } = this;
    const list = this.page.list();
    if (!list) return;
    this.card.hidden = !mine && !calling;
    this.idle.hidden = !this.card.hidden;
    this.deeds.hidden = this.history.hidden = !mine;
    if (mine) {
      const { why, left } = this.now;
      this.label.textContent = t('dialer.next');
      this.history.hidden = !mine.conversation_id;
      disable(this.go, why !== 'busy' && byHand(why) && this.lines.of(mine.line_id) ? '' : t(`dialer.held.${byHand(why) ? 'busy' : why}`));
      for (const one of [this.pause, this.skip, this.later, this.stop]) disable(one, this.busy ? t('dialer.held.busy') : '');
      const timed = list.pause_s > 0;
      this.pause.hidden = !timed;
      this.pause.lastChild.textContent = t(this.paused ? 'dialer.resume' : 'dialer.pause');
      if (this.pauseIcon.dataset.icon !== String(this.paused)) this.pauseIcon.replaceChildren(icon(this.paused ? 'play' : 'pause'));
      this.pauseIcon.dataset.icon = String(this.paused);
      this.left.textContent = left ?? '';
      this.left.hidden = left === null;
      this.#say(why, left);
    } else if (calling) {
      fill(this, calling.entry);
      this.history.hidden = true;
      this.#drawCalling();
    } else {
      this.#drawIdle(list);
    }
    const said = this.said || cannot(list, this.lines, t);
    for (const node of [this.problem, this.idleProblem]) {
      node.hidden = !said;
      if (node.textContent !== said) node.textContent = said;
    }
    this.go.setAttribute('aria-busy', String(this.busy));
    this.starting.setAttribute('aria-busy', String(this.busy));
  }

  #drawCalling() {
    const { t, live, calling } = this;
    const call = live.view.calls[calling.call];
    this.label.textContent = t('dialer.calling');
    const said = underWay(call, live.now(), t);
    if (this.status.textContent !== said) this.status.textContent = said;
    this.card.dataset.why = 'calling';
  }

  #drawIdle(list) {
    const { t } = this;
    const state = !list.total ? 'empty' : !list.left ? 'finished' : list.waiting ? 'ready' : 'others';
    this.idleTitle.textContent = t(`dialer.idle.${state}`, list);
    this.idleText.textContent = t(`dialer.idle.${state}_text`, list);
    this.idle.dataset.state = state;
    this.starting.hidden = state !== 'ready';
    const online = this.live.status === 'online';
    const why = !online ? t('dialer.held.offline') : !this.live.view.duty ? t('dialer.held.off_duty') : cannot(list, this.lines, t);
    disable(this.starting, why);
    if (state === 'ready' && why && online && !this.live.view.duty) this.idleText.textContent = why;
  }

  #drawLast() {
    const { t, last } = this;
    this.lastNode.hidden = !last;
    if (!last) return;
    this.lastWho.textContent = [last.name, last.spoken].filter(Boolean).join(' · ');
    this.lastOutcome.textContent = last.call?.ended_at ? cameOf(last.call, t) : '';
    this.lastOutcome.dataset.reached = String(Boolean(last.call?.answered_at));
    this.tags.of(last.call?.id ?? null);
    this.tags.node.hidden = !last.call?.id;
    this.again.hidden = this.forbid.hidden = Boolean(last.settled);
  }

  destroy() {
    this.lines.removeEventListener('change', this.heard);
    this.tags.stop();
    if (typeof this.keeping === 'object') this.keeping.terminate?.();
    else clearInterval(this.keeping);
  }
}

// The power dialer's list: how far it is, who is next, what came of the last call, and the numbers themselves. Several agents
// work on one list: each event of an entry asks the desk again, a moment later.

import { DialerRows } from './dialer_rows.js';
import { DialerStage } from './dialer_stage.js';
import { h, listeners, mounter } from './dom.js';
import { explain } from './explain.js';
import { shared } from './shared.js';

const SOON_MS = 500;
const CALLS = new Set(['call.answered', 'call.ended', 'call.tagged']);

function build(host, { data, trigger, rerun }) {
  const live = shared(data);
  const t = (key, values) => live.t(key, values);
  const subs = listeners();
  const path = `/desk/dial-lists/${data.list}`;
  const called = new Set(); // calls to numbers of this list, by anybody: what comes of them changes its figures
  let list = null;
  let failed = '';

  const done = h('span', { class: 'bar-done' });
  const reached = h('span', { class: 'bar-reached' });
  const bar = h('div', { class: 'bar', role: 'progressbar', 'aria-label': t('dialer.progress'), 'aria-valuemin': 0 }, reached, done);
  const figures = h('p', { class: 'figures num' });
  const others = h('p', { class: 'others soft', hidden: true });
  const problem = h('div', { class: 'failed', role: 'alert', hidden: true }, h('p', {}), h('button', { type: 'button', onclick: load }, t('retry')));
  const stage = new DialerStage(live, { path, list: () => list, open: (id) => trigger('open', id), changed: soon });
  const rows = new DialerRows(live, { path, leads: data.leads, changed: soon, open: (id) => trigger('open', id) });
  const main = h('div', { class: 'main', hidden: true }, h('div', { class: 'progress' }, bar, figures, others), stage.node, rows.node);
  const waiting = h('div', { class: 'skeleton', 'aria-hidden': 'true' }, h('i'), h('i'), h('i'));
  host.append(problem, waiting, main);

  async function load() {
    const { turn } = stage;
    try {
      const found = await live.request(path);
      list = found.list;
      list.at_work.forEach(({ call }) => call && called.add(call));
      failed = '';
      stage.take(found, turn);
      await rows.load();
    } catch (error) {
      if (error.code === 'not_found' || error.code === 'plan') rerun('refresh', Date.now()); // the page knows what to say
      failed = explain(error, t);
    }
    draw();
  }

  function draw() {
    waiting.hidden = Boolean(list || failed);
    problem.hidden = !failed;
    problem.firstChild.textContent = failed;
    main.hidden = !list;
    if (!list) return;
    const share = (count) => `${list.total ? (100 * count) / list.total : 0}%`;
    reached.style.width = share(list.reached);
    done.style.width = share(list.done - list.reached);
    bar.setAttribute('aria-valuemax', list.total);
    bar.setAttribute('aria-valuenow', list.done);
    bar.setAttribute('aria-valuetext', t('dialer.figures', list));
    figures.replaceChildren(
      ...[['done', t('dialer.done', list)], ['reached', t('dialer.reached', list)], ['left', t('dialer.left', list)]].map(([name, text]) => h('span', { class: name, text })),
    );
    const names = [...new Set(list.at_work.filter(({ id }) => id !== live.view.user).map(({ name }) => name))];
    others.hidden = !names.length;
    others.textContent = t(names.length === 1 ? 'dialer.other' : 'dialer.others', { names: names.join(', ') });
    stage.draw();
  }

  let timer = null;
  function soon() {
    timer ??= setTimeout(() => {
      timer = null;
      load();
    }, SOON_MS);
  }

  function happened({ kind, call_id: call, data: about }) {
    if (kind === 'dial_entry.changed' && about.list === data.list && about.call) called.add(about.call);
    const ours = (kind === 'dial_entry.changed' && about.list === data.list) || (kind === 'dial_list.changed' && about.id === data.list);
    if (ours || (CALLS.has(kind) && (called.has(call) || rows.shows(call) || stage.concerns(call)))) soon();
    if (kind === 'dial_list.changed' && about.id === data.list) rerun('refresh', Date.now());
  }

  subs.on(live, 'event', ({ detail }) => happened(detail.event));
  subs.on(live, 'view', ({ detail }) => {
    if (detail.snapshot) soon();
    stage.follow();
  });
  subs.on(live, 'status', () => stage.draw());
  const ticking = setInterval(() => stage.tick(), 250);
  load();
  return {
    update: ({ leads }) => rows.lead(leads),
    destroy: () => (clearInterval(ticking), clearTimeout(timer), subs.stop(), stage.destroy()),
  };
}

export const mount = mounter(build, 'call_panel.css', 'dialer.css');

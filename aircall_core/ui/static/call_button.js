// "Call" in a conversation's header: by the conversation's line, whoever answers it.

import { addToDialer } from './add_to_dialer.js';
import { dialBox } from './dial.js';
import { dialLines } from './dial_lines.js';
import { h, icon, listeners, mounter } from './dom.js';
import { shared } from './shared.js';

function build(host, { data }) {
  const live = shared(data);
  const t = (key, values) => live.t(key, values);
  const subs = listeners();
  const lines = dialLines(live);
  const dial = dialBox(live);
  const who = { line: data.line, number: data.number, spoken: data.spoken, name: data.name };
  const button = h('button', { class: 'accept', type: 'button', hidden: true, 'aria-label': t('call.out_name', { who: data.name || data.spoken }), onclick: call }, icon('phone'), t('call.out'));
  const queue = addToDialer(live, who);
  host.append(h('div', { class: 'call-out' }, button, queue.node), dial.node);
  subs.add(queue.stop);

  async function call() {
    if (button.getAttribute('aria-busy') === 'true') return;
    button.setAttribute('aria-busy', 'true');
    await dial.dial(who);
    button.setAttribute('aria-busy', 'false');
  }

  function draw() {
    button.hidden = !lines.may || !data.number;
    button.title = lines.of(data.line) ? t('call.out_by', { number: lines.of(data.line).spoken }) : t('dial.by_hand');
  }

  subs.on(lines, 'change', draw);
  draw();
  return { destroy: () => subs.stop() };
}

export const mount = mounter(build, 'dial.css', 'call_button.css', 'add_to_dialer.css');

// What an agent does beside talking: the note on the call, its tags, and whose the conversation is. Folded under the
// toolbar during the call, and in the dock after it.

import { assignBox } from './assign.js';
import { callTags } from './call_tags.js';
import { h } from './dom.js';
import { notePad } from './note_pad.js';

/** A call as the view has it, or {id, conversation} of one that is over; what is written is kept whatever is shown. */
export function callPanel(live) {
  const problem = h('p', { class: 'problem', role: 'alert', hidden: true });
  const say = (words) => {
    problem.textContent = words;
    problem.hidden = !words;
  };
  const pad = notePad(live);
  const tags = callTags(live, say);
  const assign = assignBox(live, say);
  const node = h('div', { class: 'panel', role: 'group', 'aria-label': live.t('panel.title') }, pad.node, tags.node, assign.node, problem);

  /** `tagged` false: the choice of tags stands elsewhere. */
  function update(call, { tagged = true } = {}) {
    const top = call ? (call.parent ?? call.id) : null; // a call made for another one is part of that
    pad.of(top);
    tags.of(top);
    assign.of(call?.conversation ?? null);
    tags.node.hidden = !tagged;
    node.hidden = !call;
    if (!call) say('');
  }
  return { node, update, state: pad.state, stop: () => [pad, tags, assign].forEach((one) => one.stop()) };
}

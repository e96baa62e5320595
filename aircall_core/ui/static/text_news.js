// A text that comes in while nobody looks at the console is told by a notification: to whom the conversation is assigned, or
// else to the line's users who are on duty and not in a call. It says who wrote and on which line, never what.

import { callerTitle } from './dom.js';
import { active } from './view.js';

const FRESH_MS = 60_000; // what came while the line to the desk was down is no news any more
const OVER = new Set(['message.written', 'conversation.closed']);

export class TextNews {
  constructor(live, notifier) {
    Object.assign(this, { live, notifier });
    live.addEventListener('event', ({ detail: { event } }) => this.#happened(event));
  }

  #happened(event) {
    const { conversation_id: conversation, kind } = event;
    if (kind === 'message.received') {
      if (this.live.now() - event.at < FRESH_MS) this.#tell(conversation, event.data.message);
    } else if (OVER.has(kind) || (kind === 'conversation.read' && event.user_id === this.live.view.user)) {
      this.notifier.textOver(conversation);
    }
  }

  async #tell(conversation, entry) {
    const { live, notifier } = this;
    if (!(await notifier.tellsHere())) return;
    try {
      const path = `/desk/conversations/${conversation}`;
      const [shown, { users }] = await Promise.all([live.request(path), live.request(`${path}/assignees`)]);
      if (this.#concerns(shown, users)) notifier.text({ conversation, entry, ...this.#words(shown) });
    } catch (error) {
      console.debug('aircall: a text was not told of', error.code); // not this user's, or the desk is away: the count says it
    }
  }

  #concerns({ assigned_to: assigned }, users) {
    const { view } = this.live;
    if (assigned) return assigned === view.user;
    return view.duty && !active(view) && users.some((one) => one.id === view.user);
  }

  #words(shown) {
    const t = (key, values) => this.live.t(key, values);
    const who = callerTitle({ caller_name: shown.name, number: shown.spoken }, t);
    return { title: t('notify.text', { who }), body: [shown.line.name, shown.name && shown.spoken].filter(Boolean).join(' · ') };
  }
}

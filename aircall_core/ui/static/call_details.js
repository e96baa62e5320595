// In a conversation's header: what is known of its call while it rings this user, or is theirs.

import { Details } from './details.js';
import { listeners, mounter } from './dom.js';
import { shared } from './shared.js';

function build(host, { data }) {
  const live = shared(data);
  const subs = listeners();
  const details = new Details(live);
  let { conversation } = data;
  host.append(details.node);

  function draw() {
    const call = Object.values(live.view.calls).find((one) => one.conversation === conversation);
    if (call) details.update(call, live.cards[call.id]);
    details.node.hidden = !call || !details.node.children.length;
  }

  subs.on(live, 'view', draw);
  subs.on(live, 'event', draw); // whose a conversation is changes cards, not the view
  const ticking = setInterval(() => details.tick(), 1000);
  subs.add(() => clearInterval(ticking));
  draw();
  return { update: (now) => (({ conversation } = now), draw()), destroy: () => subs.stop() };
}

export const mount = mounter(build, 'details.css');

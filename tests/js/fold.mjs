// Folds the events given on stdin with the browser's view.js: [{view, events}] in, [[view after each event]] out.

import { readFileSync } from 'node:fs';

import { apply } from '../../aircall_core/ui/static/view.js';

const cases = JSON.parse(readFileSync(0, 'utf8'));
const folded = cases.map(({ view, events }) => {
  const before = JSON.stringify(view);
  let now = view;
  const after = events.map((event) => (now = apply(now, event)));
  if (JSON.stringify(view) !== before) throw new Error('apply changed the view it was given');
  return after;
});
process.stdout.write(JSON.stringify(folded));

// How many conversations each of the inbox's categories has, and how many callers wait to be called back.

const COUNTS_MS = 1500;

/** `paint(figures, callbacks)`: show them; figures are null while none are known. `cards()`: the callbacks that tell by themselves. */
export function inboxCounts(live, choice, { paint, cards }) {
  let soon = null;
  let asked = 0;
  let known = ''; // what the figures are of
  let figures = null;
  let callbacks = 0;

  const draw = () => paint(figures, callbacks);

  async function read() {
    clearTimeout(soon);
    soon = null;
    const mine = ++asked;
    const of = new URLSearchParams({ view: choice.view === 'messages' ? 'messages' : 'conversations' });
    if (choice.filters.line) of.set('line', choice.filters.line);
    if (known !== String(of)) figures = null;
    draw();
    try {
      const [now, { callbacks: waiting }] = await Promise.all([live.request(`/desk/inbox/counts?${of}`), cards() ? { callbacks: null } : live.request('/desk/callbacks')]);
      if (mine !== asked) return; // the answer of another view, or an older one
      [figures, known] = [now, String(of)];
      if (waiting) callbacks = waiting.filter((one) => one.state === 'waiting').length;
      draw();
    } catch (error) {
      console.warn('aircall: counts could not be read', error.code);
    }
  }

  return {
    read,
    later: () => (soon ??= setTimeout(read, COUNTS_MS)),
    waiting: (count) => ((callbacks = count), draw()),
    stop: () => ((asked += 1), clearTimeout(soon)),
  };
}

// A window of a long list that slides over it both ways: only some hundred entries are in the page, however many there are.
// Whatever comes, goes or grows, what is being read stays where it is; at the newest entry it stays at the newest.

const MOST = 320; // entries in the page
const AHEAD = 1800; // pixels beyond the view that are kept filled
const AT_END = 48; // so near to the end counts as there

/**
 * `fetchPage({before} | {after} | {around})` -> {entries, before, after, around}; `draw(entry)` -> {node, stop(), busy()} or null;
 * `heading(entry, previous)` -> a node that stands before it, or null; `changed(state)` after each change: 'loading', 'ready', 'error'.
 */
export function slidingWindow({ scroller, list, fetchPage, draw, heading, changed }) {
  let items = []; // {seq, entry, node, head, view}, in order of seq
  let before; // cursors: undefined = unknown yet, null = the end is here
  let after;
  let fetchedTo = 0; // up to here the desk has told everything
  let turn = 0; // a reset makes what is still on its way worthless
  let loading = { up: false, down: false };
  let pinned = true;
  let anchor = null;

  const indexOf = (seq) => {
    let [low, high] = [0, items.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (items[middle].seq < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const has = (seq) => items[indexOf(seq)]?.seq === seq;
  const below = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;

  // ---- keeping the place

  /** The first entry that can be seen, and where. */
  function remember() {
    pinned = after === null && below() < AT_END;
    const edge = scroller.getBoundingClientRect().top;
    let [low, high] = [0, items.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (items[middle].node.getBoundingClientRect().bottom <= edge) low = middle + 1;
      else high = middle;
    }
    anchor = items[low] ? { item: items[low], top: items[low].node.getBoundingClientRect().top - edge } : null;
  }

  function keep() {
    if (pinned) {
      if (below() > 0.5) scroller.scrollTop = scroller.scrollHeight;
    } else if (anchor?.item.node.isConnected) {
      const moved = anchor.item.node.getBoundingClientRect().top - scroller.getBoundingClientRect().top - anchor.top;
      if (Math.abs(moved) > 0.5) scroller.scrollTop += moved;
    }
  }

  // ---- entries

  function headingOf(i) {
    const item = items[i];
    if (!item) return;
    const made = heading(item.entry, items[i - 1]?.entry ?? null);
    const now = made?.dataset.key ?? '';
    if ((item.head?.dataset.key ?? '') === now) return;
    item.head?.remove();
    item.head = made;
    if (made) item.node.before(made);
  }

  function put(entry) {
    const i = indexOf(entry.seq);
    if (items[i]?.seq === entry.seq) return false;
    const view = draw(entry);
    if (!view) return false;
    const next = items[i];
    list.insertBefore(view.node, next ? (next.head ?? next.node) : null);
    view.node.dataset.seq = entry.seq;
    items.splice(i, 0, { seq: entry.seq, entry, node: view.node, head: null, view });
    headingOf(i);
    headingOf(i + 1);
    return true;
  }

  function drop(from, count) {
    for (const item of items.splice(from, count)) {
      item.head?.remove();
      item.node.remove();
      item.view.stop?.();
    }
    headingOf(from);
  }

  /** Take away what is far from the view at one end, but nothing that plays or is being written. */
  function trim(atTop) {
    const most = items.length - MOST;
    if (most <= 0) return;
    const view = scroller.getBoundingClientRect();
    let count = 0;
    while (count < most) {
      const item = atTop ? items[count] : items[items.length - 1 - count];
      const box = item.node.getBoundingClientRect();
      const away = atTop ? view.top - box.bottom : box.top - view.bottom;
      if (away < AHEAD * 1.5 || item.view.busy?.()) break;
      count += 1;
    }
    if (!count) return;
    drop(atTop ? 0 : items.length - count, count);
    if (atTop) before = items[0]?.seq ?? before;
    else after = fetchedTo = items.at(-1)?.seq ?? after;
  }

  // ---- pages

  async function load(up) {
    const way = up ? 'up' : 'down';
    if (loading[way]) return;
    loading[way] = true;
    const mine = turn;
    changed('loading', way);
    try {
      const page = await fetchPage(up ? { before } : { after });
      if (mine !== turn) return;
      remember(); // it may have been scrolled since the last frame
      page.entries.forEach(put);
      if (up) before = page.before ?? null;
      else {
        after = page.after ?? null;
        fetchedTo = Math.max(fetchedTo, page.entries.at(-1)?.seq ?? 0);
      }
      keep();
      trim(!up);
      keep();
      loading[way] = false;
      changed('ready', way);
      fill();
    } catch (error) {
      if (mine !== turn) return;
      loading[way] = false;
      console.warn('aircall: the timeline could not be read', error);
      changed('error', way);
    }
  }

  /** Read on where the view comes near to an end of what is there. */
  function fill() {
    if (before === undefined || failed()) return;
    if (before !== null && scroller.scrollTop < AHEAD) load(true);
    if (after !== null && below() < AHEAD) load(false);
  }
  let stopped = '';
  const failed = () => stopped !== '';

  /** Begin anew: at the newest, or around an entry. The answer of the desk, or null if it was overtaken. */
  async function reset(place = {}) {
    const mine = (turn += 1);
    loading = { up: false, down: false };
    changed('loading', 'all');
    let page;
    try {
      page = await fetchPage(place);
    } catch (error) {
      if (mine !== turn) return null;
      stopped = 'error';
      console.warn('aircall: the timeline could not be read', error);
      changed('error', 'all');
      return null;
    }
    if (mine !== turn) return null;
    stopped = '';
    drop(0, items.length);
    anchor = null;
    pinned = place.around === undefined && place.after === undefined;
    page.entries.forEach(put);
    before = page.before ?? null;
    after = page.after ?? null;
    fetchedTo = page.entries.at(-1)?.seq ?? 0;
    if (place.after !== undefined) scroller.scrollTop = 0;
    keep();
    changed('ready', 'all');
    remember();
    fill();
    return page;
  }

  /** What came since the desk was last asked, where the newest are in the page. */
  async function newer() {
    if (after !== null || before === undefined) return;
    const mine = turn;
    let cursor = fetchedTo;
    do {
      const page = await fetchPage({ after: cursor });
      if (mine !== turn) return;
      remember();
      page.entries.forEach(put);
      keep();
      cursor = page.after ?? null;
      fetchedTo = Math.max(fetchedTo, page.entries.at(-1)?.seq ?? 0);
    } while (cursor !== null);
    if (pinned) trim(true);
    changed('ready', 'down');
  }

  /** Something new happened: it is drawn if the newest are in the page. */
  function add(entry) {
    if (after !== null) return false;
    remember();
    const drawn = put(entry);
    keep();
    if (pinned) trim(true);
    return drawn;
  }

  let asked = 0;
  const onScroll = () => {
    asked ||= requestAnimationFrame(() => {
      asked = 0;
      remember();
      fill();
      changed('scrolled', 'all');
    });
  };
  scroller.addEventListener('scroll', onScroll, { passive: true });
  const grown = new ResizeObserver(keep);
  grown.observe(list);
  grown.observe(scroller);

  /** Bring an entry that is in the page into the middle of the view. */
  function show(seq) {
    const item = items[indexOf(seq)];
    if (item?.seq !== seq) return null;
    pinned = false;
    const view = scroller.getBoundingClientRect();
    const box = item.node.getBoundingClientRect();
    scroller.scrollTop += box.top - view.top - Math.max(24, (view.height - box.height) / 2);
    remember();
    fill();
    return item;
  }

  return {
    reset, put, add, newer, show, has, keep,
    again: (way) => (way === 'all' ? reset() : load(way === 'up')),
    toNewest: () => {
      if (after !== null) return reset();
      pinned = true;
      keep();
      return Promise.resolve(null);
    },
    get atNewest() { return after === null && pinned; },
    get complete() { return { up: before === null, down: after === null }; },
    get items() { return items; },
    /** Whether the desk has answered yet; whether it could not when it was last asked for the beginning. */
    get begun() { return before !== undefined; },
    get failed() { return failed(); },
    /** Where the reader is: the entry at the top of the view. */
    get place() { return anchor?.item.seq ?? null; },
    stop() {
      turn += 1;
      cancelAnimationFrame(asked);
      scroller.removeEventListener('scroll', onScroll);
      grown.disconnect();
      items.forEach((item) => item.view.stop?.());
    },
  };
}

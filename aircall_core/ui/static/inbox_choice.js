// What the inbox is asked for: view, category, filters, order and search; kept in this browser, turned into the desk's words.

export const VIEWS = ['conversations', 'messages', 'calls'];
export const CATEGORIES = ['unread', 'open', 'mine', 'unassigned', 'outbound', 'closed', 'all'];
export const FILTERS = ['days', 'from', 'to', 'line', 'user', 'type', 'tag'];
export const TYPES = { conversations: ['missed', 'voicemail', 'undelivered'], messages: ['undelivered'], calls: ['inbound', 'outbound', 'answered', 'missed', 'voicemail', 'callback'] };
const OF_CALLS = ['user', 'tag'];
const DAY_MS = 86_400_000;
const key = (user) => `aircall.inbox.${user}`;

/** The browser's storage, if it may be used. */
export function kept() {
  try {
    return localStorage;
  } catch {
    return null; // storage is forbidden
  }
}

/** What this user chose last in this browser, as far as it still makes sense. */
export function remembered(storage, user) {
  let kept = {};
  try {
    kept = JSON.parse(storage?.getItem(key(user)) ?? '{}') ?? {};
  } catch {
    /* nothing that can be read, or storage is forbidden */
  }
  const shown = Array.isArray(kept.shown) ? CATEGORIES.filter((one) => kept.shown.includes(one)) : [];
  return {
    view: [...VIEWS, 'callbacks'].includes(kept.view) ? kept.view : 'conversations',
    category: CATEGORIES.includes(kept.category) ? kept.category : 'open',
    oldest: kept.oldest === true,
    shown: shown.length ? shown : CATEGORIES,
    filters: Object.fromEntries(FILTERS.map((name) => [name, typeof kept.filters?.[name] === 'string' ? kept.filters[name] : ''])),
    search: '',
  };
}

export function remember(storage, user, choice) {
  try {
    storage?.setItem(key(user), JSON.stringify({ ...choice, search: undefined }));
  } catch {
    /* storage is forbidden: it lives as long as the page */
  }
}

/** Let go of filters by what is gone; whether there were any. `known`: {lines, users, tags}, each with ids. */
export function forget(choice, known) {
  const gone = Object.entries({ line: known.lines, user: known.users, tag: known.tags }).filter(([name, all]) => choice.filters[name] && !all.some((one) => one.id === choice.filters[name]));
  for (const [name] of gone) choice.filters[name] = '';
  return gone.length > 0;
}

/** Whether the list is of texts that were not delivered. */
export const isLost = (choice) => choice.filters.type === 'undelivered' && active(choice).includes('type');

/** Whether the categories' counts, which heed the line alone, say how many rows the list has. */
export const countable = (choice) => ['conversations', 'messages'].includes(choice.view) && !choice.search.trim() && active(choice).every((name) => name === 'line');

/** The filters that count in this view, of those that are set. */
export function active({ view, filters }) {
  return FILTERS.filter((name) => {
    if (!filters[name]) return false;
    if (name === 'from' || name === 'to') return filters.days === 'span';
    if (OF_CALLS.includes(name)) return view === 'calls';
    if (name === 'type') return TYPES[view]?.includes(filters.type);
    return true;
  });
}

const midnight = (ms, days) => {
  const at = new Date(ms);
  return new Date(at.getFullYear(), at.getMonth(), at.getDate() + days).getTime();
};

/** The desk's query for a page of this choice. `now`: ms. Days are the user's own. */
export function query(choice, now, more = {}) {
  const { view, category, filters, oldest, search } = choice;
  const asked = new URLSearchParams({ view, category });
  const set = new Set(active(choice));
  for (const name of ['line', 'user', 'type', 'tag']) if (set.has(name)) asked.set(name, filters[name]);
  if (set.has('days') && filters.days === 'today') asked.set('from', midnight(now, 0));
  else if (set.has('days') && filters.days !== 'span') asked.set('from', midnight(now - Number(filters.days) * DAY_MS, 0));
  if (set.has('from')) asked.set('from', new Date(`${filters.from}T00:00`).getTime());
  if (set.has('to')) asked.set('to', midnight(new Date(`${filters.to}T00:00`).getTime(), 1));
  if (oldest) asked.set('sort', 'oldest');
  if (search.trim()) asked.set('search', search.trim());
  for (const [name, value] of Object.entries(more)) {
    for (const one of [value].flat()) if (one !== null && one !== undefined) asked.append(name, one);
  }
  return asked;
}

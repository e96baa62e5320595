// Two texts that were written from one are put together word by word, and no word that somebody wrote is lost. Pure.

const MOST_CELLS = 4_000_000; // beyond this, comparing word by word takes too long for somebody who is typing

/** Words, each with the blanks behind it; blanks at the very beginning stand alone. */
const split = (text) => text.match(/\S+\s*|^\s+/g) ?? [];
const same = (one, other) => one.trimEnd() === other.trimEnd();

/** Words glued together again; two that came from different texts get a blank between them. */
function join(words) {
  return words.map((word, i) => (i + 1 < words.length && !/\s$/.test(word) && !/^\s/.test(words[i + 1]) ? `${word} ` : word)).join('');
}

/** Pairs of places at which two lists of words agree, as many as possible, in order; null when that is too much to find. */
function agreeing(a, b) {
  let first = 0;
  while (first < a.length && first < b.length && same(a[first], b[first])) first += 1;
  let last = 0;
  while (last < Math.min(a.length, b.length) - first && same(a[a.length - 1 - last], b[b.length - 1 - last])) last += 1;
  const rows = a.length - first - last;
  const columns = b.length - first - last;
  if (rows * columns > MOST_CELLS) return null;
  const width = columns + 1;
  const best = new Uint32Array((rows + 1) * width); // how many agree from here on
  for (let i = rows - 1; i >= 0; i -= 1) {
    for (let j = columns - 1; j >= 0; j -= 1) {
      const here = i * width + j;
      best[here] = same(a[first + i], b[first + j]) ? best[here + width + 1] + 1 : Math.max(best[here + width], best[here + 1]);
    }
  }
  const pairs = [];
  for (let i = 0; i < first; i += 1) pairs.push([i, i]);
  for (let i = 0, j = 0; i < rows && j < columns; ) {
    if (same(a[first + i], b[first + j])) pairs.push([first + i++, first + j++]);
    else if (best[(i + 1) * width + j] >= best[i * width + j + 1]) i += 1;
    else j += 1;
  }
  for (let i = last; i > 0; i -= 1) pairs.push([a.length - i, b.length - i]);
  return pairs;
}

/** All words of both, each in its order, those that agree once. */
function both(mine, theirs) {
  const [one, other] = [join(mine), join(theirs)];
  if (one.startsWith(other.trimEnd())) return mine; // typed on
  if (other.startsWith(one.trimEnd())) return theirs;
  const pairs = agreeing(mine, theirs) ?? [];
  const out = [];
  let [i, j] = [0, 0];
  for (const [x, y] of pairs) {
    out.push(...mine.slice(i, x), ...theirs.slice(j, y), mine[x].length >= theirs[y].length ? mine[x] : theirs[y]);
    [i, j] = [x + 1, y + 1];
  }
  return [...out, ...mine.slice(i), ...theirs.slice(j)];
}

/** What was between two words on which all agree: who changed it wins; where both did, the words of both stay. */
function settle(base, mine, theirs) {
  const [was, one, other] = [base, mine, theirs].map((words) => words.join(''));
  if (one === was) return theirs;
  if (other === was || one === other) return mine;
  return both(mine, theirs);
}

/** `mine` and `theirs`, both written from `base`, as one text. */
export function merge(base, mine, theirs) {
  if (mine === theirs || theirs === base) return mine;
  if (mine === base) return theirs;
  const [b, m, t] = [base, mine, theirs].map(split);
  const [toMine, toTheirs] = [agreeing(b, m), agreeing(b, t)];
  if (!toMine || !toTheirs) return join(both(m, t));
  const inTheirs = new Map(toTheirs);
  const out = [];
  let [i, j, k] = [0, 0, 0];
  for (const [x, y] of toMine) {
    if (!inTheirs.has(x)) continue;
    const z = inTheirs.get(x);
    out.push(...settle(b.slice(i, x), m.slice(j, y), t.slice(k, z)), m[y] === b[x] ? t[z] : m[y]);
    [i, j, k] = [x + 1, y + 1, z + 1];
  }
  return join([...out, ...settle(b.slice(i), m.slice(j), t.slice(k))]);
}

/** Where the caret belongs after a text was changed around it. */
export function caret(before, after, at) {
  let first = 0;
  while (first < before.length && before[first] === after[first]) first += 1;
  if (at <= first) return at;
  let last = 0;
  while (last < Math.min(before.length, after.length) - first && before.at(-1 - last) === after.at(-1 - last)) last += 1;
  return Math.max(first, Math.min(after.length, at + after.length - before.length, after.length - Math.min(last, before.length - at)));
}

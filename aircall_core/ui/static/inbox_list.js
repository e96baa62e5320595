// The rows of a list and their order, as pages come and as things change. Knows nothing of the DOM or the network.

/** Whether `a` stands before `b`. */
export const before = (a, b, oldest) => {
  const first = a.order === b.order ? a.id < b.id : a.order < b.order;
  return oldest ? first : !first && a.id !== b.id;
};

export class Rows {
  constructor(oldest = false) {
    this.reset([], null, oldest);
  }

  /** A list from its first page. `after`: the cursor of the next one, null at the end. */
  reset(rows, after, oldest = this.oldest) {
    this.oldest = oldest;
    this.items = [...rows];
    this.after = after;
    this.waiting = new Map(); // id -> the row as it is now, null: not of this list any more
  }

  /** A further page. What moved meanwhile may be there already. */
  append(rows, after) {
    const known = new Set(this.items.map((one) => one.id));
    this.items.push(...rows.filter((one) => !known.has(one.id) && !this.waiting.has(one.id)));
    this.after = after;
  }

  get(id) {
    return this.items.find((one) => one.id === id);
  }

  /**
   * Conversations changed: `rows` are theirs that belong into this list now, `asked` their ids. With `hold` nothing moves,
   * comes or goes before `settle`: what is there is shown anew in its place.
   */
  change(rows, asked, { hold, complete = true }) {
    const now = new Map(rows.map((one) => [one.id, one]));
    for (const one of this.items) {
      if (now.has(one.id) || !asked.has(one.conversation) || !complete) continue;
      this.waiting.set(one.id, null);
    }
    const last = this.items.at(-1);
    for (const row of rows) {
      const at = this.items.findIndex((one) => one.id === row.id);
      if (at < 0) {
        const beyond = this.after && (!last || before(last, row, this.oldest)); // its page has not been asked for
        if (!beyond) this.waiting.set(row.id, row);
        else this.waiting.delete(row.id);
        continue;
      }
      const moved = this.items[at].order !== row.order;
      if (moved) this.waiting.set(row.id, row);
      else this.waiting.delete(row.id);
      this.items[at] = { ...row, order: moved ? this.items[at].order : row.order };
    }
    if (!hold) this.settle();
  }

  /** How many rows would come if all moved now. */
  get coming() {
    return [...this.waiting].filter(([id, row]) => row && !this.get(id)).length;
  }

  gone(id) {
    return this.waiting.get(id) === null && this.waiting.has(id);
  }

  /** Everything takes its place. */
  settle() {
    const waiting = this.waiting;
    if (!waiting.size) return;
    this.waiting = new Map();
    const moved = [...waiting.values()].filter(Boolean);
    this.items = this.items.filter((one) => !waiting.has(one.id));
    for (const row of moved) {
      let at = this.items.findIndex((one) => before(row, one, this.oldest));
      if (at < 0) at = this.items.length;
      this.items.splice(at, 0, row);
    }
  }

  /** These are gone at once, by the user's own deed. */
  remove(ids) {
    this.items = this.items.filter((one) => !ids.has(one.id));
    for (const id of ids) this.waiting.delete(id);
  }
}

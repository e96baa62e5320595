"""Newest 50 entries of a conversation: in a store of five million entries (--full; 300,000 without) and in a small one.

The peer is the same query in a store of a hundredth of the size: the figure must be flat as the store grows.
"""

import random
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from aircall_core.ids import new_id
from aircall_core.store import migrate, open_store
from aircall_core.store.queries import timeline
from bench.report import Row, spread

FIRST_AT = 1_700_000_000_000  # ms; three years of calls from here
ENTRIES_A_CALL, BIG = 3, 5000
KINDS = ("call.arrived", "call.answered", "call.ended")
DATA = ('{"trunk": "test-phone", "anonymous": false}', '{"command": ""}', '{"outcome": "answered", "by": "caller"}')


def seed(path: Path, entries: int, longest: int = BIG) -> tuple[str, list[str]]:
    """Fill a new store; ids of the conversation with ``longest`` entries and of some ordinary ones.

    By plain SQL and without durability: ten minutes of use cases would make the same rows.
    """
    url = f"sqlite:///{path}"
    migrate.upgrade(url)
    user, line = new_id(), new_id()
    seen_by = f"line:{line}"
    chosen = random.Random(5)  # the same store each time
    conversations = [new_id(FIRST_AT + number) for number in range(max(20, entries // 60))]
    big = conversations[0]
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA synchronous=OFF")
        db.execute(
            "INSERT INTO users (id, name, email, role, state, created_at) "
            "VALUES (?, 'Ada', 'a@x.org', 'agent', 'active', 0)",
            (user,),
        )  # fmt: skip
        db.execute(
            "INSERT INTO lines (id, name, number, country, created_at) VALUES (?, 'Sales', '+1', 'FR', 0)", (line,)
        )
        db.executemany(
            "INSERT INTO conversations (id, line_id, party, opened_at, last_at) VALUES (?, ?, ?, ?, ?)",
            ((one, line, f"+336{number:08}", FIRST_AT, FIRST_AT + number) for number, one in enumerate(conversations)),
        )
        for batch in _batches(_calls(entries, longest, conversations, big, chosen), 20_000):
            db.executemany(
                "INSERT INTO calls (id, line_id, conversation_id, state, from_number, outcome, answered_by, "
                "arrived_at, answered_at, ended_at, owner_node, owner_epoch) "
                "VALUES (?, ?, ?, 'ended', '+33600000000', 'answered', ?, ?, ?, ?, 'worker-0@bench', 1)",
                ((call, line, where, user, at, at + 5_000, at + 95_000) for call, where, at in batch),
            )  # fmt: skip
            db.executemany(
                "INSERT INTO call_legs (id, call_id, user_id, state, rang_at) VALUES (?, ?, ?, 'accepted', ?)",
                ((f"leg{call[3:]}", call, user, at) for call, _, at in batch),
            )
            db.executemany(
                "INSERT INTO events (at, kind, v, call_id, conversation_id, line_id, user_id, actor, audience, data) "
                "VALUES (?, ?, 1, ?, ?, ?, ?, 'worker:worker-0@bench', ?, ?)",
                (
                    (at + part * 5_000, KINDS[part], call, where, line, user, seen_by, DATA[part])
                    for call, where, at in batch
                    for part in range(ENTRIES_A_CALL)
                ),
            )  # fmt: skip
        db.execute("ANALYZE")
    return big, chosen.sample(conversations[1:], min(200, len(conversations) - 1))


def _calls(
    entries: int, longest: int, conversations: list[str], big: str, chosen: random.Random
) -> Iterator[tuple[str, str, int]]:
    """(call, conversation, arrived_at), with the big conversation's calls spread over the whole time."""
    count = entries // ENTRIES_A_CALL
    every = max(2, count // (longest // ENTRIES_A_CALL))
    for number in range(count):
        at = FIRST_AT + number * 50_000
        yield new_id(at), big if number % every == 0 else chosen.choice(conversations), at


def _batches(calls: Iterator[tuple[str, str, int]], size: int) -> Iterator[list[tuple[str, str, int]]]:
    batch: list[tuple[str, str, int]] = []
    for call in calls:
        batch.append(call)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def newest(path: Path, ids: list[str], rounds: int) -> list[float]:
    """Milliseconds of each query, as the desk asks it: a short read, 50 entries with their calls and names."""
    took = []
    with open_store(f"sqlite:///{path}") as store:
        for number in range(rounds + 5):
            begun = time.perf_counter()
            with store.read() as conn:
                page = timeline.timeline(conn, ids[number % len(ids)], None, 50)
            if number >= 5:
                took.append((time.perf_counter() - begun) * 1000)
            assert page["entries"]
    return took


def measure(folder: Path, *, full: bool) -> list[Row]:
    """One row for the long conversation, one for ordinary ones."""
    entries = 5_000_000 if full else 300_000
    big, ordinary = seed(folder / "large.db", entries)
    small_big, small_ordinary = seed(folder / "small.db", entries // 100)
    rows = []
    for what, ids, small in (("5,000 entries long", [big], [small_big]), ("ordinary", ordinary, small_ordinary)):
        row = Row(
            f"newest 50 of a conversation ({what}), store of {entries:,} entries", "ms",
            spread(newest(folder / "large.db", ids, 500), 3), {"p95": 5.0} if full else {},
            spread(newest(folder / "small.db", small, 500), 3), f"store of {entries // 100:,}",
        )  # fmt: skip
        row.note = f"SQLite, {(folder / 'large.db').stat().st_size / 1e6:.0f} MB"
        rows.append(row)
    return rows

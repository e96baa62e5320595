"""What a user waits for in a store of five million interactions (--full; 200,000 without), on SQLite and PostgreSQL.

Opening a conversation (its header, newest entries and snapshot), the inbox's lists and counts, and search: asked as the
desk process asks, for each kind of user. Beside the figures stand the database's plans of the slowest statement.
"""

import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, text

from aircall_core.domain import words
from aircall_core.store import Store, open_store
from aircall_core.store.queries import conversation, finding, inbox, inbox_rows, snapshot, timeline
from bench import large_store
from bench.large_store import Filled
from bench.report import Row, spread
from tests.support.databases import Postgres

BAR = {"p95": 50.0}
WATCHERS = ("administrator", "agent of two lines", "agent of one", "agent of the rare line", "analyst")
ROLES = {"administrator": "administrator", "analyst": "analyst"}  # all others are agents
# Words that half of all texts hold, rare ones, names, numbers, and what is nowhere.
TYPED = (
    "the", "the invoice", "refund ", "ba", "order 123456", "chloe mar", "company 77", "+33600000123", "0600012345",
    '"please call"', "bacedi", "zzzz", "delivery tomorrow thanks",
)  # fmt: skip
Asked = Callable[[Connection], Any]


def measure(folder: Path, *, full: bool) -> list[Row]:
    """Rows for each of the three, on each database."""
    interactions, conversations = (5_000_000, 200_000) if full else (200_000, 8_000)
    rows = []
    for name, url, size in _stores(folder):
        filled = large_store.fill(url, interactions, conversations, lambda what: print(f"  {what}", file=sys.stderr))
        with open_store(url) as store:
            for what, asked in _questions(filled).items():
                took = _taken(store, asked)
                row = Row(f"{what}, {interactions:,} interactions, {name}", "ms", spread(took), BAR if full else {})
                row.note = f"{size():.0f} MB; slowest: {_slowest(store, asked)}"
                rows.append(row)
    return rows


def _stores(folder: Path) -> Iterator[tuple[str, str, Callable[[], float]]]:
    path = folder / "large.db"
    yield "SQLite", f"sqlite:///{path}", lambda: path.stat().st_size / 1e6
    path.unlink(missing_ok=True)  # two of them at once might not fit
    with _postgres(folder) as (url, size):
        yield "PostgreSQL", url, size


@contextmanager
def _postgres(folder: Path) -> Iterator[tuple[str, Callable[[], float]]]:
    server = Postgres(folder)
    try:
        url = server.create_empty()

        def size() -> float:
            with open_store(url) as store, store.read() as conn:
                return float(conn.scalar(text("SELECT pg_database_size(current_database()) / 1e6")) or 0)

        yield url, size
    finally:
        server.remove()


def _questions(filled: Filled) -> dict[str, list[Asked]]:
    chosen = random.Random(7)
    some = [filled.long, *chosen.sample(filled.conversations, 150)]
    users = [(filled.users[name], ROLES.get(name, "agent")) for name in WATCHERS]
    admin = users[0]
    return {
        "open a conversation": [_opening(one, *admin) for one in some],
        "an inbox list": [
            _list(user, role, view, category)
            for user, role in users for view in inbox.VIEWS for category in inbox.CATEGORIES
        ],
        "inbox counts": [_counts(user, role, view) for user, role in users for view in inbox.VIEWS] * 4,
        "search": [_search(typed, user, role) for user, role in users for typed in TYPED] * 2,
    }  # fmt: skip


def _opening(one: str, user: str, role: str) -> Asked:
    def ask(conn: Connection) -> None:
        assert conversation.may_see(conn, one, user, role)
        assert conversation.header(conn, one) is not None
        assert timeline.timeline(conn, one, None, 50)["entries"]
        snapshot.snapshot(conn, one, user, inbox.visible_lines(conn, user, role))

    return ask


def _list(user: str, role: str, view: str, category: str) -> Asked:
    def ask(conn: Connection) -> None:
        wanted = inbox.Wanted(user, inbox.visible_lines(conn, user, role), view, category)
        places, _ = inbox.page(conn, wanted, None, 50)
        inbox_rows.shown(conn, user, view, places)

    return ask


def _counts(user: str, role: str, view: str) -> Asked:
    return lambda conn: inbox.counts(conn, user, inbox.visible_lines(conn, user, role), view)


def _search(typed: str, user: str, role: str) -> Asked:
    return lambda conn: finding.find(conn, words.query(typed), user, role)


def _taken(store: Store, asked: list[Asked]) -> list[float]:
    """Milliseconds of each question, after all have been asked once: a store that is used has its pages in memory."""
    took = []
    for again in (False, True):
        for ask in asked:
            begun = time.perf_counter()
            with store.read() as conn:
                ask(conn)
            if again:
                took.append((time.perf_counter() - begun) * 1000)
    return took


def _slowest(store: Store, asked: list[Asked]) -> str:
    """The plan of the statement that took longest among all of these, in one line."""
    worst: tuple[float, str, Any] = (0.0, "", None)
    begun = [0.0]

    def before(_conn: Any, _cursor: Any, _statement: str, _values: Any, _context: Any, _many: bool) -> None:
        begun[0] = time.perf_counter()

    def after(_conn: Any, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool) -> None:
        nonlocal worst
        took = time.perf_counter() - begun[0]
        if took > worst[0] and statement.lstrip().upper().startswith(("SELECT", "WITH")):
            worst = (took, statement, values)

    with store.read() as conn:
        engine = conn.engine
    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    for ask in asked:
        with store.read() as conn:
            ask(conn)
    event.remove(engine, "before_cursor_execute", before)
    event.remove(engine, "after_cursor_execute", after)
    with store.read() as conn:
        explain = "EXPLAIN QUERY PLAN " if conn.dialect.name == "sqlite" else "EXPLAIN "
        lines = [str(row[-1]).strip() for row in conn.exec_driver_sql(explain + worst[1], worst[2])]
    return f"{worst[0] * 1000:.1f} ms: " + " | ".join(lines)

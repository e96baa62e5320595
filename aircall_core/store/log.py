"""The event log as rows: append at the end of a transaction, read in order, cut off at the old end."""

import json
from collections.abc import Sequence
from typing import Any, cast

import psycopg
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from aircall_core import ids
from aircall_core.domain.events import Event, EventRow
from aircall_core.store.errors import LogTruncated, away, is_away
from aircall_core.store.tables import events, settings

CHANNEL = "aircall_events"
# Every writer of events takes this lock last, so that the order of numbers is the order of commits.
APPEND_LOCK = 0x61697263616C6C  # "aircall"
FLOOR = "log_floor"  # settings key: cursors below this number are void

_COLUMNS = ("kind", "v", "call_id", "conversation_id", "line_id", "user_id", "actor", "audience", "data")
_INSERT = insert(events).returning(events.c.seq)
_POSTGRES_INSERT = (
    "INSERT INTO events (at, kind, v, call_id, conversation_id, line_id, user_id, actor, audience, data) VALUES"
    " ((extract(epoch FROM clock_timestamp()) * 1000)::bigint, %s, %s, %s, %s, %s, %s, %s, %s, %s::json)"
    " RETURNING seq, at; "
)


def append_and_commit(conn: Connection, batch: Sequence[Event]) -> list[EventRow]:
    """Write the events as the last step of the connection's transaction, and (PostgreSQL) commit it.

    On SQLite the transaction has held the only write lock since it began, so numbers are in commit order
    anyway; the caller commits. On PostgreSQL lock, inserts, doorbell and commit travel as one message: the
    lock is never held while the network or this process is slow.
    """
    if conn.dialect.name == "postgresql":
        return _append_postgres(conn, batch)
    return [_append_sqlite(conn, event) for event in batch]


def _append_sqlite(conn: Connection, event: Event) -> EventRow:
    at = ids.now_ms()
    values = {name: getattr(event, name) for name in _COLUMNS}
    values["data"] = dict(event.data)
    seq = conn.execute(_INSERT, {"at": at, **values}).scalar_one()
    return EventRow(seq=seq, at=at, event=event)


def _append_postgres(conn: Connection, batch: Sequence[Event]) -> list[EventRow]:
    raw = cast("psycopg.Connection[Any]", conn.connection.driver_connection)
    values: list[object] = []
    for event in batch:
        row = [getattr(event, name) for name in _COLUMNS]
        row[-1] = json.dumps(dict(event.data), separators=(",", ":"))
        values += row
    script = (
        f"SELECT pg_advisory_xact_lock({APPEND_LOCK}); "
        + _POSTGRES_INSERT * len(batch)
        + f"SELECT pg_notify('{CHANNEL}', ''); COMMIT"
    )
    rows: list[EventRow] = []
    # Values are bound on our side, since PostgreSQL takes several statements in one message only without
    # parameters.
    with psycopg.ClientCursor(raw) as cursor:
        try:
            cursor.execute(script.encode(), values)
        except psycopg.Error as error:
            if raw.closed:
                conn.invalidate(error)
            if is_away(error):
                raise away(error, in_doubt=raw.closed) from error
            raise
        for event in batch:
            cursor.nextset()
            seq, at = cursor.fetchall()[0]
            rows.append(EventRow(seq=seq, at=at, event=event))
    return rows


def to_event(row: Row[Any]) -> EventRow:
    """A row of the events table as a record."""
    found = row._mapping
    event = Event(**{name: found[name] for name in _COLUMNS})
    return EventRow(seq=found["seq"], at=found["at"], event=event)


def last_seq(conn: Connection) -> int:
    """The newest event's number as this connection's snapshot sees it; 0 in a store without events."""
    newest = conn.execute(select(func.max(events.c.seq))).scalar_one()
    return max(newest or 0, _floor(conn))


def read(conn: Connection, after: int, limit: int = 500) -> list[EventRow]:
    """At most ``limit`` events after a cursor, oldest first.

    Raises LogTruncated when events after the cursor were removed, or when the cursor is ahead of the log (it
    is from another life of this store, before a restore or a power cut).
    """
    statement = select(events).where(events.c.seq > after).order_by(events.c.seq).limit(limit)
    rows = [to_event(row) for row in conn.execute(statement)]
    # A rolled back append leaves a hole in PostgreSQL's numbers, so only a hole needs a closer look.
    if not rows or rows[0].seq != after + 1:
        newest = rows[-1].seq if rows else last_seq(conn)
        if after > newest or after < _floor(conn):
            raise LogTruncated(after, newest)
    return rows


def prune(conn: Connection, through: int) -> int:
    """Remove events up to and including a number (never the newest), in the caller's write transaction; how many."""
    newest = conn.execute(select(func.max(events.c.seq))).scalar_one() or 0
    through = min(through, newest - 1)
    removed = conn.execute(delete(events).where(events.c.seq <= through)).rowcount
    if removed:
        raise_floor(conn, through)
    return removed


def raise_floor(conn: Connection, seq: int) -> None:
    """Declare all cursors below ``seq`` void, those excepted that are followed by the very next event."""
    seq = max(seq, _floor(conn))
    if not conn.execute(update(settings).where(settings.c.key == FLOOR).values(value=seq)).rowcount:
        conn.execute(insert(settings).values(key=FLOOR, value=seq))


def _floor(conn: Connection) -> int:
    value = conn.execute(select(settings.c.value).where(settings.c.key == FLOOR)).scalar()
    return value if isinstance(value, int) else 0

"""Where the recordings of calls are."""

from typing import Any

from sqlalchemy import Connection, select

from aircall_core.store.rows import many
from aircall_core.store.tables import calls, recordings


def recording(conn: Connection, call_id: str, recording_id: str | None = None) -> dict[str, Any] | None:
    """A call's first recording that is kept, or the one named: its path below the data folder, and the call's line."""
    query = (
        select(
            recordings.c.id,
            recordings.c.path,
            recordings.c.deleted_at,
            recordings.c.kind,
            calls.c.line_id,
            calls.c.answered_at,
        )
        .join(calls, calls.c.id == recordings.c.call_id)
        .where(recordings.c.call_id == call_id)
        .order_by(recordings.c.deleted_at.is_not(None), recordings.c.created_at, recordings.c.id)
    )
    if recording_id is not None:
        query = query.where(recordings.c.id == recording_id)
    found = many(conn, query.limit(1))
    return found[0] if found else None


def line_of_call(conn: Connection, call_id: str) -> str | None:
    """The line a call came in on; None when there is no such call."""
    return conn.scalar(select(calls.c.line_id).where(calls.c.id == call_id))

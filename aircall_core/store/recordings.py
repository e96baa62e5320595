"""Recordings and voicemails as things that are kept for a time, and then deleted: the row stays and says so."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, func, select, update

from aircall_core.store.rows import many
from aircall_core.store.tables import recordings

_KEPT = recordings.c.deleted_at.is_(None)
# Written as the partial index has it, so that PostgreSQL uses it.
_GOING = recordings.c.deleted_at.is_not(None) & (recordings.c.path != "")
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)

_TOO_OLD = (
    select(recordings.c.id)
    .where(_KEPT, recordings.c.kind == bindparam("kind"), recordings.c.created_at < bindparam("before"))
    .order_by(recordings.c.created_at, recordings.c.id)
    .limit(bindparam("most"))
)
_MARK = update(recordings).where(recordings.c.id.in_(_IDS), _KEPT).values(deleted_at=bindparam("at"))
_TO_DELETE = (
    select(recordings.c.id, recordings.c.path)
    .where(_GOING, recordings.c.id > bindparam("after"))
    .order_by(recordings.c.id)
    .limit(bindparam("most"))
)
_GONE = update(recordings).where(recordings.c.id.in_(_IDS), _GOING).values(path="", size_bytes=0)


def too_old(conn: Connection, kind: str, before: int, most: int) -> list[str]:
    """Ids of kept ones of this kind (call, voicemail) that were made before a time (ms), oldest first."""
    return list(conn.scalars(_TOO_OLD, {"kind": kind, "before": before, "most": most}))


def mark(conn: Connection, ids: Sequence[str], at: int) -> int:
    """From now on they are not played any more; how many of them were kept until now."""
    return conn.execute(_MARK, {"ids": list(ids), "at": at}).rowcount


def to_delete(conn: Connection, after: str, most: int) -> list[dict[str, Any]]:
    """Those that are marked and whose file may still be there, after this id: id and path."""
    return many(conn, _TO_DELETE, {"after": after, "most": most})


def gone(conn: Connection, ids: Sequence[str]) -> None:
    """Their files are gone."""
    conn.execute(_GONE, {"ids": list(ids)})


def kept(conn: Connection, kind: str, before: int | None = None) -> dict[str, Any]:
    """How many are kept of this kind (made before a time), their size in bytes, and when the oldest was made (ms)."""
    columns = (func.count(), func.coalesce(func.sum(recordings.c.size_bytes), 0), func.min(recordings.c.created_at))
    query = select(*columns).where(_KEPT, recordings.c.kind == kind)
    if before is not None:
        query = query.where(recordings.c.created_at < before)
    count, size, oldest = conn.execute(query).one()
    return {"count": count, "bytes": int(size), "oldest_at": oldest}

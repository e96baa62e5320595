"""Work that is due at a time and belongs to nobody: whichever desk process is first claims it by compare-and-set."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from aircall_core import ids
from aircall_core.store.tables import due


@dataclass(frozen=True, slots=True)
class Due:
    """One piece of work, claimed. Times in ms, the database's clock."""

    id: str
    kind: str
    subject: str
    due_at: int
    data: Mapping[str, Any]


_KINDS = due.c.kind.in_(bindparam("kinds", expanding=True))
_FREE = or_(due.c.claimed_until.is_(None), due.c.claimed_until <= bindparam("moment"))
_READY = (
    select(due.c.id, due.c.kind, due.c.subject, due.c.due_at, due.c.data)
    .where(_KINDS, _FREE, due.c.due_at <= bindparam("moment"))
    .order_by(due.c.due_at, due.c.id)
    .limit(bindparam("most"))
)
_CLAIM = (
    update(due)
    .where(due.c.id == bindparam("row"), due.c.due_at == bindparam("was_due"), _FREE)
    .values(claimed_by=bindparam("owner"), claimed_until=bindparam("until"))
)
# A claimed row is not free before its claim ends, whatever its due time.
_NEXT = select(func.min(func.coalesce(due.c.claimed_until, due.c.due_at))).where(_KINDS)


def put(conn: Connection, kind: str, subject: str, due_at: int, data: Mapping[str, Any] | None = None) -> None:
    """This is due at ``due_at``: a new row, or the one there is for this kind and subject with a new time."""
    values = {"due_at": due_at, "claimed_by": None, "claimed_until": None, "data": dict(data or {})}
    fresh = _insert(conn).values(id=ids.new_id(), kind=kind, subject=subject, **values)
    conn.execute(fresh.on_conflict_do_update(index_elements=[due.c.kind, due.c.subject], set_=values))


def ensure(conn: Connection, kind: str, subject: str, due_at: int) -> None:
    """The same, unless there is such a row already."""
    fresh = _insert(conn).values(id=ids.new_id(), kind=kind, subject=subject, due_at=due_at, data={})
    conn.execute(fresh.on_conflict_do_nothing(index_elements=[due.c.kind, due.c.subject]))


def _insert(conn: Connection) -> sqlite.Insert | postgresql.Insert:
    return postgresql.insert(due) if conn.dialect.name == "postgresql" else sqlite.insert(due)


def drop(conn: Connection, kind: str, subject: str) -> None:
    """It is not due any more."""
    conn.execute(delete(due).where(due.c.kind == kind, due.c.subject == subject))


def claim(conn: Connection, kinds: Collection[str], owner: str, at: int, until: int, most: int) -> list[Due]:
    """Take up to ``most`` pieces of work that are due at ``at`` and that nobody holds: ours until ``until``."""
    ready = conn.execute(_READY, {"kinds": sorted(kinds), "moment": at, "most": most}).all()
    won: list[Due] = []
    for row in ready:
        claimed = {"row": row.id, "was_due": row.due_at, "moment": at, "owner": owner, "until": until}
        if conn.execute(_CLAIM, claimed).rowcount == 1:
            won.append(Due(row.id, row.kind, row.subject, row.due_at, row.data))
    return won


def note(conn: Connection, done: Due, data: Mapping[str, Any]) -> None:
    """How far a piece of work has come: whoever claims it next goes on from there."""
    conn.execute(update(due).where(due.c.id == done.id).values(data=dict(data)))


def of_kind(conn: Connection, kind: str) -> list[Due]:
    """All work of this kind that is not done."""
    query = select(due.c.id, due.c.kind, due.c.subject, due.c.due_at, due.c.data).where(due.c.kind == kind)
    return [Due(row.id, row.kind, row.subject, row.due_at, row.data) for row in conn.execute(query)]


def finish(conn: Connection, done: Due, owner: str, again_at: int | None) -> None:
    """Done: the row goes, or is due again. One that was put anew meanwhile stays as it was put."""
    ours = (due.c.id == done.id, due.c.claimed_by == owner, due.c.due_at == done.due_at)
    if again_at is None:
        conn.execute(delete(due).where(*ours))
    else:
        conn.execute(update(due).where(*ours).values(due_at=again_at, claimed_by=None, claimed_until=None))


def kinds_of(conn: Connection) -> set[str]:
    """The kinds of which there are rows."""
    return set(conn.scalars(select(due.c.kind).distinct()))


def next_at(conn: Connection, kinds: Collection[str]) -> int | None:
    """When the next piece of work of these kinds can be claimed; None when there is none."""
    found: int | None = conn.scalar(_NEXT, {"kinds": sorted(kinds)})
    return found

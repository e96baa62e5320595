"""The audit log: who changed which setting, and from what to what."""

from typing import Any

from sqlalchemy import Connection, Text, cast, func, insert, or_, select

from aircall_core import ids
from aircall_core.store.rows import many
from aircall_core.store.tables import audit, users

_INSERT = insert(audit)
_LONGEST_SEARCH = 80


def add(conn: Connection, **values: Any) -> None:
    """A new entry."""
    conn.execute(_INSERT, {"id": ids.new_id(), **values})


def entries(conn: Connection, *, before: str | None = None, search: str = "", limit: int = 50) -> list[dict[str, Any]]:
    """Entries with `actor_name`, newest first; those older than the entry ``before``, those that hold the text."""
    actor = func.coalesce(users.c.name, audit.c.actor)
    query = (
        select(audit, users.c.name.label("actor_name"))
        .outerjoin(users, audit.c.actor == "user:" + users.c.id)
        .order_by(audit.c.at.desc(), audit.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        edge = select(audit.c.at).where(audit.c.id == before).scalar_subquery()
        query = query.where(or_(audit.c.at < edge, (audit.c.at == edge) & (audit.c.id < before)))
    if text := search.strip()[:_LONGEST_SEARCH]:
        holders = (actor, audit.c.action, audit.c.subject_name, cast(audit.c.changes, Text))
        query = query.where(or_(*(one.icontains(text, autoescape=True) for one in holders)))
    return many(conn, query)

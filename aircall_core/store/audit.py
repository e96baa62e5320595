"""The audit log: who changed which setting, and from what to what."""

from typing import Any

from sqlalchemy import Connection, Text, bindparam, cast, func, insert, or_, select, update

from aircall_core import ids
from aircall_core.store.rows import many
from aircall_core.store.tables import audit, users

_INSERT = insert(audit)
_AMEND = update(audit).where(audit.c.id == bindparam("entry"))
_LONGEST_SEARCH = 80


def add(conn: Connection, **values: Any) -> str:
    """A new entry; its id."""
    entry_id = ids.new_id()
    conn.execute(_INSERT, {"id": entry_id, **values})
    return entry_id


def amend(conn: Connection, entry_id: str, changes: dict[str, Any]) -> None:
    """What an entry tells, as it is by now."""
    conn.execute(_AMEND, {"entry": entry_id, "changes": changes})


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

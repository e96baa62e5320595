"""Call flows of lines, version by version."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select

from aircall_core.store.rows import many, one
from aircall_core.store.tables import flows, prompts, users

# Built once: asked as every call arrives.
_NEWEST = (
    select(flows.c.version, flows.c.document)
    .where(flows.c.line_id == bindparam("line"))
    .order_by(flows.c.version.desc())
    .limit(1)
)


def newest(conn: Connection, line_id: str) -> dict[str, Any] | None:
    """Version and document of a line's flow; None: it has the default flow."""
    return one(conn, _NEWEST, {"line": line_id})


def version(conn: Connection, line_id: str, number: int) -> dict[str, Any] | None:
    """One version of a line's flow."""
    return one(conn, select(flows).where(flows.c.line_id == line_id, flows.c.version == number))


def versions(conn: Connection, line_id: str, limit: int = 50) -> list[dict[str, Any]]:
    """The versions of a line's flow, newest first: version, created_at, created_by, and `author`, their name."""
    query = (
        select(flows.c.version, flows.c.created_at, flows.c.created_by, users.c.name.label("author"))
        .outerjoin(users, users.c.id == flows.c.created_by)
        .where(flows.c.line_id == line_id)
        .order_by(flows.c.version.desc())
        .limit(limit)
    )
    return many(conn, query)


def all_newest(conn: Connection) -> dict[str, dict[str, Any]]:
    """Version and document of every line's flow, by line; lines with the default flow are not in it."""
    latest = select(flows.c.line_id, func.max(flows.c.version).label("version")).group_by(flows.c.line_id).subquery()
    query = select(flows.c.line_id, flows.c.version, flows.c.document).join(
        latest, (latest.c.line_id == flows.c.line_id) & (latest.c.version == flows.c.version)
    )
    return {row["line_id"]: row for row in many(conn, query)}


def add(conn: Connection, **values: Any) -> None:
    """A new version."""
    conn.execute(insert(flows).values(**values))


_PATHS = select(prompts.c.id, prompts.c.path).where(prompts.c.id.in_(bindparam("prompts", expanding=True)))


def prompt_paths(conn: Connection, prompt_ids: Sequence[str]) -> dict[str, str]:
    """The files (in the data folder) of the prompts that a flow plays, by id; those that are gone are not in it."""
    return {row.id: row.path for row in conn.execute(_PATHS, {"prompts": list(prompt_ids)})}

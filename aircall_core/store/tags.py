"""The company's tags."""

from typing import Any

from sqlalchemy import Connection, delete, exists, func, insert, select, update

from aircall_core.store.rows import many, one
from aircall_core.store.tables import call_tags, tags


def tag(conn: Connection, tag_id: str) -> dict[str, Any] | None:
    """The tag's row."""
    return one(conn, select(tags).where(tags.c.id == tag_id))


def tag_named(conn: Connection, name: str) -> dict[str, Any] | None:
    """The tag with this name, whatever its case."""
    found = many(conn, select(tags).where(func.lower(tags.c.name) == name.lower()).limit(1))
    return found[0] if found else None


def all_tags(conn: Connection) -> list[dict[str, Any]]:
    """Every tag, those in use first, then by name; with `uses`, the number of calls that bear it."""
    uses = select(func.count()).where(call_tags.c.tag_id == tags.c.id).correlate(tags).scalar_subquery()
    query = select(tags, uses.label("uses")).order_by(tags.c.archived, func.lower(tags.c.name), tags.c.id)
    return many(conn, query)


def add(conn: Connection, **values: Any) -> None:
    """A new tag."""
    conn.execute(insert(tags).values(**values))


def change(conn: Connection, tag_id: str, **values: Any) -> None:
    """Change the tag's row."""
    conn.execute(update(tags).where(tags.c.id == tag_id).values(**values))


def is_used(conn: Connection, tag_id: str) -> bool:
    """Whether a call bears it."""
    return bool(conn.scalar(select(exists().where(call_tags.c.tag_id == tag_id))))


def remove(conn: Connection, tag_id: str) -> None:
    """Remove a tag that no call bears."""
    conn.execute(delete(tags).where(tags.c.id == tag_id))

"""Rows of lines: the numbers that customers call."""

from typing import Any

from sqlalchemy import Connection, select

from aircall_core.store.rows import many, one
from aircall_core.store.tables import lines


def get(conn: Connection, line_id: str) -> dict[str, Any] | None:
    """The line's row."""
    return one(conn, select(lines).where(lines.c.id == line_id))


def enabled(conn: Connection) -> list[dict[str, Any]]:
    """The lines that take calls."""
    query = select(lines).where(lines.c.enabled.is_(True)).order_by(lines.c.id)
    return many(conn, query)

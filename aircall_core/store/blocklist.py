"""Callers who hear a message and ring nobody: the list. (store/calls.py asks, as calls arrive, who is on it.)"""

from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from aircall_core.store.rows import many, one
from aircall_core.store.tables import blocked_numbers


def entry(conn: Connection, entry_id: str) -> dict[str, Any] | None:
    """An entry's row."""
    return one(conn, select(blocked_numbers).where(blocked_numbers.c.id == entry_id))


def entry_for(conn: Connection, pattern: str) -> dict[str, Any] | None:
    """The entry with this pattern."""
    return one(conn, select(blocked_numbers).where(blocked_numbers.c.pattern == pattern))


def entries(conn: Connection) -> list[dict[str, Any]]:
    """Every entry, the newest first."""
    return many(conn, select(blocked_numbers).order_by(blocked_numbers.c.created_at.desc(), blocked_numbers.c.id))


def count(conn: Connection) -> int:
    """How many there are."""
    return int(conn.scalar(select(func.count()).select_from(blocked_numbers)) or 0)


def add(conn: Connection, **values: Any) -> None:
    """A new entry."""
    conn.execute(insert(blocked_numbers).values(**values))


def change(conn: Connection, entry_id: str, **values: Any) -> None:
    """Change an entry."""
    conn.execute(update(blocked_numbers).where(blocked_numbers.c.id == entry_id).values(**values))


def remove(conn: Connection, entry_id: str) -> None:
    """Remove an entry."""
    conn.execute(delete(blocked_numbers).where(blocked_numbers.c.id == entry_id))

"""Opening hours and working hours: rows of `schedules`, which domain/hours.py reads."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from aircall_core import holidays_of
from aircall_core.domain import hours
from aircall_core.store.rows import many, one
from aircall_core.store.tables import schedules, users

_SCHEDULE = select(schedules).where(schedules.c.id == bindparam("schedule"))  # built once: asked as calls arrive


def schedule(conn: Connection, schedule_id: str) -> dict[str, Any] | None:
    """The schedule's row."""
    return one(conn, _SCHEDULE, {"schedule": schedule_id})


def open_intervals(
    conn: Connection, schedule_ids: Iterable[str], from_ms: int, to_ms: int
) -> dict[str, list[list[int]]]:
    """When these schedules are open within [from, to), by id. One that is gone is never open."""
    found: dict[str, list[list[int]]] = {}
    for schedule_id in schedule_ids:
        row = schedule(conn, schedule_id)
        spans = hours.open_intervals(holidays_of.schedule_of(row), from_ms, to_ms) if row else []
        found[schedule_id] = [list(span) for span in spans]
    return found


def schedule_named(conn: Connection, name: str) -> dict[str, Any] | None:
    """The schedule with this name, whatever its case."""
    found = many(conn, select(schedules).where(func.lower(schedules.c.name) == name.lower()).limit(1))
    return found[0] if found else None


def all_schedules(conn: Connection) -> list[dict[str, Any]]:
    """Every schedule, by name."""
    return many(conn, select(schedules).order_by(func.lower(schedules.c.name), schedules.c.id))


def add(conn: Connection, **values: Any) -> None:
    """A new schedule."""
    conn.execute(insert(schedules).values(**values))


def change(conn: Connection, schedule_id: str, **values: Any) -> None:
    """Change the schedule's row."""
    conn.execute(
        update(schedules).where(schedules.c.id == schedule_id).values(version=schedules.c.version + 1, **values)
    )


def remove(conn: Connection, schedule_id: str) -> None:
    """Remove a schedule that nothing uses."""
    conn.execute(delete(schedules).where(schedules.c.id == schedule_id))


def users_of(conn: Connection, schedule_id: str) -> list[str]:
    """Names of the users whose working hours it is."""
    query = select(users.c.name).where(users.c.schedule_id == schedule_id).order_by(func.lower(users.c.name))
    return list(conn.scalars(query))

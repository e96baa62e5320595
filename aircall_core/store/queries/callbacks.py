"""Callers who want to be called back: who they are, in the order of their turns."""

from typing import Any

from sqlalchemy import Connection, case, func, or_, select, true

from aircall_core import numbers
from aircall_core.store import clock
from aircall_core.store.queries.cards import chosen, typed
from aircall_core.store.queries.inbox import visible_lines
from aircall_core.store.tables import callbacks, calls, contacts, lines, users

MOST = 200
TAKEN_FOR_MS = 12 * 3_600_000  # how long one that somebody has taken is shown to the others


def _mine(conn: Connection, user_id: str, role: str) -> Any:
    allowed = visible_lines(conn, user_id, role)
    return callbacks.c.line_id.in_(allowed) if allowed is not None else true()


def waiting(conn: Connection, user_id: str, role: str) -> int:
    """How many wait on the lines that the user may see."""
    query = select(func.count()).where(callbacks.c.state == "waiting", _mine(conn, user_id, role))
    return conn.scalar(query) or 0


def line_of(conn: Connection, callback_id: str) -> str | None:
    """The line of a callback; None when there is no such callback."""
    return conn.scalar(select(callbacks.c.line_id).where(callbacks.c.id == callback_id))


def cards(conn: Connection, user_id: str, role: str) -> list[dict[str, Any]]:
    """Those who wait or are being called, first whose turn is first (priority 1 before none, then who waited longest),
    then those that somebody has taken lately, the newest first."""
    taken_since = clock.now_ms(conn) - TAKEN_FOR_MS
    is_waiting = callbacks.c.state.in_(("waiting", "calling"))  # whoever does not answer waits again, in the same place
    query = (
        select(
            callbacks,
            calls.c.from_display,
            calls.c.path,
            calls.c.digits,
            contacts.c.name.label("contact_name"),
            lines.c.name.label("line_name"),
            lines.c.country.label("line_country"),
            users.c.name.label("by_name"),
        )
        .join(calls, calls.c.id == callbacks.c.call_id)
        .join(lines, lines.c.id == callbacks.c.line_id)
        .outerjoin(contacts, contacts.c.id == calls.c.contact_id)
        .outerjoin(users, users.c.id == callbacks.c.user_id)
        .where(_mine(conn, user_id, role))
        .where(or_(is_waiting, (callbacks.c.state == "taken") & (callbacks.c.settled_at > taken_since)))
        .order_by(
            case((is_waiting, 0), else_=1),
            case((is_waiting, 0), else_=-callbacks.c.settled_at),
            case((callbacks.c.priority.is_(None), 1), else_=0),
            callbacks.c.priority,
            callbacks.c.queued_at,
            callbacks.c.id,
        )
        .limit(MOST)
    )
    return [_card(row) for row in conn.execute(query).mappings()]


def _card(row: Any) -> dict[str, Any]:
    return {
        "id": row["id"],
        "call_id": row["call_id"],
        "conversation_id": row["conversation_id"],
        "name": row["contact_name"] or row["from_display"] or "",
        "number": row["number"],
        "spoken": numbers.spoken_form(row["number"], row["line_country"]),
        "flag": numbers.flag(numbers.country_of(row["number"])),
        "line": row["line_name"],
        "line_id": row["line_id"],
        "path": chosen(row["path"]),
        "digits": typed(row["digits"]),
        "priority": row["priority"],
        "queued_at": row["queued_at"],
        "requested_at": row["requested_at"],
        "state": row["state"],
        "by": {"id": row["user_id"], "name": row["by_name"] or ""} if row["user_id"] else None,
        "settled_at": row["settled_at"],
    }

"""What is asked before a number is dialled: the line's way out, how much was dialled lately, whom nobody calls."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, exists, func, insert, or_, select, text

from aircall_core.store.rows import many, one
from aircall_core.store.tables import (
    audit,
    calls,
    contact_phones,
    contacts,
    do_not_call,
    lines,
    trunks,
    users,
)

# As the partial indexes have it, word by word: SQLite uses them for nothing else.
_OUTBOUND: Final = text("calls.direction = 'outbound'")
_SINCE: Final = calls.c.arrived_at > bindparam("since")
_WAY = (
    select(
        lines,
        trunks.c.enabled.label("trunk_enabled"),
        trunks.c.kind.label("trunk_kind"),
        func.coalesce(trunks.c.outbound_host, trunks.c.host).label("trunk_host"),
    )
    .outerjoin(trunks, trunks.c.id == lines.c.outbound_trunk_id)
    .where(lines.c.id == bindparam("line"))
)
_BY_USER = select(func.count()).select_from(calls).where(_OUTBOUND, calls.c.started_by == bindparam("of"), _SINCE)
_BY_LINE = select(func.count()).select_from(calls).where(_OUTBOUND, calls.c.line_id == bindparam("of"), _SINCE)
# Sent on to an outside number by a call flow or a transfer; not when a user has called that number first.
_ASKED = calls.alias("asked")
_FORWARDED_BY_LINE = (
    select(func.count())
    .select_from(calls)
    .where(
        text("calls.forwarded_to IS NOT NULL"),
        calls.c.line_id == bindparam("of"),
        _SINCE,
        ~exists().where(_ASKED.c.parent_id == calls.c.id, _ASKED.c.to_number == calls.c.forwarded_to),
    )
)
_LINE_OF_NUMBER = select(lines.c.id, lines.c.name).where(lines.c.number == bindparam("number"))
_FORBIDDEN = select(do_not_call.c.number).where(do_not_call.c.number.in_(bindparam("numbers", expanding=True)))
_USER_CAP = select(users.c.dial_cap).where(users.c.id == bindparam("user"))


def way_out(conn: Connection, line_id: str) -> dict[str, Any] | None:
    """The line's row, with its outbound trunk's `trunk_enabled`, `trunk_kind`, `trunk_host` (None without one)."""
    return one(conn, _WAY, {"line": line_id})


def takes_calls_out(way: Mapping[str, Any] | None) -> bool:
    """Whether such a line has a trunk that is on and knows where calls out go."""
    return way is not None and bool(way["trunk_enabled"] and way["trunk_host"])


def dialled_by_user(conn: Connection, user_id: str, since: int) -> int:
    """How many calls out a user has begun after ``since`` (ms)."""
    return int(conn.execute(_BY_USER, {"of": user_id, "since": since}).scalar_one())


def dialled_by_line(conn: Connection, line_id: str, since: int) -> int:
    """How many calls out were begun on a line after ``since`` (ms), or sent on to outside numbers."""
    wanted = {"of": line_id, "since": since}
    return sum(int(conn.execute(query, wanted).scalar_one()) for query in (_BY_LINE, _FORWARDED_BY_LINE))


def user_cap(conn: Connection, user_id: str) -> int | None:
    """The user's own cap, if they have one."""
    return conn.execute(_USER_CAP, {"user": user_id}).scalar_one_or_none()


def line_with_number(conn: Connection, number: str) -> dict[str, Any] | None:
    """Id and name of the line of ours that has this number."""
    return one(conn, _LINE_OF_NUMBER, {"number": number})


# ---- whom nobody calls


def forbidden(conn: Connection, numbers: Collection[str]) -> set[str]:
    """Which of these numbers (E.164) are on the do-not-call list."""
    found: set[str] = set()
    asked = list(numbers)
    for start in range(0, len(asked), 500):  # databases limit how many values a statement may hold
        found |= set(conn.scalars(_FORBIDDEN, {"numbers": asked[start : start + 500]}))
    return found


def entry(conn: Connection, number: str) -> dict[str, Any] | None:
    """The list's row for a number."""
    return one(conn, select(do_not_call).where(do_not_call.c.number == number))


def entries(conn: Connection, *, search: str = "", limit: int = 100) -> list[dict[str, Any]]:
    """The list with `author` (a name or None), the newest first; those whose number or note holds a text."""
    query = (
        select(do_not_call, users.c.name.label("author"))
        .outerjoin(users, users.c.id == do_not_call.c.created_by)
        .order_by(do_not_call.c.created_at.desc(), do_not_call.c.number)
        .limit(limit)
    )
    if search:
        holders = [do_not_call.c.note.icontains(search, autoescape=True)]
        if digits := "".join(filter(str.isdigit, search)).lstrip("0"):
            holders.append(do_not_call.c.number.contains(digits))
        query = query.where(or_(*holders))
    return many(conn, query)


def count(conn: Connection) -> int:
    """How many numbers are on the list."""
    return int(conn.scalar(select(func.count()).select_from(do_not_call)) or 0)


def add(conn: Connection, **values: Any) -> None:
    """Put a number on the list."""
    conn.execute(insert(do_not_call).values(**values))


def remove(conn: Connection, number: str) -> bool:
    """Take a number off; whether it was there."""
    return conn.execute(delete(do_not_call).where(do_not_call.c.number == number)).rowcount == 1


# ---- what was refused


def refusals(conn: Connection, limit: int = 20) -> list[dict[str, Any]]:
    """The last refused numbers, as the audit log has them, newest first, with `actor_name` and `line_name`."""
    query = (
        select(audit, users.c.name.label("actor_name"), lines.c.name.label("line_name"))
        .outerjoin(users, audit.c.actor == "user:" + users.c.id)
        .outerjoin(lines, lines.c.id == audit.c.subject_id)
        .where(audit.c.action == "dial.refused")
        .order_by(audit.c.at.desc(), audit.c.id.desc())
        .limit(limit)
    )
    return many(conn, query)


def lines_out(conn: Connection, allowed: Collection[str] | None) -> list[dict[str, Any]]:
    """Enabled lines with a trunk that takes calls out, of these ids (None: any), by name."""
    query = (
        select(lines.c.id, lines.c.name, lines.c.number, lines.c.country, lines.c.caller_id)
        .join(trunks, trunks.c.id == lines.c.outbound_trunk_id)
        .where(lines.c.enabled.is_(True), trunks.c.enabled.is_(True))
        .where(func.coalesce(trunks.c.outbound_host, trunks.c.host).is_not(None))
        .order_by(func.lower(lines.c.name), lines.c.id)
    )
    if allowed is not None:
        query = query.where(lines.c.id.in_(list(allowed)))
    return many(conn, query)


def contact_name(conn: Connection, number: str) -> str:
    """The name of the contact who has this number (E.164), or ''."""
    query = select(contacts.c.name).join(contact_phones, contact_phones.c.contact_id == contacts.c.id)
    return conn.scalar(query.where(contact_phones.c.number == number)) or ""

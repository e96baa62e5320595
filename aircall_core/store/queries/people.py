"""Who is signed in, and the people and teams that settings pages list."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import OperationalError, ProgrammingError

from aircall_core.store import accounts, clock, provisioning, sessions, states
from aircall_core.store import people as standing_rows
from aircall_core.store.errors import is_away
from aircall_core.store.tables import sessions as session_rows
from aircall_core.store.tables import users


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a session belongs to."""

    user_id: str
    name: str
    role: str
    session_id: str


def identity(conn: Connection, token_hash: str, at: int) -> Identity | None:
    """The active user whose running session has this token (SHA-256, hex)."""
    row = sessions.live(conn, token_hash, at)
    return None if row is None else Identity(row["user_id"], row["name"], row["role"], row["id"])


def identity_of_session(conn: Connection, session_id: str) -> Identity | None:
    """The same by the session's id, asked again at every run of a page: a session may have been revoked since."""
    query = (
        select(users.c.id, users.c.name, users.c.role)
        .join(session_rows, session_rows.c.user_id == users.c.id)
        .where(
            session_rows.c.id == session_id,
            session_rows.c.revoked_at.is_(None),
            session_rows.c.expires_at > clock.now_ms(conn),
            users.c.state == "active",
        )
    )
    row = conn.execute(query).one_or_none()
    return None if row is None else Identity(row.id, row.name, row.role, session_id)


def install_id(conn: Connection) -> str | None:
    """The installation's id, part of the session cookie's name; None in a store that no desk has prepared."""
    try:
        value = provisioning.setting(conn, "install_id")
    except (OperationalError, ProgrammingError) as error:
        if is_away(error):
            raise
        return None  # the tables are not there yet: the desk process makes them before it serves
    return value if isinstance(value, str) else None


def company(conn: Connection) -> dict[str, Any]:
    """The company: name, country (ISO 3166), timezone (IANA), language."""
    fresh = {"name": "", "country": "", "timezone": "UTC", "language": "en"}
    return {**fresh, **(provisioning.setting(conn, "company") or {})}


def users_list(conn: Connection) -> list[dict[str, Any]]:
    """Everybody by name: who they are, how they work, `now`: their status, and `for_ms`: for how long."""
    rows = conn.execute(select(users).order_by(func.lower(users.c.name), users.c.id)).mappings().all()
    at = clock.now_ms(conn)
    standings = {one.user_id: one for one in standing_rows.standings_of(conn, [row["id"] for row in rows], at)}
    return [
        {
            **{name: row[name] for name in _SHOWN},
            "now": standings[row["id"]].status.value,
            "reason": standings[row["id"]].status_reason,
            "for_ms": _time_in(row["status"] == standings[row["id"]].status, row["status_at"], at),
        }
        for row in rows
    ]


def _time_in(known: bool, since: int | None, at: int) -> int | None:
    """How long the user has had their status; None while the history does not know it."""
    return at - since if known and since is not None else None


def statuses_of_today(conn: Connection, user_id: str, timezone: str, most: int = 100) -> list[dict[str, Any]]:
    """The user's statuses since midnight in this zone, newest first, each with `for_ms`; at most ``most``."""
    at = clock.now_ms(conn)
    local = datetime.fromtimestamp(at / 1000, ZoneInfo(timezone))
    midnight = int(local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)
    rows = states.history(conn, user_id, midnight, at + 1)
    return [{**row, "for_ms": (row["until"] or at) - row["since"]} for row in reversed(rows[-most:])]


_SHOWN = ("id", "name", "email", "role", "state", "choice", "wrap_up_s", "schedule_id", "call_waiting", "dial_cap")


def teams_list(conn: Connection) -> list[dict[str, Any]]:
    """Every team by name with the ids of its members."""
    return accounts.all_teams(conn)

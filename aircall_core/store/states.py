"""The history of users' statuses, and the columns of a user that decide it. What they mean: desk/availability.py."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Update, bindparam, func, insert, select, update

from aircall_core import ids
from aircall_core.store import people
from aircall_core.store.rows import many
from aircall_core.store.tables import presence, tags_due, user_states, users


@dataclass(frozen=True, slots=True)
class Noted:
    """The status last written to the history. ``since`` is None for a user who never had one."""

    status: str
    reason: str | None
    since: int | None


_NOTED = select(users.c.id, users.c.status, users.c.status_reason, users.c.status_at)
_NOTED_OF = _NOTED.where(users.c.id.in_(bindparam("users", expanding=True)))
# Built once: a status begins and ends with every call that somebody takes.
_CLOSE = (
    update(user_states)
    .where(
        user_states.c.user_id == bindparam("user"),
        user_states.c.since == bindparam("began"),
        user_states.c.until.is_(None),
    )
    .values(until=bindparam("moment"))
)
_OPEN = insert(user_states)


def noted(conn: Connection, user_ids: Collection[str]) -> dict[str, Noted]:
    """What the history says of these users."""
    rows = conn.execute(_NOTED_OF, {"users": sorted(user_ids)})
    return {row.id: Noted(row.status, row.status_reason, row.status_at) for row in rows}


def note(
    conn: Connection, user_id: str, status: str, reason: str | None, at: int, *, since: int | None, idle: bool
) -> None:
    """The user has this status from ``at`` on; the one before began at ``since``. ``idle``: their idle clock begins."""
    if since is not None:
        conn.execute(_CLOSE, {"user": user_id, "began": since, "moment": at})
    conn.execute(_OPEN, {"id": ids.new_id(), "user_id": user_id, "status": status, "reason": reason, "since": at})
    change(conn, user_id, status=status, status_reason=reason, status_at=at, **({"idle_since": at} if idle else {}))


def drifted(conn: Connection, at: int) -> list[str]:
    """Ids of users whose status has become another one by itself: a lease ran out, hours began, wrap-up is over."""
    written = {row.id: Noted(row.status, row.status_reason, row.status_at) for row in conn.execute(_NOTED)}
    now = people.standings_of(conn, written, at)
    return [
        one.user_id
        for one in now
        if (one.status, one.status_reason) != (written[one.user_id].status, written[one.user_id].reason)
        and (one.active or written[one.user_id].since is not None)  # who was never here has no history to begin
    ]


def change(conn: Connection, user_id: str, **values: Any) -> None:
    """Change columns of the user's row."""
    new = {f"new_{name}": value for name, value in values.items()}
    conn.execute(_change(tuple(values)), {"user": user_id, **new})


@lru_cache(maxsize=32)
def _change(columns: tuple[str, ...]) -> Update:
    new = {name: bindparam(f"new_{name}", type_=users.c[name].type) for name in columns}
    return update(users).where(users.c.id == bindparam("user")).values(**new)


def missed_another(conn: Connection, user_id: str) -> int:
    """Count one more ring that the user missed; how many it were in a row."""
    counted = users.c.missed_in_a_row + 1
    conn.execute(update(users).where(users.c.id == user_id).values(missed_in_a_row=counted))
    return int(conn.execute(select(users.c.missed_in_a_row).where(users.c.id == user_id)).scalar_one())


def on_auto(conn: Connection, schedule_id: str) -> list[str]:
    """Users who have chosen "auto" with this schedule."""
    query = select(users.c.id).where(users.c.schedule_id == schedule_id, users.c.choice == "auto")
    return list(conn.scalars(query.order_by(users.c.id)))


# ---- leases of tabs

_LEASES = select(func.max(presence.c.lease_until).label("until")).group_by(presence.c.user_id).subquery()
_FIRST_LEASE = select(func.min(_LEASES.c.until)).where(_LEASES.c.until > bindparam("moment"))
_LAST_LEASE = select(func.max(presence.c.lease_until)).where(presence.c.user_id == bindparam("user"))


def first_lease_end(conn: Connection, at: int) -> int | None:
    """When the first of the users who are online now goes offline unless a tab of theirs beats before."""
    found: int | None = conn.scalar(_FIRST_LEASE, {"moment": at})
    return found


def last_lease_end(conn: Connection, user_id: str) -> int | None:
    """When the last lease of the user's known tabs ends or ended; None when no tab is known."""
    found: int | None = conn.scalar(_LAST_LEASE, {"user": user_id})
    return found


# ---- tags that are owed

_OWED = select(tags_due.c.call_id).where(tags_due.c.user_id == bindparam("user")).order_by(tags_due.c.call_id)


def owed_tags(conn: Connection, user_id: str) -> list[str]:
    """Ids of the calls that this user must tag, oldest first."""
    return list(conn.scalars(_OWED, {"user": user_id}))


# ---- history


def history(conn: Connection, user_id: str, since: int, until: int) -> list[dict[str, Any]]:
    """The user's statuses that overlap a span of time, oldest first."""
    query = (
        select(user_states)
        .where(user_states.c.user_id == user_id, user_states.c.since < until)
        .where((user_states.c.until.is_(None)) | (user_states.c.until > since))
    )
    # One that was over within its millisecond comes before the one that began with its end.
    return many(conn, query.order_by(user_states.c.since, user_states.c.until.nulls_last(), user_states.c.id))


def work_of(conn: Connection, user_id: str) -> Mapping[str, Any]:
    """How the user works: wrap_up_s, wrap_up_until, schedule_id. For a user who exists."""
    query = select(users.c.wrap_up_s, users.c.wrap_up_until, users.c.schedule_id).where(users.c.id == user_id)
    return dict(conn.execute(query).mappings().one())

"""Calls that wait for the users of a group, and whom they ring: what ``domain/distribution.py`` decides over.

A group is "line:<id>" (the line's assigned users), "team:<id>" or "user:<id>".
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    and_,
    bindparam,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.sql.elements import ColumnElement

from aircall_core.domain.call import WAITING
from aircall_core.store.rows import many
from aircall_core.store.tables import call_legs, calls, line_teams, line_users, queues, team_members

# Built once, as the statements of a call's way are.
_GROUP: BindParameter[str] = bindparam("group")
_USER: BindParameter[str] = bindparam("user")
_CALL: BindParameter[str] = bindparam("call")
_WAITS = and_(calls.c.ended_at.is_(None), calls.c.state.in_(sorted(WAITING)))
_IN_GROUP = and_(calls.c.queue_id == _GROUP, _WAITS)
_LEG = (
    call_legs.c.call_id,
    call_legs.c.user_id,
    call_legs.c.state,
    call_legs.c.reason,
    call_legs.c.stopped_at,
)
_WAITING_IN = select(calls).where(_IN_GROUP)
_LEGS_IN = select(*_LEG).join(calls, calls.c.id == call_legs.c.call_id).where(_IN_GROUP)
_LEGS_OF = select(*_LEG).where(call_legs.c.call_id.in_(bindparam("calls", expanding=True)))
# As the index has it, word for word: else SQLite reads all legs ever.
_HELD = and_(text("call_legs.state = 'ringing'"), call_legs.c.exclusive, calls.c.ended_at.is_(None))
_LEGS_AND_CALLS = call_legs.join(calls, calls.c.id == call_legs.c.call_id)
_EXCLUSIVE = select(call_legs.c.user_id, call_legs.c.call_id).select_from(_LEGS_AND_CALLS).where(_HELD)
_OTHERS_OF = (
    select(calls)
    .select_from(_LEGS_AND_CALLS)
    .where(_HELD, call_legs.c.user_id == _USER, calls.c.id != _CALL)
    .order_by(calls.c.id)
)
_THROUGH_TEAM = (
    select(literal("line:").concat(line_teams.c.line_id))
    .join(team_members, team_members.c.team_id == line_teams.c.team_id)
    .where(team_members.c.user_id == _USER)
)
_WAITING_FOR = select(calls).where(
    _WAITS,
    or_(
        calls.c.queue_id == literal("user:").concat(_USER),
        calls.c.queue_id.in_(
            select(literal("line:").concat(line_users.c.line_id)).where(line_users.c.user_id == _USER)
        ),
        calls.c.queue_id.in_(_THROUGH_TEAM),
        calls.c.queue_id.in_(
            select(literal("team:").concat(team_members.c.team_id)).where(team_members.c.user_id == _USER)
        ),
    ),
)
_LAST = 1_000_000_000


def _before() -> ColumnElement[bool]:
    """Served before a call, as `domain.distribution.place` has it."""
    own = bindparam("priority", type_=calls.c.priority.type)
    since = bindparam("since", type_=calls.c.queued_at.type)
    place = func.coalesce(calls.c.priority, _LAST)
    return or_(
        place < own,
        and_(place == own, calls.c.queued_at < since),
        and_(place == own, calls.c.queued_at == since, calls.c.id < _CALL),
    )


_AHEAD = select(func.count()).select_from(calls).where(_IN_GROUP, _before())
_ANSWERS = (
    select(calls.c.queued_at, calls.c.answered_at, call_legs.c.rang_at)
    .join(call_legs, and_(call_legs.c.call_id == calls.c.id, call_legs.c.user_id == calls.c.answered_by))
    .where(calls.c.queue_id == _GROUP, calls.c.answered_at > bindparam("since"), calls.c.queued_at.is_not(None))
    .where(call_legs.c.rang_at <= calls.c.answered_at)  # not who has had it from somebody else
    .order_by(calls.c.answered_at.desc())
    .limit(200)
)
_LAST_USER = select(queues.c.last_user_id).where(queues.c.id == _GROUP)
_ANYBODY_WAITS = select(exists().where(_WAITS))


def waiting_in(conn: Connection, group: str) -> list[dict[str, Any]]:
    """The calls that wait for this group."""
    return many(conn, _WAITING_IN, {"group": group})


def waiting_for(conn: Connection, user_id: str) -> list[dict[str, Any]]:
    """The calls that wait for a group of which the user is one."""
    if not conn.scalar(_ANYBODY_WAITS):
        return []
    return many(conn, _WAITING_FOR, {"user": user_id})


def legs_in(conn: Connection, group: str) -> dict[str, list[Mapping[str, Any]]]:
    """Everybody ever rung for the calls that wait for this group, by call: user_id, state, reason, stopped_at."""
    return _by_call(many(conn, _LEGS_IN, {"group": group}))


def legs_of(conn: Connection, call_ids: Iterable[str]) -> dict[str, list[Mapping[str, Any]]]:
    """Everybody ever rung for these calls, by call: user_id, state, reason, stopped_at."""
    return _by_call(many(conn, _LEGS_OF, {"calls": list(call_ids)}))


def _by_call(legs: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for leg in legs:
        found[leg["call_id"]].append(leg)
    return found


def exclusive_rings(conn: Connection) -> dict[str, frozenset[str]]:
    """By user: the calls that ring them now and have them to themselves."""
    found: dict[str, set[str]] = defaultdict(set)
    for user, call in conn.execute(_EXCLUSIVE):
        found[user].add(call)
    return {user: frozenset(ringing) for user, ringing in found.items()}


def others_of(conn: Connection, user_id: str, call_id: str) -> list[dict[str, Any]]:
    """The calls but one that ring the user and have them to themselves."""
    return many(conn, _OTHERS_OF, {"user": user_id, "call": call_id})


def ahead(conn: Connection, call: Mapping[str, Any]) -> int:
    """How many calls of its group are served before a waiting call."""
    place = {"priority": call["priority"] or _LAST, "since": call["queued_at"], "call": call["id"]}
    return conn.scalar(_AHEAD, {"group": call["queue_id"], **place}) or 0


def answers(conn: Connection, group: str, since: int) -> list[tuple[int, int, int]]:
    """Callers of the group who were answered after ``since`` (ms), newest first: queued_at, answered_at, rang_at."""
    return [
        (row.queued_at, row.answered_at, row.rang_at)
        for row in conn.execute(_ANSWERS, {"group": group, "since": since})
    ]


def last_user(conn: Connection, group: str) -> str | None:
    """Who was rung last for a call of the group that goes round robin."""
    return conn.scalar(_LAST_USER, {"group": group})


def note_last_user(conn: Connection, group: str, user_id: str) -> None:
    """The next round robin goes on after this user."""
    if conn.execute(update(queues).where(queues.c.id == group).values(last_user_id=user_id)).rowcount == 0:
        conn.execute(insert(queues).values(id=group, last_user_id=user_id))

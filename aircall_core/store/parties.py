"""Who takes or took part in a call, whatever lines they see: who was rung and accepted, who dialled, who was asked."""

from collections.abc import Collection

from sqlalchemy import BindParameter, Connection, bindparam, exists, func, or_, select

from aircall_core.store.tables import call_legs, calls

_CALL: BindParameter[str] = bindparam("call")
_USER: BindParameter[str] = bindparam("user")
_TOP = select(calls.c.id, calls.c.parent_id).where(calls.c.id == _CALL)
_ACCEPTED = exists().where(
    call_legs.c.call_id == calls.c.id, call_legs.c.user_id == _USER, call_legs.c.state == "accepted"
)
_TOOK_PART = (
    select(calls.c.id)
    .where(
        or_(calls.c.id == _CALL, calls.c.parent_id == _CALL),
        or_(calls.c.accepted_by == _USER, calls.c.answered_by == _USER, calls.c.started_by == _USER, _ACCEPTED),
    )
    .limit(1)
)
_OWN = (
    select(func.coalesce(calls.c.parent_id, calls.c.id))
    .where(
        or_(
            calls.c.id.in_(bindparam("calls", expanding=True)),
            calls.c.parent_id.in_(bindparam("calls", expanding=True)),
        ),
        or_(calls.c.accepted_by == _USER, calls.c.answered_by == _USER, calls.c.started_by == _USER, _ACCEPTED),
    )
    .distinct()
)


def top_of(conn: Connection, call_id: str) -> str | None:
    """The call that this one was made for, or the call itself; None when there is no such call."""
    row = conn.execute(_TOP, {"call": call_id}).one_or_none()
    return None if row is None else row.parent_id or row.id


def took_part(conn: Connection, call_id: str, user_id: str) -> bool:
    """Whether the user takes or took part in this call, or in one that was made for it."""
    return conn.scalar(_TOOK_PART, {"call": call_id, "user": user_id}) is not None


def of_user(conn: Connection, call_ids: Collection[str], user_id: str) -> set[str]:
    """Those of these calls that the user takes or took part in."""
    return set(conn.scalars(_OWN, {"calls": sorted(call_ids), "user": user_id}))


def is_talk(kind: str, answered: bool) -> bool:
    """Whether a recording holds a talk with somebody: that is for who took part, a message is for all of the line."""
    return kind == "call" and answered


def may_hear(conn: Connection, call_id: str, kind: str, answered: bool, user_id: str, role: str) -> bool:
    """Whether a user who sees a call's line may play a recording of it."""
    return role != "agent" or not is_talk(kind, answered) or took_part(conn, call_id, user_id)

"""Rows of calls and of the users rung for them; a change that may race is a compare-and-set that tells if it won."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Select,
    Update,
    and_,
    bindparam,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from aircall_core.domain.call import Direction, State
from aircall_core.store.rows import many, one
from aircall_core.store.tables import blocked_numbers, call_legs, calls, recordings, users

# The statements of a call's way are built once: building them anew costs more than running them, and a worker that sets
# up a hundred calls a second runs three thousand.
_CALL: BindParameter[str] = bindparam("call")
_USER: BindParameter[str] = bindparam("user")
_GET = select(calls).where(calls.c.id == _CALL)
_GET_LOCKED = _GET.with_for_update(key_share=True)
_ADD = insert(calls)
_TAKE_AGENT = (
    update(users)
    .where(users.c.id == _USER, users.c.active_call_id.is_(None), users.c.state == "active")
    .values(active_call_id=_CALL)
)
_HELD_BY = select(users.c.id).where(users.c.active_call_id == _CALL)
_POINT = update(users).where(users.c.id == _USER).values(active_call_id=bindparam("other"))
_LIVE = calls.c.ended_at.is_(None)
_FAREWELLS = select(calls.c.id, calls.c.dialog).where(
    calls.c.arrived_at > bindparam("since"),
    calls.c.owner_node == bindparam("node"),
    calls.c.owner_epoch <= bindparam("epoch"),
    calls.c.outcome == "lost",
)
# A call made for another one (a participant) comes and goes with that one.
_THEIRS = and_(
    _LIVE, calls.c.accepted_by == _USER, or_(calls.c.parent_id.is_(None), calls.c.direction == Direction.INTERNAL)
)
_OTHER_CALL = (
    select(calls.c.id)
    .where(_THEIRS, calls.c.id != _CALL)
    .order_by(calls.c.held, calls.c.arrived_at.desc(), calls.c.id.desc())
    .limit(1)
)
_CALLS_OF = select(calls).where(_THEIRS).order_by(calls.c.id)
_CHILDREN = select(calls).where(calls.c.parent_id == _CALL, _LIVE).order_by(calls.c.id)
_BY_COMMAND = select(calls).where(
    calls.c.accept_command == bindparam("command"), calls.c.started_by == _USER, calls.c.arrived_at > bindparam("since")
)
_ACTIVE_CALL = select(users.c.active_call_id).where(users.c.id == _USER)
_ADD_LEGS = insert(call_legs)
_RINGS = and_(call_legs.c.call_id == _CALL, call_legs.c.state == "ringing")
_RINGING_USERS = select(call_legs.c.user_id).where(_RINGS).order_by(call_legs.c.user_id)
_RINGING_LEGS = select(call_legs).where(_RINGS).order_by(call_legs.c.user_id)
_STOPPED = {"state": "stopped", "reason": bindparam("why"), "stopped_at": bindparam("moment")}
_STOP_LEGS = update(call_legs).where(_RINGS).values(_STOPPED)
_LEG = select(call_legs.c.id).where(_RINGS, call_legs.c.user_id == _USER)
_STOP_LEG = update(call_legs).where(_RINGS, call_legs.c.user_id == _USER).values(_STOPPED)
_WIN_LEG = (
    update(call_legs)
    .where(call_legs.c.call_id == _CALL, call_legs.c.user_id == _USER)
    .values(state="accepted", reason=None, stopped_at=bindparam("moment"))
)
_REOPEN_LEGS = (
    update(call_legs)
    .where(
        call_legs.c.call_id == _CALL,
        call_legs.c.user_id.in_(bindparam("users", expanding=True)),
        call_legs.c.state != "ringing",
    )
    .values(state="ringing", reason=None, exclusive=bindparam("alone"), rang_at=bindparam("moment"), stopped_at=None)
    .returning(call_legs.c.id, call_legs.c.user_id)
)
_RANG = select(exists().where(call_legs.c.call_id == _CALL))
_COUNT_BLOCKED = (
    update(blocked_numbers)
    .where(blocked_numbers.c.id == bindparam("entry"))
    .values(hits=blocked_numbers.c.hits + 1, last_at=bindparam("moment"))
)


@dataclass(frozen=True, slots=True)
class Owner:
    """The worker that carries a call, and which of its lives."""

    node: str
    epoch: int


def add(conn: Connection, **values: Any) -> None:
    """A new row in calls."""
    conn.execute(_ADD, values)


def get(conn: Connection, call_id: str, *, lock: bool = False) -> dict[str, Any] | None:
    """The call's row. ``lock``: nobody else changes it before this transaction ends (on SQLite nobody can anyway)."""
    return one(conn, _GET_LOCKED if lock else _GET, {"call": call_id})


def change(
    conn: Connection, call_id: str, *, states: Iterable[State] | None = None, owner: Owner | None = None, **values: Any
) -> bool:
    """Change a call if it is in one of ``states`` and belongs to ``owner``; whether it was so."""
    wanted = None if states is None else tuple(sorted(state.value for state in states))
    statement = _change(tuple(values), wanted, owner is not None)
    owned = {"owned_by": owner.node, "owned_epoch": owner.epoch} if owner is not None else {}
    new = {f"new_{name}": value for name, value in values.items()}
    return conn.execute(statement, {"call": call_id, **owned, **new}).rowcount == 1


@lru_cache(maxsize=128)
def _change(columns: tuple[str, ...], states: tuple[str, ...] | None, owned: bool) -> Update:
    statement = update(calls).where(calls.c.id == _CALL)
    if states is not None:
        statement = statement.where(calls.c.state.in_(states))
    if owned:
        statement = statement.where(
            calls.c.owner_node == bindparam("owned_by"), calls.c.owner_epoch == bindparam("owned_epoch")
        )
    new = {name: bindparam(f"new_{name}", type_=calls.c[name].type) for name in columns}
    return statement.values(version=calls.c.version + 1, **new)


def take_agent(conn: Connection, user_id: str, call_id: str) -> bool:
    """Give the user's one slot to this call if it is free; whether it was."""
    return conn.execute(_TAKE_AGENT, {"user": user_id, "call": call_id}).rowcount == 1


def point_agent(conn: Connection, user_id: str, call_id: str | None) -> None:
    """The user talks in this call now, whichever they were in before."""
    conn.execute(_POINT, {"user": user_id, "other": call_id})


def free_agents(conn: Connection, call_id: str) -> list[str]:
    """Whoever talks in this call does so no more, and is in another call of theirs if there is one; their ids."""
    held = list(conn.scalars(_HELD_BY, {"call": call_id}))
    for user_id in held:
        point_agent(conn, user_id, conn.scalar(_OTHER_CALL, {"user": user_id, "call": call_id}))
    return held


def live_of_agent(conn: Connection, user_id: str) -> list[dict[str, Any]]:
    """The user's live calls, held ones too; not the participants whom they dialled into one of these."""
    return many(conn, _CALLS_OF, {"user": user_id})


def children(conn: Connection, call_id: str) -> list[dict[str, Any]]:
    """The live calls that were made for this one, oldest first."""
    return many(conn, _CHILDREN, {"call": call_id})


def made_by_command(conn: Connection, user_id: str, command: str, since: int) -> dict[str, Any] | None:
    """The call that this command of the user's has made, not longer ago than ``since`` (ms)."""
    return one(conn, _BY_COMMAND, {"user": user_id, "command": command, "since": since})


def active_call_of(conn: Connection, user_id: str) -> str | None:
    """The call that holds the user's slot."""
    return conn.scalar(_ACTIVE_CALL, {"user": user_id})


def add_legs(
    conn: Connection, call_id: str, legs: Sequence[tuple[str, str]], at: int, *, exclusive: bool = False
) -> None:
    """Users begin to be rung: pairs of (leg id, user id). ``exclusive``: the call has them to itself."""
    if legs:
        new = {"call_id": call_id, "state": "ringing", "rang_at": at, "exclusive": exclusive}
        conn.execute(_ADD_LEGS, [{"id": leg, "user_id": user, **new} for leg, user in legs])


def reopen_legs(
    conn: Connection, call_id: str, users: Sequence[str], at: int, *, exclusive: bool
) -> list[tuple[str, str]]:
    """Ring those of these users again who were rung for the call before; pairs of (leg id, user id)."""
    values = {"call": call_id, "users": list(users), "alone": exclusive, "moment": at}
    return [(row.id, row.user_id) for row in conn.execute(_REOPEN_LEGS, values)]


def has_rung(conn: Connection, call_id: str) -> bool:
    """Whether anybody was ever rung for the call."""
    return bool(conn.scalar(_RANG, {"call": call_id}))


def legs_of(conn: Connection, call_id: str) -> list[dict[str, Any]]:
    """All users ever rung for the call, in the order of their ids."""
    query = select(call_legs).where(call_legs.c.call_id == call_id).order_by(call_legs.c.user_id)
    return many(conn, query)


def ringing_users(conn: Connection, call_id: str) -> list[str]:
    """Ids of the users being rung now, sorted."""
    return list(conn.scalars(_RINGING_USERS, {"call": call_id}))


def ringing_legs(conn: Connection, call_id: str) -> list[dict[str, Any]]:
    """The legs of the users being rung now, in the order of their ids."""
    return many(conn, _RINGING_LEGS, {"call": call_id})


def stop_leg(conn: Connection, call_id: str, user_id: str, *, reason: str, at: int) -> str | None:
    """One user stops being rung; the leg's id, or None when they were not."""
    leg: str | None = conn.scalar(_LEG, {"call": call_id, "user": user_id})
    if leg is not None:
        conn.execute(_STOP_LEG, {"call": call_id, "user": user_id, "why": reason, "moment": at})
    return leg


def stop_legs(conn: Connection, call_id: str, *, reason: str, at: int, winner: str | None = None) -> None:
    """All ringing stops: the winner's leg is accepted, the others end with ``reason``."""
    if winner is not None:
        conn.execute(_WIN_LEG, {"call": call_id, "user": winner, "moment": at})
    conn.execute(_STOP_LEGS, {"call": call_id, "why": reason, "moment": at})


# Among the handful of live calls (ix_calls_live), not among all that a conversation ever had: hence no plain column.
_LIVES_IN = select(
    exists().where(calls.c.ended_at.is_(None), func.coalesce(calls.c.conversation_id, "") == bindparam("conversation"))
)


def lives_in(conn: Connection, conversation_id: str) -> bool:
    """Whether a call of this conversation has not ended."""
    return bool(conn.scalar(_LIVES_IN, {"conversation": conversation_id}))


def live_of_owner(conn: Connection, node: str, through_epoch: int) -> list[str]:
    """Ids of calls that have not ended and belong to this node's epochs up to and including the one given."""
    query = select(calls.c.id).where(
        calls.c.owner_node == node, calls.c.owner_epoch <= through_epoch, calls.c.ended_at.is_(None)
    )
    return list(conn.scalars(query.order_by(calls.c.id)))


def take_farewells(conn: Connection, node: str, through_epoch: int, since: int) -> list[dict[str, Any]]:
    """What farewells need of the calls that were lost with this node's epochs up to the one given and arrived after
    ``since`` (ms); each call's is handed out once."""
    values = {"node": node, "epoch": through_epoch, "since": since}
    found = {row.id: row.dialog for row in conn.execute(_FAREWELLS, values) if row.dialog}
    if found:
        conn.execute(update(calls).where(calls.c.id.in_(sorted(found))).values(dialog=None))
    return [found[one] for one in sorted(found)]


def join_leg(conn: Connection, call_id: str, user_id: str, leg_id: str, at: int) -> None:
    """The user takes part in a call that never rang for them: they were asked about it, and have it now."""
    taken = {"state": "accepted", "reason": None, "stopped_at": at}
    known = (call_legs.c.call_id == call_id, call_legs.c.user_id == user_id)
    if conn.execute(update(call_legs).where(*known).values(**taken)).rowcount == 0:
        conn.execute(insert(call_legs), {"id": leg_id, "call_id": call_id, "user_id": user_id, "rang_at": at, **taken})


def hand_children(conn: Connection, call_id: str, user_id: str) -> None:
    """The calls that were made for this one are another agent's from now on."""
    live = (calls.c.parent_id == call_id, _LIVE)
    conn.execute(update(calls).where(*live).values(started_by=user_id))
    conn.execute(update(calls).where(*live, calls.c.direction == Direction.OUTBOUND).values(accepted_by=user_id))


def of_user(conn: Connection, user_id: str) -> list[dict[str, Any]]:
    """Live calls that ring this user, that are theirs, or that they have made for one of theirs."""
    rung = exists().where(
        call_legs.c.call_id == calls.c.id, call_legs.c.user_id == user_id, call_legs.c.state == "ringing"
    )
    asks = and_(calls.c.parent_id.is_not(None), calls.c.started_by == user_id)
    query = select(calls).where(_LIVE, or_(calls.c.accepted_by == user_id, asks, rung))
    return many(conn, query.order_by(calls.c.id))


def add_recording(conn: Connection, **values: Any) -> None:
    """A recording that is whole on disk."""
    conn.execute(insert(recordings).values(**values))


def has_recording(conn: Connection, call_id: str, kind: str) -> bool:
    """Whether the call's recording of this kind (call, voicemail) is already listed."""
    known = exists().where(recordings.c.call_id == call_id, recordings.c.kind == kind)
    return bool(conn.scalar(select(known)))


def blocked_by(conn: Connection, party: str) -> str | None:
    """The entry of the blocklist that keeps this caller (a number, or "anonymous") out, if any."""
    patterns = [party, *(f"{party[:length]}*" for length in range(1, len(party) + 1))]
    return conn.scalar(_blocked_by(len(patterns)), {f"p{place}": one for place, one in enumerate(patterns)})


@lru_cache(maxsize=64)
def _blocked_by(count: int) -> Select[str]:
    """By so many patterns. A list that grows with its values would be made into a statement anew at each call."""
    patterns: list[BindParameter[str]] = [bindparam(f"p{place}") for place in range(count)]
    return select(blocked_numbers.c.id).where(or_(*(blocked_numbers.c.pattern == one for one in patterns))).limit(1)


def count_blocked(conn: Connection, entry: str, at: int) -> None:
    """An entry of the blocklist has kept somebody out."""
    conn.execute(_COUNT_BLOCKED, {"entry": entry, "moment": at})

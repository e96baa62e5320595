"""Rows of calls and of the users rung for them; a change that may race is a compare-and-set that tells if it won."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, exists, insert, or_, select, update

from aircall_core.domain.call import State
from aircall_core.store.rows import many, one
from aircall_core.store.tables import call_legs, calls, line_teams, line_users, recordings, team_members, users


@dataclass(frozen=True, slots=True)
class Owner:
    """The worker that carries a call, and which of its lives."""

    node: str
    epoch: int


def add(conn: Connection, **values: Any) -> None:
    """A new row in calls."""
    conn.execute(insert(calls).values(**values))


def get(conn: Connection, call_id: str, *, lock: bool = False) -> dict[str, Any] | None:
    """The call's row. ``lock``: nobody else changes it before this transaction ends (on SQLite nobody can anyway)."""
    query = select(calls).where(calls.c.id == call_id)
    return one(conn, query.with_for_update(key_share=True) if lock else query)


def change(
    conn: Connection, call_id: str, *, states: Iterable[State] | None = None, owner: Owner | None = None, **values: Any
) -> bool:
    """Change a call if it is in one of ``states`` and belongs to ``owner``; whether it was so."""
    where = [calls.c.id == call_id]
    if states is not None:
        where.append(calls.c.state.in_([state.value for state in states]))
    if owner is not None:
        where += [calls.c.owner_node == owner.node, calls.c.owner_epoch == owner.epoch]
    done = conn.execute(update(calls).where(and_(*where)).values(version=calls.c.version + 1, **values))
    return done.rowcount == 1


def take_agent(conn: Connection, user_id: str, call_id: str) -> bool:
    """Give the user's one slot to this call if it is free; whether it was."""
    done = conn.execute(
        update(users)
        .where(users.c.id == user_id, users.c.active_call_id.is_(None), users.c.state == "active")
        .values(active_call_id=call_id)
    )
    return done.rowcount == 1


def free_agents(conn: Connection, call_id: str) -> list[str]:
    """Clear the slot of every user held by this call; their ids."""
    held = list(conn.scalars(select(users.c.id).where(users.c.active_call_id == call_id)))
    if held:
        conn.execute(update(users).where(users.c.active_call_id == call_id).values(active_call_id=None))
    return held


def active_call_of(conn: Connection, user_id: str) -> str | None:
    """The call that holds the user's slot."""
    return conn.scalar(select(users.c.active_call_id).where(users.c.id == user_id))


def add_legs(conn: Connection, call_id: str, legs: Sequence[tuple[str, str]], at: int) -> None:
    """Users begin to be rung: pairs of (leg id, user id)."""
    if legs:
        conn.execute(
            insert(call_legs),
            [{"id": leg, "call_id": call_id, "user_id": user, "state": "ringing", "rang_at": at} for leg, user in legs],
        )


def legs_of(conn: Connection, call_id: str) -> list[dict[str, Any]]:
    """All users ever rung for the call, in the order of their ids."""
    query = select(call_legs).where(call_legs.c.call_id == call_id).order_by(call_legs.c.user_id)
    return many(conn, query)


def ringing_users(conn: Connection, call_id: str) -> list[str]:
    """Ids of the users being rung now, sorted."""
    query = (
        select(call_legs.c.user_id)
        .where(call_legs.c.call_id == call_id, call_legs.c.state == "ringing")
        .order_by(call_legs.c.user_id)
    )
    return list(conn.scalars(query))


def stop_leg(conn: Connection, call_id: str, user_id: str, *, reason: str, at: int) -> str | None:
    """One user stops being rung; the leg's id, or None when they were not."""
    where = and_(call_legs.c.call_id == call_id, call_legs.c.user_id == user_id, call_legs.c.state == "ringing")
    leg = conn.scalar(select(call_legs.c.id).where(where))
    if leg is not None:
        conn.execute(update(call_legs).where(where).values(state="stopped", reason=reason, stopped_at=at))
    return leg


def stop_legs(conn: Connection, call_id: str, *, reason: str, at: int, winner: str | None = None) -> None:
    """All ringing stops: the winner's leg is accepted, the others end with ``reason``."""
    ringing = and_(call_legs.c.call_id == call_id, call_legs.c.state == "ringing")
    if winner is not None:
        conn.execute(
            update(call_legs)
            .where(call_legs.c.call_id == call_id, call_legs.c.user_id == winner)
            .values(state="accepted", reason=None, stopped_at=at)
        )
    conn.execute(update(call_legs).where(ringing).values(state="stopped", reason=reason, stopped_at=at))


def reopen_leg(conn: Connection, call_id: str, user_id: str, at: int) -> bool:
    """Ring a user again whose leg exists but was never answered nor rejected by them; whether there was one."""
    done = conn.execute(
        update(call_legs)
        .where(
            call_legs.c.call_id == call_id,
            call_legs.c.user_id == user_id,
            call_legs.c.state == "stopped",
            call_legs.c.reason == "taken",
        )
        .values(state="ringing", reason=None, rang_at=at, stopped_at=None)
    )
    return done.rowcount == 1


def live_of_owner(conn: Connection, node: str, through_epoch: int) -> list[str]:
    """Ids of calls that have not ended and belong to this node's epochs up to and including the one given."""
    query = select(calls.c.id).where(
        calls.c.owner_node == node, calls.c.owner_epoch <= through_epoch, calls.c.ended_at.is_(None)
    )
    return list(conn.scalars(query.order_by(calls.c.id)))


def ringing_on_lines_of(conn: Connection, user_id: str) -> list[dict[str, Any]]:
    """Calls that ring on the user's lines and have never rung this user."""
    assigned = or_(
        exists().where(line_users.c.line_id == calls.c.line_id, line_users.c.user_id == user_id),
        exists()
        .where(line_teams.c.line_id == calls.c.line_id)
        .where(team_members.c.team_id == line_teams.c.team_id, team_members.c.user_id == user_id),
    )
    rung = exists().where(call_legs.c.call_id == calls.c.id, call_legs.c.user_id == user_id)
    query = select(calls).where(calls.c.ended_at.is_(None), calls.c.state == State.RINGING.value, assigned, ~rung)
    return many(conn, query.order_by(calls.c.id))


def of_user(conn: Connection, user_id: str) -> list[dict[str, Any]]:
    """Live calls that ring this user or that they have accepted."""
    rung = exists().where(
        call_legs.c.call_id == calls.c.id, call_legs.c.user_id == user_id, call_legs.c.state == "ringing"
    )
    query = select(calls).where(calls.c.ended_at.is_(None), or_(calls.c.accepted_by == user_id, rung))
    return many(conn, query.order_by(calls.c.id))


def add_recording(conn: Connection, **values: Any) -> None:
    """A recording that is whole on disk."""
    conn.execute(insert(recordings).values(**values))


def has_recording(conn: Connection, call_id: str) -> bool:
    """Whether the call's recording is already listed."""
    return conn.scalar(select(recordings.c.id).where(recordings.c.call_id == call_id)) is not None

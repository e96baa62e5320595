"""What the desk process joins to events as it hands them out, and what it watches."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from aircall_core.domain.events import (
    CALL_ARRIVED,
    CALL_DIAL_WANTED,
    CALL_RETURNED,
    CALL_RINGING,
    CALL_TRANSFERRED,
    EventRow,
)
from aircall_core.store import nodes as node_rows
from aircall_core.store import people
from aircall_core.store.queries.cards import Card, cards
from aircall_core.store.rows import many
from aircall_core.store.tables import call_legs, calls, trunks, users

# Whoever gets these may never have heard of the call before.
WITH_CARD = frozenset({CALL_ARRIVED, CALL_RINGING, CALL_RETURNED, CALL_DIAL_WANTED, CALL_TRANSFERRED})


def parties(conn: Connection, call_ids: Iterable[str]) -> dict[str, frozenset[str]]:
    """Users who are part of each of these calls, whatever lines they see: rung now or before, or who made it."""
    wanted = sorted(set(call_ids))
    found: dict[str, set[str]] = {}
    if wanted:
        query = select(call_legs.c.call_id, call_legs.c.user_id).where(call_legs.c.call_id.in_(wanted))
        for row in conn.execute(query):
            found.setdefault(row.call_id, set()).add(row.user_id)
        made = select(calls.c.id, calls.c.started_by).where(calls.c.id.in_(wanted), calls.c.started_by.is_not(None))
        for row in conn.execute(made):
            found.setdefault(row.id, set()).add(row.started_by)
    return {call_id: frozenset(who) for call_id, who in found.items()}


def roles(conn: Connection, user_ids: Iterable[str]) -> dict[str, str]:
    """The role of each of these users."""
    query = select(users.c.id, users.c.role).where(users.c.id.in_(sorted(set(user_ids))))
    return {row.id: row.role for row in conn.execute(query)}


def calls_by_state(conn: Connection) -> dict[str, int]:
    """How many calls have not ended, by state."""
    query = select(calls.c.state, func.count()).where(calls.c.ended_at.is_(None)).group_by(calls.c.state)
    return {row[0]: row[1] for row in conn.execute(query)}


def audio_place(conn: Connection, call_id: str, at: int) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """The living worker of a call (None: it is gone) and the gateways on its host that take new peers."""
    owner = conn.scalar(select(calls.c.owner_node).where(calls.c.id == call_id))
    row = node_rows.get(conn, owner) if owner is not None else None
    if row is None or row["lease_until"] < at or row["lost"]:
        return None, []
    return dict(row), [dict(one) for one in node_rows.taking(conn, "gateway", at, row["host"])]


def trunk_states(conn: Connection) -> list[dict[str, Any]]:
    """The enabled trunks with what is known of their registration."""
    columns = (trunks.c.id, trunks.c.name, trunks.c.kind, trunks.c.state, trunks.c.state_code, trunks.c.built_in)
    return many(conn, select(*columns).where(trunks.c.enabled.is_(True)).order_by(trunks.c.id))


@dataclass(frozen=True, slots=True)
class Joined:
    """What is joined to a batch of events: users who are part of each call, names of users, cards of ringing calls."""

    parties: dict[str, frozenset[str]]
    names: dict[str, str]
    cards: dict[str, Card]


def joined(conn: Connection, rows: Sequence[EventRow]) -> Joined:
    """Names and cards for these events, as they are now."""
    events = [row.event for row in rows]
    return Joined(
        parties(conn, [event.call_id for event in events if event.call_id]),
        people.names(conn, sorted({event.user_id for event in events if event.user_id})),
        cards(conn, [event.call_id for event in events if event.call_id and event.kind in WITH_CARD]),
    )


def rights(conn: Connection, user_ids: Iterable[str]) -> dict[str, tuple[str, frozenset[str]]]:
    """Role and assigned lines of each of these users."""
    found = roles(conn, user_ids)
    lines = people.lines_by_user(conn, found)
    return {user: (role, lines.get(user, frozenset())) for user, role in found.items()}

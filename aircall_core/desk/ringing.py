"""Ringing users for a call, and offering waiting calls to a user who has just become available."""

from collections.abc import Mapping, Sequence
from typing import Any

from aircall_core.domain import events as kinds
from aircall_core.domain.events import Event, line_audience
from aircall_core.domain.ringing import Availability, availability
from aircall_core.ids import new_id
from aircall_core.store import calls as rows
from aircall_core.store import people
from aircall_core.store.engine import Tx


def call_event(kind: str, call: Mapping[str, Any], actor: str, *, user_id: str | None = None, **data: object) -> Event:
    """An event of a call, for everybody who may see its line."""
    return Event(
        kind=kind,
        audience=line_audience(call["line_id"]),
        actor=actor,
        call_id=call["id"],
        conversation_id=call["conversation_id"],
        line_id=call["line_id"],
        user_id=user_id,
        data=data,
    )


def ring(tx: Tx, call: Mapping[str, Any], users: Sequence[str], at: int, actor: str) -> None:
    """Begin to ring these users; each gets an event that names all who are rung now."""
    legs = [(new_id(), user) for user in users]
    rows.add_legs(tx.conn, call["id"], legs, at)
    ringing = rows.ringing_users(tx.conn, call["id"])
    for leg, user in legs:
        tx.append(
            call_event(
                kinds.CALL_RINGING,
                call,
                actor,
                user_id=user,
                leg=leg,
                ringing=ringing,
                arrived_at=call["arrived_at"],
                answered_at=call.get("answered_at"),
                recording=call.get("recording", "off"),
            )
        )


def offer_waiting_calls(tx: Tx, user_id: str, at: int, actor: str) -> list[str]:
    """Ring a user for the calls that ring on their lines and never rang them, if they can be rung now.

    Called whenever somebody becomes available: on duty, online again, or out of a call. Returns the calls' ids.
    """
    candidate = people.candidate(tx.conn, user_id, at)
    if candidate is None or availability(candidate) is not Availability.AVAILABLE:
        return []
    waiting = rows.ringing_on_lines_of(tx.conn, user_id)
    for call in waiting:
        ring(tx, call, [user_id], at, actor)
    return [call["id"] for call in waiting]

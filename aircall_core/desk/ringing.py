"""Ringing users for a call: their legs, and the events that tell them and the call's worker."""

from collections.abc import Mapping, Sequence
from typing import Any

from aircall_core.domain import events as kinds
from aircall_core.domain.distribution import Manner
from aircall_core.domain.events import Event, line_audience
from aircall_core.domain.view import entered_with
from aircall_core.ids import new_id
from aircall_core.store import calls as rows
from aircall_core.store.engine import Tx


def call_event(
    kind: str, call: Mapping[str, Any], actor: str, /, *, user_id: str | None = None, **data: object
) -> Event:
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


def ring(tx: Tx, call: Mapping[str, Any], users: Sequence[str], at: int, actor: str, *, first: bool = False) -> None:
    """Begin to ring these users; each gets an event that names all who are rung now. ``first``: nobody ever was."""
    manner = Manner.of(call["ring"])
    legs = open_legs(tx, call, users, at, first=first)
    ringing = sorted(users) if first else rows.ringing_users(tx.conn, call["id"])
    for leg, user in legs:
        tx.append(
            call_event(
                kinds.CALL_RINGING,
                call,
                actor,
                user_id=user,
                leg=leg,
                ringing=ringing,
                user_s=manner.own_s,
                **entered_with(call),
            )
        )


def open_legs(
    tx: Tx, call: Mapping[str, Any], users: Sequence[str], at: int, *, first: bool = False
) -> list[tuple[str, str]]:
    """The legs of users who begin to be rung: pairs of leg and user. One user has one leg of a call, ever."""
    exclusive = Manner.of(call["ring"]).exclusive
    again = [] if first else rows.reopen_legs(tx.conn, call["id"], users, at, exclusive=exclusive)
    known = {user for _, user in again}
    fresh = [(new_id(), user) for user in users if user not in known]
    rows.add_legs(tx.conn, call["id"], fresh, at, exclusive=exclusive)
    return sorted([*again, *fresh], key=lambda leg: leg[1])

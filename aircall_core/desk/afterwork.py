"""What a user does between the end of a call and the next ring: wrap-up for their time, and tags that are owed."""

from collections.abc import Mapping
from typing import Any, Final

from aircall_core.desk import availability
from aircall_core.desk.errors import DeskError
from aircall_core.domain import events as kinds
from aircall_core.domain.call import TALKING, State
from aircall_core.domain.events import STAFF, Event, user_audience
from aircall_core.store import call_tags, due, people, states
from aircall_core.store.engine import Tx

WRAP_UP = "wrap_up"  # kind of due row: a user's wrap-up is over
EXTEND_S: Final = 60
MOST_LEFT_S: Final = 900  # nobody extends beyond this


def call_over(tx: Tx, user_id: str, call: Mapping[str, Any], at: int, actor: str) -> None:
    """A user has left a call in which they talked: it is over, or others go on with it.

    ``call`` is its row as it was before; ``at`` (ms) when they left. They have their wrap-up if they were talking to
    the end (not if their audio was lost and others were rung), and they owe the call its tag where the line demands
    one. A call made for another one is part of that: it leaves nothing to do. Repeatable.
    """
    people.hold(tx.conn, [user_id])
    if call["parent_id"] is None and State(call["state"]) in TALKING:
        _begin(tx, user_id, min(at, tx.now_ms()), actor)
    if call_tags.must_be_tagged(tx.conn, call["id"], user_id):
        call_tags.owe(tx.conn, call["id"], user_id)
        tx.append(
            Event(
                kinds.CALL_TAG_DUE,
                user_audience(user_id),
                actor,
                call_id=call["id"],
                conversation_id=call["conversation_id"],
                line_id=call["line_id"],
                user_id=user_id,
            )
        )
    availability.settle(tx, [user_id], actor)


def no_tag_owed(tx: Tx, user_id: str, call_id: str = "") -> None:
    """Before a user takes or makes their next call: raises DeskError ``tag_due`` while they owe one a tag.

    ``call_id``: what they owe to this call is no hindrance, since it comes back to them.
    """
    owed = call_tags.owes_another(tx.conn, user_id, call_id)
    if owed is not None:
        raise DeskError("tag_due", "Tag your last call first.", 409, {"call": owed})


def _begin(tx: Tx, user_id: str, ended_at: int, actor: str) -> None:
    until = ended_at + int(states.work_of(tx.conn, user_id)["wrap_up_s"]) * 1000
    if until > tx.now_ms():  # a call whose end was told late may leave none of it
        _set(tx, user_id, until, actor)


def finish(tx: Tx, user_id: str, command: str) -> None:
    """The user is done before the time is over. Repeatable."""
    tx.take_turn()
    if _left_until(tx, user_id) is not None:
        _set(tx, user_id, None, f"user:{user_id}", command)
        availability.settle(tx, [user_id], f"user:{user_id}")


def extend(tx: Tx, user_id: str, command: str) -> None:
    """The user needs another minute. Raises DeskError ``over`` when the time is up, ``longest`` at its limit."""
    until = _left_until(tx, user_id)
    if until is None:
        raise DeskError("over", "Your wrap-up is over.")
    longer = until + EXTEND_S * 1000
    if longer > tx.now_ms() + MOST_LEFT_S * 1000:
        raise DeskError("longest", f"Wrap-up can be extended to {MOST_LEFT_S // 60} minutes. Choose a break instead.")
    _set(tx, user_id, longer, f"user:{user_id}", command)


def wrap_up_over(tx: Tx, user_id: str) -> None:
    """The time is up."""
    tx.take_turn()
    availability.settle(tx, [user_id], "system")


def _left_until(tx: Tx, user_id: str) -> int | None:
    """When the running wrap-up of a user ends; None when there is none."""
    people.hold(tx.conn, [user_id])
    until = states.work_of(tx.conn, user_id)["wrap_up_until"]
    return int(until) if until is not None and until > tx.now_ms() else None


def _set(tx: Tx, user_id: str, until: int | None, actor: str, command: str | None = None) -> None:
    states.change(tx.conn, user_id, wrap_up_until=until)
    if until is None:
        due.drop(tx.conn, WRAP_UP, user_id)
    else:
        due.put(tx.conn, WRAP_UP, user_id, until)
    tx.append(Event(kinds.USER_WRAP_UP, STAFF, actor, user_id=user_id, data={"until": until, "command": command}))

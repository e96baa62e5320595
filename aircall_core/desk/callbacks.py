"""Calling back who was missed: one user says that they do it, so that two do not; or that nobody will.

Dialled from here (`begin`), it is taken once the caller has answered, and else waits again in its old place. A user may
also take it and dial by themselves. A callback is asked for by the caller (``desk.flow_facts.callback``), or begun by a
user for a call that nobody answered.
"""

from collections.abc import Mapping
from typing import Any

from aircall_core.desk.errors import DeskError, not_found
from aircall_core.desk.ringing import call_event
from aircall_core.domain.call import State
from aircall_core.domain.events import CALLBACK_SETTLED, Event, line_audience
from aircall_core.ids import new_id
from aircall_core.numbers import ANONYMOUS
from aircall_core.store import callbacks as rows
from aircall_core.store import calls, people
from aircall_core.store.engine import Tx

TAKEN, DECLINED = "taken", "declined"


def take(tx: Tx, callback_id: str, user_id: str, *, command: str) -> None:
    """The user calls back. Raises DeskError: not_found, taken (``by`` says who was faster), declined."""
    _settle(tx, callback_id, user_id, TAKEN, command)


def decline(tx: Tx, callback_id: str, user_id: str, *, command: str) -> None:
    """Nobody will call back. Raises DeskError as `take` does."""
    _settle(tx, callback_id, user_id, DECLINED, command)


def take_call(tx: Tx, call_id: str, user_id: str, *, command: str) -> None:
    """The user calls back the caller of a call that nobody answered, whether or not the caller asked for it.

    Raises DeskError: not_found, not_missed (it goes on, or was answered), no_number, and as `take` does.
    """
    call = calls.get(tx.conn, call_id, lock=True)  # two users: the second finds the first one's row
    if call is None:
        raise not_found("The call")
    if call["state"] != State.ENDED or call["answered_at"] is not None:
        raise DeskError("not_missed", "This call was not missed.")
    known = rows.of_call(tx.conn, call_id)
    if known is not None:
        _settle(tx, known, user_id, TAKEN, command)
        return
    if call["anonymous"] or call["from_number"] in ("", ANONYMOUS):
        raise DeskError("no_number", "The caller hid their number.")
    now = tx.now_ms()
    callback = {
        "id": new_id(),
        "call_id": call_id,
        "conversation_id": call["conversation_id"],
        "line_id": call["line_id"],
        "queue_id": call["queue_id"] or f"line:{call['line_id']}",
        "number": call["from_number"],
        "priority": call["priority"],
        "queued_at": call["queued_at"] or call["arrived_at"],
        "requested_at": call["ended_at"] or now,
    }
    rows.add(tx.conn, **callback)
    rows.settle(tx.conn, callback["id"], TAKEN, user_id, now)
    tx.append(_settled(callback, user_id, TAKEN, command))


def begin(tx: Tx, callback_id: str, user_id: str, *, line_id: str, number: str, command: str) -> None:
    """The user dials now. Raises DeskError: not_found, other_number (it is not this callback's), and as `take` does."""
    callback = rows.get(tx.conn, callback_id)
    if callback is None:
        raise not_found("The callback")
    if (callback["line_id"], callback["number"]) != (line_id, number):
        raise DeskError("other_number", "This callback is for another number.", 422)
    _settle(tx, callback_id, user_id, rows.CALLING, command)


def called_back(tx: Tx, call: Mapping[str, Any], user_id: str, actor: str) -> None:
    """The caller has answered."""
    if rows.called(tx.conn, call["callback_id"], TAKEN, user_id, tx.now_ms()):
        tx.append(_outcome(call, user_id, actor, TAKEN))


def not_reached(tx: Tx, call: Mapping[str, Any], actor: str) -> None:
    """The caller has not answered: the callback waits again."""
    if rows.called(tx.conn, call["callback_id"], rows.WAITING, None, None):
        tx.append(_outcome(call, call["started_by"], actor, rows.WAITING))


def _outcome(call: Mapping[str, Any], user_id: str, actor: str, state: str) -> Event:
    return call_event(CALLBACK_SETTLED, call, actor, user_id=user_id, callback=call["callback_id"], state=state)


def _settle(tx: Tx, callback_id: str, user_id: str, state: str, command: str) -> None:
    callback = rows.get(tx.conn, callback_id)
    if callback is None:
        raise not_found("The callback")
    if rows.settle(tx.conn, callback_id, state, user_id, tx.now_ms()):
        tx.append(_settled(callback, user_id, state, command))
        return
    now = rows.get(tx.conn, callback_id) or callback
    by = {"id": now["user_id"], "name": people.names(tx.conn, [now["user_id"]]).get(now["user_id"], "")}
    if now["state"] == DECLINED:
        raise DeskError("declined", f"{by['name']} has declined this callback.", 409, {"by": by})
    raise DeskError("taken", f"{by['name']} is calling back.", 409, {"by": by})


def _settled(callback: Mapping[str, Any], user_id: str, state: str, command: str) -> Event:
    return Event(
        kind=CALLBACK_SETTLED,
        audience=line_audience(callback["line_id"]),
        actor=f"user:{user_id}",
        call_id=callback["call_id"],
        conversation_id=callback["conversation_id"],
        line_id=callback["line_id"],
        user_id=user_id,
        data={"callback": callback["id"], "state": state, "command": command},
    )

"""What every wish of a user for a call of theirs begins with (is it theirs?) and ends in (an intent for its worker)."""

from collections.abc import Mapping
from typing import Any

from aircall_core.desk.errors import DeskError, not_found
from aircall_core.desk.ringing import call_event
from aircall_core.domain.call import TALKING, State
from aircall_core.domain.events import Event
from aircall_core.store import calls as rows
from aircall_core.store.engine import Tx

PATIENCE_MS = 10_000  # a wish that its worker has not seen by then is void
_HAS = TALKING | {State.ACCEPTING, State.DIALLING}


def own_call(tx: Tx, call_id: str, user_id: str, *, asks: bool = False) -> Mapping[str, Any]:
    """The call, locked, if this user has it; with ``asks`` also one that they made for a call of theirs.

    Raises DeskError not_found, over, not_yours.
    """
    tx.take_turn()
    call = rows.get(tx.conn, call_id, lock=True)
    if call is None:
        raise not_found("The call")
    if call["state"] == State.ENDED.value:
        raise DeskError("over", "The call is over.", 409)
    has = call["accepted_by"] == user_id and State(call["state"]) in _HAS
    if not has and not (asks and call["parent_id"] is not None and call["started_by"] == user_id):
        raise DeskError("not_yours", "This call is not yours.", 409)
    return call


def intent(tx: Tx, kind: str, call: Mapping[str, Any], user_id: str, **data: object) -> Event:
    """The event that tells the call's worker of a wish."""
    deadline = tx.now_ms() + PATIENCE_MS
    return call_event(
        kind, call, f"user:{user_id}", user_id=user_id, deadline=deadline, epoch=call["owner_epoch"], **data
    )

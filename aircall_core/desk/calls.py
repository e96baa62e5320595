"""What users want of calls: intents, decided by compare-and-set, agent row first and call row second.

Nothing here talks to the network: the worker that owns the call follows the log and does what was decided; its answer
is a fact (``desk.facts``) that carries the command's id.
"""

from collections.abc import Mapping
from typing import Any

from aircall_core.desk import availability, distribution
from aircall_core.desk.errors import DeskError, not_found
from aircall_core.desk.ringing import call_event
from aircall_core.domain import events as kinds
from aircall_core.domain.call import TALKING, State
from aircall_core.store import calls as rows
from aircall_core.store import people
from aircall_core.store.engine import Tx

ACCEPT_PATIENCE_MS = 10_000  # an accept that its worker has not seen by then is void
COMMAND_PATIENCE_MS = 10_000


def accept(tx: Tx, call_id: str, user_id: str, *, command: str, peer: str, tab: str) -> None:
    """The user wants to take a ringing call with the audio of ``peer``.

    Exactly one user wins a call, and a user wins at most one call. Repeating the winning command changes nothing.
    Raises DeskError: not_found, busy (the user is in another call), taken (``by`` says whose it is), over.
    """
    tx.take_turn()
    call = rows.get(tx.conn, call_id)
    if call is None:
        raise not_found("The call")
    if call["accepted_by"] == user_id and call["accept_command"] == command:
        return
    if not rows.take_agent(tx.conn, user_id, call_id):
        held = rows.active_call_of(tx.conn, user_id)
        if held != call_id:
            raise DeskError("busy", "You are in another call.", 409, {"call": held})
        raise DeskError("taken", "You have taken this call already.", 409, {"by": _who(tx, user_id)})
    rows.get(tx.conn, call_id, lock=True)  # another tab of the user may be rejecting it: whoever is first counts
    deadline = tx.now_ms() + ACCEPT_PATIENCE_MS
    won = user_id in rows.ringing_users(tx.conn, call_id) and rows.change(
        tx.conn,
        call_id,
        states=[State.RINGING],
        state=State.ACCEPTING.value,
        accepted_by=user_id,
        accept_command=command,
        audio_peer=peer,
        accept_deadline=deadline,
    )
    if not won:
        raise _too_late(tx, call_id)
    tx.append(
        call_event(
            kinds.CALL_ACCEPTING,
            call,
            f"user:{user_id}",
            user_id=user_id,
            peer=peer,
            tab=tab,
            command=command,
            deadline=deadline,
            epoch=call["owner_epoch"],
        )
    )
    actor = f"user:{user_id}"
    availability.settle(tx, [user_id], actor)
    distribution.release(tx, user_id, call_id, actor)


def reject(tx: Tx, call_id: str, user_id: str, *, command: str) -> None:
    """Stop ringing this user for this call; the others ring on, or the next are rung. Repeating changes nothing."""
    tx.take_turn()
    call = rows.get(tx.conn, call_id, lock=True)
    if call is None:
        raise not_found("The call")
    actor = f"user:{user_id}"
    if distribution.stop_ring(tx, call, user_id, "rejected", tx.now_ms(), actor, command):
        distribution.pursue(tx, call, actor)
        distribution.ring_ended(tx, call, [user_id], actor)


def hang_up(tx: Tx, call_id: str, user_id: str, *, command: str) -> None:
    """The user who has the call wants it to end."""
    call = _own_call(tx, call_id, user_id)
    tx.append(_intent(tx, kinds.CALL_HANGUP_WANTED, call, user_id, command=command))


def mute(tx: Tx, call_id: str, user_id: str, *, command: str, muted: bool) -> None:
    """The user wants the caller to hear them no more (True) or again (False)."""
    call = _own_call(tx, call_id, user_id)
    tx.append(_intent(tx, kinds.CALL_MUTE_WANTED, call, user_id, command=command, muted=muted))


def move_audio(tx: Tx, call_id: str, user_id: str, *, peer: str, tab: str) -> None:
    """Another peer of the same user carries the call's audio from now on (after a reload, or from another tab)."""
    call = _own_call(tx, call_id, user_id)
    if call["audio_peer"] == peer:
        return
    rows.change(tx.conn, call_id, audio_peer=peer)
    tx.append(
        call_event(
            kinds.CALL_AUDIO,
            call,
            f"user:{user_id}",
            user_id=user_id,
            peer=peer,
            tab=tab,
            epoch=call["owner_epoch"],
        )
    )


def _own_call(tx: Tx, call_id: str, user_id: str) -> Mapping[str, Any]:
    """The call, held, if this user has it. Raises DeskError not_found, over, not_yours."""
    tx.take_turn()
    call = rows.get(tx.conn, call_id, lock=True)
    if call is None:
        raise not_found("The call")
    if call["state"] == State.ENDED.value:
        raise DeskError("over", "The call is over.", 409)
    if call["accepted_by"] != user_id or State(call["state"]) not in TALKING | {State.ACCEPTING}:
        raise DeskError("not_yours", "This call is not yours.", 409)
    return call


def _intent(tx: Tx, kind: str, call: Mapping[str, Any], user_id: str, **data: object) -> Any:
    return call_event(
        kind,
        call,
        f"user:{user_id}",
        user_id=user_id,
        deadline=tx.now_ms() + COMMAND_PATIENCE_MS,
        epoch=call["owner_epoch"],
        **data,
    )


def _too_late(tx: Tx, call_id: str) -> DeskError:
    call = rows.get(tx.conn, call_id)
    if call is None:
        return not_found("The call")
    if call["state"] == State.ENDED.value and call["answered_by"] is None:
        return DeskError("over", "The caller has hung up." if call["ended_by"] == "caller" else "The call is over.")
    if call["accepted_by"] is not None:
        by = _who(tx, call["accepted_by"])
        return DeskError("taken", f"{by['name']} has taken this call.", 409, {"by": by})
    if call["state"] in (State.FLOW, State.VOICEMAIL, State.OVERFLOW):
        return DeskError("over", "The ring time is over.")
    return DeskError("not_rung", "This call does not ring for you any more.")


def _who(tx: Tx, user_id: str) -> dict[str, str]:
    return {"id": user_id, "name": people.names(tx.conn, [user_id]).get(user_id, "")}

"""What users want of calls: intents, decided by compare-and-set, agent row first and call row second.

Nothing here talks to the network: the worker that owns the call follows the log and does what was decided; its answer
is a fact (``desk.facts``) that carries the command's id.
"""

from aircall_core.desk import afterwork, availability, distribution, talk
from aircall_core.desk.errors import DeskError, not_found
from aircall_core.desk.ringing import call_event
from aircall_core.desk.wishes import intent, own_call
from aircall_core.domain import events as kinds
from aircall_core.domain.call import State
from aircall_core.ids import leg_of
from aircall_core.store import calls as rows
from aircall_core.store import people
from aircall_core.store.engine import Tx

ACCEPT_PATIENCE_MS = 10_000  # an accept that its worker has not seen by then is void


def accept(tx: Tx, call_id: str, user_id: str, *, command: str, peer: str, tab: str) -> None:
    """The user wants to take a ringing call with the audio of ``peer``.

    Exactly one user wins a call. A user wins one at a time; with call waiting a second one, and the first goes on
    hold. Repeating the winning command changes nothing. Raises DeskError: not_found, busy (the user is in another
    call), tag_due (the last call comes first), taken (``by`` says whose it is), over.
    """
    tx.take_turn()
    call = rows.get(tx.conn, call_id)
    if call is None:
        raise not_found("The call")
    if call["accepted_by"] == user_id and call["accept_command"] == command:
        return
    afterwork.no_tag_owed(tx, user_id, call_id)
    if not rows.take_agent(tx.conn, user_id, call_id):
        _take_second(tx, call_id, user_id)
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


def _take_second(tx: Tx, call_id: str, user_id: str) -> None:
    """The user is in a call. With call waiting it goes on hold for another one; else that cannot be."""
    active = rows.active_call_of(tx.conn, user_id)
    if active == call_id:
        raise DeskError("taken", "You have taken this call already.", 409, {"by": _who(tx, user_id)})
    standing = people.standing(tx.conn, user_id, tx.now_ms())
    if active is None or standing is None or not standing.waiting:
        raise DeskError("busy", "You are in another call.", 409, {"call": active})
    talk.hold_all(tx, active, user_id)
    rows.point_agent(tx.conn, user_id, call_id)


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
    """The user who has the call, or has made it for another one of theirs, wants it to end.

    What becomes of a caller who would be left with nobody is decided by the worker: whom the user was asking has them.
    """
    call = own_call(tx, call_id, user_id, asks=True)
    tx.append(intent(tx, kinds.CALL_HANGUP_WANTED, call, user_id, command=command))


def mute(tx: Tx, call_id: str, user_id: str, *, command: str, muted: bool) -> None:
    """The user wants the caller to hear them no more (True) or again (False)."""
    call = own_call(tx, call_id, user_id)
    tx.append(intent(tx, kinds.CALL_MUTE_WANTED, call, user_id, command=command, muted=muted))


def move_audio(tx: Tx, call_id: str, user_id: str, *, peer: str, tab: str, again: bool = False) -> None:
    """Another peer of the same user carries the call's audio from now on (after a reload, or from another tab).

    Raises DeskError overtaken for an offer that was long on its way: a later one of its leg has the audio. Or another
    tab's leg has it, and this one only offers ``again`` after its network was away.
    """
    call = own_call(tx, call_id, user_id)
    if call["audio_peer"] == peer or (call["parent_id"] is not None and call["started_by"] == user_id):
        return  # who has made a call for another one of theirs speaks in both with that one's audio
    (leg, number), (other, newest) = leg_of(peer), leg_of(call["audio_peer"] or peer)
    if number < newest if leg == other else again:
        raise DeskError("overtaken", "Another tab has the call's audio.", 409)
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

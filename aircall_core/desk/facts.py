"""What the network did to a call, reported by the worker that owns it. Facts are never refused for the state they find.

Each may be repeated (a journal may be replayed after a crash) and may come late, so they carry their own times. A fact
from a worker that is not the owner raises ``Fenced``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from aircall_core.desk.errors import Fenced
from aircall_core.desk.ringing import call_event, offer_waiting_calls
from aircall_core.domain import events as kinds
from aircall_core.domain.call import TALKING, Outcome, State, outcome_of
from aircall_core.domain.events import Event
from aircall_core.domain.ringing import decide
from aircall_core.ids import new_id
from aircall_core.store import calls as rows
from aircall_core.store import conversations, people
from aircall_core.store.calls import Owner
from aircall_core.store.engine import Tx


def answered(tx: Tx, owner: Owner, call_id: str, *, user_id: str, command: str, at: int, dialog: object) -> None:
    """200 OK was sent and the winner's audio is connected. ``dialog`` is what a farewell BYE needs, as JSON."""
    call = _call(tx, owner, call_id)
    if call["ended_at"] is not None or (call["state"] in TALKING and call["answered_by"] == user_id):
        return
    first_answer = call["answered_at"] or at
    rows.change(
        tx.conn,
        call_id,
        state=State.ANSWERED.value,
        accepted_by=user_id,
        answered_by=user_id,
        answered_at=first_answer,
        muted=False,
        agent_away=False,
        dialog=dialog,
    )
    rows.stop_legs(tx.conn, call_id, reason="taken", at=at, winner=user_id)
    tx.append(_fact(kinds.CALL_ANSWERED, call, owner, user_id=user_id, command=command, answered_at=first_answer))


def confirmed(tx: Tx, owner: Owner, call_id: str, *, at: int) -> None:
    """The caller's ACK has come."""
    call = _call(tx, owner, call_id)
    if rows.change(tx.conn, call_id, states=[State.ANSWERED], state=State.CONFIRMED.value, confirmed_at=at):
        tx.append(_fact(kinds.CALL_CONFIRMED, call, owner, user_id=call["answered_by"]))


def accept_failed(tx: Tx, owner: Owner, call_id: str, *, user_id: str, command: str, reason: str) -> None:
    """The winner's audio never came (or the wish was stale): the call rings on and the user is free again."""
    call = _call(tx, owner, call_id)
    if call["accept_command"] != command or not rows.change(
        tx.conn,
        call_id,
        states=[State.ACCEPTING],
        state=State.RINGING.value,
        accepted_by=None,
        accept_command=None,
        accept_deadline=None,
        audio_peer=None,
    ):
        return
    freed = rows.free_agents(tx.conn, call_id)
    tx.append(_fact(kinds.CALL_ACCEPT_FAILED, call, owner, user_id=user_id, command=command, reason=reason))
    _offer_to_freed(tx, freed, owner)


def overflow(tx: Tx, owner: Owner, call_id: str, *, reason: str, at: int) -> None:
    """Ringing is over (``reason``: timeout, agent_lost, all_rejected): the caller hears the message."""
    call = _call(tx, owner, call_id)
    if not rows.change(
        tx.conn,
        call_id,
        states=[State.RINGING, State.ACCEPTING],
        state=State.OVERFLOW.value,
        accepted_by=None,
        audio_peer=None,
    ):
        return
    rows.stop_legs(tx.conn, call_id, reason="timeout", at=at)
    freed = rows.free_agents(tx.conn, call_id)
    tx.append(_fact(kinds.CALL_OVERFLOW, call, owner, reason=reason))
    _offer_to_freed(tx, freed, owner)


def agent_away(tx: Tx, owner: Owner, call_id: str, *, reason: str) -> None:
    """No audio came from the agent for a moment: the caller hears music."""
    call = _call(tx, owner, call_id)
    if not call["agent_away"] and rows.change(tx.conn, call_id, states=TALKING, agent_away=True):
        tx.append(_fact(kinds.CALL_AGENT_AWAY, call, owner, user_id=call["answered_by"], reason=reason))


def agent_back(tx: Tx, owner: Owner, call_id: str) -> None:
    """The agent's audio is there again."""
    call = _call(tx, owner, call_id)
    if call["agent_away"] and rows.change(tx.conn, call_id, states=TALKING, agent_away=False):
        tx.append(_fact(kinds.CALL_AGENT_BACK, call, owner, user_id=call["answered_by"]))


def returned(tx: Tx, owner: Owner, call_id: str, *, at: int) -> list[str]:
    """The agent's audio stayed away: the line's other available users are rung; the caller stays on the line.

    Returns the users rung; when there are none the worker reports ``overflow`` next.
    """
    call = _call(tx, owner, call_id)
    if not rows.change(
        tx.conn,
        call_id,
        states=TALKING,
        state=State.RINGING.value,
        accepted_by=None,
        accept_command=None,
        audio_peer=None,
        muted=False,
        agent_away=False,
    ):
        return rows.ringing_users(tx.conn, call_id)
    lost_agent = call["answered_by"]
    freed = rows.free_agents(tx.conn, call_id)
    for leg in rows.legs_of(tx.conn, call_id):
        if leg["user_id"] != lost_agent:
            rows.reopen_leg(tx.conn, call_id, leg["user_id"], at)
    decision = decide(people.candidates(tx.conn, call["line_id"], tx.now_ms()))
    known = {leg["user_id"] for leg in rows.legs_of(tx.conn, call_id)}
    for user in rows.ringing_users(tx.conn, call_id):
        if user not in decision.ring:
            rows.stop_leg(tx.conn, call_id, user, reason="left", at=at)
    fresh = [user for user in decision.ring if user not in known]
    rows.add_legs(tx.conn, call_id, [(new_id(), user) for user in fresh], at)
    ringing = rows.ringing_users(tx.conn, call_id)
    tx.append(
        _fact(
            kinds.CALL_RETURNED,
            call,
            owner,
            user_id=lost_agent,
            ringing=ringing,
            arrived_at=call["arrived_at"],
            answered_at=call["answered_at"],
            recording=call["recording"],
        )
    )
    _offer_to_freed(tx, [user for user in freed if user != lost_agent], owner)
    return ringing


def muted(tx: Tx, owner: Owner, call_id: str, *, user_id: str, command: str, muted: bool) -> None:
    """The caller hears the agent no more, or again."""
    call = _call(tx, owner, call_id)
    if rows.change(tx.conn, call_id, states=TALKING, muted=muted):
        tx.append(_fact(kinds.CALL_MUTED, call, owner, user_id=user_id, command=command, muted=muted))


def command_failed(tx: Tx, owner: Owner, call_id: str, *, user_id: str, command: str, code: str) -> None:
    """A user's wish could not be done, and never will be by this command."""
    call = _call(tx, owner, call_id)
    tx.append(_fact(kinds.COMMAND_FAILED, call, owner, user_id=user_id, command=command, code=code))


def recording(tx: Tx, owner: Owner, call_id: str, *, state: str, reason: str = "") -> None:
    """The recorder started, stopped early (``reason``: disk) or failed."""
    call = _call(tx, owner, call_id)
    if call["recording"] != state:
        rows.change(tx.conn, call_id, recording=state)
        tx.append(_fact(kinds.CALL_RECORDING, call, owner, state=state, reason=reason))


def recording_saved(tx: Tx, call_id: str, *, actor: str, path: str, duration_ms: int, size_bytes: int, at: int) -> None:
    """A recording lies whole on disk at ``path`` (relative to the data folder); a later life may say so."""
    call = rows.get(tx.conn, call_id)
    if call is None or rows.has_recording(tx.conn, call_id):
        return
    recording_id = new_id()
    rows.add_recording(
        tx.conn,
        id=recording_id,
        call_id=call_id,
        path=path,
        duration_ms=duration_ms,
        size_bytes=size_bytes,
        created_at=at,
    )
    rows.change(tx.conn, call_id, recording="saved")
    tx.append(
        call_event(kinds.CALL_RECORDING, call, actor, state="saved", recording=recording_id, duration_ms=duration_ms)
    )


def ended(
    tx: Tx,
    owner: Owner,
    call_id: str,
    *,
    by: str,
    at: int,
    sip_code: int | None = None,
    reason: str = "",
    command: str | None = None,
) -> None:
    """The call is over. ``by``: caller, agent or system; ``reason``: bye, cancel, rtp_timeout, no_ack, drained ..."""
    call = _call(tx, owner, call_id)
    _end(tx, call, f"worker:{owner.node}", by=by, at=at, sip_code=sip_code, reason=reason, command=command)


def close_lost(tx: Tx, node: str, through_epoch: int, *, actor: str, at: int) -> list[Mapping[str, Any]]:
    """End every live call of a worker's past lives as lost; their rows as they were, for farewell BYEs."""
    closed: list[Mapping[str, Any]] = []
    for call_id in rows.live_of_owner(tx.conn, node, through_epoch):
        call = rows.get(tx.conn, call_id, lock=True)
        if call is not None and call["ended_at"] is None:
            _end(tx, call, actor, by="system", at=at, sip_code=None, reason="worker_lost", lost=True)
            closed.append(call)
    return closed


def _end(
    tx: Tx,
    call: Mapping[str, Any],
    actor: str,
    *,
    by: str,
    at: int,
    sip_code: int | None,
    reason: str,
    command: str | None = None,
    lost: bool = False,
) -> None:
    if call["ended_at"] is not None:
        return
    outcome = outcome_of(State(call["state"]), was_answered=call["answered_at"] is not None, ended_by=by, lost=lost)
    rows.change(
        tx.conn,
        call["id"],
        state=State.ENDED.value,
        outcome=outcome.value,
        end_reason=reason[:32],
        ended_by=by,
        sip_code=sip_code,
        ended_at=at,
        agent_away=False,
    )
    rows.stop_legs(tx.conn, call["id"], reason="ended", at=at)
    freed = rows.free_agents(tx.conn, call["id"])
    conversations.change(tx.conn, call["conversation_id"], last_at=at, missed=outcome is not Outcome.ANSWERED)
    tx.append(
        call_event(
            kinds.CALL_ENDED,
            call,
            actor,
            user_id=call["accepted_by"],
            outcome=outcome.value,
            by=by,
            reason=reason[:32],
            sip_code=sip_code,
            ended_at=at,
            duration_ms=max(0, at - call["answered_at"]) if call["answered_at"] else 0,
            command=command,
        )
    )
    for user in freed:
        offer_waiting_calls(tx, user, tx.now_ms(), actor)


def _call(tx: Tx, owner: Owner, call_id: str) -> Mapping[str, Any]:
    call = rows.get(tx.conn, call_id, lock=True)  # a desk may be reporting this worker lost at the same moment
    if call is None or (call["owner_node"], call["owner_epoch"]) != (owner.node, owner.epoch):
        raise Fenced(call_id)
    return call


def _fact(kind: str, call: Mapping[str, Any], owner: Owner, *, user_id: str | None = None, **data: object) -> Event:
    return call_event(kind, call, f"worker:{owner.node}", user_id=user_id, **data)


def _offer_to_freed(tx: Tx, users: Sequence[str], owner: Owner) -> None:
    for user in users:
        offer_waiting_calls(tx, user, tx.now_ms(), f"worker:{owner.node}")

"""What the network did to a call, reported by the worker that owns it. Facts are never refused for the state they find.

Each may be repeated (a journal may be replayed after a crash) and may come late, so they carry their own times. A fact
from a worker that is not the owner raises ``Fenced``.
"""

from collections.abc import Mapping
from typing import Any

from aircall_core.desk import afterwork, availability, distribution
from aircall_core.desk.distribution import Entered
from aircall_core.desk.errors import Fenced
from aircall_core.desk.ringing import call_event, open_legs
from aircall_core.domain import events as kinds
from aircall_core.domain import missed_reason
from aircall_core.domain.call import TALKING, Outcome, State, outcome_of
from aircall_core.domain.distribution import Manner
from aircall_core.domain.events import Event
from aircall_core.domain.flow import BadFlow, Kind, parse
from aircall_core.ids import new_id
from aircall_core.store import callbacks, conversations, flows
from aircall_core.store import calls as rows
from aircall_core.store.calls import Owner
from aircall_core.store.engine import Tx


def answered(tx: Tx, owner: Owner, call_id: str, *, user_id: str, command: str, at: int, dialog: object) -> None:
    """200 OK was sent and the winner's audio is connected. ``dialog`` is what a farewell BYE needs, as JSON."""
    call = own_call(tx, owner, call_id)
    if call["ended_at"] is not None or (call["state"] in TALKING and call["answered_by"] == user_id):
        return
    first_answer = call["answered_at"] or at
    rung = rows.ringing_users(tx.conn, call_id)
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
    tx.append(fact(kinds.CALL_ANSWERED, call, owner, user_id=user_id, command=command, answered_at=first_answer))
    availability.answered(tx, user_id, actor_of(owner))
    distribution.ring_ended(tx, call, [one for one in rung if one != user_id], actor_of(owner))


def confirmed(tx: Tx, owner: Owner, call_id: str, *, at: int) -> None:
    """The caller's ACK has come."""
    call = own_call(tx, owner, call_id)
    if rows.change(tx.conn, call_id, states=[State.ANSWERED], state=State.CONFIRMED.value, confirmed_at=at):
        tx.append(fact(kinds.CALL_CONFIRMED, call, owner, user_id=call["answered_by"]))


def accept_failed(tx: Tx, owner: Owner, call_id: str, *, user_id: str, command: str, reason: str) -> None:
    """The winner's audio never came (or the wish was stale): the call rings on and the user is free again."""
    call = own_call(tx, owner, call_id)
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
    tx.append(fact(kinds.CALL_ACCEPT_FAILED, call, owner, user_id=user_id, command=command, reason=reason))
    availability.settle(tx, freed, actor_of(owner), talked=False)
    distribution.pursue(tx, held(tx, call_id), actor_of(owner))  # who came meanwhile was not rung


def overflow(tx: Tx, owner: Owner, call_id: str, *, reason: str, at: int) -> None:
    """The flow is at its end (``reason``: nobody, timeout, agent_lost, all_rejected): the caller hears the message."""
    call = own_call(tx, owner, call_id)
    rung = rows.ringing_users(tx.conn, call_id)
    if not rows.change(
        tx.conn,
        call_id,
        states=[State.FLOW, State.QUEUED, State.RINGING, State.ACCEPTING, State.VOICEMAIL],
        state=State.OVERFLOW.value,
        accepted_by=None,
        audio_peer=None,
        queue_id=None,
    ):
        return
    rows.stop_legs(tx.conn, call_id, reason="missed", at=at)
    freed = rows.free_agents(tx.conn, call_id)
    tx.append(fact(kinds.CALL_OVERFLOW, call, owner, reason=reason))
    availability.settle(tx, freed, actor_of(owner), talked=False)
    distribution.ring_ended(tx, call, rung, actor_of(owner))


def agent_away(tx: Tx, owner: Owner, call_id: str, *, reason: str) -> None:
    """No audio came from the agent for a moment: the caller hears music."""
    call = own_call(tx, owner, call_id)
    if not call["agent_away"] and rows.change(tx.conn, call_id, states=TALKING, agent_away=True):
        tx.append(fact(kinds.CALL_AGENT_AWAY, call, owner, user_id=call["answered_by"], reason=reason))


def agent_back(tx: Tx, owner: Owner, call_id: str) -> None:
    """The agent's audio is there again."""
    call = own_call(tx, owner, call_id)
    if call["agent_away"] and rows.change(tx.conn, call_id, states=TALKING, agent_away=False):
        tx.append(fact(kinds.CALL_AGENT_BACK, call, owner, user_id=call["answered_by"]))


def returned(tx: Tx, owner: Owner, call_id: str, *, at: int) -> Entered:
    """The agent's audio stayed away: others of the group that they were of are rung; the caller stays on the line.

    When nobody is rung and waiting makes no sense, the worker goes on as at the end of a ring step.
    """
    call = own_call(tx, owner, call_id)
    actor = actor_of(owner)
    lost_agent = call["answered_by"]
    if not rows.change(
        tx.conn,
        call_id,
        states=TALKING,
        state=State.QUEUED.value,
        accepted_by=None,
        accept_command=None,
        audio_peer=None,
        muted=False,
        agent_away=False,
    ):
        return distribution.pursue(tx, call, actor)
    freed = rows.free_agents(tx.conn, call_id)
    call = held(tx, call_id)
    choice = distribution.choose_again(tx, call)
    open_legs(tx, call, choice.users, at)
    distribution.set_state(tx, call, choice.users)
    tx.append(
        fact(
            kinds.CALL_RETURNED,
            call,
            owner,
            user_id=lost_agent,
            ringing=sorted(choice.users),
            arrived_at=call["arrived_at"],
            answered_at=call["answered_at"],
            recording=call["recording"],
            queued_at=call["queued_at"],
            user_s=Manner.of(call["ring"]).own_s,
        )
    )
    availability.settle(tx, freed, actor)
    return distribution.entered(tx, call, choice.users, choice)


def muted(tx: Tx, owner: Owner, call_id: str, *, user_id: str, command: str, muted: bool) -> None:
    """The caller hears the agent no more, or again."""
    call = own_call(tx, owner, call_id)
    if rows.change(tx.conn, call_id, states=TALKING, muted=muted):
        tx.append(fact(kinds.CALL_MUTED, call, owner, user_id=user_id, command=command, muted=muted))


def command_failed(tx: Tx, owner: Owner, call_id: str, *, user_id: str, command: str, code: str) -> None:
    """A user's wish could not be done, and never will be by this command."""
    call = own_call(tx, owner, call_id)
    tx.append(fact(kinds.COMMAND_FAILED, call, owner, user_id=user_id, command=command, code=code))


def recording(tx: Tx, owner: Owner, call_id: str, *, state: str, reason: str = "") -> None:
    """The recorder started, stopped early (``reason``: disk) or failed."""
    call = own_call(tx, owner, call_id)
    if call["recording"] != state:
        rows.change(tx.conn, call_id, recording=state)
        tx.append(fact(kinds.CALL_RECORDING, call, owner, state=state, reason=reason))


def recording_saved(
    tx: Tx,
    call_id: str,
    *,
    actor: str,
    path: str,
    duration_ms: int,
    size_bytes: int,
    at: int,
    kind: str = "call",
) -> None:
    """A recording lies whole on disk at ``path`` (relative to the data folder); a later life may say so.

    ``kind``: call, or voicemail.
    """
    call = rows.get(tx.conn, call_id)
    if call is None or rows.has_recording(tx.conn, call_id, kind):
        return
    recording_id = new_id()
    rows.add_recording(
        tx.conn,
        id=recording_id,
        call_id=call_id,
        path=path,
        duration_ms=duration_ms,
        size_bytes=size_bytes,
        kind=kind,
        created_at=at,
    )
    rows.change(tx.conn, call_id, recording="saved")
    tx.append(
        call_event(
            kinds.CALL_RECORDING,
            call,
            actor,
            state="saved",
            recording=recording_id,
            duration_ms=duration_ms,
            kind=kind,
        )
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
    step: str | None = None,
    message: bool = True,
) -> None:
    """The call is over. ``by``: caller, agent or system; ``reason``: bye, cancel, rtp_timeout, no_ack, drained ...

    ``step``: the one it ended in. ``message``: what came after the tone of a voicemail is worth keeping.
    """
    call = own_call(tx, owner, call_id)
    last = call["step"] if step is None else step
    _end(
        tx, {**call, "step": last}, actor_of(owner), by=by, at=at, sip_code=sip_code, reason=reason, command=command,
        message=message and call["state"] == State.VOICEMAIL,
    )  # fmt: skip


def close_lost(tx: Tx, node: str, through_epoch: int, *, actor: str, at: int) -> list[Mapping[str, Any]]:
    """End every live call of a worker's past lives as lost; their rows as they were, for farewell BYEs."""
    closed: list[Mapping[str, Any]] = []
    tx.take_turn()
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
    message: bool = False,
) -> None:
    if call["ended_at"] is not None:
        return
    answered = call["answered_at"] is not None
    outcome = outcome_of(
        State(call["state"]),
        was_answered=answered,
        ended_by=by,
        lost=lost,
        message=message,
        callback=not answered and callbacks.of_call(tx.conn, call["id"]) is not None,
    )
    rung = rows.ringing_users(tx.conn, call["id"])
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
        step=call["step"],
        queue_id=call["queue_id"] if answered else None,
        missed_reason=None if answered else _missed_reason(tx, call, at),
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
    if answered:
        afterwork.call_over(tx, call["answered_by"], call, at, actor)
    others = [user for user in freed if not answered or user != call["answered_by"]]
    if others:
        availability.settle(tx, others, actor, talked=answered)
    distribution.ring_ended(tx, call, rung, actor)


def _missed_reason(tx: Tx, call: Mapping[str, Any], at: int) -> str:
    """Why nobody has answered: domain/missed_reason.py."""
    return missed_reason.reason(
        ring_steps=call["ring_steps"],
        any_rang=bool(call["ring_steps"]) and rows.has_rung(tx.conn, call["id"]),
        seconds=(at - call["arrived_at"]) / 1000,
        out_of_hours=call["out_of_hours"],
        in_menu=not call["ring_steps"] and not call["out_of_hours"] and _in_menu(tx, call),
    ).value


def _in_menu(tx: Tx, call: Mapping[str, Any]) -> bool:
    """Whether the flow waited for keys. The default flow has no such step."""
    if not call["flow_version"] or not call["step"]:
        return False
    found = flows.version(tx.conn, call["line_id"], call["flow_version"])
    try:
        step = parse(found["document"]).get(call["step"]) if found else None
    except BadFlow:
        return False
    return step is not None and step.kind in (Kind.MENU, Kind.DIGITS)


# ---- for desk.flow_facts too


def own_call(tx: Tx, owner: Owner, call_id: str) -> dict[str, Any]:
    """The call, held. Raises Fenced when it is not the reporting worker's (any more)."""
    tx.take_turn()
    call = rows.get(tx.conn, call_id, lock=True)  # a desk may be reporting this worker lost at the same moment
    if call is None or (call["owner_node"], call["owner_epoch"]) != (owner.node, owner.epoch):
        raise Fenced(call_id)
    return call


def held(tx: Tx, call_id: str) -> dict[str, Any]:
    """A call that is held already, as it is after a change."""
    call = rows.get(tx.conn, call_id)
    assert call is not None
    return call


def actor_of(owner: Owner) -> str:
    """Who says what a worker reports."""
    return f"worker:{owner.node}"


def fact(kind: str, call: Mapping[str, Any], owner: Owner, /, *, user_id: str | None = None, **data: object) -> Event:
    """The event of something that a worker reports of a call."""
    return call_event(kind, call, actor_of(owner), user_id=user_id, **data)

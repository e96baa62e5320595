"""What the network did to a call, reported by the worker that owns it. Facts are never refused for the state they find.

Each may be repeated (a journal may be replayed after a crash) and may come late, so they carry their own times. A fact
from a worker that is not the owner raises ``Fenced``.
"""

from collections.abc import Mapping
from typing import Any

from aircall_core.desk import afterwork, availability, callbacks, distribution, endings
from aircall_core.desk.distribution import Entered
from aircall_core.desk.errors import Fenced
from aircall_core.desk.ringing import call_event, open_legs
from aircall_core.domain import events as kinds
from aircall_core.domain.call import TALKING, State
from aircall_core.domain.distribution import Manner
from aircall_core.domain.events import Event
from aircall_core.domain.transfer import under_way
from aircall_core.domain.view import entered_with
from aircall_core.ids import new_id
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
    taken: dict[str, Any] = {"transfer": {**call["transfer"], "over": True}} if under_way(call) else {}
    rows.change(
        tx.conn,
        call_id,
        state=State.ANSWERED.value,
        accepted_by=user_id,
        answered_by=user_id,
        answered_at=first_answer,
        muted=False,
        agent_away=False,
        held=False,
        held_at=None,
        progress=None,
        dialog=dialog,
        **taken,
    )
    if call["callback_id"] is not None:
        callbacks.called_back(tx, call, user_id, actor_of(owner))
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
    distribution.pursue(tx, held_row(tx, call_id), actor_of(owner))  # who came meanwhile was not rung


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
    before = own_call(tx, owner, call_id)
    actor, lost_agent, waits = actor_of(owner), before["answered_by"], before["ring"] is not None
    if before["state"] in TALKING:  # first: whoever is free then is one of those whom the call may ring
        endings.end_children(tx, before, actor, at=at, reason="parent_over")
    if not rows.change(
        tx.conn,
        call_id,
        states=TALKING,
        state=(State.QUEUED if waits else State.FLOW).value,  # a call out has no group of users to go back to
        accepted_by=None,
        accept_command=None,
        audio_peer=None,
        muted=False,
        agent_away=False,
        held=False,
        held_at=None,
    ):
        return distribution.pursue(tx, before, actor)
    freed = rows.free_agents(tx.conn, call_id)
    call = held_row(tx, call_id)
    choice = distribution.choose_again(tx, call) if waits else None
    users = choice.users if choice is not None else ()
    if choice is not None:
        open_legs(tx, call, users, at)
        distribution.set_state(tx, call, users)
    user_s = Manner.of(call["ring"]).own_s if waits else None
    again = {"ringing": sorted(users), "user_s": user_s, **entered_with(call)}
    tx.append(fact(kinds.CALL_RETURNED, call, owner, user_id=lost_agent, **again))
    afterwork.call_over(tx, lost_agent, call, at, actor)
    availability.settle(tx, freed, actor)
    return distribution.entered(tx, call, users, choice) if choice is not None else Entered()


def muted(tx: Tx, owner: Owner, call_id: str, *, user_id: str, command: str, muted: bool) -> None:
    """The caller hears the agent no more, or again."""
    call = own_call(tx, owner, call_id)
    if rows.change(tx.conn, call_id, states=TALKING, muted=muted):
        tx.append(fact(kinds.CALL_MUTED, call, owner, user_id=user_id, command=command, muted=muted))


def command_failed(tx: Tx, owner: Owner, call_id: str, *, user_id: str, command: str, code: str) -> None:
    """A user's wish could not be done, and never will be by this command."""
    call = own_call(tx, owner, call_id)
    tx.append(fact(kinds.COMMAND_FAILED, call, owner, user_id=user_id, command=command, code=code))


def recording(
    tx: Tx, owner: Owner, call_id: str, *, state: str, reason: str = "", command: str | None = None,
    user_id: str | None = None,
) -> None:  # fmt: skip
    """The recorder started, paused or went on (``command``: a user's wish), stopped early or failed (``reason``)."""
    call = own_call(tx, owner, call_id)
    if call["recording"] != state or command is not None:
        rows.change(tx.conn, call_id, recording=state)
        said = {"state": state, "reason": reason, **({"command": command} if command is not None else {})}
        tx.append(fact(kinds.CALL_RECORDING, call, owner, user_id=user_id, **said))


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
    """The call is over. ``by``: caller, callee, agent or system; ``reason``: bye, cancel, rtp_timeout, no_ack ...

    Of a call out that was not answered the reason tells its outcome: busy, declined, refused, no_answer, cancelled,
    not_found, unreachable; of a colleague's: rejected, timeout, nobody (domain/call.py, docs/in-call.md).

    ``step``: the one it ended in. ``message``: what came after the tone of a voicemail is worth keeping.
    """
    call = own_call(tx, owner, call_id)
    last = call["step"] if step is None else step
    endings.end(
        tx, {**call, "step": last}, actor_of(owner), by=by, at=at, sip_code=sip_code, reason=reason, command=command,
        message=message and call["state"] == State.VOICEMAIL,
    )  # fmt: skip


# ---- for the other facts too


def own_call(tx: Tx, owner: Owner, call_id: str) -> dict[str, Any]:
    """The call, held. Raises Fenced when it is not the reporting worker's (any more)."""
    tx.take_turn()
    call = rows.get(tx.conn, call_id, lock=True)  # a desk may be reporting this worker lost at the same moment
    if call is None or (call["owner_node"], call["owner_epoch"]) != (owner.node, owner.epoch):
        raise Fenced(call_id)
    return call


def held_row(tx: Tx, call_id: str) -> dict[str, Any]:
    """A call whose row is locked already, as it is after a change."""
    call = rows.get(tx.conn, call_id)
    assert call is not None
    return call


def actor_of(owner: Owner) -> str:
    """Who says what a worker reports."""
    return f"worker:{owner.node}"


def fact(kind: str, call: Mapping[str, Any], owner: Owner, /, *, user_id: str | None = None, **data: object) -> Event:
    """The event of something that a worker reports of a call."""
    return call_event(kind, call, actor_of(owner), user_id=user_id, **data)

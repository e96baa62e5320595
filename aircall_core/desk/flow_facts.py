"""What a line's flow did with a caller, reported by the worker that goes through it. Never refused, like all facts.

A caller who is led through menus and messages is in state ``flow``; in a ring or queue step the call waits (``queued``,
``ringing``), and each answer says how it stands then. Each fact may be repeated.
"""

from collections.abc import Mapping
from typing import Any

from aircall_core.desk import arrivals, availability, distribution
from aircall_core.desk.arrivals import ArrivalPlan
from aircall_core.desk.distribution import Entered
from aircall_core.desk.facts import actor_of, fact, held_row, own_call
from aircall_core.desk.ringing import call_event
from aircall_core.desk.way import Way
from aircall_core.domain import events as kinds
from aircall_core.domain.call import WAITING, State
from aircall_core.domain.distribution import Manner
from aircall_core.domain.flow import CLOSED, KEYS, OPEN
from aircall_core.domain.transfer import BACK, aimed_at, under_way
from aircall_core.ids import new_id
from aircall_core.numbers import ANONYMOUS
from aircall_core.store import callbacks, conversations, provisioning
from aircall_core.store import calls as rows
from aircall_core.store.calls import Owner
from aircall_core.store.engine import Tx

_LED = frozenset({State.FLOW, State.QUEUED, State.RINGING, State.ACCEPTING, State.VOICEMAIL})  # by the flow


def step(tx: Tx, owner: Owner, call_id: str, *, step: str, kind: str, at: int) -> None:
    """The caller entered a step that does not ring."""
    call = own_call(tx, owner, call_id)
    if call["state"] not in _LED or (call["state"], call["step"]) == (State.FLOW, step):
        return
    if call["state"] != State.FLOW:
        _stop_ringing(tx, call, at, actor_of(owner))
    rows.change(tx.conn, call_id, state=State.FLOW.value, step=step)
    tx.append(fact(kinds.CALL_STEP, call, owner, step=step, kind=kind))


def picked_up(tx: Tx, owner: Owner, call_id: str, *, at: int, dialog: object) -> None:
    """The flow sent 200 OK to speak with the caller. ``dialog`` is what a farewell BYE needs, as JSON."""
    call = own_call(tx, owner, call_id)
    if call["picked_up_at"] is None and call["ended_at"] is None:
        rows.change(tx.conn, call_id, picked_up_at=at, dialog=dialog)
        tx.append(fact(kinds.CALL_PICKED_UP, call, owner))


def chose(
    tx: Tx, owner: Owner, call_id: str, *, step: str, key: str, label: str = "", at: int, closed: bool = False
) -> None:
    """A branch was taken: of a menu by the caller (kept, for the agent to see), of opening hours by the time of day."""
    call = own_call(tx, owner, call_id)
    path: list[dict[str, Any]] = call["path"] or []
    if key in (OPEN, CLOSED) or closed:
        rows.change(tx.conn, call_id, out_of_hours=closed or key == CLOSED)
    elif key in KEYS:
        if any((one["step"], one["at"]) == (step, at) for one in path):
            return
        rows.change(tx.conn, call_id, path=[*path, {"step": step, "key": key, "label": label[:80], "at": at}])
    tx.append(fact(kinds.CALL_CHOSE, call, owner, step=step, key=key))


def typed(tx: Tx, owner: Owner, call_id: str, *, step: str, label: str, value: str | None, at: int) -> None:
    """The caller typed a number; ``value`` None: it is not to be shown nor kept."""
    call = own_call(tx, owner, call_id)
    digits: list[dict[str, Any]] = call["digits"] or []
    if value is not None:
        if any((one["step"], one["at"]) == (step, at) for one in digits):
            return
        entry = {"step": step, "label": label[:80], "value": value[:32], "at": at}
        rows.change(tx.conn, call_id, digits=[*digits, entry])
    tx.append(fact(kinds.CALL_TYPED, call, owner, step=step, hidden=value is None))


def ring_step(tx: Tx, owner: Owner, call_id: str, *, step: str, settings: Mapping[str, Any], at: int) -> Entered:
    """The caller enters a ring or queue step. ``settings``: all of them, defaults filled in, and its ``kind``.

    One who goes on to wait for the same users keeps the place; one who went through something else does too.
    """
    call = own_call(tx, owner, call_id)
    actor = actor_of(owner)
    if call["state"] in WAITING and call["step"] == step:
        return distribution.check(tx, call, actor)
    if call["state"] not in _LED or call["state"] == State.ACCEPTING:
        return Entered()
    if call["state"] != State.FLOW:
        _stop_ringing(tx, call, at, actor)
    bounce = step == BACK and under_way(call) is not None
    columns = {**arrivals.ring_columns(call, {**settings, "bounce": bounce}, at), "step": step}
    call |= columns
    choice = distribution.choose_again(tx, call)
    call["state"] = (State.RINGING if choice.users else State.QUEUED).value
    rows.change(tx.conn, call_id, state=call["state"], **columns)
    return arrivals.enter(tx, call, choice, actor, at)


def ring_missed(tx: Tx, owner: Owner, call_id: str, *, user_id: str, at: int) -> Entered:
    """A user's own ring time is over: the next ones are rung. This user is never rung again for the call."""
    call = own_call(tx, owner, call_id)
    actor = actor_of(owner)
    if call["state"] in WAITING and distribution.stop_ring(tx, call, user_id, "missed", at, actor):
        availability.missed(tx, user_id, actor)
        entered = distribution.pursue(tx, call, actor)
        distribution.ring_ended(tx, call, [user_id], actor)
        return entered
    return distribution.pursue(tx, call, actor)


def check(tx: Tx, owner: Owner, call_id: str) -> Entered:
    """How the caller stands now; whoever can be rung by now is."""
    return distribution.check(tx, own_call(tx, owner, call_id), actor_of(owner))


def ring_over(tx: Tx, owner: Owner, call_id: str, *, at: int, reason: str) -> None:
    """A ring or queue step is over unanswered (``reason``: timeout, nobody, callback ...): the flow goes on."""
    call = own_call(tx, owner, call_id)
    if call["state"] in WAITING or call["state"] == State.ACCEPTING:
        _stop_ringing(tx, call, at, actor_of(owner))
        rows.change(tx.conn, call_id, state=State.FLOW.value)


def _stop_ringing(tx: Tx, call: Mapping[str, Any], at: int, actor: str) -> None:
    """Nobody is rung any more; who had their time has missed the call. An accept that has no audio yet is void."""
    call_id, rung = call["id"], rows.ringing_legs(tx.conn, call["id"])
    if call["state"] == State.ACCEPTING:
        rows.change(tx.conn, call_id, accepted_by=None, accept_command=None, accept_deadline=None, audio_peer=None)
        said = {"command": call["accept_command"], "reason": "expired"}
        tx.append(call_event(kinds.CALL_ACCEPT_FAILED, call, actor, user_id=call["accepted_by"], **said))
    freed = rows.free_agents(tx.conn, call_id)
    if call["queue_id"] is not None:
        rows.change(tx.conn, call_id, queue_id=None, state=State.FLOW.value)
    manner = Manner.of(call["ring"]) if call["ring"] else None
    for leg in rung:
        had_time = manner is not None and manner.missed(at - leg["rang_at"]) and leg["user_id"] not in freed
        distribution.stop_ring(tx, call, leg["user_id"], "missed" if had_time else "left", at, actor)
        if had_time:
            availability.missed(tx, leg["user_id"], actor)
    availability.settle(tx, freed, actor, talked=False)
    distribution.ring_ended(tx, call, [leg["user_id"] for leg in rung], actor)


def callback(tx: Tx, owner: Owner, call_id: str, *, at: int) -> None:
    """The caller wants to be called instead of waiting on: the place is kept by a row of its own."""
    call = own_call(tx, owner, call_id)
    if call["queue_id"] is None or callbacks.of_call(tx.conn, call_id) is not None or not call["from_number"]:
        return
    callback_id = new_id()
    callbacks.add(
        tx.conn,
        id=callback_id,
        call_id=call_id,
        conversation_id=call["conversation_id"],
        line_id=call["line_id"],
        queue_id=call["queue_id"],
        number=call["from_number"],
        priority=call["priority"],
        queued_at=call["queued_at"],
        requested_at=at,
    )
    tx.append(fact(kinds.CALLBACK_REQUESTED, call, owner, callback=callback_id, queue=call["queue_id"]))


def redirected(tx: Tx, owner: Owner, call_id: str, *, line_id: str, at: int) -> ArrivalPlan:
    """The call goes on in another line's flow, in that line's conversation with the caller.

    When there is no such line any more the plan has no step: the flow is at its end.
    """
    call = own_call(tx, owner, call_id)
    line = provisioning.line(tx.conn, line_id)
    if line is None or not line["enabled"] or call["state"] not in _LED or call["state"] == State.ACCEPTING:
        return ArrivalPlan(call_id, call["conversation_id"])
    actor, from_line = actor_of(owner), call["line_id"]
    if call["state"] != State.FLOW:
        _stop_ringing(tx, call, at, actor)
    if call["parent_id"] is not None:  # it stays a call of its agent's line, whichever line is asked
        now = held_row(tx, call_id)
        there = Way.through(tx, line, None, at)
        way = Way(aimed_at(there.flow, line_id), there.version, there.hours, there.prompts)
        said = call_event(kinds.CALL_REDIRECTED, call, actor, from_line=from_line)
        return arrivals.begin(tx, now, line, way, actor, at, said, new=False)
    before = call["conversation_id"]
    call = {**held_row(tx, call_id), "line_id": line_id}
    party = call["from_number"] if call["from_number"] and not call["anonymous"] else ANONYMOUS
    conversation = arrivals.file_under(tx, call, party, actor)
    way = Way.through(tx, line, conversation["assigned_to"] if conversation else None, at)
    said = call_event(kinds.CALL_REDIRECTED, call, actor, from_line=from_line)
    plan = arrivals.begin(tx, call, line, way, actor, at, said, new=False)
    conversations.drop_if_empty(tx.conn, before)
    return plan


def voicemail(tx: Tx, owner: Owner, call_id: str, *, at: int) -> None:
    """The tone was played: from here the caller is recorded."""
    call = own_call(tx, owner, call_id)
    if call["state"] not in _LED or call["state"] == State.VOICEMAIL:
        return
    if call["state"] != State.FLOW:
        _stop_ringing(tx, call, at, actor_of(owner))
    rows.change(tx.conn, call_id, state=State.VOICEMAIL.value, recording="started")
    tx.append(fact(kinds.CALL_RECORDING, call, owner, state="started", reason="", kind="voicemail"))

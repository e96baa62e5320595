"""What became of a call while somebody talked in it, or was called, as its worker reports it: like all facts.

A call out and a colleague who is asked are calls like any other: what is told here is only what calls that come in do
not have. docs/in-call.md has the model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aircall_core.desk import afterwork, arrivals, availability, dialling, distribution, endings
from aircall_core.desk.arrivals import ArrivalPlan
from aircall_core.desk.facts import actor_of, fact, held_row, own_call
from aircall_core.desk.ringing import call_event
from aircall_core.desk.way import Way
from aircall_core.domain import events as kinds
from aircall_core.domain import transfer as rules
from aircall_core.domain.call import TALKING, WAITING, Direction, State
from aircall_core.domain.flow import Flow, document_of
from aircall_core.domain.view import entered_with, taken_with
from aircall_core.ids import new_id
from aircall_core.store import calls as rows
from aircall_core.store import conversations, provisioning
from aircall_core.store import keys as key_rows
from aircall_core.store.calls import Owner
from aircall_core.store.engine import Tx

MERGED, TRANSFERRED = "merged", "transferred"  # reasons of a child's end
_NOBODYS: Mapping[str, Any] = {
    "accepted_by": None, "accept_command": None, "accept_deadline": None, "audio_peer": None, "muted": False,
    "agent_away": False, "held": False, "held_at": None,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys that an agent pressed; None: they were claimed before, and are never sent twice."""

    digits: str | None


@dataclass(frozen=True, slots=True)
class DialPlan:
    """What the worker dials.

    ``number`` is E.164, or an emergency number without a plus: that goes to the trunk as it is. ``kind``: top (a call
    of its own), child (made for another), step (a step of a flow). ``flow``: what the far end goes through when its
    agent is lost and nobody else comes; only of a top call.
    """

    number: str
    trunk_id: str
    caller_id: str
    kind: str
    language: str = "en"
    recording: str = "off"
    flow: Mapping[str, Any] = field(default_factory=dict)
    flow_version: int = 0
    hours: Mapping[str, list[list[int]]] = field(default_factory=dict)
    prompts: Mapping[str, str] = field(default_factory=dict)


# ---- talking


def held(tx: Tx, owner: Owner, call_id: str, *, user_id: str, command: str | None, held: bool, at: int) -> None:
    """A call is on hold, or no more. ``command`` None: it came with something else.

    Of a child: whether the agent who has made it is with it.
    """
    call = own_call(tx, owner, call_id)
    if call["state"] not in TALKING or (bool(call["held"]) == held and command is None):
        return
    rows.change(tx.conn, call_id, held=held, held_at=at if held else None)
    if not held and call["parent_id"] is None:
        rows.point_agent(tx.conn, call["accepted_by"], call_id)
    tx.append(fact(kinds.CALL_HELD, call, owner, user_id=user_id, held=held, at=at, command=command))


def keys(tx: Tx, owner: Owner, call_id: str, *, command: str) -> Keys:
    """The worker is about to send the keys of this command: whoever asks first gets them."""
    own_call(tx, owner, call_id)
    return Keys(key_rows.claim(tx.conn, command))


def keys_sent(tx: Tx, owner: Owner, call_id: str, *, user_id: str, command: str, count: int) -> None:
    """So many keys were sent to the far end."""
    call = own_call(tx, owner, call_id)
    tx.append(fact(kinds.CALL_KEYS_SENT, call, owner, user_id=user_id, command=command, count=count))


# ---- calls out, and colleagues who are asked


def dial_began(
    tx: Tx, owner: Owner, call_id: str, *, command: str, at: int, ring_s: int = rules.RING_S
) -> DialPlan | ArrivalPlan | None:
    """The worker is about to call whom the call is for: what to dial, or (a colleague) the flow that rings them.

    None when it has been said before or is too late: a number is not dialled twice. ``ring_s`` is for a colleague.
    """
    call = own_call(tx, owner, call_id)
    if call["state"] != State.DIALLING or call["progress"] is not None:
        return None
    line = _line(tx, call)
    if call["direction"] == Direction.INTERNAL:
        way = _way_to(tx, call["transfer"]["target"], line, at, ring_s)
        return arrivals.begin(tx, call, line, way, actor_of(owner), at, None, new=False)
    rows.change(tx.conn, call_id, progress="dialling")
    tx.append(fact(kinds.CALL_PROGRESS, call, owner, user_id=call["started_by"], state="dialling"))
    plan = DialPlan(
        call["to_number"], call["trunk_id"] or "", call["from_number"], "child", line["language"], line["recording"]
    )
    if call["parent_id"] is not None:
        return plan
    way = _overflow(tx, call, line, at)
    return DialPlan(
        plan.number, plan.trunk_id, plan.caller_id, "top", plan.language, plan.recording,
        document_of(way.flow.steps), way.version, way.hours, way.prompts,
    )  # fmt: skip


def _way_to(tx: Tx, target: rules.Target, line: Mapping[str, Any], at: int, ring_s: int) -> Way:
    """How a colleague, a team or another line is called for a call of ``line``."""
    asked = provisioning.line(tx.conn, target["line"]) if "line" in target else None
    if asked is None or not asked["enabled"]:
        return Way(rules.asked(target, ring_s) if "line" not in target else rules.EMPTY, 0, {}, {})
    way = Way.through(tx, asked, None, at)
    return Way(rules.aimed_at(way.flow, asked["id"]), way.version, way.hours, way.prompts)


def dial_step(tx: Tx, owner: Owner, call_id: str, *, step: str, number: str, at: int) -> DialPlan | None:
    """A flow is about to call an outside number (``number``, in step ``step``); None: it must not, the flow goes on."""
    call = own_call(tx, owner, call_id)
    if call["ended_at"] is not None or call["state"] in TALKING:
        return None
    try:
        checked = dialling.check(tx, call["line_id"], number, None)
    except dialling.DialRefused as refused:
        dialling.note_refusal(tx, refused)
        return None
    rows.change(tx.conn, call_id, forwarded_to=checked.number)
    line = _line(tx, call)
    return DialPlan(checked.number, checked.trunk_id, checked.caller_id, "step", line["language"], line["recording"])


def progress(tx: Tx, owner: Owner, call_id: str, *, state: str, at: int) -> None:
    """The far end rings (``ringing``), or is heard before it answers (``early``)."""
    call = own_call(tx, owner, call_id)
    outside = call["direction"] == Direction.OUTBOUND and call["progress"] != state
    if outside and rows.change(tx.conn, call_id, states=[State.DIALLING], progress=state):
        tx.append(fact(kinds.CALL_PROGRESS, call, owner, user_id=call["started_by"], state=state))


def forwarded(tx: Tx, owner: Owner, call_id: str, *, at: int, dialog: object = None) -> None:
    """The number of a dial step has answered: the far end talks with it, and with none of us."""
    call = own_call(tx, owner, call_id)
    if call["state"] != State.FLOW:
        return
    new: dict[str, Any] = {"dialog": dialog} if dialog is not None else {}
    if call["transfer"]:
        new["transfer"] = {**call["transfer"], "over": True}
    rows.change(tx.conn, call_id, state=State.FORWARDED.value, answered_at=call["answered_at"] or at, **new)
    tx.append(fact(kinds.CALL_FORWARDED, call, owner))


# ---- handing a call on


def transfer_began(
    tx: Tx, owner: Owner, call_id: str, *, command: str | None, at: int, via: str | None = None,
    ring_s: int = rules.RING_S,
) -> ArrivalPlan:  # fmt: skip
    """The agent has let go of the call: it goes through a flow made for it (domain/transfer.py).

    ``via``: the agent hung up while this child of the call was not answered yet: its target is the call's. Without a
    step in the plan there is nothing to go through (any more).
    """
    call = own_call(tx, owner, call_id)
    actor, by = actor_of(owner), call["accepted_by"]
    if rules.under_way(call):
        return _plan_again(tx, call, at, ring_s, actor)
    asked = rows.get(tx.conn, via) if via is not None else None
    target = target_of(asked) if asked is not None else (call["transfer"] or {}).get("target")
    if call["state"] not in TALKING or by is None or target is None:
        return ArrivalPlan(call_id, call["conversation_id"])
    endings.end_children(tx, call, actor, at=at, reason=TRANSFERRED)
    moved: dict[str, Any] = {
        "state": State.FLOW.value,
        "step": rules.TO,
        "transfer": {
            "target": target, "by": by, "at": at, "from_step": rules.came_by(call), "began": tx.now_ms(),
            "command": command,
        },
    }  # fmt: skip
    rows.change(tx.conn, call_id, **moved, **_NOBODYS)
    rows.free_agents(tx.conn, call_id)
    afterwork.call_over(tx, by, call, at, actor)
    to = rules.kind_of(target)
    said = {"to": to, "id": None if to == "number" else target[to], "command": command}
    line, now = _line(tx, call), {**call, **moved, **_NOBODYS}
    begun = call_event(kinds.CALL_TRANSFERRING, call, actor, user_id=by, **said)
    return arrivals.begin(tx, now, line, _handed_on(tx, now, line, at, ring_s), actor, at, begun, new=False)


def target_of(child: Mapping[str, Any]) -> rules.Target:
    """Whom a child was made for."""
    if child["direction"] == Direction.OUTBOUND:
        return {"number": child["to_number"]}
    target: rules.Target = child["transfer"]["target"]
    return target


def _plan_again(tx: Tx, call: Mapping[str, Any], at: int, ring_s: int, actor: str) -> ArrivalPlan:
    line = _line(tx, call)
    way = _handed_on(tx, call, line, at, ring_s)
    entered = distribution.check(tx, call, actor) if call["state"] in WAITING else None
    return arrivals.plan_of(call, line, way, way.flow.get(call["step"]), entered)


def _handed_on(tx: Tx, call: Mapping[str, Any], line: Mapping[str, Any], at: int, ring_s: int) -> Way:
    transfer, way = call["transfer"], _overflow(tx, call, line, at)
    flow = rules.handed_on(transfer["target"], transfer["by"], way.flow.steps, ring_s)
    return Way(flow, way.version, way.hours, way.prompts)


def _overflow(tx: Tx, call: Mapping[str, Any], line: Mapping[str, Any], at: int) -> Way:
    """What follows where nobody takes the call, in the flow that it came by; a call out: in the line's newest."""
    conversation = conversations.get(tx.conn, call["conversation_id"])
    assignee = conversation["assigned_to"] if conversation is not None else None
    came = call["direction"] == Direction.INBOUND
    way = Way.through(tx, line, assignee if came else None, at, call["flow_version"] if came else None)
    steps = rules.overflow_steps(way.flow, rules.came_by(call) if came else None)
    return Way(Flow(steps), way.version, way.hours, way.prompts)


def transferred(tx: Tx, owner: Owner, call_id: str, *, via: str, command: str | None, at: int) -> None:
    """Who was asked by the child ``via`` has the call now, and its agent has left it."""
    call, child = own_call(tx, owner, call_id), rows.get(tx.conn, via, lock=True)
    if child is None or child["ended_at"] is not None or {call["state"], child["state"]} - TALKING:
        return
    actor, by, to = actor_of(owner), call["accepted_by"], child["accepted_by"]
    now: dict[str, Any]
    inside = child["direction"] == Direction.INTERNAL
    transfer = {"target": target_of(child), "by": by, "at": at, "from_step": rules.came_by(call), "over": True}
    if inside:
        kept = ("accept_command", "audio_peer", "muted", "agent_away")
        now = {"accepted_by": to, "answered_by": to, **{name: child[name] for name in kept}}
        now |= {"held": False, "held_at": None}
    else:
        now = {**_NOBODYS, "state": State.FORWARDED.value, "forwarded_to": child["to_number"]}
    rows.change(tx.conn, call_id, transfer=transfer, **now)
    rows.free_agents(tx.conn, call_id)
    if inside:
        rows.join_leg(tx.conn, call_id, to, new_id(), at)
        rows.hand_children(tx.conn, call_id, to)
    said = {"via": via, "to": "user" if inside else "number", "command": command}
    tx.append(_passed(tx, held_row(tx, call_id), actor, **said))
    endings.end(tx, held_row(tx, via), actor, by="system", at=at, reason=MERGED)
    if inside:
        rows.point_agent(tx.conn, to, call_id)
        for other in rows.children(tx.conn, call_id):
            tx.append(_passed(tx, other, actor, via=None, to="user", command=None))
        availability.settle(tx, [to], actor)
    afterwork.call_over(tx, by, call, at, actor)


def _passed(tx: Tx, call: Mapping[str, Any], actor: str, **said: object) -> Any:
    """The event by which a call is another user's: it says all of the call, since they may never have seen it."""
    whole = {**entered_with(call), **taken_with(call), "ringing": rows.ringing_users(tx.conn, call["id"]), **said}
    return call_event(kinds.CALL_TRANSFERRED, call, actor, user_id=call["accepted_by"], **whole)


def _line(tx: Tx, call: Mapping[str, Any]) -> Mapping[str, Any]:
    line = provisioning.line(tx.conn, call["line_id"])
    assert line is not None, "a line with calls is never removed"
    return line

"""A call arrives on a line: whose conversation it belongs to, and how far the line's flow leads it at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from aircall_core.desk import distribution
from aircall_core.desk.conversations import reopen_for
from aircall_core.desk.distribution import Entered
from aircall_core.desk.errors import Fenced, not_found
from aircall_core.desk.ringing import call_event
from aircall_core.desk.way import Way
from aircall_core.domain import events as kinds
from aircall_core.domain.call import WAITING, Direction, State
from aircall_core.domain.events import Event
from aircall_core.domain.flow import CLOSED, DEFAULTS, WAITS, Step, document_of
from aircall_core.ids import new_id
from aircall_core.numbers import ANONYMOUS
from aircall_core.store import calls as rows
from aircall_core.store import conversations, indexing, nodes, provisioning
from aircall_core.store.calls import Owner
from aircall_core.store.engine import Tx


@dataclass(frozen=True, slots=True)
class Arrival:
    """An INVITE that was let in. ``call_id`` is made by the worker, so that the call exists before the store answers.

    ``from_number`` is E.164 where it could be read so, and empty when the caller withheld it; ``arrived_at`` is in ms.
    """

    call_id: str
    line_id: str
    trunk_id: str | None
    from_number: str
    from_display: str
    to_number: str
    anonymous: bool
    sip_call_id: str
    arrived_at: int
    owner: Owner
    dialog: Mapping[str, object] | None = None  # what the worker's next life needs to end the call, should this one die

    @property
    def party(self) -> str:
        """Who calls, as conversations and the blocklist know them."""
        return self.from_number if self.from_number and not self.anonymous else ANONYMOUS


@dataclass(frozen=True, slots=True)
class ArrivalPlan:
    """What the worker does with the call.

    ``blocked``: says so and ends it; there is no such call. Else it begins at ``step`` of the ``flow`` (a document;
    '' = the flow is at its end already). ``entered`` is set when that step rings: the store has entered it.
    ``hours``: by schedule, when it is open from now on (pairs of ms). ``prompts``: by id, a file in the data folder.
    """

    call_id: str
    conversation_id: str = ""
    language: str = "en"
    recording: str = "off"
    blocked: bool = False
    flow: Mapping[str, Any] = field(default_factory=dict)
    flow_version: int = 0
    hours: Mapping[str, list[list[int]]] = field(default_factory=dict)
    prompts: Mapping[str, str] = field(default_factory=dict)
    step: str = ""
    entered: Entered | None = None


def receive(tx: Tx, arrival: Arrival) -> ArrivalPlan:
    """File the call under its conversation, and ring whom the first step of the line's flow rings.

    Safe to repeat: a call that is known already gets the plan that its rows hold (a journal written while the store
    was away may be replayed). Raises ``DeskError`` not_found when the line is gone, ``Fenced`` when a later life of the
    worker has begun: it has closed this life's calls already, and one filed now would ring for ever.
    """
    tx.take_turn()
    if nodes.is_replaced(tx.conn, arrival.owner.node, arrival.owner.epoch):
        raise Fenced(arrival.call_id)
    line = provisioning.line(tx.conn, arrival.line_id)
    if line is None:
        raise not_found("The line")
    known = rows.get(tx.conn, arrival.call_id)
    if known is not None:
        return _plan_again(tx, known)
    blocked_by = rows.blocked_by(tx.conn, arrival.party)
    if blocked_by is not None:
        rows.count_blocked(tx.conn, blocked_by, arrival.arrived_at)
        return ArrivalPlan(arrival.call_id, language=line["language"], blocked=True)

    contact, priority = conversations.caller(tx.conn, arrival.party)
    call: dict[str, Any] = {
        "id": arrival.call_id,
        "line_id": arrival.line_id,
        "contact_id": contact,
        "arrived_at": arrival.arrived_at,
        "priority": better(line["priority"], priority),
        "trunk_id": arrival.trunk_id,
        "from_number": arrival.from_number,
        "from_display": arrival.from_display,
        "to_number": arrival.to_number,
        "anonymous": arrival.anonymous,
        "owner_node": arrival.owner.node,
        "owner_epoch": arrival.owner.epoch,
        "sip_call_id": arrival.sip_call_id,
        "dialog": arrival.dialog,
    }
    actor = f"worker:{arrival.owner.node}"
    conversation = file_under(tx, call, arrival.party, actor)
    arrived = call_event(kinds.CALL_ARRIVED, call, actor, trunk=arrival.trunk_id, anonymous=arrival.anonymous)
    assignee = conversation["assigned_to"] if conversation else None
    way = Way.through(tx, line, assignee, arrival.arrived_at)
    return begin(tx, call, line, way, actor, arrival.arrived_at, arrived, new=True)


def better(*priorities: int | None) -> int | None:
    """The priority that is served first; 1 comes first, none (or 0) last."""
    return min((one for one in priorities if one), default=None)


def file_under(tx: Tx, call: dict[str, Any], party: str, actor: str) -> dict[str, Any] | None:
    """Put a call into the conversation of its line with this party; the conversation as it was, None: it is new.

    A closed one is open again. Whoever calls a customer has missed nothing of them any more.
    """
    conversation = conversations.find(tx.conn, call["line_id"], party)
    outbound = call.get("direction") == Direction.OUTBOUND
    direction = (Direction.OUTBOUND if outbound else Direction.INBOUND).value
    at = call["arrived_at"]
    if conversation is not None:
        call["conversation_id"] = conversation["id"]
        more = reopen_for(tx, conversation, "call", actor)
        more["contact_id"] = call["contact_id"]
        missed = False if outbound else None
        conversations.touch(
            tx.conn, conversation["id"], at=at, direction=direction, call_id=call["id"], missed=missed, **more
        )
        return conversation
    call["conversation_id"] = new_id()
    conversations.add(
        tx.conn,
        id=call["conversation_id"],
        line_id=call["line_id"],
        party=party,
        contact_id=call["contact_id"],
        opened_at=at,
        last_at=at,
        last_call_id=call["id"],
        direction=direction,
    )
    indexing.conversation(tx.conn, call["conversation_id"])
    tx.append(call_event(kinds.CONVERSATION_OPENED, call, actor))
    return None


def begin(
    tx: Tx, call: dict[str, Any], line: Mapping[str, Any], way: Way, actor: str, now: int, happened: Event | None, *,
    new: bool,
) -> ArrivalPlan:  # fmt: skip
    """The call enters the line's flow at the first step that the time of day leads to; who that rings is rung.

    ``call`` gets its row where it is ``new``, else its row is changed. ``happened`` is how it came here, if
    that is an event of its own.
    """
    step, taken = way.begin(now)
    place: dict[str, Any] = {"flow_version": way.version, "step": step.id if step else None}
    if taken or new:
        place["out_of_hours"] = bool(taken) and taken[-1][1] == CLOSED
    choice = None
    if step is None:
        place["state"] = State.OVERFLOW.value
    elif step.kind in WAITS:
        settings = {**DEFAULTS[step.kind], **step.settings, "kind": step.kind.value}
        place |= ring_columns(call, settings, now)
        call |= place
        choice = distribution.choose_new(tx, call) if new else distribution.choose_again(tx, call)
        place["state"] = (State.RINGING if choice.users else State.QUEUED).value
    else:
        place["state"] = State.FLOW.value
    call |= place
    if new:
        rows.add(tx.conn, **call)
    else:
        moved = {name: call[name] for name in ("line_id", "conversation_id")}
        rows.change(tx.conn, call["id"], **place, **moved)
    if happened is not None:
        tx.append(happened)
    tx.append(*(call_event(kinds.CALL_CHOSE, call, actor, step=one, key=key) for one, key in taken))
    entered = None
    if choice is not None:
        entered = enter(tx, call, choice, actor, now, first=new)
    elif step is None:
        tx.append(call_event(kinds.CALL_OVERFLOW, call, actor, reason="nobody"))
    else:
        tx.append(call_event(kinds.CALL_STEP, call, actor, step=step.id, kind=step.kind.value))
    return plan_of(call, line, way, step, entered)


def enter(
    tx: Tx, call: Mapping[str, Any], choice: distribution.Choice, actor: str, at: int, *, first: bool = False
) -> Entered:
    """A call, whose row says so already, waits for users from now on: those chosen are rung."""
    data = {"step": call["step"], "kind": call["ring"]["kind"], "queue": call["queue_id"], "since": call["queued_at"]}
    if not choice.users:
        data["reasons"] = choice.reasons  # why nobody can be rung, for each of them
    tx.append(call_event(kinds.CALL_QUEUED, call, actor, **data))
    distribution.ring_chosen(tx, call, choice.users, actor, at, first=first)
    return distribution.entered(tx, call, choice.users, choice)


def ring_columns(call: Mapping[str, Any], settings: Mapping[str, Any], at: int) -> dict[str, Any]:
    """What a call's row says of the ring or queue step that it enters. Who waits on for the same users keeps the place.

    ``settings``: all of the step's, and its ``kind``.
    """
    ring = {name: settings[name] for name in distribution.RING}
    group = distribution.group_of(ring["target"], call["line_id"])
    before = call.get("ring")
    stays = before is not None and before["group"] == group
    return {
        "ring": {**ring, "group": group, "bounce": bool(settings.get("bounce"))},
        "queue_id": group,
        "queued_at": call["queued_at"] if stays else at,
        "ring_steps": call.get("ring_steps", 0) + 1,
    }


def plan_of(
    call: Mapping[str, Any], line: Mapping[str, Any], way: Way, step: Step | None, entered: Entered | None
) -> ArrivalPlan:
    """What the worker is told of this call."""
    return ArrivalPlan(
        call["id"],
        call["conversation_id"],
        line["language"],
        line["recording"],
        flow=document_of(way.flow.steps),
        flow_version=way.version,
        hours=way.hours,
        prompts=way.prompts,
        step=step.id if step else "",
        entered=entered,
    )


def _plan_again(tx: Tx, call: Mapping[str, Any]) -> ArrivalPlan:
    """The plan of a call that is filed already. It may have been led on to another line meanwhile."""
    line = provisioning.line(tx.conn, call["line_id"])
    conversation = conversations.get(tx.conn, call["conversation_id"])
    assert line is not None
    assert conversation is not None
    way = Way.through(tx, line, conversation["assigned_to"], call["arrived_at"], call["flow_version"])
    entered = None
    if call["state"] in WAITING:
        entered = distribution.check(tx, call, f"worker:{call['owner_node']}")
    plan = plan_of(call, line, way, None, entered)
    return replace(plan, step=call["step"] or "")

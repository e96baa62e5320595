"""A call arrives on a line: whose conversation it belongs to, and who is rung."""

from collections.abc import Mapping
from dataclasses import dataclass

from aircall_core.desk.errors import Fenced, not_found
from aircall_core.desk.ringing import call_event, ring
from aircall_core.domain import events as kinds
from aircall_core.domain.call import State
from aircall_core.domain.ringing import decide
from aircall_core.ids import new_id
from aircall_core.numbers import ANONYMOUS
from aircall_core.store import calls as rows
from aircall_core.store import conversations, nodes, people, provisioning
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


@dataclass(frozen=True, slots=True)
class ArrivalPlan:
    """What the worker does with the call: ring for ``ring_s`` seconds if ``ring`` names anybody, else say so."""

    call_id: str
    conversation_id: str
    ring: tuple[str, ...]
    ring_s: int
    recording: str
    language: str


def receive(tx: Tx, arrival: Arrival) -> ArrivalPlan:
    """File the call under its conversation and ring the line's available users.

    Safe to repeat: a call that is known already gets the plan that its rows hold (a journal written while the store
    was away may be replayed). Raises ``DeskError`` not_found when the line is gone, ``Fenced`` when a later life of the
    worker has begun: it has closed this life's calls already, and one filed now would ring for ever.
    """
    actor = f"worker:{arrival.owner.node}"
    if nodes.is_replaced(tx.conn, arrival.owner.node, arrival.owner.epoch):
        raise Fenced(arrival.call_id)
    line = provisioning.line(tx.conn, arrival.line_id)
    if line is None:
        raise not_found("The line")
    known = rows.get(tx.conn, arrival.call_id)
    if known is not None:
        ringing = tuple(rows.ringing_users(tx.conn, arrival.call_id))
        return ArrivalPlan(
            arrival.call_id, known["conversation_id"], ringing, line["ring_s"], line["recording"], line["language"]
        )

    party = arrival.from_number if arrival.from_number and not arrival.anonymous else ANONYMOUS
    contact = conversations.contact_of(tx.conn, party)
    conversation = conversations.find(tx.conn, arrival.line_id, party)
    conversation_id = conversation["id"] if conversation is not None else new_id()
    call = {
        "id": arrival.call_id,
        "line_id": arrival.line_id,
        "conversation_id": conversation_id,
        "arrived_at": arrival.arrived_at,
    }
    if conversation is None:
        conversations.add(
            tx.conn,
            id=conversation_id,
            line_id=arrival.line_id,
            party=party,
            contact_id=contact,
            opened_at=arrival.arrived_at,
            last_at=arrival.arrived_at,
            last_call_id=arrival.call_id,
        )
        tx.append(call_event(kinds.CONVERSATION_OPENED, call, actor))
    else:
        conversations.change(
            tx.conn, conversation_id, last_at=arrival.arrived_at, last_call_id=arrival.call_id, contact_id=contact
        )

    decision = decide(people.candidates(tx.conn, arrival.line_id, tx.now_ms()))
    rows.add(
        tx.conn,
        **call,
        contact_id=contact,
        trunk_id=arrival.trunk_id,
        state=(State.RINGING if decision.ring else State.OVERFLOW).value,
        from_number=arrival.from_number,
        from_display=arrival.from_display,
        to_number=arrival.to_number,
        anonymous=arrival.anonymous,
        owner_node=arrival.owner.node,
        owner_epoch=arrival.owner.epoch,
        sip_call_id=arrival.sip_call_id,
        dialog=arrival.dialog,
    )
    tx.append(call_event(kinds.CALL_ARRIVED, call, actor, trunk=arrival.trunk_id, anonymous=arrival.anonymous))
    if decision.ring:
        ring(tx, call, decision.ring, arrival.arrived_at, actor)
    else:
        tx.append(call_event(kinds.CALL_OVERFLOW, call, actor, reason="nobody", reasons=decision.reasons))
    return ArrivalPlan(
        arrival.call_id, conversation_id, decision.ring, line["ring_s"], line["recording"], line["language"]
    )

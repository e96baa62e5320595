"""What is put to the store, and what its threads tell the SIP thread: plain values."""

from dataclasses import dataclass
from typing import Any

from aircall_core.desk import facts, flow_facts, talk_facts, text_facts
from aircall_core.desk.arrivals import ArrivalPlan
from aircall_core.desk.distribution import Entered
from aircall_core.desk.talk_facts import DialPlan, Keys
from aircall_core.desk.text_facts import TextToSend
from aircall_core.domain.events import EventRow
from aircall_core.sip.trunks import Directory

ARRIVAL, SAVED, TRUNK = "arrival", "recording_saved", "trunk_state"  # facts that are not of one call's life
RECEIVED, CLAIM = text_facts.text_received.__name__, text_facts.text_claim.__name__
DIALS = frozenset({talk_facts.dial_began.__name__, talk_facts.dial_step.__name__})


@dataclass(frozen=True)
class Fact:
    """One thing to be written: JSON-able, since it may have to wait in the journal."""

    name: str
    call_id: str
    node: str
    epoch: int
    fields: dict[str, Any]
    ref: str = ""  # comes back with the answer: which visit to which step it is for


@dataclass(frozen=True)
class Planned:
    """The store knows the call: what to do with it."""

    call_id: str
    plan: ArrivalPlan


@dataclass(frozen=True)
class Redirected:
    """Another line's flow goes on with the call."""

    call_id: str
    plan: ArrivalPlan


@dataclass(frozen=True)
class Standing:
    """How the call stands in its ring or queue step."""

    call_id: str
    ref: str
    entered: Entered


@dataclass(frozen=True)
class Returned:
    """The call was taken from an agent who is away; how it stands now."""

    call_id: str
    entered: Entered


@dataclass(frozen=True)
class DialTold:
    """Whom a call out, or the step of a flow (`ref`), shall call; None: nobody."""

    call_id: str
    ref: str
    plan: DialPlan | None


@dataclass(frozen=True)
class HandedOn:
    """The flow of a call whose agent has let go of it."""

    call_id: str
    plan: ArrivalPlan


@dataclass(frozen=True)
class KeysClaimed:
    """The keys of a command (`ref`); None: they were claimed before."""

    call_id: str
    ref: str
    digits: str | None


@dataclass(frozen=True)
class TextKept:
    """Where a text that came in lies now, as a SIP code: 200 the store, 202 the journal, 500 nowhere."""

    ref: str
    code: int


@dataclass(frozen=True)
class TextClaimed:
    """A text that this worker shall send, and nobody else; None: it shall not."""

    message: str
    text: TextToSend | None


@dataclass(frozen=True)
class Lost:
    """A fact that could not be written, and never will be."""


@dataclass(frozen=True)
class Fence:
    """The store does not know this call as ours (any more): drop it."""

    call_id: str


@dataclass(frozen=True)
class Heard:
    """New events of the log."""

    rows: list[EventRow]


@dataclass(frozen=True)
class NewDirectory:
    """Lines or trunks have changed."""

    directory: Directory


@dataclass(frozen=True)
class DiskLow:
    """Whether recordings must stop because the disk runs full."""

    low: bool


@dataclass(frozen=True)
class Replaced:
    """This life of the worker was replaced or reported lost: every call must go."""


Reply = Planned | Redirected | Standing | Returned | DialTold | HandedOn | KeysClaimed | Fence
TextReply = TextKept | TextClaimed
Message = Reply | TextReply | Heard | NewDirectory | DiskLow | Replaced


def reply_to(fact: Fact, result: Any) -> Reply | TextReply | None:
    """What the SIP thread hears of a fact that was written; most need no answer."""
    if fact.name == RECEIVED:
        return TextKept(fact.ref, 500 if isinstance(result, Fence | Lost) else 200)
    if fact.name == CLAIM:
        return TextClaimed(fact.ref, result if isinstance(result, TextToSend) else None)
    match result:
        case Fence():
            return result
        case ArrivalPlan() if fact.name == flow_facts.redirected.__name__:
            return Redirected(fact.call_id, result)
        case ArrivalPlan() if fact.name == talk_facts.transfer_began.__name__:
            return HandedOn(fact.call_id, result)
        case ArrivalPlan():
            return Planned(fact.call_id, result)
        case Entered() if fact.name == facts.returned.__name__:
            return Returned(fact.call_id, result)
        case Entered():
            return Standing(fact.call_id, fact.ref, result)
        case Keys():
            return KeysClaimed(fact.call_id, fact.ref, result.digits)
        case DialPlan():
            return DialTold(fact.call_id, fact.ref, result)
        case None if fact.name in DIALS:
            return DialTold(fact.call_id, fact.ref, None)
    return None

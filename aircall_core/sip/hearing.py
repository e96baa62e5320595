"""Who hears whom in a family of calls: one pure function from how each call stands to the connections to be made.

A family is a call and the children that were made for it by its agent: a colleague asked (internal), somebody outside
called (outbound). The agent of the call, `S`, has one link and is with every member that is not held; members that are
not held hear each other, which is all there is to a conference. docs/sip.md draws it.

Nodes are (call, name). Names: `far` (the SIP leg), `agent` (the link of the one who has the call), `outside` (the
second SIP leg of a call that was passed on to a number), `prompt` (what we say), the recorder's channels `left` (far
end and whoever else is outside) and `right` (all of us), `meter` (hears a voicemail). All share `music`, `silence`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

Node = tuple[str, str]
Connection = tuple[Node, Node]
MUSIC: Node = ("", "music")
SILENCE: Node = ("", "silence")


class Kind(StrEnum):
    """What a call is in its family."""

    TOP = "top"
    INTERNAL = "internal"  # a child: its far end is S, its agent the colleague
    OUTBOUND = "outbound"  # a child: its far end is a SIP leg, its agent S


@dataclass(frozen=True, slots=True)
class Member:
    """How one call stands."""

    id: str
    kind: Kind = Kind.TOP
    up: bool = True  # the SIP leg's stream
    talking: bool = False  # answered: its far end and its agent are together (or far end and outside)
    dialling: bool = False  # a SIP leg that we call and that has not answered: sounds are for its agent
    early: bool = False  # ... and that sends sound before it answers
    agent: bool = False  # a link is attached
    away: bool = False  # nothing comes from it
    muted: bool = False
    held: bool = False
    outside: bool = False  # passed on to a number that has answered
    speaking: bool = False  # the prompt port sounds
    music: bool = False  # the music is the background
    recording: bool = False
    taping: bool = False  # a voicemail


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody in the conversation."""

    node: Node
    heard: bool = True
    there: bool = True  # one whose sound is away is not
    inside: bool = False


def connections(top: Member, children: Sequence[Member] = ()) -> frozenset[Connection]:
    """Who transmits to whom."""
    me = (top.id, "agent")
    children = children if top.talking else ()
    pairs: set[Connection] = set()
    together = _conversation(top, children)
    for one in together:
        company = [other for other in together if other is not one]
        pairs |= {(other.node, one.node) for other in company if other.heard}
        if not any(other.there for other in company) and (company or one.node != me):
            pairs.add((MUSIC, one.node))
    for call in (top, *children):
        far = me if call.kind is Kind.INTERNAL else (call.id, "far")
        if call.talking:
            pairs |= _held(call)
        elif call.dialling:
            near = me if call.kind is Kind.OUTBOUND else (call.id, "agent")
            pairs |= _dialling(call, far, near if top.agent else None)
        elif call.kind is not Kind.INTERNAL or top.agent:
            pairs |= _alone(call, far)
        if call.taping:
            pairs |= {(far, (call.id, "left")), (SILENCE, (call.id, "left")), (far, (call.id, "meter"))}
    if top.talking and top.speaking:
        pairs = _spoken_over(pairs, top, together)
    if top.recording:
        pairs |= _recorded(top, together)
    return frozenset(pairs)


def _conversation(top: Member, children: Sequence[Member]) -> list[Party]:
    """S, and everybody who is not held."""
    parties = []
    if top.talking and top.up and not top.held:
        parties.append(Party((top.id, "far")))
    if top.outside and top.talking and not (top.held or top.agent):
        parties.append(Party((top.id, "outside")))
    if top.talking and top.agent:
        parties.append(Party((top.id, "agent"), not (top.away or top.muted), not top.away, inside=True))
    for child in children:
        if not child.talking or child.held:
            continue
        if child.kind is Kind.OUTBOUND and child.up:
            parties.append(Party((child.id, "far")))
        elif child.kind is Kind.INTERNAL and child.agent:
            parties.append(Party((child.id, "agent"), not (child.away or child.muted), not child.away, inside=True))
    return parties


def _held(call: Member) -> set[Connection]:
    """Music for the other one of a call that S is not with."""
    if not call.held:
        return set()
    if call.kind is Kind.INTERNAL:
        return {(MUSIC, (call.id, "agent"))} if call.agent else set()
    return {(MUSIC, (call.id, "far"))} if call.up else set()


def _dialling(call: Member, far: Node, near: Node | None) -> set[Connection]:
    """What the one who calls hears: the far network's own sounds, else ours."""
    if near is None:
        return set()
    if call.early and call.up:
        return {(far, near)}
    return {((call.id, "prompt"), near)} if call.speaking else set()


def _alone(call: Member, far: Node) -> set[Connection]:
    """Nobody has answered yet, or nobody is there any more: the far end hears the flow."""
    if not call.up:
        return set()
    if call.speaking:
        return {((call.id, "prompt"), far)}
    return {(MUSIC, far)} if call.music else set()


def _spoken_over(pairs: set[Connection], top: Member, together: Sequence[Party]) -> set[Connection]:
    """A notice: the far end hears nothing else, and all who are with it hear it too."""
    far, prompt = (top.id, "far"), (top.id, "prompt")
    kept = {pair for pair in pairs if pair[1] != far}
    listeners = {far} if top.up else set()
    if not top.held:
        listeners |= {party.node for party in together}
    return kept | {(prompt, listener) for listener in listeners}


def _recorded(top: Member, together: Sequence[Party]) -> set[Connection]:
    """Left: the far end and who else is outside; right: all of us, as the far end hears us. Silence keeps them in step.

    What is said while the far end is held is not said to it, and is not recorded.
    """
    left, right = (top.id, "left"), (top.id, "right")
    pairs: set[Connection] = {(SILENCE, left), (SILENCE, right)}
    if top.up:
        pairs.add(((top.id, "far"), left))
    if top.talking and not top.held:
        for party in together:
            if not party.inside:
                pairs.add((party.node, left))
            elif party.heard and not top.speaking:
                pairs.add((party.node, right))
    return pairs

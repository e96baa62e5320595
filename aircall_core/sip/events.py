"""What the SIP library reports to the main loop: plain values, with integer tokens for calls."""

from dataclasses import dataclass

from aircall_core.sip.message import Message
from aircall_core.sip.trunks import Line, Trunk


@dataclass(frozen=True)
class Invite:
    """A new call knocks."""

    token: int
    message: Message
    source: str  # ip:port it came from
    trunk_id: str  # the registered trunk it was addressed to, '' = none
    has_offer: bool


@dataclass(frozen=True)
class Admitted:
    """What a call that is let in was recognised by."""

    trunk: Trunk
    line: Line
    dialled: str


@dataclass(frozen=True)
class Verdict:
    """The answer to an INVITE: 180 = let in, anything else is sent from the main loop."""

    code: int
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    admitted: Admitted | None = None


@dataclass(frozen=True)
class Arrived:
    """A call was let in and hears ringing."""

    invite: Invite
    admitted: Admitted


@dataclass(frozen=True)
class Refused:
    """A call is to be refused by the main loop."""

    invite: Invite
    verdict: Verdict


@dataclass(frozen=True)
class Progress:
    """A call of ours has been told how it stands: 180, 183."""

    token: int
    code: int


@dataclass(frozen=True)
class Confirmed:
    """The caller's ACK has come; of a call of ours: it was answered, and we have sent the ACK."""

    token: int


@dataclass(frozen=True)
class Media:
    """The call's audio is up, or has changed."""

    token: int
    active: bool
    held: bool  # by the far end


@dataclass(frozen=True)
class Digit:
    """The caller pressed a key (RFC 4733, or SIP INFO with application/dtmf-relay)."""

    token: int
    digit: str


@dataclass(frozen=True)
class Gone:
    """The call is over, and its leg with it. `by_far`: the far end has hung up (an inbound call: or given up)."""

    token: int
    code: int
    by_far: bool


@dataclass(frozen=True)
class Asked:
    """The far end asked for something that is never granted (REFER, Replaces)."""

    token: int
    what: str


@dataclass(frozen=True)
class Referred:
    """What came of our REFER: the code that the far end got from the one it was sent to."""

    token: int
    code: int


@dataclass(frozen=True)
class Registration:
    """A trunk's registrar answered, or did not."""

    trunk_id: str
    code: int
    active: bool


@dataclass(frozen=True)
class TextArrived:
    """A MESSAGE (RFC 3428) waits for its answer. ``token`` is the pager's."""

    token: int
    message: Message
    source: str  # ip:port it came from


@dataclass(frozen=True)
class TextAnswered:
    """What became of a MESSAGE of ours. ``heard``: the far end said so; else the library gave up waiting."""

    token: int
    code: int
    heard: bool
    call_id: str  # the Call-ID, where the far end has answered


@dataclass(frozen=True)
class ProbeAnswered:
    """What became of an OPTIONS of ours, which asks whether anybody is there; any code says yes."""

    token: int
    heard: bool


Event = (
    Arrived | Refused | Progress | Confirmed | Media | Digit | Gone | Asked | Referred | Registration
    | TextArrived | TextAnswered | ProbeAnswered
)  # fmt: skip

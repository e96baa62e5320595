"""What a call in the worker is made with: its stages, its times, and the parts it uses."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from aircall_core.sip.bridge import Media
from aircall_core.sip.endpoint import Endpoint
from aircall_core.sip.lookup import Lookups
from aircall_core.sip.pcm import PcmListener
from aircall_core.sip.prompts import Prompts
from aircall_core.sip.recorder import Recordings
from aircall_core.sip.timers import Timers
from aircall_core.sip.trunks import Directory


class Stage(StrEnum):
    """Where the call stands, seen from here."""

    ARRIVED = "arrived"  # 180 is sent; the store has not planned it yet
    FLOW = "flow"  # a step that rings nobody
    RINGING = "ringing"  # a ring or queue step: users are rung, or somebody is waited for
    DIALLING = "dialling"  # a call out: its agent's audio is awaited, then the far end is called
    ACCEPTING = "accepting"  # a user has won it; their audio is awaited
    TALKING = "talking"
    FORWARDED = "forwarded"  # the far end talks with a number outside, and none of us
    PARTING = "parting"  # a message plays, then we end it
    ENDED = "ended"


# A gateway may bring audio.
AUDIBLE = frozenset({Stage.ARRIVED, Stage.RINGING, Stage.DIALLING, Stage.ACCEPTING, Stage.TALKING})
AWAITING = frozenset({Stage.DIALLING, Stage.ACCEPTING})  # looked at in every turn: somebody's audio is on its way


@dataclass(frozen=True)
class Rules:
    """Times in seconds."""

    accept: float = 1.5  # for the winner's audio to come
    away: float = 0.4  # without a frame: the caller hears music
    returned: float = 30.0  # away for so long: others are rung
    unplanned: float = 25.0  # the store does not answer: then nobody can be rung
    dead: float = 10.0  # neither RTP nor RTCP while an agent talks: the far end is gone
    dead_waiting: float = 30.0  # the same of one who only listens: telephones may send nothing while it is silent
    media: float = 2.0  # for early media to come up
    tail: float = 0.3  # after a message
    check: float = 5.0  # nobody is rung: how often the store is asked whether that is still so
    unanswered: float = 60.0  # a call out
    transfer_ring: float = 25.0  # whoever a call is passed on to
    referred: float = 15.0  # for what came of a REFER to be heard of
    settle: float = 0.05  # the last one rung has rejected: for the next one's ring to be heard of


@dataclass(frozen=True)
class Origin:
    """Where a call comes from and where it goes. `number` is empty when the caller withheld it."""

    source: str  # ip:port of the INVITE
    has_offer: bool  # without one there is no early media
    line_id: str = ""
    number: str = ""
    country: str = ""  # the line's: whose ringing tone the caller knows
    trunk_id: str = ""  # through which the far end's leg goes


@dataclass
class Tools:
    """What every call works with."""

    endpoint: Endpoint
    media: Media
    links: PcmListener
    prompts: Prompts
    recordings: Recordings
    lookups: Lookups
    timers: Timers
    put: Callable[..., None]  # StoreLink.put
    rules: Rules = Rules()
    record: bool = True  # False while the disk is nearly full
    directory: Directory = field(default_factory=Directory)  # lines and trunks as they are now
    routes: dict[int, "LegEars"] = field(default_factory=dict)  # who hears of a SIP leg, by its token
    slots: int = 0  # legs that the library holds; 0: not known

    def full(self) -> bool:
        """Whether there is no room for one more leg. One is kept free, to refuse with."""
        return bool(self.slots) and len(self.endpoint.legs) >= max(1, self.slots - 1)


class LegEars(Protocol):
    """What hears of a SIP leg: a call, or a leg that we dial."""

    def on_confirmed(self) -> None:
        """It is up: ACK has come, or gone."""

    def on_media(self, *, active: bool, held: bool) -> None:
        """Its stream is up, new, held or gone."""

    def on_digit(self, digit: str) -> None:
        """A key."""

    def on_referred(self, code: int) -> None:
        """What came of our REFER."""

    def on_gone(self, *, code: int, by_far: bool) -> None:
        """It is over."""


@dataclass(frozen=True)
class Accept:
    """Who has won the call, with which browser peer."""

    user: str
    peer: str
    command: str

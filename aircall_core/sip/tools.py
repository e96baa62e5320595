"""What a call in the worker is made with: its stages, its times, and the parts it uses."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from aircall_core.sip.bridge import Media
from aircall_core.sip.endpoint import Endpoint
from aircall_core.sip.lookup import Lookups
from aircall_core.sip.pcm import PcmListener
from aircall_core.sip.prompts import Prompts
from aircall_core.sip.recorder import Recordings
from aircall_core.sip.timers import Timers


class Stage(StrEnum):
    """Where the call stands, seen from here."""

    ARRIVED = "arrived"  # 180 is sent; the store has not planned it yet
    FLOW = "flow"  # a step that rings nobody
    RINGING = "ringing"  # a ring or queue step: users are rung, or somebody is waited for
    ACCEPTING = "accepting"  # a user has won it; their audio is awaited
    TALKING = "talking"
    PARTING = "parting"  # a message plays, then we end it
    ENDED = "ended"


AUDIBLE = frozenset({Stage.ARRIVED, Stage.RINGING, Stage.ACCEPTING, Stage.TALKING})  # a gateway may bring audio


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
    settle: float = 0.05  # the last one rung has rejected: for the next one's ring to be heard of


@dataclass(frozen=True)
class Origin:
    """Where a call comes from and where it goes. `number` is empty when the caller withheld it."""

    source: str  # ip:port of the INVITE
    has_offer: bool  # without one there is no early media
    line_id: str = ""
    number: str = ""
    country: str = ""  # the line's: whose ringing tone the caller knows


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


@dataclass(frozen=True)
class Accept:
    """Who has won the call, with which browser peer."""

    user: str
    peer: str
    command: str

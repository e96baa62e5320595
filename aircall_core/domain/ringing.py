"""Who is rung for a call: decided over a snapshot of the line's assigned users."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Availability(StrEnum):
    """Whether a user can be rung now, and if not, why."""

    AVAILABLE = "available"
    DISABLED = "disabled"
    OFF_DUTY = "off_duty"
    OFFLINE = "offline"
    IN_CALL = "in_call"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A user of the line as the store knows them at this moment. ``online``: a browser tab's lease is running."""

    user_id: str
    active: bool
    on_duty: bool
    online: bool
    in_call: bool


def availability(candidate: Candidate) -> Availability:
    """The first thing that stands in the way, in the order in which the user would mend it."""
    if not candidate.active:
        return Availability.DISABLED
    if not candidate.on_duty:
        return Availability.OFF_DUTY
    if not candidate.online:
        return Availability.OFFLINE
    if candidate.in_call:
        return Availability.IN_CALL
    return Availability.AVAILABLE


@dataclass(frozen=True, slots=True)
class RingDecision:
    """Whom to ring (ids in order), and why the line's other users are not."""

    ring: tuple[str, ...]
    reasons: dict[str, str]


def decide(candidates: Iterable[Candidate], already_rung: frozenset[str] = frozenset()) -> RingDecision:
    """Ring every available user of the line at once, nobody twice for the same call."""
    ring: list[str] = []
    reasons: dict[str, str] = {}
    for candidate in sorted(candidates, key=lambda one: one.user_id):
        state = availability(candidate)
        if candidate.user_id in already_rung:
            reasons[candidate.user_id] = "already_rung"
        elif state is Availability.AVAILABLE:
            ring.append(candidate.user_id)
        else:
            reasons[candidate.user_id] = state.value
    return RingDecision(tuple(ring), reasons)

"""Why a call was answered by nobody: one reason a call, by a decision tree. Its clock starts when the call comes in."""

from enum import StrEnum

SHORT_S = 10


class MissedReason(StrEnum):
    """The names are those of the public API."""

    NO_AVAILABLE_AGENT = "no_available_agent"
    SHORT_ABANDONED = "short_abandoned"
    AGENTS_DID_NOT_ANSWER = "agents_did_not_answer"
    OUT_OF_OPENING_HOURS = "out_of_opening_hours"
    ABANDONED_IN_IVR = "abandoned_in_ivr"
    ABANDONED_IN_CLASSIC = "abandoned_in_classic"


def reason(*, ring_steps: int, any_rang: bool, seconds: float, out_of_hours: bool, in_menu: bool) -> MissedReason:
    """Why nobody answered.

    ``ring_steps``: how many ring and queue steps the call entered; ``any_rang``: whether any user was rung in them;
    ``seconds`` from its arrival to its end; ``out_of_hours``: it last took the branch for closed; ``in_menu``: it ended
    while the flow waited for keys.
    """
    if ring_steps:
        if not any_rang:
            return MissedReason.NO_AVAILABLE_AGENT
        return MissedReason.SHORT_ABANDONED if seconds <= SHORT_S else MissedReason.AGENTS_DID_NOT_ANSWER
    if out_of_hours:
        return MissedReason.OUT_OF_OPENING_HOURS
    if seconds <= SHORT_S:
        return MissedReason.SHORT_ABANDONED
    return MissedReason.ABANDONED_IN_IVR if in_menu else MissedReason.ABANDONED_IN_CLASSIC

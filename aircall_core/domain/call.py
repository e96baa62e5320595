"""The life of a call: which state follows which, and what its end is called.

Users' wishes are decided by compare-and-set on these states; what the network did is reported by the worker that owns
the call and is never refused, whatever state the call is in.
"""

from enum import StrEnum


class State(StrEnum):
    """Where a call stands."""

    FLOW = "flow"  # the line's flow speaks with the caller: a menu, digits, a message
    QUEUED = "queued"  # it waits for users, none of whom is being rung now
    RINGING = "ringing"  # users are being rung
    ACCEPTING = "accepting"  # one of them has won; their audio is awaited
    DIALLING = "dialling"  # outbound: the agent's audio is awaited, then the far end rings
    ANSWERED = "answered"  # 200 OK has been sent
    CONFIRMED = "confirmed"  # the caller's ACK has come
    FORWARDED = "forwarded"  # the far end talks with an outside number, and none of us is in it
    VOICEMAIL = "voicemail"  # the caller speaks after the tone
    OVERFLOW = "overflow"  # nobody answered: a message plays, and accepting is over
    ENDED = "ended"


class Direction(StrEnum):
    """Who called whom."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"  # an agent dialled an outside number
    INTERNAL = "internal"  # an agent asks a colleague, during a call of theirs


class Outcome(StrEnum):
    """How a call ended, seen from the line."""

    ANSWERED = "answered"
    VOICEMAIL = "voicemail"  # nobody answered, and the caller left a message
    CALLBACK = "callback"  # the caller gave up waiting and wants to be called
    ABANDONED = "abandoned"  # the caller gave up while users were rung
    MISSED = "missed"  # nobody answered in time, or nobody could be rung
    LOST = "lost"  # the worker that carried it died
    FAILED = "failed"  # the caller's side broke before anybody answered; outbound: the number could not be reached
    NO_ANSWER = "no_answer"  # outbound: nobody answered in time, or the agent gave up
    BUSY = "busy"  # outbound: 486, 600
    REFUSED = "refused"  # outbound: 403, 603 and the like


TALKING = frozenset({State.ANSWERED, State.CONFIRMED})
WAITING = frozenset({State.QUEUED, State.RINGING})  # in a ring or queue step, taken by nobody
_IN_FLOW = frozenset({State.FLOW, State.QUEUED, State.VOICEMAIL, State.OVERFLOW})


def outcome_of(
    state: State,
    *,
    was_answered: bool,
    ended_by: str,
    lost: bool = False,
    message: bool = False,
    callback: bool = False,
) -> Outcome:
    """What the end of a call that came in is called.

    ``state`` is the one it ended in; ``ended_by`` is caller, agent, callee or system; ``lost`` says that its worker
    died, ``message`` that the caller has left one, ``callback`` that they want to be called.
    """
    if was_answered:
        return Outcome.LOST if lost else Outcome.ANSWERED
    if callback:
        return Outcome.CALLBACK
    if message:
        return Outcome.VOICEMAIL
    if lost:
        return Outcome.LOST
    if state is State.OVERFLOW:
        return Outcome.MISSED
    if ended_by == "caller":
        return Outcome.ABANDONED
    if ended_by == "agent" or state in _IN_FLOW:
        return Outcome.MISSED
    return Outcome.FAILED


_NOT_REACHED = {
    "busy": Outcome.BUSY,
    "declined": Outcome.REFUSED,
    "refused": Outcome.REFUSED,
    "rejected": Outcome.REFUSED,
    "no_answer": Outcome.NO_ANSWER,
    "cancelled": Outcome.NO_ANSWER,
    "timeout": Outcome.NO_ANSWER,
    "transferred": Outcome.NO_ANSWER,
    "parent_over": Outcome.NO_ANSWER,
}


def outcome_of_dialled(*, was_answered: bool, reason: str, lost: bool = False) -> Outcome:
    """What the end of a call is called that one of us has made: to an outside number, or to a colleague."""
    if lost:
        return Outcome.LOST
    return Outcome.ANSWERED if was_answered else _NOT_REACHED.get(reason, Outcome.FAILED)

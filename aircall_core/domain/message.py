"""The way of a text: its states, why it failed, and what a gateway's answer means for it.

received                                  it came in
queued -> sending -> sent -> delivered    it goes out; a gateway that tells nothing more leaves it at sent
sending -> queued                         it was certainly not taken: it is tried again
queued, sending, sent -> failed           it certainly did not arrive, and is not tried again by itself
sending -> unknown                        nobody can know whether it was taken: never repeated by itself
failed, unknown -> queued                 a user sends it again
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a text is on its way."""

    RECEIVED = "received"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Why(StrEnum):
    """Why a text failed, or why nobody knows what became of it. Whoever shows it has words for each."""

    # failed
    REFUSED = "refused"  # the gateway will not take it; remote_code says why in its own words
    NOT_A_NUMBER = "not_a_number"
    OPTED_OUT = "opted_out"
    TOO_LONG = "too_long"
    NO_FILES = "no_files"  # files cannot be sent this way
    CREDENTIALS = "credentials"  # the gateway does not know us
    UNREACHABLE = "unreachable"  # for as long as one waits with a text
    NO_TRUNK = "no_trunk"
    NO_WORKER = "no_worker"
    ACCOUNT_OFF = "account_off"
    UNDELIVERED = "undelivered"  # taken, and then not brought to the customer
    # unknown
    TIMEOUT = "timeout"  # it went out, no answer came
    BROKEN = "broken"  # an answer came from which one cannot tell
    INTERRUPTED = "interrupted"  # who was sending it is gone
    PARTLY = "partly"  # of a long text, one part was taken and another was not


LONGEST: Final = 1600  # characters of a text, as Twilio takes them
PATIENCE_MS: Final = 4 * 3600 * 1000  # a text that could not be sent for so long is not sent any more
MOST_FILES: Final = 10
LARGEST_FILES: Final = 5_000_000  # bytes of all files of a text together


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one try to send.

    ``again``: it was certainly not taken, and may be tried again in ``pause_s`` (None: when it suits).
    """

    state: State  # sent, delivered, failed, unknown
    reason: Why | None = None
    remote_code: str | None = None
    remote_id: str | None = None
    again: bool = False
    pause_s: float | None = None


# By a report that comes later; what is not listed changes nothing. A report may come before the answer to the sending,
# and about a text of which that answer never came.
_REPORTED: Final[Mapping[State, frozenset[State]]] = {
    State.SENT: frozenset({State.SENDING, State.UNKNOWN}),
    State.DELIVERED: frozenset({State.SENDING, State.SENT, State.UNKNOWN, State.FAILED}),
    State.FAILED: frozenset({State.SENDING, State.SENT, State.UNKNOWN}),
}


def takes_report(known: str, reported: State) -> bool:
    """Whether a delivery report changes a text that is in the state ``known``."""
    return known in _REPORTED.get(reported, frozenset())


def pause_s(failures: int, jitter: float) -> float:
    """How long an account rests after so many failures in a row: 2 s, doubling to a minute; ``jitter`` 0..1 of half."""
    full: float = min(60.0, 2.0 * 2.0 ** min(failures - 1, 10))
    return full * (0.5 + 0.5 * jitter)

"""Whether anybody is there before a text is sent: what of a far end was heard lately. Pure; seconds.

A MESSAGE without an answer may have arrived or not, and is never repeated by itself. So where nothing was heard for a
while, the far end is first asked by OPTIONS, whose loss harms nobody: a text that was not sent because nobody answered
can wait safely until somebody does.
"""

from collections.abc import Callable
from dataclasses import dataclass

FRESH_S = 30.0  # so long an answer, of any kind and with any code, says that it is there
ASK_S = 4.0  # for an answer to OPTIONS
HOPE_S = 60.0  # some far ends never answer OPTIONS: until we know, one text so often goes out all the same


@dataclass
class _Known:
    heard_at: float | None = None
    answers: bool = False  # OPTIONS, at least once
    deaf: bool = False  # it has answered a text, and not the OPTIONS before it
    asked_in_vain: bool = False
    hope_at: float | None = None


class Reach:
    """What is known of each far end (host and transport)."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[str, _Known] = {}

    def must_ask(self, host: str) -> bool:
        """Whether to ask before sending."""
        known = self._of(host)
        fresh = known.heard_at is not None and self._clock() - known.heard_at < FRESH_S
        return not (fresh or known.deaf)

    def answered_question(self, host: str) -> None:
        """OPTIONS got an answer."""
        known = self._of(host)
        known.heard_at, known.answers, known.asked_in_vain, known.hope_at = self._clock(), True, False, None

    def question_lost(self, host: str) -> bool:
        """OPTIONS got no answer; whether one text may go out all the same."""
        known, now = self._of(host), self._clock()
        known.heard_at, known.asked_in_vain = None, True
        if known.answers:
            return False
        if known.hope_at is None or now < known.hope_at:
            known.hope_at = known.hope_at or now + HOPE_S
            return False
        known.hope_at = now + HOPE_S
        return True

    def answered_text(self, host: str) -> None:
        """A text got an answer."""
        known = self._of(host)
        known.heard_at, known.deaf = self._clock(), known.asked_in_vain and not known.answers

    def lost_text(self, host: str) -> None:
        """A text got no answer."""
        known = self._of(host)
        known.heard_at, known.deaf = None, False

    def _of(self, host: str) -> _Known:
        return self._known.setdefault(host, _Known())

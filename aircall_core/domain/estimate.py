"""How long a caller in a queue may have to wait, from what the queue did in the last minutes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import e, log

WINDOW_MS = 600_000  # answers of the last ten minutes count
ENOUGH = 3  # callers who waited; with fewer the queue has no pace yet
_AT_ONCE_MS = 1_000


@dataclass(frozen=True, slots=True)
class Answered:
    """A caller of the queue who was answered; times in ms. ``rang_at``: when the user who answered was first rung."""

    queued_at: int
    answered_at: int
    rang_at: int

    @property
    def waited(self) -> bool:
        """Whether nobody was free when they came: who is answered at once tells nothing of a queue."""
        return self.rang_at - self.queued_at > _AT_ONCE_MS


def estimate_s(position: int, answers: Sequence[Answered]) -> int | None:
    """Seconds until the caller at ``position`` (1 = next) is answered; None when nothing is known.

    ``answers``: those of the last ten minutes, newest first. The pace of the queue is the mean time from one answer to
    the next, as far as the next caller was waiting for it (else it tells how often people call). While fewer than three
    had to wait: how long these waited. Means are weighted to recent ones, by logarithm.
    """
    waited = [one for one in answers if one.waited]
    paces = [
        newer.answered_at - older.answered_at
        for newer, older in pairwise(answers)
        if newer.waited and newer.queued_at <= older.answered_at
    ]
    if len(waited) >= ENOUGH and paces:
        return round(position * _mean(paces) / 1000)
    return round(_mean(one.answered_at - one.queued_at for one in waited) / 1000) if waited else None


def _mean(newest_first: Iterable[int]) -> float:
    weighed = [(value, 1 / log(e + place)) for place, value in enumerate(newest_first)]
    return sum(value * weight for value, weight in weighed) / sum(weight for _, weight in weighed)

"""How long a caller in a queue may have to wait, from what the queue did in the last minutes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import e, log

WINDOW_MS = 600_000  # answers of the last ten minutes count
ENOUGH = 3  # answers; with fewer the queue has no pace yet


@dataclass(frozen=True, slots=True)
class Answered:
    """A caller of the queue who was answered; times in ms."""

    queued_at: int
    answered_at: int


def estimate_s(position: int, answers: Sequence[Answered]) -> int | None:
    """Seconds until the caller at ``position`` (1 = next) is answered; None when nothing is known.

    ``answers``: those of the last ten minutes, newest first. The pace of the queue is the mean time from one answer to
    the next, as far as somebody was waiting meanwhile (else it tells how often people call). With fewer than three
    answers: how long they had waited. Means are weighted to recent ones, by logarithm.
    """
    paces = [
        newer.answered_at - older.answered_at
        for newer, older in pairwise(answers)
        if newer.queued_at <= older.answered_at
    ]
    if len(answers) >= ENOUGH and paces:
        return round(position * _mean(paces) / 1000)
    if not answers:
        return None
    return round(_mean(one.answered_at - one.queued_at for one in answers) / 1000)


def _mean(newest_first: Iterable[int]) -> float:
    weighed = [(value, 1 / log(e + place)) for place, value in enumerate(newest_first)]
    return sum(value * weight for value, weight in weighed) / sum(weight for _, weight in weighed)

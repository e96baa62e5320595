"""The estimated wait: held against the truth in a simulated queue, and what it says when little is known."""

import heapq
import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircall_core.domain.estimate import WINDOW_MS, Answered, estimate_s


def waited(queued_at: int, answered_at: int) -> Answered:
    """A caller who had to wait for somebody to become free."""
    return Answered(queued_at, answered_at, answered_at - 2_000)


def at_once(at: int) -> Answered:
    """A caller for whom somebody was free."""
    return Answered(at, at + 2_000, at)


def test_nothing_is_said_when_nothing_is_known() -> None:
    assert estimate_s(3, []) is None


def test_callers_who_were_answered_at_once_tell_nothing_of_a_queue() -> None:
    assert estimate_s(1, [at_once(at) for at in (4_000, 3_000, 2_000, 1_000, 0)]) is None


def test_with_few_answers_it_is_how_long_these_waited() -> None:
    assert estimate_s(3, [waited(0, 40_000), at_once(0)]) == 40
    assert 20 < (estimate_s(1, [waited(100_000, 120_000), waited(0, 40_000)]) or 0) < 30, "the newest weighs most"


def test_the_pace_of_the_queue_times_the_position() -> None:
    answers = [waited(0, at) for at in (90_000, 80_000, 70_000, 60_000)]
    assert [estimate_s(position, answers) for position in (1, 2, 5)] == [10, 20, 50]


def test_a_quiet_time_is_not_the_pace_of_the_queue() -> None:
    busy = [waited(0, at) for at in (90_000, 80_000, 70_000)]
    assert estimate_s(1, [at_once(500_000), *busy]) == estimate_s(1, busy)


TIMES = st.integers(0, 10**6)


@given(st.integers(1, 100), st.lists(st.tuples(TIMES, TIMES, TIMES), max_size=30))
def test_it_is_never_negative_and_never_falls_with_the_position(
    position: int, given_times: list[tuple[int, int, int]]
) -> None:
    answers = [Answered(at, at + before + rang, at + before) for at, before, rang in given_times]
    answers.sort(key=lambda one: -one.answered_at)
    here, behind = estimate_s(position, answers), estimate_s(position + 1, answers)
    assert (here is None) == (behind is None) == (not any(one.waited for one in answers))
    assert here is None or (behind is not None and 0 <= here <= behind)


@dataclass
class Queue:
    """A queue in simulated time (ms): callers in order, agents who talk for a while and are free again."""

    dice: random.Random
    agents: int
    talk_s: float
    now: int = 0
    waiting: list[int] = field(default_factory=list)
    answers: list[Answered] = field(default_factory=list)
    talks: list[int] = field(default_factory=list)  # ends

    def answer(self) -> None:
        """Whoever is free takes whoever is next."""
        while self.waiting and len(self.talks) < self.agents:
            self.answers.insert(0, Answered(self.waiting.pop(0), self.now, self.now))
            talk = self.dice.lognormvariate(0, 0.4) * self.talk_s * 1000
            heapq.heappush(self.talks, self.now + int(talk))

    def next_end(self) -> None:
        """Time goes on to the end of the next talk."""
        self.now = heapq.heappop(self.talks)
        self.answer()

    def estimate(self, position: int) -> int | None:
        """What the caller at this place is told now."""
        return estimate_s(position, [one for one in self.answers if one.answered_at > self.now - WINDOW_MS])


@pytest.mark.parametrize("seed", range(20))
def test_fifty_callers_for_five_agents_are_told_the_truth_within_half_of_it(seed: int) -> None:
    """All call within a minute; once the queue is warm (three talks for each agent), whoever waits is told a time."""
    queue = Queue(random.Random(seed), agents=5, talk_s=40)
    arrivals = sorted(queue.dice.randrange(60_000) for _ in range(50))
    told: list[tuple[int, int, int]] = []  # whom, when, what
    while arrivals or queue.waiting:
        if arrivals and (not queue.talks or arrivals[0] < queue.talks[0]):
            queue.now = arrivals.pop(0)
            queue.waiting.append(queue.now)
            queue.answer()
        else:
            queue.next_end()
        if len(queue.answers) >= 20:
            told += [
                (arrived, queue.now, queue.estimate(position) or 0) for position, arrived in enumerate(queue.waiting, 1)
            ]
    truth = {one.queued_at: one.answered_at for one in queue.answers}
    waits = [(said, (truth[arrived] - at) / 1000) for arrived, at, said in told if truth[arrived] - at >= 30_000]
    within = sum(abs(said - real) <= real / 2 for said, real in waits) / len(waits)
    assert len(waits) > 200
    assert within >= 0.9, f"{within:.2f}"

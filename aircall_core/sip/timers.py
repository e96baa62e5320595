"""A call's deadlines: monotonic, run by the SIP thread between two polls."""

import heapq
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass(order=True)
class Timer:
    """One deadline; `cancel()` makes it never happen."""

    at: float
    order: int
    action: Callable[[], None] | None = field(compare=False)

    def cancel(self) -> None:
        """Forgets the action, so that nothing of a finished call stays alive in the heap."""
        self.action = None


class Timers:
    """A heap of deadlines on the monotonic clock (seconds)."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._heap: list[Timer] = []
        self._order = itertools.count()

    def after(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Runs `action` once, `seconds` from now."""
        timer = Timer(self.clock() + seconds, next(self._order), action)
        heapq.heappush(self._heap, timer)
        return timer

    def due(self) -> Iterator[Callable[[], None]]:
        """What is to be done now, each to be called before the next is asked for (it may cancel that)."""
        now = self.clock()
        while self._heap and self._heap[0].at <= now:
            action = heapq.heappop(self._heap).action
            if action is not None:
                yield action

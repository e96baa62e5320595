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


class Deadlines:
    """The named deadlines of one call: setting one anew forgets the earlier one of that name."""

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self._named: dict[str, Timer] = {}

    def set(self, name: str, seconds: float, action: Callable[[], None]) -> None:
        """Runs `action` `seconds` from now, unless cancelled or set anew before."""
        self.cancel(name)
        self._named[name] = self._timers.after(seconds, action)

    def cancel(self, *names: str) -> None:
        """Forgets these."""
        for name in names:
            timer = self._named.pop(name, None)
            if timer is not None:
                timer.cancel()

    def cancel_all(self) -> None:
        """Forgets all of them, and with them all that they refer to."""
        self.cancel(*self._named)

    def __contains__(self, name: str) -> bool:
        return name in self._named

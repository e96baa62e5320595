"""What the store's tests share: small events, and followers that are awaited."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aircall_core.domain.events import Event, EventRow
from aircall_core.store import Store, StoreAway


def event(kind: str = "test.happened", **data: object) -> Event:
    return Event(kind, audience="staff", actor="system", data=data)


def append(store: Store, *happened: Event) -> list[int]:
    with store.write() as tx:
        tx.append(*happened)
    return tx.seqs


class Follower(threading.Thread):
    """Follows a store in a thread; what it saw is taken from here, blocking until it is there."""

    def __init__(self, store: Store, after: int = 0, limit: int = 500) -> None:
        super().__init__(daemon=True)
        self.stop = threading.Event()
        self.away: queue.Queue[StoreAway | None] = queue.Queue()
        self.error: Exception | None = None
        self._seen: queue.Queue[EventRow] = queue.Queue()
        self._batches = store.follow(after, self.stop, on_away=self.away.put, limit=limit)

    def run(self) -> None:
        try:
            for batch in self._batches:
                for row in batch:
                    self._seen.put(row)
        except Exception as error:  # noqa: BLE001 - handed to the test, which looks at it
            self.error = error

    def take(self, count: int) -> list[EventRow]:
        return [self._seen.get(timeout=60) for _ in range(count)]

    def left(self) -> int:
        return self._seen.qsize()


@contextmanager
def following(store: Store, after: int = 0, limit: int = 500) -> Iterator[Follower]:
    follower = Follower(store, after, limit)
    follower.start()
    try:
        yield follower
    finally:
        follower.stop.set()
        follower.join()

"""Following the log: every event after a cursor, in order, as it is committed."""

import threading
from collections.abc import Callable, Iterator

from aircall_core.domain.events import EventRow
from aircall_core.store.doorbell import RETRY_FIRST_S, RETRY_MOST_S, Doorbell
from aircall_core.store.errors import StoreAway

# Should a doorbell ever be missed, nobody waits longer than this.
SAFETY_S = 1.0

Read = Callable[[int, int], list[EventRow]]
OnAway = Callable[[StoreAway | None], None]


def follow(
    read: Read,
    bell: Doorbell,
    after: int,
    stop: threading.Event,
    *,
    on_away: OnAway | None = None,
    limit: int = 500,
) -> Iterator[list[EventRow]]:
    """Yield batches of events after the cursor until ``stop`` is set; blocks while there are none.

    While the database is away it tries again and yields nothing; ``on_away`` is called once when that begins,
    and with None when it is over. Raises LogTruncated when the cursor is not on the log.
    """
    retry_s = RETRY_FIRST_S
    is_away = False
    with bell.listening(stop):
        while not (stop.is_set() or bell.closed):
            seen = bell.rings
            try:
                rows = read(after, limit)
            except StoreAway as error:
                if not is_away and on_away is not None:
                    on_away(error)
                is_away = True
                bell.wait(seen, stop, retry_s)
                retry_s = min(retry_s * 2, RETRY_MOST_S)
                continue
            if is_away:
                is_away, retry_s = False, RETRY_FIRST_S
                if on_away is not None:
                    on_away(None)
            if rows:
                after = rows[-1].seq
                yield rows
            else:
                bell.wait(seen, stop, SAFETY_S)

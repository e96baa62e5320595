"""The beats of open tabs on their way to the store: gathered, and written at most once a second in one transaction."""

import asyncio
from typing import Final

from aircall_core.desk import availability, sessions
from aircall_core.desk.availability import Beat
from aircall_core.logs import get_logger
from aircall_core.service.hub import Hub
from aircall_core.store import Store, StoreAway

log = get_logger(__name__)

PAUSE_S: Final = 1.0
SWEEP_S: Final = 60.0


class Presence:
    """Writes what tabs say. The first beat after a quiet second goes out at once, so that a call finds its agent."""

    def __init__(self, store: Store, hub: Hub, session_days: int = 14) -> None:
        self._store, self._hub, self._session_days = store, hub, session_days
        self._beats: dict[str, Beat] = {}
        self._closed: set[str] = set()
        self._news = asyncio.Event()
        self._writing = asyncio.Lock()

    def beat(self, beat: Beat) -> None:
        """A tab is alive; its latest beat counts."""
        self._closed.discard(beat.tab_id)
        self._beats[beat.tab_id] = beat
        self._news.set()

    def closed(self, tab_id: str) -> None:
        """A tab's socket closed."""
        self._beats.pop(tab_id, None)
        self._closed.add(tab_id)
        self._news.set()

    async def run(self) -> None:
        """Write until cancelled; what is left is written at the end."""
        try:
            while True:
                await self._news.wait()
                await self.flush()
                await asyncio.sleep(PAUSE_S)
        finally:
            await asyncio.shield(self.flush())

    async def flush(self) -> None:
        """Write what has gathered. While the store is away it is kept, the newest of each tab."""
        async with self._writing:
            await self._flush()

    async def _flush(self) -> None:
        self._news.clear()
        beats, closed = self._beats, self._closed
        self._beats, self._closed = {}, set()
        if not beats and not closed:
            return
        try:
            await asyncio.to_thread(self._write, list(beats.values()), sorted(closed))
        except StoreAway:
            self._beats = {**beats, **self._beats}
            self._closed = (closed | self._closed) - self._beats.keys()
            self._news.set()

    def _write(self, beats: list[Beat], closed: list[str]) -> None:
        with self._store.write() as tx:
            availability.beat(tx, beats)
            for tab_id in closed:
                availability.tab_closed(tx, tab_id)

    async def watch_sessions(self) -> None:
        """Every minute: end the sockets of sessions that ran out, prolong those in use, and forget old tabs."""
        while True:
            await asyncio.sleep(SWEEP_S)
            try:
                await self.end_expired()
                await self.note_use()
            except StoreAway as error:
                log.warning("presence_store_away", error=str(error))

    async def end_expired(self) -> None:
        """End the sockets whose session is over, by time or because nobody told us of its end."""
        open_sessions = sorted({one.session_id for one in self._hub.connections})
        if open_sessions:
            self._hub.end_sessions(await asyncio.to_thread(sessions.over, self._store, open_sessions))

    async def note_use(self) -> None:
        """A session whose tab is being looked at is in use, though its pages come from the console."""
        seen = sorted({one.session_id for one in self._hub.connections if one.beat.get("visible")})
        await asyncio.to_thread(self._sweep, seen)

    def _sweep(self, seen: list[str]) -> None:
        with self._store.write() as tx:
            sessions.touch_all(tx, seen, self._session_days)
            availability.sweep(tx)

"""From rows of the log to frames for browsers, and the thread that follows the log for the hub."""

import asyncio
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from aircall_core import ids
from aircall_core.desk.sessions import Identity
from aircall_core.domain import events as kinds
from aircall_core.domain.events import EventRow
from aircall_core.domain.view import View
from aircall_core.logs import get_logger
from aircall_core.service.frames import Frame, event_frame
from aircall_core.service.hub import CLOSE_RESTART, Hub, Sight
from aircall_core.service.metrics import Metrics
from aircall_core.store import LogTruncated, Store, StoreAway
from aircall_core.store import log as event_log
from aircall_core.store.queries import realtime, views
from aircall_core.store.queries.cards import Card, cards

log = get_logger(__name__)

REPLAY_LIMIT: Final = 2000  # beyond that a snapshot is the shorter way
_RETRY_S: Final = 0.5
_RIGHTS_CHANGE: Final = frozenset({kinds.USER_CHANGED, kinds.TEAM_CHANGED, kinds.LINE_CHANGED})
_NOBODY: Final[frozenset[str]] = frozenset()

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Start:
    """What a new connection begins with: missed events, or else the view with its cards; true at ``seq``."""

    seq: int
    now: int
    sight: Sight
    view: View
    cards: dict[str, Card]
    missed: list[Frame] | None


def begin(store: Store, identity: Identity, after: int) -> Start:
    """Read, in one snapshot of the store, what a connection needs that has seen everything up to ``after``."""
    with store.read() as conn:
        seq, view = views.snapshot(conn, identity.user_id)
        role, lines = realtime.rights(conn, [identity.user_id])[identity.user_id]
        missed: list[Frame] | None = None
        if 0 < after <= seq and seq - after <= REPLAY_LIMIT:
            try:
                rows = event_log.read(conn, after, REPLAY_LIMIT)
                missed = _framed(rows, realtime.joined(conn, rows))
            except LogTruncated:
                missed = None
        shown = cards(conn, [*view["calls"], *view["me"]["tags_due"]]) if missed is None else {}
    return Start(seq, ids.now_ms(), Sight(role, lines), view, shown, missed)


def frames_of(store: Store, rows: Sequence[EventRow], watched: Iterable[str]) -> tuple[list[Frame], dict[str, Sight]]:
    """The frames of these events, and what the ``watched`` users may see now if the events changed that."""
    with store.read() as conn:
        frames = _framed(rows, realtime.joined(conn, rows))
        changed = any(row.kind in _RIGHTS_CHANGE for row in rows)
        rights = realtime.rights(conn, watched) if changed else {}
    return frames, {user: Sight(role, lines) for user, (role, lines) in rights.items()}


def _framed(rows: Sequence[EventRow], joined: realtime.Joined) -> list[Frame]:
    return [
        event_frame(
            row,
            joined.parties.get(row.event.call_id or "", _NOBODY),
            joined.names,
            joined.cards.get(row.event.call_id or "") if row.kind in realtime.WITH_CARD else None,
        )
        for row in rows
    ]


class Follower:
    """Hands every event of the log to the hub, in order, from a thread of its own."""

    def __init__(
        self, store: Store, hub: Hub, metrics: Metrics, loop: asyncio.AbstractEventLoop, give_up: Callable[[], None]
    ) -> None:
        """``give_up`` is called, from the thread, when following has failed for good."""
        self._store, self._hub, self._metrics, self._loop, self._give_up = store, hub, metrics, loop, give_up
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)
        self.ready = threading.Event()  # its place in the log is known; before that nobody may take a snapshot

    def start(self) -> None:
        """Begin at the end of the log: whoever connects reads what was before from the store."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        try:
            self._follow_on()
        except Exception as fault:
            # Browsers that hear nothing are worse than browsers that come back to a fresh process.
            log.error("follower_failed", exc_info=fault)
            self.ready.clear()
            self._on_loop(self._hub.end_all, CLOSE_RESTART, "restart")
            self._give_up()

    def _follow_on(self) -> None:
        after = self._patiently(self._store.last_seq)
        while after is not None and not self._stop.is_set():
            self._hub.position = max(self._hub.position, after)
            self.ready.set()
            try:
                after = self._follow(after)
            except LogTruncated as cut:
                log.warning("follower_log_truncated", after=cut.after, last_seq=cut.last_seq)
                self.ready.clear()
                after = self._patiently(self._store.last_seq)
                # After our new place is known: whoever connects from now on has a snapshot that is not older.
                self._on_loop(self._hub.end_all, CLOSE_RESTART, "restart")

    def _follow(self, after: int) -> int:
        for rows in self._store.follow(after, self._stop, on_away=_note_away):
            prepared = self._patiently(partial(self._prepare, rows))
            if prepared is None:
                break
            frames, sights = prepared
            after = rows[-1].seq
            self._metrics.events.inc(len(rows))
            self._metrics.lag.set(max(0.0, (ids.now_ms() - rows[-1].at) / 1000))
            self._on_loop(self._hub.publish, frames, sights, after)
        return after

    def _prepare(self, rows: list[EventRow]) -> tuple[list[Frame], dict[str, Sight]]:
        return frames_of(self._store, rows, self._hub.users())

    def _patiently(self, read: Callable[[], T]) -> T | None:
        """The result of reading, tried until the store is back; None when this thread shall end."""
        while not self._stop.is_set():
            try:
                return read()
            except StoreAway as error:
                _note_away(error)
                self._stop.wait(_RETRY_S)
        return None

    def _on_loop(self, act: Callable[..., Any], *values: Any) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(act, *values)


def _note_away(error: StoreAway | None) -> None:
    if error is None:
        log.info("follower_store_back")
    else:
        log.warning("follower_store_away", error=str(error))

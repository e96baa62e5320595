"""Wakes the followers of the log when somebody, in any process, has committed.

One watcher thread a store, alive while there are followers: SQLite has no notifications, but ``PRAGMA
data_version`` changes with every commit of another connection and costs microseconds to ask; PostgreSQL has
LISTEN/NOTIFY. A ring says "look", not "something is there": followers read the log and find out.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import psycopg
import structlog
from sqlalchemy.engine import URL

from aircall_core.store import urls
from aircall_core.store.log import CHANNEL

_log = structlog.get_logger()

SQLITE_POLL_S = 0.005
POSTGRES_POLL_S = 0.05  # how soon a stop is seen; notifications wake at once
RETRY_FIRST_S = 0.1
RETRY_MOST_S = 2.0


class Source(Protocol):
    """Where a watcher hears of commits."""

    def open(self) -> None:
        """Connect; raises the driver's error when the database is away."""

    def heard(self, closing: threading.Event) -> bool:
        """Wait a moment, less when something was heard; whether it was."""

    def close(self) -> None:
        """Let go of the connection."""


class SqliteSource:
    """Asks for the data version every 5 ms on a connection of its own."""

    def __init__(self, url: URL) -> None:
        self._uri = urls.sqlite_path(url).absolute().as_uri() + "?mode=rw"
        self._conn: sqlite3.Connection | None = None
        self._version = -1

    def open(self) -> None:
        """Open the file, without creating one."""
        self._conn = sqlite3.connect(self._uri, uri=True, isolation_level=None)
        self._version = self._ask()

    def heard(self, closing: threading.Event) -> bool:
        """Whether somebody committed since the last question."""
        closing.wait(SQLITE_POLL_S)
        before, self._version = self._version, self._ask()
        return before != self._version

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._conn is not None:
            self._conn.close()
            self._conn = None

    def _ask(self) -> int:
        assert self._conn is not None
        return int(self._conn.execute("PRAGMA data_version").fetchone()[0])


class PostgresSource:
    """Listens on a connection of its own."""

    def __init__(self, url: URL) -> None:
        self._url = urls.libpq(url)
        self._conn: psycopg.Connection[tuple[object, ...]] | None = None

    def open(self) -> None:
        """Connect and listen."""
        self._conn = psycopg.connect(
            self._url,
            autocommit=True,
            connect_timeout=2,
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=3,
            application_name="aircall doorbell",
        )
        self._conn.execute(f"LISTEN {CHANNEL}")

    def heard(self, closing: threading.Event) -> bool:
        """Whether a notification came."""
        assert self._conn is not None
        return any(True for _ in self._conn.notifies(timeout=POSTGRES_POLL_S, stop_after=1))

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._conn is not None:
            self._conn.close()
            self._conn = None


class Doorbell:
    """Counts rings; followers wait for the count to move on."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._changed = threading.Condition()
        self._rings = 0
        self._stops: list[threading.Event] = []
        self._watcher: threading.Thread | None = None
        self._closing = threading.Event()

    @property
    def rings(self) -> int:
        """How often it has rung: take this number before reading, and wait with it after."""
        return self._rings

    @property
    def closed(self) -> bool:
        """Whether the store is closing, so that followers end."""
        return self._closing.is_set()

    def ring(self) -> None:
        """Wake all followers of this process."""
        with self._changed:
            self._rings += 1
            self._changed.notify_all()

    def wait(self, seen: int, stop: threading.Event, timeout: float) -> None:
        """Block until it has rung since ``seen``, ``stop`` is set, or ``timeout`` seconds have passed."""
        with self._changed:
            self._changed.wait_for(lambda: self._rings != seen or stop.is_set() or self.closed, timeout)

    @contextmanager
    def listening(self, stop: threading.Event) -> Iterator["Doorbell"]:
        """Keep the watcher alive, and have it look after ``stop``, while the block runs."""
        with self._changed:
            self._stops.append(stop)
            if self._watcher is None and not self.closed:
                self._watcher = threading.Thread(target=self._watch, name="doorbell", daemon=True)
                self._watcher.start()
        try:
            yield self
        finally:
            with self._changed:
                self._stops.remove(stop)

    def close(self) -> None:
        """End the watcher and all followers."""
        self._closing.set()
        self.ring()
        watcher = self._watcher
        if watcher is not None and watcher is not threading.current_thread():
            watcher.join()

    def _watch(self) -> None:
        retry_s = RETRY_FIRST_S
        while self._wanted():
            try:
                self._source.open()
                retry_s = RETRY_FIRST_S
                self.ring()  # what was committed before we listened
                while True:
                    if self._source.heard(self._closing):
                        self.ring()
                    self._ring_for_stops()
                    if not self._wanted():
                        return  # without looking again: a new follower has a watcher of its own by now
            except (sqlite3.Error, psycopg.Error, OSError) as error:
                _log.warning("doorbell.away", error=type(error).__name__, retry_s=retry_s)
                self._source.close()
                self._pause(retry_s)
                retry_s = min(retry_s * 2, RETRY_MOST_S)

    def _wanted(self) -> bool:
        """Whether to go on; when not, everything is put down under the lock, so that the next follower starts anew."""
        with self._changed:
            if self._stops and not self.closed:
                return True
            self._source.close()
            self._watcher = None
            return False

    def _ring_for_stops(self) -> None:
        # A list copied under no lock is fine: a stop that is missed now is seen in the next round.
        if any(stop.is_set() for stop in list(self._stops)):
            with self._changed:
                self._changed.notify_all()

    def _pause(self, seconds: float) -> None:
        """Wait before the next attempt, and go on looking after stops."""
        while seconds > 0 and not self._closing.wait(min(POSTGRES_POLL_S, seconds)):
            seconds -= POSTGRES_POLL_S
            self._ring_for_stops()

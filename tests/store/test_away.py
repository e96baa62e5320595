"""The database goes away and comes back."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from sqlalchemy import select

from aircall_core.store import Store, StoreAway, engine, follow, log, migrate, open_store, urls
from aircall_core.store.tables import settings
from tests.store.helpers import append, event, following
from tests.support.databases import Postgres


@pytest.fixture
def stoppable(postgres_server: Postgres, postgres_url: str) -> Iterator[Postgres]:
    """The server, running again before the test's database is dropped, whatever the test did."""
    yield postgres_server
    postgres_server.ensure_running()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_reads_and_writes_say_so_and_work_again_when_the_server_is_back(
    stoppable: Postgres, postgres_url: str, mode: str
) -> None:
    with open_store(postgres_url) as store:
        append(store, event(n=1))
        stoppable.stop(mode)
        for _ in range(2):
            with pytest.raises(StoreAway):
                append(store, event(n=2))
            with pytest.raises(StoreAway):
                store.last_seq()
        stoppable.start()
        append(store, event(n=3))
        assert [row.event.data["n"] for row in store.events(0)] == [1, 3]


def test_a_follower_waits_while_the_server_is_away_and_misses_nothing(stoppable: Postgres, postgres_url: str) -> None:
    with open_store(postgres_url) as store, following(store) as follower:
        append(store, event(n=1))
        follower.take(1)
        stoppable.stop("immediate")
        assert isinstance(follower.away.get(), StoreAway)
        stoppable.start()
        with open_store(postgres_url) as other:
            append(other, event(n=2))
        assert [row.event.data["n"] for row in follower.take(1)] == [2]
        assert follower.away.get() is None
        assert follower.away.empty()


def test_a_stop_wakes_a_follower_whose_server_is_away(stoppable: Postgres, postgres_url: str) -> None:
    with open_store(postgres_url) as store, following(store) as follower:
        append(store, event())
        follower.take(1)
        stoppable.stop()
        follower.away.get()
        follower.stop.set()
        follower.join()
        assert follower.error is None


def test_a_crash_inside_a_transaction_leaves_nothing_of_it(stoppable: Postgres, postgres_url: str) -> None:
    def crash(store: Store) -> None:
        with store.write() as tx:
            tx.execute(settings.insert().values(key="a", value=1))
            tx.append(event())
            stoppable.stop("immediate")
            stoppable.start()

    with open_store(postgres_url) as store:
        with pytest.raises(StoreAway):
            crash(store)
        assert store.events(0) == []
        with store.read() as conn:
            assert conn.execute(select(settings)).all() == []
        append(store, event())


def test_a_connection_lost_while_committing_leaves_the_outcome_in_doubt(postgres_url: str) -> None:
    raw_url = urls.libpq(urls.parse(postgres_url))
    caught: list[StoreAway] = []

    def write(store: Store) -> None:
        try:
            append(store, event())
        except StoreAway as error:
            caught.append(error)

    with (
        open_store(postgres_url) as store,
        psycopg.connect(raw_url) as holder,
        psycopg.connect(raw_url, autocommit=True) as look,
    ):
        holder.execute(f"SELECT pg_advisory_xact_lock({log.APPEND_LOCK})")
        writer = threading.Thread(target=write, args=(store,))
        writer.start()
        end = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while writer.is_alive() and look.execute(end).fetchone() is None:
            pass
        writer.join()
        holder.rollback()
        assert [error.in_doubt for error in caught] == [True]
        assert len(append(store, event())) == 1


def test_a_doorbell_that_lost_its_connection_listens_again(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "SAFETY_S", 3600.0)
    listeners = "FROM pg_stat_activity WHERE application_name = 'aircall doorbell' AND datname = current_database()"
    with (
        open_store(postgres_url) as store,
        open_store(postgres_url) as other,
        following(store) as follower,
        psycopg.connect(urls.libpq(urls.parse(postgres_url)), autocommit=True) as look,
    ):
        append(other, event(n=1))
        follower.take(1)
        ended = look.execute(f"SELECT pid, pg_terminate_backend(pid) {listeners}").fetchall()
        assert len(ended) == 1
        append(other, event(n=2))  # nobody listens: it is found when the doorbell is back
        assert [row.event.data["n"] for row in follower.take(1)] == [2]
        append(other, event(n=3))
        assert [row.event.data["n"] for row in follower.take(1)] == [3]
        assert look.execute(f"SELECT pid {listeners}").fetchall() != [ended[0][:1]]


def test_a_server_that_was_never_there(tmp_path: object) -> None:
    url = f"postgres://nobody@/nothing?host={tmp_path}"
    with open_store(url) as store:
        with pytest.raises(StoreAway):
            store.last_seq()
        with pytest.raises(StoreAway):
            append(store, event())
    with pytest.raises(StoreAway):
        migrate.upgrade(url)


def test_a_lock_that_does_not_come_free_on_sqlite(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "BUSY_S", 0.05)
    with open_store(sqlite_url) as store:
        with closing(sqlite3.connect(urls.sqlite_path(urls.parse(sqlite_url)), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreAway, match="locked"):
                append(store, event())
            assert store.last_seq() == 0
        append(store, event())


def test_a_full_disk_on_sqlite(sqlite_url: str) -> None:
    def fill(store: Store) -> None:
        with store.write() as tx:
            pages = tx.conn.exec_driver_sql("PRAGMA page_count").scalar_one()
            tx.conn.exec_driver_sql(f"PRAGMA max_page_count={pages + 2}")
            tx.append(*(event(text="x" * 4000) for _ in range(20)))

    with open_store(sqlite_url) as store:
        with pytest.raises(StoreAway, match="full"):
            fill(store)
        assert store.events(0) == []
        append(store, event())


def test_an_error_says_nothing_of_the_values(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(store: Store) -> None:
        with store.write() as tx:
            pages = tx.conn.exec_driver_sql("PRAGMA page_count").scalar_one()
            tx.conn.exec_driver_sql(f"PRAGMA max_page_count={pages}")
            tx.execute(settings.insert(), [{"key": f"k{n}", "value": "Mme Secret" * 1000} for n in range(9)])

    with open_store(sqlite_url) as store:
        with pytest.raises(StoreAway) as caught:
            fill(store)
        assert "Secret" not in str(caught.value)

"""Followers: nothing skipped, nothing twice, woken by the doorbell and by it alone."""

import itertools
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aircall_core.store import LogTruncated, Store, follow, log, open_store, urls
from aircall_core.store.tables import settings as settings_table
from tests.store.helpers import append, event, following

ROOT = Path(__file__).parents[2]


@pytest.fixture
def only_the_doorbell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the periodic look at the log a follower that nobody wakes sleeps until the test times out."""
    monkeypatch.setattr(follow, "SAFETY_S", 3600.0)


@pytest.mark.usefixtures("only_the_doorbell")
def test_a_follower_hears_of_commits_in_its_own_and_in_other_processes(store: Store, store_url: str) -> None:
    append(store, event(n=0))
    with following(store) as follower, open_store(store_url) as other:
        assert [row.event.data["n"] for row in follower.take(1)] == [0]
        append(store, event(n=1))
        assert [row.event.data["n"] for row in follower.take(1)] == [1]
        append(other, event(n=2))
        assert [row.event.data["n"] for row in follower.take(1)] == [2]


@pytest.mark.usefixtures("only_the_doorbell")
def test_a_stop_wakes_a_sleeping_follower(store: Store) -> None:
    with following(store) as follower:
        append(store, event())
        follower.take(1)  # it sleeps now, or is about to
        follower.stop.set()
        follower.join()
    assert follower.error is None


@pytest.mark.usefixtures("only_the_doorbell")
def test_closing_the_store_ends_its_followers_and_its_watcher(store_url: str) -> None:
    store = open_store(store_url)
    with following(store) as follower:
        append(store, event())
        follower.take(1)
        store.close()
        follower.join()
    assert follower.error is None
    assert "doorbell" not in [thread.name for thread in threading.enumerate()]


def test_a_connection_in_use_while_the_store_closes_is_closed_when_it_comes_back(store: Store) -> None:
    with store.read() as conn:
        driver = conn.connection.driver_connection
        assert driver is not None
        store.close()
    if isinstance(driver, psycopg.Connection):
        assert driver.closed
    else:
        with pytest.raises(sqlite3.ProgrammingError):
            driver.execute("SELECT 1")


@pytest.mark.usefixtures("only_the_doorbell")
def test_followers_come_and_go(store: Store, store_url: str) -> None:
    with open_store(store_url) as other:
        for n in range(3):
            after = store.last_seq()
            with following(store, after) as one, following(store, after) as two:
                append(other, event(n=n))
                assert one.take(1) == two.take(1)


def test_a_follower_takes_no_more_than_it_asked_for_at_once(store: Store) -> None:
    rows = append(store, *(event(n=n) for n in range(7)))
    stop = threading.Event()
    sizes = []
    for batch in store.follow(0, stop, limit=3):
        sizes.append(len(batch))
        if batch[-1].seq == rows[-1]:
            stop.set()
    assert sizes == [3, 3, 1]


def test_a_follower_that_fell_behind_a_pruned_log_is_told(store: Store) -> None:
    seqs = append(store, *(event(n=n) for n in range(6)))
    stop = threading.Event()
    batches = store.follow(0, stop, limit=1)
    assert next(batches)[0].seq == seqs[0]
    with store.write() as tx:
        log.prune(tx.conn, seqs[3])
    with pytest.raises(LogTruncated):
        next(batches)


def test_a_transaction_held_open_delays_nobody_else_on_postgresql(postgres_url: str) -> None:
    with open_store(postgres_url) as slow, open_store(postgres_url) as quick, following(quick) as follower:
        with slow.write() as tx:
            tx.execute(settings_table.insert().values(key="slow", value=1))
            tx.append(event(who="slow"))
            quick_seqs = [append(quick, event(who="quick"))[0] for _ in range(3)]
            assert [row.seq for row in follower.take(3)] == quick_seqs
        assert [row.seq for row in follower.take(1)] == tx.seqs
        assert tx.seqs[0] > quick_seqs[-1]


def test_an_append_waits_for_an_earlier_number_to_be_committed(postgres_url: str) -> None:
    """The moment between taking a number and committing it, held open: a later number must not overtake it."""
    raw_url = urls.libpq(urls.parse(postgres_url))
    with (
        open_store(postgres_url) as store,
        following(store) as follower,
        psycopg.connect(raw_url) as stalled,
        psycopg.connect(raw_url, autocommit=True) as look,
    ):
        stalled.execute(f"SELECT pg_advisory_xact_lock({log.APPEND_LOCK})")
        early = stalled.execute(
            "INSERT INTO events (at, kind, v, actor, audience, data)"
            " VALUES (1, 'early', 1, 'system', 'staff', '{}') RETURNING seq"
        ).fetchone()
        late = threading.Thread(target=append, args=(store, event("late")))
        late.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while late.is_alive() and look.execute(waiting).fetchone() != (1,):
            pass
        assert late.is_alive()
        assert store.events(0) == []
        stalled.commit()
        late.join()
        rows = follower.take(2)
    assert early is not None
    assert [row.kind for row in rows] == ["early", "late"]
    assert early[0] == rows[0].seq < rows[1].seq


@pytest.mark.parametrize("count", [60, pytest.param(5000, marks=[pytest.mark.soak, pytest.mark.timeout(600)])])
def test_followers_see_every_event_of_several_processes_once_and_in_order(
    store: Store, store_url: str, count: int
) -> None:
    append(store, event(writer="none", n=0))
    with store.write() as tx:
        tx.execute(settings_table.insert().values(key="shared", value=0))
    names = ["a", "b", "c"]
    command = [sys.executable, "-m", "tests.store.writer", store_url]
    with following(store) as one, following(store, limit=2) as two:
        writers = [subprocess.Popen([*command, name, str(count)], cwd=ROOT) for name in names]
        seen = one.take(1 + count * len(names))
        assert two.take(len(seen)) == seen
        assert [writer.wait() for writer in writers] == [0, 0, 0]
        assert one.left() == two.left() == 0
    assert seen == store.events(0, limit=len(seen) + 1)
    assert [row.seq for row in seen] == sorted({row.seq for row in seen})
    for name in names:
        assert [row.event.data["n"] for row in seen if row.event.data["writer"] == name] == list(range(count))


@given(plans=st.lists(st.lists(st.integers(min_value=0, max_value=3), max_size=4), min_size=1, max_size=3))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_writers_side_by_side_give_one_order_that_all_followers_agree_on(
    store: Store, store_url: str, plans: list[list[int]]
) -> None:
    after = store.last_seq()
    total = sum(map(sum, plans))

    def write(name: int, sizes: list[int]) -> None:
        with open_store(store_url) as mine:
            for number, size in enumerate(sizes):
                append(mine, *(event(writer=name, n=(number, index)) for index in range(size)))

    with following(store, after) as follower:
        threads = [threading.Thread(target=write, args=item) for item in enumerate(plans)]
        for thread in threads:
            thread.start()
        seen = follower.take(total)
        for thread in threads:
            thread.join()
        assert follower.left() == 0
    assert seen == store.events(after)
    for name, sizes in enumerate(plans):
        expected = [[number, index] for number, size in enumerate(sizes) for index in range(size)]
        # Events of one transaction stand together, since nobody gets in between.
        mine = [(place, row.event.data["n"]) for place, row in enumerate(seen) if row.event.data["writer"] == name]
        assert [[*n] for _, n in mine] == expected  # type: ignore[misc]
        for (place, n), (next_place, next_n) in itertools.pairwise(mine):
            if n[0] == next_n[0]:  # type: ignore[index]
                assert next_place == place + 1

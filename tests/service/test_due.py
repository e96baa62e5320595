"""What time does: leases run out, wrap-up ends, hours begin. By real desk processes, which may die or be two."""

import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from aircall_core.config import Settings
from aircall_core.desk import afterwork, availability
from aircall_core.domain.events import ADMINS, CHECKLIST_CHANGED, Event, EventRow
from aircall_core.ids import new_id
from aircall_core.service.due import CLAIM_MS, Job, Runner
from aircall_core.store import Store, due, states
from aircall_core.store import tables as t
from tests.service.conftest import make_settings
from tests.service.test_process import DeskProcess
from tests.support.desk_kit import Desk as Office
from tests.support.desk_kit import add_schedule, go_offline
from tests.support.processes import eventually

# What the database has no part in runs on one; leases and wrap-up on both in the test of two desk processes.
ON_ONE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


@pytest.fixture
def office(store: Store) -> Office:
    """A line with Ada, who is available, on each database in turn; her tab stays, whoever beats for it."""
    office = Office.open(store, "Ada")
    lease_ends_in(store, 120_000)
    return office


@pytest.fixture
def running(tmp_path: Path, store_url: str) -> Iterator[DeskProcess]:
    """A desk process over the same store."""
    process = DeskProcess(tmp_path, store_url)
    yield process
    process.close()


def statuses(store: Store) -> list[str]:
    """What events have told of statuses, in order."""
    return [str(row.event.data["status"]) for row in store.events(0, 10_000) if row.kind == "user.status"]


def wait_for_status(store: Store, status: str, timeout: float = 30) -> EventRow:
    """The last status event, as soon as it says this. 30 s is what a state may outlive its cause at most."""

    def told() -> list[EventRow]:
        return [row for row in store.events(0, 10_000) if row.kind == "user.status"]

    eventually(lambda: told()[-1:] and told()[-1].event.data["status"] == status, timeout, status)
    return told()[-1]


def set_user(store: Store, user: str, **values: Any) -> None:
    """Change columns of a user."""
    with store.write() as tx:
        states.change(tx.conn, user, **values)


def lease_ends_in(store: Store, ms: int) -> None:
    """All tabs are heard of no more: their leases end soon."""
    with store.write() as tx:
        tx.execute(update(t.presence).values(lease_until=tx.now_ms() + ms))


@ON_ONE
def test_a_silent_browser_is_written_down_as_offline(office: Office, running: DeskProcess) -> None:
    lease_ends_in(office.store, 1_500)
    row = wait_for_status(office.store, "offline")
    assert row.event.actor == "system"


@ON_ONE
def test_a_laptop_falls_asleep_and_wakes(office: Office, running: DeskProcess) -> None:
    """Its socket stays open and says nothing; then it beats again on the same socket."""
    (ada,) = office.users
    with office.store.write() as tx:
        go_offline(tx, ada)
    with running.tab(running.cookie(ada)) as tab:
        tab.wait_for("user.status", status="available")
        tab.sleep()
        lease_ends_in(office.store, 300)
        # Asked of the log: that she was offline before the tab came may be told to the tab, too.
        gone = wait_for_status(office.store, "offline")
        tab.wait_until(lambda: tab.seq >= gone.seq, "the news that the tab is thought gone")
        call = office.arrive().call_id
        assert not tab.events("call.ringing", call_id=call)
        tab.beat()
        tab.wait_for("call.ringing", call_id=call)
        assert statuses(office.store)[-2:] == ["offline", "available"]


@ON_ONE
def test_a_closed_tab_is_offline_after_the_time_of_a_reload(office: Office, running: DeskProcess) -> None:
    (ada,) = office.users
    with office.store.write() as tx:
        go_offline(tx, ada)
    first, second = running.tab(running.cookie(ada)), running.tab(running.cookie(ada))
    first.wait_for("user.status", status="available")
    eventually(lambda: len(open_tabs(office.store, ada)) == 2, 10, "both tabs")
    first.close()
    eventually(lambda: len(shortened(office.store, ada)) == 1, 10, "the shorter lease")
    again = running.tab(running.cookie(ada), tab=first.id)  # a reload
    eventually(lambda: shortened(office.store, ada) == [], 10, "the lease taken up again")
    before = statuses(office.store)
    again.close()
    second.close()
    eventually(lambda: len(shortened(office.store, ada)) == 2, 10, "the shorter leases")
    wait_for_status(office.store, "offline")
    assert statuses(office.store) == [*before, "offline"], "two tabs are one user, and a reload is no news"


def open_tabs(store: Store, user: str) -> list[str]:
    with store.write() as tx:
        query = select(t.presence.c.tab_id).where(t.presence.c.user_id == user, t.presence.c.lease_until > tx.now_ms())
        return list(tx.conn.scalars(query))


def shortened(store: Store, user: str) -> list[str]:
    """Tabs whose lease ends within the time of a reload, though it has not ended."""
    with store.write() as tx:
        now, grace = tx.now_ms(), availability.RELOAD_GRACE_MS
        column = t.presence.c.lease_until
        query = select(t.presence.c.tab_id).where(t.presence.c.user_id == user, column > now, column <= now + grace)
        return list(tx.conn.scalars(query))


@ON_ONE
def test_wrap_up_ends_by_itself(office: Office, running: DeskProcess) -> None:
    (ada,) = office.users
    set_user(office.store, ada, wrap_up_s=2)
    call = office.arrive().call_id
    office.answer(call, ada)
    office.end(call)
    ended = wait_for_status(office.store, "wrap_up")
    over = wait_for_status(office.store, "available")
    assert 1_500 < over.at - ended.at < 8_000, "its time, and what a busy machine takes to notice"
    eventually(lambda: next_wrap_up(office.store) is None, 10, "the end of the row, which is a transaction of its own")


def next_wrap_up(store: Store) -> int | None:
    """When the next wrap-up is over."""
    with store.read() as conn:
        return due.next_at(conn, [afterwork.WRAP_UP])


@ON_ONE
def test_working_hours_begin(office: Office, running: DeskProcess) -> None:
    (ada,) = office.users
    with office.store.write() as tx:
        schedule = add_schedule(tx, "never")
        states.change(tx.conn, ada, schedule_id=schedule)
    with office.store.write() as tx:
        availability.choose(tx, ada, "auto", None, new_id())
    wait_for_status(office.store, "out_of_hours")
    with office.store.write() as tx:  # it is morning
        tx.execute(update(t.schedules).values(weekly=[[["00:00", "24:00"]]] * 7))
        due.put(tx.conn, availability.HOURS, ada, tx.now_ms() + 500)
    wait_for_status(office.store, "available")


@ON_ONE
def test_what_became_due_while_no_desk_was_there(office: Office, running: DeskProcess) -> None:
    (ada,) = office.users
    set_user(office.store, ada, wrap_up_s=1)
    running.process.kill(signal.SIGKILL)
    running.process.wait()
    call = office.arrive().call_id
    office.answer(call, ada)
    office.end(call)
    assert statuses(office.store)[-1] == "wrap_up"
    running.start()
    wait_for_status(office.store, "available")


@ON_ONE
def test_a_desk_that_restarts_is_no_news(office: Office, running: DeskProcess) -> None:
    (ada,) = office.users
    cookie = running.cookie(ada)
    first = running.tab(cookie)
    first.wait_frame("aloud")
    eventually(lambda: first.id in open_tabs(office.store, ada), 10, "the tab")
    running.process.kill(signal.SIGKILL)
    running.process.wait()
    running.start()
    with running.tab(cookie, tab=first.id, after=first.seq) as again:
        again.wait_frame("caught_up")
        call = office.arrive().call_id
        again.wait_for("call.ringing", call_id=call)
        assert statuses(office.store) == ["available"]


@ON_ONE
def test_a_status_that_nobody_wrote_down_is_found(office: Office, running: DeskProcess) -> None:
    """Whatever forgot it: no status outlives its cause by more than the time between two looks."""
    (ada,) = office.users
    set_user(office.store, ada, choice="unavailable", choice_reason="lunch")
    wait_for_status(office.store, "unavailable")


def test_two_desk_processes_write_each_change_once(tmp_path: Path, store_url: str, office: Office) -> None:
    (ada,) = office.users
    (tmp_path / "two").mkdir()
    desks = [DeskProcess(tmp_path, store_url), DeskProcess(tmp_path / "two", store_url)]
    try:
        set_user(office.store, ada, wrap_up_s=1)
        for _ in range(4):
            call = office.arrive().call_id
            office.answer(call, ada)
            office.end(call)
            wait_for_status(office.store, "available")
        lease_ends_in(office.store, 500)
        wait_for_status(office.store, "offline")
        assert statuses(office.store) == ["available", *["in_call", "wrap_up", "available"] * 4, "offline"]
        assert all("Traceback" not in desk.process.errors for desk in desks)
    finally:
        for desk in desks:
            desk.close()


# ---- the runner by itself


class Work:
    """Jobs that note what they were given."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.fail = 0
        self.again_at: int | None = None
        self.happened = threading.Event()

    def __call__(self, _: Store, __: Settings, row: due.Due) -> int | None:
        if self.fail:
            self.fail -= 1
            raise ValueError("a fault in this job")
        self.done.append(row.subject)
        self.happened.set()
        return self.again_at


def runner(store: Store, tmp_path: Path, **jobs: Job) -> Runner:
    """A runner of these jobs, not started."""
    return Runner(store, make_settings(tmp_path, str(store.url)), lambda: None, jobs)


def test_each_row_is_done_once_by_one_of_many(store: Store, tmp_path: Path) -> None:
    work = Work()
    with store.write() as tx:
        for number in range(30):
            due.put(tx.conn, "work", f"row-{number:02}", tx.now_ms())
    runners = [runner(store, tmp_path, work=Job(work)) for _ in range(3)]
    threads = [threading.Thread(target=one.once) for one in runners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(work.done) == [f"row-{number:02}" for number in range(30)]


def test_a_job_that_fails_is_tried_again_and_holds_nobody_up(store: Store, tmp_path: Path) -> None:
    bad, good = Work(), Work()
    bad.fail = 1
    one = runner(store, tmp_path, bad=Job(bad), good=Job(good))
    with store.write() as tx:
        due.put(tx.conn, "bad", "a", tx.now_ms() - 2)
        due.put(tx.conn, "good", "b", tx.now_ms() - 1)
    one.once()
    assert (bad.done, good.done) == ([], ["b"])
    with store.write() as tx:
        claimed_until = due.next_at(tx.conn, ["bad"])
        assert claimed_until is not None
        assert 0 < claimed_until - tx.now_ms() <= CLAIM_MS
        tx.execute(update(t.due).values(claimed_until=tx.now_ms() - 1))
    one.once()
    assert bad.done == ["a"]


def test_a_job_comes_again_when_it_says_or_by_itself(store: Store, tmp_path: Path) -> None:
    daily, chain = Work(), Work()
    one = runner(store, tmp_path, daily=Job(daily, every_s=3600), chain=Job(chain))
    with store.write() as tx:
        chain.again_at = tx.now_ms() + 60_000
        due.put(tx.conn, "chain", "x", tx.now_ms())
    one.once()
    assert (daily.done, chain.done) == (["all"], ["x"])
    with store.write() as tx:
        assert due.next_at(tx.conn, ["chain"]) == chain.again_at
        again = due.next_at(tx.conn, ["daily"])
        assert again is not None
        assert 3_590_000 < again - tx.now_ms() <= 3_600_000
    one.once()
    assert (daily.done, chain.done) == (["all"], ["x"])


def test_a_slow_job_does_not_keep_others_waiting(store: Store, tmp_path: Path) -> None:
    leave, quick = threading.Event(), Work()

    def slow(_: Store, __: Settings, ___: due.Due) -> None:
        assert leave.wait(30)

    one = runner(store, tmp_path, slow=Job(slow, every_s=3600, slow=True), quick=Job(quick))
    one.start()
    try:
        with store.write() as tx:
            due.put(tx.conn, "quick", "now", tx.now_ms())
        assert quick.happened.wait(20)
    finally:
        leave.set()
        one.stop()


def test_a_row_with_an_earlier_time_wakes_the_runner(store: Store, tmp_path: Path) -> None:
    """It sleeps until its earliest time, or until somebody in any process has committed an event."""
    work = Work()
    one = runner(store, tmp_path, work=Job(work))
    one.start()
    try:
        with store.write() as tx:
            due.put(tx.conn, "work", "later", tx.now_ms() + 3_600_000)
        with store.write() as tx:
            due.put(tx.conn, "work", "sooner", tx.now_ms() + 300)
            tx.append(Event(CHECKLIST_CHANGED, ADMINS, "system"))
        assert work.happened.wait(8), "sooner than the look that it takes anyway"
        assert work.done == ["sooner"]
    finally:
        one.stop()


@ON_ONE
def test_work_that_a_migration_has_left_is_done_and_holds_up_nothing(store: Store, tmp_path: Path) -> None:
    done: list[str] = []

    def handle(_: Store, __: Settings, row: due.Due) -> None:
        done.append(row.kind)

    with store.write() as tx:
        due.put(tx.conn, "from.migration", "", 0)
        due.put(tx.conn, "later", "", 1)
    settings = make_settings(tmp_path, str(store.url))
    Runner(store, settings, pytest.fail, {"from.migration": Job(handle), "later": Job(handle)}).once()
    assert done == ["from.migration", "later"]

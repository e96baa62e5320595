"""The event log: order, transactions, cursors."""

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aircall_core.domain.events import Event
from aircall_core.store import LogTruncated, Store, StoreAway, log, open_store
from aircall_core.store.tables import events as events_table
from aircall_core.store.tables import settings as settings_table
from tests.store.helpers import append, event


class Refused(Exception):
    """Raised by a test inside a transaction."""


def roll_back(store: Store, *happened: Event) -> None:
    """A transaction that changes a row, appends these events, and raises."""
    with store.write() as tx:
        tx.execute(settings_table.insert().values(key="a", value=1))
        tx.append(*happened)
        raise Refused


def test_an_empty_store_stands_at_zero(store: Store) -> None:
    assert store.last_seq() == 0
    assert store.events(0) == []


def test_events_come_back_as_they_were_appended_in_order(store: Store) -> None:
    first = Event(
        "call.ringing",
        audience="line:l",
        actor="worker:worker-0@h",
        call_id="c",
        conversation_id="v",
        line_id="l",
        user_id="u",
        data={"leg": "x", "n": 1, "deep": [{"a": None}], "odd": "é ' % \\ \u0000 %s 電話"},
        v=2,
    )
    with store.write() as tx:
        tx.append(first)
        tx.append(event(n=2), event(n=3))
        assert tx.seqs == []
    assert [row.event for row in tx.rows] == [first, event(n=2), event(n=3)]
    assert tx.seqs == sorted(tx.seqs)
    assert store.events(0) == tx.rows
    assert store.events(tx.seqs[0], limit=1) == tx.rows[1:2]
    assert store.last_seq() == tx.seqs[-1]


def test_a_transaction_that_raises_leaves_neither_rows_nor_events(store: Store) -> None:
    with pytest.raises(Refused):
        roll_back(store, event())
    assert store.last_seq() == 0
    with store.read() as conn:
        assert conn.execute(settings_table.select()).all() == []
    assert len(append(store, event())) == 1


def test_a_refused_event_takes_the_state_rows_with_it_and_the_store_goes_on(store: Store) -> None:
    def write() -> None:
        with store.write() as tx:
            tx.execute(settings_table.insert().values(key="a", value=1))
            tx.append(event(), Event(None, audience="staff", actor="system"))  # type: ignore[arg-type]

    with pytest.raises(Exception, match=r"(?i)null"):
        write()
    with store.read() as conn:
        assert conn.execute(settings_table.select()).all() == []
    assert store.events(0) == []
    seqs = append(store, event())
    # A hole in the numbers, as PostgreSQL leaves one here, does not make a cursor void.
    assert [row.seq for row in store.events(0)] == seqs


def test_a_reading_block_sees_one_moment(store: Store) -> None:
    append(store, event())
    with store.read() as conn:
        before = log.last_seq(conn)
        (after,) = append(store, event())
        assert log.last_seq(conn) == before < after
    assert store.last_seq() == after


def test_a_reading_block_cannot_write(store: Store) -> None:
    with pytest.raises(Exception, match=r"(?i)read-?only"), store.read() as conn:
        conn.execute(settings_table.insert().values(key="a", value=1))


def test_write_inside_write_is_refused_and_not_a_deadlock(store: Store) -> None:
    with store.write() as tx:
        tx.append(event())
        with pytest.raises(RuntimeError, match="inside another"), store.write():
            pass
    assert store.last_seq() == tx.seqs[0]


def test_the_events_table_refers_to_no_other_table() -> None:
    """A foreign key would take row locks while the append lock is held: deadlocks between writers."""
    assert not events_table.foreign_keys


def test_cursors_below_a_pruned_log_are_void(store: Store) -> None:
    seqs = [append(store, event(n=n))[0] for n in range(5)]
    with store.write() as tx:
        assert log.prune(tx.conn, seqs[2]) == 3
    for after in (0, seqs[0], seqs[1]):
        with pytest.raises(LogTruncated) as caught:
            store.events(after)
        assert caught.value.last_seq == seqs[4]
    assert [row.seq for row in store.events(seqs[2])] == seqs[3:]


def test_pruning_keeps_the_newest_event_and_never_reuses_a_number(store: Store) -> None:
    seqs = [append(store, event())[0] for _ in range(3)]
    with store.write() as tx:
        assert log.prune(tx.conn, 10**12) == 2
    assert store.last_seq() == seqs[2]
    assert append(store, event())[0] > seqs[2]


def test_a_cursor_ahead_of_the_log_is_void(store: Store) -> None:
    (seq,) = append(store, event())
    with pytest.raises(LogTruncated):
        store.events(seq + 1)
    assert store.events(seq) == []


def test_a_second_writer_in_this_process_waits_for_its_turn(store: Store) -> None:
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with store.write() as tx:
            tx.append(event(who="first"))
            inside.set()
            leave.wait()

    first = threading.Thread(target=hold)
    first.start()
    inside.wait()
    second = threading.Thread(target=append, args=(store, event(who="second")))
    second.start()
    assert store.events(0) == []
    leave.set()
    first.join()
    second.join()
    assert [row.event.data["who"] for row in store.events(0)] == ["first", "second"]


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "sqlite:///:memory:", "nonsense", ""])
def test_a_url_that_is_none_of_ours_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"(?i)sqlite"):
        open_store(url)


def test_a_folder_that_cannot_be_made_says_so(tmp_path: object) -> None:
    with pytest.raises(StoreAway, match="cannot be opened"):
        open_store("sqlite:////dev/null/aircall.db")


STEPS = st.lists(
    st.tuples(st.sampled_from(["commit", "roll back", "prune"]), st.integers(min_value=0, max_value=4)),
    max_size=12,
)


@given(steps=STEPS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_mix_of_commits_rollbacks_and_pruning_reads_as_the_commits_in_order(
    store: Store, steps: list[tuple[str, int]]
) -> None:
    start = store.last_seq()
    committed: list[tuple[int, int]] = []  # seq, n
    floor = start
    for step, (what, size) in enumerate(steps):
        numbers = [step * 10 + index for index in range(size)]
        batch = [event(n=n) for n in numbers]
        if what == "commit":
            committed += zip(append(store, *batch), numbers, strict=True)
        elif what == "roll back":
            with pytest.raises(Refused):
                roll_back(store, *batch)
        else:
            oldest = [seq for seq, _ in committed if seq > floor][:-1][:size]  # the newest always stays
            if oldest:
                floor = oldest[-1]
                with store.write() as tx:
                    log.prune(tx.conn, floor)
    kept = [item for item in committed if item[0] > floor]
    assert [(row.seq, row.event.data["n"]) for row in store.events(floor)] == kept
    for index, (seq, _) in enumerate(kept):
        assert [row.seq for row in store.events(seq)] == [later for later, _ in kept[index + 1 :]]
    if floor > start:
        with pytest.raises(LogTruncated):
            store.events(floor - 1)

"""Notes on calls: one a user and call, saved as typed, never overwritten unseen; on both databases."""

import threading
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from aircall_core.desk import drafts, notes
from aircall_core.desk.errors import DeskError, Invalid
from aircall_core.ids import new_id
from aircall_core.store import Store, open_store
from aircall_core.store import tables as t
from tests.support.desk_kit import Desk, add_user


@pytest.fixture
def desk(store: Store) -> Desk:
    """Ann and Bo on a line."""
    return Desk.open(store, "Ann", "Bo")


def write(desk: Desk, call: str, name: str, text: str, version: int, role: str = "agent") -> notes.Note:
    with desk.store.write() as tx:
        return notes.write(tx, call, desk.ids[name], role, text, version)


def read(desk: Desk, call: str, name: str) -> notes.Note:
    with desk.store.read() as conn:
        return notes.read(conn, call, desk.ids[name], "agent")


def noted(desk: Desk) -> list[dict[str, Any]]:
    return [dict(row.event.data) for row in desk.store.events(0, 1000) if row.kind == "call.noted"]


def child_of(desk: Desk, call: str, **values: Any) -> str:
    """A call made for this one."""
    child = new_id()
    with desk.store.write() as tx:
        row = desk.call(call)
        tx.execute(insert(t.calls).values({**row, "id": child, "parent_id": call, "answered_by": None, **values}))
    return child


def test_a_note_grows_version_by_version_and_the_log_holds_no_word_of_it(desk: Desk) -> None:
    call = desk.arrive().call_id
    assert read(desk, call, "Ann") == notes.Note(None, 0, "")
    first = write(desk, call, "Ann", "Wants a refund", 0)
    second = write(desk, call, "Ann", "Wants a refund for May", 1)
    assert (first.version, second.version, first.id) == (1, 2, second.id)
    assert read(desk, call, "Ann").text == "Wants a refund for May"
    assert read(desk, call, "Bo").version == 0, "each user has their own"
    assert noted(desk) == [{"note": first.id, "version": 1}, {"note": first.id, "version": 2}]


def test_a_repeated_save_changes_nothing_and_a_late_one_is_refused(desk: Desk) -> None:
    call = desk.arrive().call_id
    write(desk, call, "Ann", "one", 0)
    assert write(desk, call, "Ann", "one", 0).version == 1, "its answer was lost: it is asked again"
    write(desk, call, "Ann", "one two", 1)
    with pytest.raises(DeskError) as late:
        write(desk, call, "Ann", "from another tab", 1)
    assert (late.value.code, late.value.status, late.value.details) == (
        "changed",
        409,
        {"version": 2, "text": "one two"},
    )
    assert len(noted(desk)) == 2
    write(desk, call, "Ann", "", 2)
    assert read(desk, call, "Ann") == notes.Note(read(desk, call, "Ann").id, 3, ""), "all deleted, and not begun anew"


def test_two_tabs_that_begin_a_note_at_once_have_one(desk: Desk) -> None:
    call, refused, start = desk.arrive().call_id, [], threading.Barrier(2)

    def begin(text: str) -> None:
        start.wait()
        try:
            write(desk, call, "Ann", text, 0)
        except DeskError as wrong:
            refused.append(wrong.details["text"])

    threads = [threading.Thread(target=begin, args=(text,)) for text in ("left", "right")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == [read(desk, call, "Ann").text]
    with desk.store.read() as conn:
        assert conn.scalar(select(func.count()).select_from(t.notes)) == 1


def test_who_may_write(desk: Desk) -> None:
    call = desk.arrive().call_id
    with desk.store.write() as tx:
        desk.ids |= {"Out": add_user(tx, "Out"), "Boss": add_user(tx, "Boss", role="supervisor")}
    write(desk, call, "Boss", "listened in", 0, "supervisor")
    with pytest.raises(DeskError) as wrong:
        write(desk, call, "Out", "x", 0)
    assert wrong.value.status == 404
    with pytest.raises(DeskError):
        read(desk, call, "Out")
    child_of(desk, call, started_by=desk.ids["Ann"], accepted_by=desk.ids["Out"], direction="internal")
    write(desk, call, "Out", "was asked about it", 0)
    with pytest.raises(DeskError):
        write(desk, new_id(), "Ann", "x", 0)


def test_a_note_of_a_call_made_for_another_one_is_that_ones(desk: Desk) -> None:
    """A colleague who is asked, and then takes the call over, goes on in the same note."""
    call = desk.arrive().call_id
    child = child_of(desk, call, started_by=desk.ids["Ann"], accepted_by=desk.ids["Bo"], direction="internal")
    write(desk, child, "Bo", "Ann asks about the invoice", 0)
    assert read(desk, call, "Bo") == read(desk, child, "Bo")
    write(desk, call, "Bo", "Ann asks about the invoice. Paid.", 1)
    with desk.store.read() as conn:
        assert list(conn.scalars(select(t.notes.c.call_id))) == [call]


def test_what_no_database_keeps_is_left_out_and_what_is_too_long_refused(desk: Desk) -> None:
    call = desk.arrive().call_id
    write(desk, call, "Ann", "a\0b \ud83d c 😀\n", 0)
    assert read(desk, call, "Ann").text == "ab  c 😀\n"
    write(desk, call, "Ann", "x" * notes.LONGEST, 1)
    with pytest.raises(Invalid):
        write(desk, call, "Ann", "x" * (notes.LONGEST + 1), 2)


def test_saving_what_is_typed_waits_for_no_call_that_is_being_handed_out(postgres_url: str) -> None:
    with open_store(postgres_url) as store, open_store(postgres_url) as calls:
        desk = Desk.open(store, "Ann")
        arrival = desk.arrive()
        conversation, ann = arrival.conversation_id, desk.ids["Ann"]
        with calls.write() as busy:
            busy.take_turn()
            assert write(desk, arrival.call_id, "Ann", "a refund", 0).version == 1
            with store.write() as tx:
                assert drafts.write(tx, conversation, ann, "agent", "Dear", [], 0).version == 1
                note = notes.add(tx, conversation, ann, "likes tea", command=new_id())
                assert notes.change(tx, str(note.id), ann, "agent", "likes coffee", 1).version == 2


def test_many_tabs_in_many_processes_overwrite_nothing_unseen(postgres_url: str) -> None:
    """Each tab adds a word to what it has seen: a save that was confirmed and is not there was overwritten."""
    with open_store(postgres_url) as store:
        desk = Desk.open(store, "Ann")
        arrival = desk.arrive()
        start, saved, faults = threading.Barrier(4), list[str](), list[BaseException]()

        def type_on(letter: str) -> None:
            try:
                with open_store(postgres_url) as own:
                    start.wait(30)
                    saved.extend(add(own, f"{letter}{place} ") for place in range(10))
            except BaseException as fault:  # noqa: BLE001 - told by the test
                faults.append(fault)

        def add(own: Store, word: str) -> str:
            version, text = 0, ""
            while True:
                try:
                    with own.write() as tx:
                        notes.write(tx, arrival.call_id, desk.ids["Ann"], "agent", text + word, version)
                        drafts.write(tx, arrival.conversation_id, desk.ids["Ann"], "agent", text + word, [], version)
                        return word
                except DeskError as wrong:
                    version, text = int(str(wrong.details["version"])), str(wrong.details["text"])

        threads = [threading.Thread(target=type_on, args=(letter,)) for letter in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert faults == []
        found = read(desk, arrival.call_id, "Ann")
        assert (sorted(found.text.split()), found.version) == (sorted(one.strip() for one in saved), 40)
        with store.read() as conn:
            assert drafts.read(conn, arrival.conversation_id, desk.ids["Ann"], "agent").text == found.text

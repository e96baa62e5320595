"""The timeline page by page, both ways, over every channel and all of a customer's conversations; on both databases."""

from typing import Any

import pytest
from sqlalchemy import insert

from aircall_core.desk import conversations, messages, notes
from aircall_core.desk.errors import DeskError
from aircall_core.ids import new_id, now_ms
from aircall_core.store import Store
from aircall_core.store import tables as t
from aircall_core.store.queries import conversation, timeline, timeline_new
from aircall_core.store.queries import timeline_pages as pages
from aircall_core.store.queries.timeline import Viewer
from aircall_core.store.queries.timeline_pages import Filter
from tests.support.desk_kit import Desk, add_line, add_user

CUSTOMER = "+33612345678"


@pytest.fixture
def desk(store: Store) -> Desk:
    """A line that Ann and Bo answer."""
    return Desk.open(store, "Ann", "Bo")


def read(desk: Desk, conversation_id: str, **asked: Any) -> dict[str, Any]:
    with desk.store.read() as conn:
        return timeline.timeline(conn, conversation_id, **asked)


def seqs(page: dict[str, Any]) -> list[int]:
    return [entry["seq"] for entry in page["entries"]]


def talked(desk: Desk, user: str = "Ann", at: int | None = None) -> Any:
    plan = desk.arrive(CUSTOMER, **({} if at is None else {"arrived_at": at}))
    desk.answer(plan.call_id, desk.ids[user])
    desk.end(plan.call_id)
    return plan


def texted(desk: Desk, body: str, line: str = "") -> str:
    with desk.store.write() as tx:
        message = messages.receive(
            tx, line_id=line or desk.line, account_id="account", number=CUSTOMER, body=body, remote_id=None,
            at=now_ms(), actor="desk",
        )  # fmt: skip
    assert message is not None
    return message


def noted(desk: Desk, conversation_id: str, text: str, command: str = "") -> str:
    with desk.store.write() as tx:
        note = notes.add(tx, conversation_id, desk.ids["Ann"], text, command=command or new_id())
    assert note.id is not None
    return note.id


def test_pages_both_ways_and_around_join_without_gap_or_overlap(desk: Desk) -> None:
    for n in range(6):
        plan = talked(desk)
        texted(desk, f"text {n}")
    one = plan.conversation_id
    whole = seqs(read(desk, one, limit=200))
    assert whole == sorted(set(whole))
    down, cursor = [], 0
    while True:
        page = read(desk, one, after=cursor, limit=4)
        down += seqs(page)
        if page["after"] is None:
            break
        cursor = page["after"]
    assert down == whole
    middle = whole[len(whole) // 2]
    page = read(desk, one, around=middle, limit=6)
    assert seqs(page) == whole[len(whole) // 2 - 3 : len(whole) // 2 + 3]
    older, newer = read(desk, one, before=page["before"], limit=200), read(desk, one, after=page["after"], limit=200)
    assert [*seqs(older), *seqs(page), *seqs(newer)] == whole
    assert (older["before"], newer["after"]) == (None, None)
    (entry,) = read(desk, one, around=middle, limit=1)["entries"]
    assert entry["seq"] == middle


def test_every_channel_can_be_read_alone(desk: Desk) -> None:
    plan = talked(desk)
    other = talked(desk)
    texted(desk, "hello")
    noted(desk, plan.conversation_id, "likes tea")
    with desk.store.write() as tx:
        notes.write(tx, other.call_id, desk.ids["Ann"], "agent", "about this call", 0)
        conversations.close(tx, plan.conversation_id, desk.ids["Bo"])
        conversations.reopen(tx, plan.conversation_id, desk.ids["Ann"])

    def kinds(*channels: str) -> list[str]:
        page = read(desk, plan.conversation_id, wanted=Filter(frozenset(channels)), limit=200)
        return [entry["kind"] for entry in page["entries"]]

    assert kinds("call") == ["call.arrived", "call.arrived"]
    assert kinds("text") == ["message.received"]
    assert kinds("note") == ["call.arrived", "conversation.noted"]
    assert kinds("log")[-2:] == ["conversation.closed", "conversation.reopened"]
    assert len(kinds("call", "text", "note", "log")) == len(kinds("log")) + 4
    page = read(desk, plan.conversation_id, limit=200)
    told = {entry["kind"]: entry for entry in page["entries"]}
    assert told["message.received"]["message"]["body"] == "hello"
    assert told["conversation.noted"]["note"]["text"] == "likes tea"
    assert told["conversation.noted"]["note"]["by"] == {"id": desk.ids["Ann"], "name": "Ann"}
    assert told["conversation.closed"]["who"]["name"] == "Bo"
    assert told["conversation.reopened"]["who"]["name"] == "Ann"


def test_a_span_of_time(desk: Desk) -> None:
    plan = talked(desk)
    entries = read(desk, plan.conversation_id, limit=200)["entries"]
    first, last = entries[0]["at"], entries[-1]["at"]
    assert seqs(read(desk, plan.conversation_id, wanted=Filter(since=first, until=last + 1))) == [
        entry["seq"] for entry in entries
    ]
    assert read(desk, plan.conversation_id, wanted=Filter(since=last + 1))["entries"] == []
    assert read(desk, plan.conversation_id, wanted=Filter(until=first))["entries"] == []


def test_an_entry_is_found_by_the_id_of_what_it_shows(desk: Desk) -> None:
    plan = talked(desk)
    message, note = texted(desk, "hello"), noted(desk, plan.conversation_id, "likes tea")
    with desk.store.write() as tx:
        on_call = notes.write(tx, plan.call_id, desk.ids["Ann"], "agent", "about this call", 0).id
    told = {entry["kind"]: entry["seq"] for entry in read(desk, plan.conversation_id, limit=200)["entries"]}
    with desk.store.read() as conn:
        assert pages.seq_of(conn, "17") == 17
        assert pages.seq_of(conn, plan.call_id) == pages.seq_of(conn, str(on_call)) == told["call.arrived"]
        assert pages.seq_of(conn, message) == told["message.received"]
        assert pages.seq_of(conn, note) == told["conversation.noted"]
        assert pages.seq_of(conn, new_id()) is None


def test_a_note_is_written_once_changed_by_its_writer_alone_and_taken_away(desk: Desk) -> None:
    plan = talked(desk)
    note = noted(desk, plan.conversation_id, " likes tea ", "command-1")
    assert noted(desk, plan.conversation_id, "likes tea", "command-1") == note
    with desk.store.write() as tx:
        with pytest.raises(Exception, match="note"):
            notes.change(tx, note, desk.ids["Bo"], "agent", "likes coffee", 1)
        assert notes.change(tx, note, desk.ids["Ann"], "agent", "likes coffee", 1).version == 2
        assert notes.change(tx, note, desk.ids["Ann"], "agent", "likes coffee", 1).version == 2
        with pytest.raises(Exception, match="changed elsewhere"):
            notes.change(tx, note, desk.ids["Ann"], "agent", "likes milk", 1)
        with pytest.raises(Exception, match="needs a text"):
            notes.add(tx, plan.conversation_id, desk.ids["Ann"], " \n", command=new_id())
    shown = [one for one in read(desk, plan.conversation_id, limit=200)["entries"] if "note" in one]
    assert [one["note"]["text"] for one in shown] == ["likes coffee"]
    with desk.store.write() as tx:
        notes.change(tx, note, desk.ids["Ann"], "agent", "", 2)
    assert [one["note"] for one in read(desk, plan.conversation_id, limit=200)["entries"] if "note" in one] == [None]


def test_a_leader_takes_away_what_others_noted_and_rewrites_none_of_it(desk: Desk) -> None:
    plan = talked(desk)
    note = noted(desk, plan.conversation_id, "calls customers names")
    with desk.store.write() as tx:
        for role, text in (("agent", ""), ("supervisor", "other words")):
            with pytest.raises(DeskError) as wrong:
                notes.change(tx, note, desk.ids["Bo"], role, text, 1)
            assert wrong.value.status == 404
        assert notes.change(tx, note, desk.ids["Bo"], "supervisor", "", 1).version == 2
    assert [one["note"] for one in read(desk, plan.conversation_id, limit=200)["entries"] if "note" in one] == [None]


def test_a_customer_is_read_over_all_lines_that_the_viewer_sees(desk: Desk) -> None:
    plan = talked(desk)
    with desk.store.write() as tx:
        sales, hidden = add_line(tx, number="+33100000001"), add_line(tx, number="+33100000002")
        kim = add_user(tx, "Kim", lines=(desk.line, sales))
    texted(desk, "to sales", sales)
    texted(desk, "to the hidden line", hidden)
    texted(desk, "to support")
    with desk.store.read() as conn:
        seen = conversation.together(conn, plan.conversation_id, [desk.line, sales])
        assert [one["line"]["id"] for one in seen] == [desk.line, sales]
        assert len(conversation.together(conn, plan.conversation_id, None)) == 3
        assert len(conversation.together(conn, plan.conversation_id, [])) == 1
    ids = [one["id"] for one in seen]
    page = read(desk, ids[0], others=ids[1:], limit=200, viewer=Viewer(kim, "agent"))
    assert [one["message"]["body"] for one in page["entries"] if "message" in one] == ["to sales", "to support"]
    assert seqs(page) == sorted(seqs(page))
    joined: list[int] = []
    cursor: int | None = None
    while True:
        part = read(desk, ids[0], others=ids[1:], before=cursor, limit=2)
        joined[:0] = seqs(part)
        cursor = part["before"]
        if cursor is None:
            break
    assert joined == seqs(page)


def test_callers_who_hide_their_number_have_nothing_in_common(desk: Desk) -> None:
    first = desk.arrive("anonymous")
    with desk.store.write() as tx:
        sales = add_line(tx, number="+33100000001")
        tx.execute(
            insert(t.conversations).values(id=new_id(), line_id=sales, party="anonymous", opened_at=1, last_at=1)
        )
    with desk.store.read() as conn:
        assert [one["id"] for one in conversation.together(conn, first.conversation_id, None)] == [
            first.conversation_id
        ]


@pytest.mark.parametrize(
    ("who", "role", "hears"),
    [("Ann", "agent", [True, True, True]), ("Bo", "agent", [False, True, True]), ("Bo", "analyst", [True] * 3)],
)
def test_a_talk_is_played_by_who_took_part_messages_by_the_whole_line(
    desk: Desk, who: str, role: str, hears: list[bool]
) -> None:
    talk = talked(desk, "Ann")
    missed = desk.arrive(CUSTOMER)
    desk.end(missed.call_id)
    with desk.store.write() as tx:
        for call, kind in ((talk.call_id, "call"), (talk.call_id, "voicemail"), (missed.call_id, "call")):
            sound = {"id": new_id(), "call_id": call, "path": "x.wav", "duration_ms": 1, "size_bytes": 1, "kind": kind}
            tx.execute(insert(t.recordings).values(**sound, created_at=now_ms()))
    page = read(desk, talk.conversation_id, limit=200, viewer=Viewer(desk.ids[who], role))
    may = [one["may"] for entry in page["entries"] if "call" in entry for one in entry["call"]["recordings"]]
    assert may == hears


def test_new_is_what_others_brought_since_the_last_look_and_nothing_else(desk: Desk) -> None:
    """Closing, answering, one's own texts and notes are not news, whenever their entries were written."""
    ann, bo = desk.ids["Ann"], desk.ids["Bo"]
    talk = talked(desk)
    here = talk.conversation_id

    def new(user: str = bo) -> int | None:
        with desk.store.read() as conn:
            return timeline_new.first_new(conn, [here], user)[here]

    def look(user: str = bo) -> None:
        with desk.store.write() as tx:
            conversations.mark_read(tx, here, user)

    def entry(place: str) -> int | None:
        with desk.store.read() as conn:
            return pages.seq_of(conn, place)

    texted(desk, "before the first look")
    assert new() is None  # who has never read has no place in it
    look()
    look()
    assert new() is None
    with desk.store.write() as tx:
        conversations.close(tx, here, ann)
        conversations.reopen(tx, here, ann, assigned_to=ann)
    talked(desk)
    assert new() is None
    note = noted(desk, here, "by Ann")
    assert (new(bo), new(ann)) == (entry(note), None)
    look()
    look(ann)
    assert (new(bo), new(ann)) == (None, None)
    with desk.store.write() as tx:  # an old version's row: up to when, but not up to which entry
        tx.execute(t.conversation_reads.update().where(t.conversation_reads.c.user_id == ann).values(read_seq=None))
    missed = desk.arrive(CUSTOMER).call_id
    assert new() is None  # it still rings
    look()
    desk.end(missed)
    text = texted(desk, "Nobody there?")
    assert new() == entry(missed)  # it was seen ringing, not missed
    assert new(ann) is None
    look()
    assert new() is None
    later = texted(desk, "Hello?")
    assert new() == entry(later)
    assert entry(text) is not None

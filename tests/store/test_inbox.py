"""The inbox's lists and counts on both databases: each category after each deed, for each role; random inboxes against
plain reading, pages without gaps; and conversations that close by themselves."""

import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from aircall_core.desk import assignment, auto_close, conversations, notes
from aircall_core.desk.errors import DeskError
from aircall_core.domain.words import query
from aircall_core.ids import new_id, now_ms
from aircall_core.store import Store, indexing, unread
from aircall_core.store import conversations as rows
from aircall_core.store import tables as t
from aircall_core.store.queries import inbox
from tests.support.desk_kit import Desk, add_line, add_user
from tests.support.inbox_kit import listed

AT = 1_700_000_000_000


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk.open(store, "Ann", "Bo")


def where(desk: Desk, user: str, role: str = "agent") -> set[str]:
    """The categories in which the user has the only conversation. Counts say the same."""
    with desk.store.read() as conn:
        counted = inbox.counts(conn, user, inbox.visible_lines(conn, user, role))
        found = {one for one in inbox.CATEGORIES if listed(conn, user, role, category=one)}
    assert found - {"all"} == {name for name, count in counted.items() if count}
    return found


def do(desk: Desk, deed: str, conversation: str, *more: Any) -> None:
    with desk.store.write() as tx:
        getattr(assignment if deed == "assign" else conversations, deed)(tx, conversation, *more)


def test_each_category_after_each_deed_for_each_role(desk: Desk) -> None:
    ann, bo = desk.ids["Ann"], desk.ids["Bo"]
    with desk.store.write() as tx:
        other = add_line(tx, number="+33199009900")
        stranger = add_user(tx, "Out", lines=(other,))
        boss, analyst = (add_user(tx, role, role=role) for role in ("supervisor", "analyst"))

    def stands(*expected: str) -> None:
        """For Ann, Bo, the supervisor and the analyst."""
        assert where(desk, stranger) == set()
        found = (where(desk, ann), where(desk, bo), where(desk, boss, "supervisor"), where(desk, analyst, "analyst"))
        assert found == tuple(set(one.split()) for one in expected)

    missed = desk.arrive()
    conversation = missed.conversation_id
    fresh = "open unassigned all"
    stands(fresh, fresh, fresh, fresh)
    desk.end(missed.call_id)
    stands(*[f"unread {fresh}"] * 3, fresh)
    do(desk, "mark_read", conversation, ann)
    stands(fresh, f"unread {fresh}", f"unread {fresh}", fresh)
    with desk.store.write() as tx:
        conversations.mark_unread(tx, conversation, ann)
    stands(*[f"unread {fresh}"] * 3, fresh)
    with desk.store.write() as tx:
        assignment.assign(tx, conversation, bo, ann, command=new_id())
    stands("unread open mine all", "unread open all", "unread open all", "open all")
    do(desk, "close", conversation, bo)
    stands(*["closed all"] * 4)
    with desk.store.write() as tx:
        conversations.reopen(tx, conversation, bo, assigned_to=ann)
    stands("open mine all", *["open all"] * 3)
    do(desk, "close", conversation, bo)
    again = desk.arrive()
    assert again.conversation_id == conversation
    stands(*[fresh] * 4)
    desk.answer(again.call_id, ann)
    with pytest.raises(DeskError, match="has a call") as refused:
        do(desk, "close", conversation, bo)
    assert (refused.value.code, refused.value.status) == ("in_call", 409)
    desk.end(again.call_id)
    stands(*[fresh] * 4)  # an answered call is no news


def test_who_answers_has_seen_what_was_missed_before_and_others_have_not(desk: Desk) -> None:
    conversation = desk.arrive().conversation_id
    with desk.store.read() as conn:
        call = listed(conn, desk.ids["Ann"], "agent")[0]["call"]["id"]
    desk.end(call)
    plan = desk.arrive()
    desk.answer(plan.call_id, desk.ids["Ann"])
    desk.end(plan.call_id)
    with desk.store.read() as conn:
        assert not unread.is_unread(conn, conversation, desk.ids["Ann"])
        assert unread.is_unread(conn, conversation, desk.ids["Bo"])


def test_an_event_says_what_became_of_a_conversation_and_repeating_says_nothing(desk: Desk) -> None:
    plan = desk.arrive()
    desk.end(plan.call_id)
    before = desk.store.last_seq()
    for _ in range(2):
        do(desk, "close", plan.conversation_id, desk.ids["Ann"])
    for _ in range(2):
        do(desk, "reopen", plan.conversation_id, desk.ids["Ann"])
    for _ in range(2):
        with desk.store.write() as tx:
            conversations.mark_unread(tx, plan.conversation_id, desk.ids["Ann"])
    do(desk, "close", plan.conversation_id, desk.ids["Ann"])
    desk.arrive()
    happened = [row.event for row in desk.store.events(before) if row.kind.startswith("conversation.")]
    assert [(one.kind.removeprefix("conversation."), one.data.get("why")) for one in happened] == [
        ("closed", None), ("reopened", "user"), ("unread", None), ("closed", None), ("reopened", "call"),
    ]  # fmt: skip
    assert happened[2].audience == f"user:{desk.ids['Ann']}"


def seed(desk: Desk, count: int, picks: random.Random) -> list[str]:
    """Conversations on three lines, in every state; the lines."""
    users = [*desk.users, None]
    with desk.store.write() as tx:
        lines = [desk.line, *(add_line(tx, number=f"+3319900990{n}") for n in range(2))]
        tx.execute(insert(t.line_users).values(line_id=lines[1], user_id=desk.ids["Ann"]))
        for number in range(count):
            closed = AT if picks.random() < 0.4 else None
            text, call = picks.random() < 0.5, picks.random() < 0.8
            one, line, at = new_id(), picks.choice(lines), AT + picks.randrange(40) * 60_000
            known = {"id": one, "line_id": line, "party": f"+336{number:08}", "opened_at": AT, "last_at": at}
            known |= {"direction": picks.choice(["inbound", "outbound"]), "missed": picks.random() < 0.3}
            owner = picks.choice(users) if closed is None else None
            known |= {"closed_at": closed, "assigned_to": owner, "last_message_id": new_id() if text else None}
            tx.execute(insert(t.conversations).values(**known))
            indexing.conversation(tx.conn, one)
            if call:
                ended = {"state": "ended", "ended_at": at, "outcome": picks.choice(["answered", "missed", "voicemail"])}
                ended["answered_at"] = at if ended["outcome"] == "answered" else None
                made = {"id": new_id(), "line_id": line, "conversation_id": one, "arrived_at": at, "owner_node": "w"}
                made |= {"answered_by": picks.choice(desk.users) if ended["answered_at"] else None}
                tx.execute(insert(t.calls).values(**made, **ended, owner_epoch=1, direction=known["direction"]))
                tx.execute(update(t.conversations).where(t.conversations.c.id == one).values(last_call_id=made["id"]))
            for user in desk.users:
                if picks.random() < 0.3:
                    tx.execute(insert(t.unread).values(user_id=user, conversation_id=one, since=at - 1))
    return lines


def plainly(conn: Any, user: str, lines: list[str] | None, view: str, category: str) -> set[str]:
    """What a list should hold, read without any of its statements."""
    marked = set(conn.scalars(select(t.unread.c.conversation_id).where(t.unread.c.user_id == user)))
    known = {row["id"]: row for row in conn.execute(select(t.conversations)).mappings()}
    belongs: Callable[[Any], bool] = {
        "unread": lambda row: row["id"] in marked,
        "open": lambda row: row["closed_at"] is None,
        "mine": lambda row: row["assigned_to"] == user,
        "unassigned": lambda row: row["closed_at"] is None and row["assigned_to"] is None,
        "outbound": lambda row: row["closed_at"] is None and row["direction"] == "outbound",
        "closed": lambda row: row["closed_at"] is not None,
        "all": lambda row: True,
    }[category]
    fits = {
        one for one, row in known.items()
        if belongs(row) and (lines is None or row["line_id"] in lines)
        and (view != inbox.MESSAGES or row["last_message_id"])
    }  # fmt: skip
    if view != inbox.CALLS:
        return fits
    made = conn.execute(select(t.calls)).mappings().all()
    if category == "outbound":
        return {
            one["id"] for one in made if one["direction"] == "outbound" and (lines is None or one["line_id"] in lines)
        }
    return {one["id"] for one in made if one["conversation_id"] in fits}


@pytest.mark.parametrize("seeded", [1, 2])
def test_lists_and_counts_are_what_plain_reading_finds_and_pages_join(desk: Desk, seeded: int) -> None:
    lines = seed(desk, 60, random.Random(seeded))
    roles = {desk.ids["Ann"]: lines[:2], desk.ids["Bo"]: lines[:1]}
    with desk.store.read() as conn:
        for (user, seen), view in itertools.product([*roles.items(), (desk.ids["Ann"], None)], inbox.VIEWS):
            counted = inbox.counts(conn, user, seen, view)
            for category, oldest in itertools.product(inbox.CATEGORIES, (False, True)):
                expected = plainly(conn, user, seen, view, category)
                wanted = inbox.Wanted(user, seen, view, category, oldest_first=oldest)
                found: list[inbox.Place] = []
                after = None
                while True:
                    places, after = inbox.page(conn, wanted, after, 7)
                    found += places
                    if after is None:
                        break
                case = (view, category, oldest)
                assert found == sorted(found, reverse=not oldest), case
                assert len(found) == len({one for _, one in found}), case
                assert {one for _, one in found} == expected, case
                if category != "all" and view != inbox.CALLS:
                    assert counted[category] == len(expected), case


def test_filters_narrow_calls_and_a_page_may_be_short(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    seed(desk, 60, random.Random(3))
    monkeypatch.setattr(inbox, "_CHUNK", 5)
    monkeypatch.setattr(inbox, "MOST_LOOKED_AT", 10)
    ann = desk.ids["Ann"]
    with desk.store.read() as conn:
        made = {row["id"]: row for row in conn.execute(select(t.calls)).mappings()}
        cases: list[tuple[dict[str, Any], Callable[[Any], bool]]] = [
            ({"type": "voicemail"}, lambda row: row["outcome"] == "voicemail"),
            ({"type": "missed"}, lambda row: row["direction"] == "inbound" and row["answered_at"] is None),
            ({"by_user": ann}, lambda row: row["answered_by"] == ann),
            ({"since": AT + 600_000, "until": AT + 1_200_000},
             lambda row: AT + 600_000 <= row["arrived_at"] < AT + 1_200_000),
        ]  # fmt: skip
        for given, fits in cases:
            wanted = inbox.Wanted(ann, None, inbox.CALLS, "all", **given)
            found, after, pages = set[str](), None, 0
            while True:
                places, after = inbox.page(conn, wanted, after, 50)
                found |= {one for _, one in places}
                pages += 1
                if after is None:
                    break
            assert found == {one for one, row in made.items() if fits(row)}, given
            assert pages > 1 or "since" in given


def test_a_search_finds_by_name_company_number_and_text_only_on_lines_that_one_sees(desk: Desk) -> None:
    with desk.store.write() as tx:
        other = add_line(tx, number="+33199009900")
        stranger = add_user(tx, "Out", lines=(other,))
        contact = new_id()
        rows.add_contact(tx.conn, ["+33611111111"], id=contact, name="Chloé Martin", company="Acme", created_at=1)
        indexing.contact(tx.conn, contact)
    plan = desk.arrive("+33611111111")
    desk.end(plan.call_id)
    desk.end(desk.arrive("+33622222222").call_id)
    ann = desk.ids["Ann"]
    with desk.store.read() as conn:
        for typed in ("chloe", "Mart", "acme", "06 11 11", "+33611111111"):
            for user, expected in ((ann, [plan.conversation_id]), (stranger, [])):
                lines = inbox.visible_lines(conn, user, "agent")
                found = listed(conn, user, "agent", only=inbox.find(conn, query(typed), lines)[0])
                assert [row["id"] for row in found] == expected, (typed, user)
        assert listed(conn, ann, "agent", category="closed", only={plan.conversation_id}) == []


def test_a_search_goes_on_to_older_hits_until_its_page_is_full(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "_FOUND_MOST", 3)
    ann = desk.ids["Ann"]
    with desk.store.write() as tx:
        made = [new_id() for _ in range(20)]
        for number, one in enumerate(made):
            known = {"id": one, "line_id": desk.line, "party": f"+3363333{number:04}", "opened_at": AT}
            tx.execute(insert(t.conversations).values(**known, last_at=AT + number))
            indexing.conversation(tx.conn, one)

    def found(since: int | None, until: int | None) -> tuple[list[str], bool]:
        wanted = inbox.Wanted(ann, [desk.line], category="all", since=since, until=until)
        with desk.store.read() as conn:
            places, _, older = inbox.found_page(conn, query("063333"), wanted, None, 50)
        return [one for _, one in places], older

    assert found(None, None) == (made[:4:-1], True), "five searches of three hits each"
    assert found(AT + 5, AT + 8) == (made[7:4:-1], True)
    assert found(None, AT + 5) == ([], True), "the page says that older ones were not looked at"
    monkeypatch.setattr(inbox, "_SEARCHES", 50)
    assert found(None, AT + 5) == (made[4::-1], False)


def test_a_row_shows_the_last_call_and_a_newer_text(desk: Desk) -> None:
    plan = desk.arrive("+33611111111", from_display="Marie")
    desk.answer(plan.call_id, desk.ids["Ann"])
    desk.end(plan.call_id)
    with desk.store.read() as conn:
        (row,) = listed(conn, desk.ids["Ann"], "agent")
    assert (row["name"], row["line"], row["newest"], row["call"]["answered_by"]) == ("Marie", "Support", "call", "Ann")
    said, at = new_id(), now_ms() + 5000
    with desk.store.write() as tx:
        tx.execute(insert(t.messages).values(
            id=said, conversation_id=plan.conversation_id, line_id=desk.line, direction="inbound", party="+33611111111",
            body="One\n two " + "x" * 300, state="received", at=at,
        ))  # fmt: skip
        rows.touch(tx.conn, plan.conversation_id, at=at, direction="inbound", message_id=said)
        rows.touch(tx.conn, plan.conversation_id, at=at - 60_000, direction="inbound")  # a fact that comes late
    with desk.store.read() as conn:
        (row,) = listed(conn, desk.ids["Ann"], "agent", view=inbox.MESSAGES)
    assert (row["newest"], row["at"], row["message"]["text"][:9], len(row["message"]["text"])) == (
        "message", at, "One two x", 160,
    )  # fmt: skip
    with desk.store.write() as tx:  # a call after the text
        tx.execute(update(t.calls).values(ended_at=at + 60_000))
        rows.touch(tx.conn, plan.conversation_id, at=at + 60_000, direction="inbound")
    with desk.store.read() as conn:
        (of_all,), (of_texts,) = (listed(conn, desk.ids["Ann"], "agent", view=one) for one in inbox.VIEWS[:2])
    assert (of_all["newest"], of_all["at"]) == ("call", at + 60_000)
    assert (of_texts["newest"], of_texts["at"], of_texts["order"]) == ("message", at, at + 60_000)


# ---- closing by itself


def closes(desk: Desk, minutes_later: float) -> set[str]:
    """What is closed after so long; the conversations that are."""
    auto_close.close_old(desk.store, now_ms() + int(minutes_later * 60_000))
    with desk.store.read() as conn:
        return {row["id"] for row in listed(conn, desk.ids["Ann"], "agent", category="closed")}


def test_a_conversation_closes_by_itself_when_nothing_is_left_to_do(desk: Desk) -> None:
    ann = desk.ids["Ann"]
    plan = desk.arrive("+33611111111")
    desk.answer(plan.call_id, ann)
    assert closes(desk, 1000) == set(), "the line does not want it"
    with desk.store.write() as tx:
        tx.execute(update(t.lines).values(auto_close_min=60))
    assert closes(desk, 1000) == set(), "a call lives"
    desk.end(plan.call_id)
    assert closes(desk, 59) == set()
    before = desk.store.last_seq()
    assert closes(desk, 61) == {plan.conversation_id}
    (event,) = [row.event for row in desk.store.events(before)]
    assert (event.kind, event.actor, event.data["auto"]) == ("conversation.closed", "desk", True)


def test_what_is_left_to_do_keeps_a_conversation_open(desk: Desk) -> None:
    with desk.store.write() as tx:
        tx.execute(update(t.lines).values(auto_close_min=60))
    ann = desk.ids["Ann"]
    missed = desk.arrive("+33611111111")
    desk.end(missed.call_id)
    assert closes(desk, 1000) == set(), "nobody has dealt with the missed call"
    plan = desk.arrive("+33622222222")
    desk.answer(plan.call_id, ann)
    desk.end(plan.call_id)
    said = new_id()
    text = {"id": said, "conversation_id": plan.conversation_id, "line_id": desk.line, "party": "+33622222222"}
    with desk.store.write() as tx:
        at = tx.now_ms() + 1000
        tx.execute(insert(t.messages).values(**text, direction="inbound", body="Hello?", state="received", at=at))
        rows.touch(tx.conn, plan.conversation_id, at=at, direction="inbound", message_id=said)
        tx.execute(update(t.calls).where(t.calls.c.id == missed.call_id).values(arrived_at=at + 1000))
    assert closes(desk, 1000) == set(), "the customer waits for an answer, whoever else has called since"
    with desk.store.write() as tx:
        tx.execute(update(t.messages).values(direction="outbound", state="queued"))
        rows.touch(tx.conn, plan.conversation_id, at=at, direction="outbound")
    assert closes(desk, 1000) == set(), "a text has not gone out yet"
    with desk.store.write() as tx:
        tx.execute(update(t.messages).values(state="sent"))
        waits = {"id": new_id(), "call_id": plan.call_id, "conversation_id": plan.conversation_id, "queued_at": 1}
        waits |= {"line_id": desk.line, "queue_id": "q", "number": "+33622222222", "requested_at": 1}
        tx.execute(insert(t.callbacks).values(**waits, state="waiting"))
    assert closes(desk, 1000) == set(), "somebody waits for a callback"
    with desk.store.write() as tx:
        tx.execute(update(t.callbacks).values(state="taken"))
    assert closes(desk, 1000) == {plan.conversation_id}


def test_what_a_user_wants_open_stays_open_as_long_as_if_it_had_come_then(desk: Desk) -> None:
    ann, bo = desk.ids["Ann"], desk.ids["Bo"]
    plan = desk.arrive("+33611111111")
    desk.answer(plan.call_id, ann)
    desk.end(plan.call_id)
    quiet = {plan.conversation_id}

    def old() -> None:
        """All that has happened so far was two hours ago."""
        with desk.store.write() as tx:
            before = tx.now_ms() - 7_200_000
            tx.execute(update(t.conversations).values(last_at=before, reopened_at=before))
            tx.execute(update(t.notes).values(created_at=before))

    with desk.store.write() as tx:
        tx.execute(update(t.lines).values(auto_close_min=60))
    old()
    assert closes(desk, 0) == quiet
    do(desk, "reopen", plan.conversation_id, ann)
    assert closes(desk, 1) == set(), "a user has opened it again"
    assert closes(desk, 61) == quiet
    do(desk, "reopen", plan.conversation_id, ann)
    old()
    with desk.store.write() as tx:
        assignment.assign(tx, plan.conversation_id, ann, bo, command=new_id())
    assert closes(desk, 1) == set(), "somebody has just been given it"
    old()
    with desk.store.write() as tx:
        notes.add(tx, plan.conversation_id, ann, "Later", command=new_id())
    assert closes(desk, 1) == set(), "somebody has just noted something"
    old()
    assert closes(desk, 1) == quiet

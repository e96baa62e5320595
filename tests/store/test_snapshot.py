"""What stands beside a conversation, on both databases: one customer, and only what the viewer may see."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, insert, update

from aircall_core.ids import new_id, now_ms
from aircall_core.store import Store
from aircall_core.store import tables as t
from aircall_core.store.queries import inbox, snapshot
from tests.support.desk_kit import Desk, add_line, add_user

MARIE, MOBILE, PAUL = "+33611111111", "+33622222222", "+33633333333"


@pytest.fixture
def desk(store: Store) -> Desk:
    """A line that Ann and Bo answer."""
    return Desk.open(store, "Ann", "Bo")


def add_contact(desk: Desk, name: str, *phones: str, **more: Any) -> str:
    """A contact with these numbers."""
    contact = new_id()
    with desk.store.write() as tx:
        tx.execute(insert(t.contacts).values(id=contact, name=name, created_at=1, **more))
        for number in phones:
            tx.execute(insert(t.contact_phones).values(number=number, contact_id=contact, label="", tail=number[-8:]))
    return contact


def add_conversation(desk: Desk, party: str, *, line: str = "", contact: str | None = None, at: int = 0) -> str:
    """A conversation without anything in it."""
    row = {"id": new_id(), "line_id": line or desk.line, "party": party, "contact_id": contact}
    with desk.store.write() as tx:
        tx.execute(insert(t.conversations).values(**row, opened_at=at or 1000, last_at=at or 1000))
    return row["id"]  # type: ignore[return-value]


def add_text(desk: Desk, conversation: str, body: str, at: int, *, state: str = "received", user: str = "") -> str:
    """A text, the newest of its conversation."""
    message = new_id()
    row = {
        "id": message, "conversation_id": conversation, "line_id": desk.line, "party": MARIE, "body": body, "at": at,
        "direction": "inbound" if state == "received" else "outbound", "state": state, "user_id": user or None,
    }  # fmt: skip
    with desk.store.write() as tx:
        tx.execute(insert(t.messages).values(row))
        known = t.conversations.c.id == conversation
        tx.execute(update(t.conversations).where(known).values(last_message_id=message, last_at=at))
    return message


def look(desk: Desk, conversation: str, user: str = "", role: str = "agent") -> dict[str, Any]:
    """The snapshot as this user sees it (Ann)."""
    user = user or desk.ids["Ann"]
    with desk.store.read() as conn:
        return snapshot.snapshot(conn, conversation, user, inbox.visible_lines(conn, user, role))


def other_line(desk: Desk, *users: str) -> str:
    """A second line, of these users."""
    with desk.store.write() as tx:
        line = add_line(tx, number="+33199009900")
        tx.execute(update(t.lines).where(t.lines.c.id == line).values(name="Sales"))
        for user in users:
            tx.execute(insert(t.line_users).values(line_id=line, user_id=user))
    return line


def test_a_stranger_has_a_number_and_what_they_did(desk: Desk) -> None:
    plan = desk.arrive(MARIE, arrived_at=now_ms() - 60_000)
    found = look(desk, plan.conversation_id)
    assert found["contact"] is None
    assert found["party"] == {
        "number": MARIE,
        "spoken": "06 11 11 11 11",
        "flag": "🇫🇷",
        "anonymous": False,
        "display": "",
    }
    assert found["figures"]["calls"] == 0, "a call in progress is not counted"
    assert [(one["kind"], one["state"]) for one in found["last_contacts"]] == [("call", "ringing")]
    assert found["open_points"] == []
    desk.end(plan.call_id)
    found = look(desk, plan.conversation_id)
    assert (found["figures"]["calls"], found["figures"]["calls_in"], found["figures"]["answered_in"]) == (1, 1, 0)
    (missed,) = found["open_points"]
    assert (missed["kind"], missed["id"], missed["line"]) == ("missed", plan.call_id, "Support")


def test_figures_and_last_contacts_are_those_of_all_their_numbers(desk: Desk) -> None:
    contact = add_contact(desk, "Marie", MARIE, MOBILE, company="ACME", company_key="acme", description="VIP")
    first = desk.arrive(MARIE, arrived_at=now_ms() - 500_000)
    desk.answer(first.call_id, desk.ids["Ann"])
    desk.end(first.call_id)
    second = desk.arrive(MOBILE, arrived_at=now_ms() - 400_000)
    desk.end(second.call_id)
    at = now_ms() + 1000
    text = add_text(desk, second.conversation_id, "Hello", at)
    reply = add_text(desk, second.conversation_id, "Hi", at + 1, state="delivered", user=desk.ids["Bo"])
    found = look(desk, first.conversation_id)
    assert found["contact"]["id"] == contact
    assert [one["number"] for one in found["contact"]["numbers"]] == [MARIE, MOBILE]
    figures = found["figures"]
    assert (figures["calls_in"], figures["answered_in"], figures["texts"]) == (2, 1, 2)
    with desk.store.read() as conn:
        row = conn.execute(t.calls.select().where(t.calls.c.id == first.call_id)).mappings().one()
    assert figures["talk_ms"] == row["ended_at"] - row["answered_at"]
    assert figures["last_at"] == at + 1
    assert [one["id"] for one in found["last_contacts"]] == [reply, text, second.call_id, first.call_id]
    assert found["last_contacts"][0]["by"] == {"id": desk.ids["Bo"], "name": "Bo"}
    assert [one["id"] for one in found["related"]["same_customer"]] == [second.conversation_id]


def test_what_happened_on_lines_that_one_does_not_see_is_not_told(desk: Desk) -> None:
    with desk.store.write() as tx:
        boss = add_user(tx, "Boss", role="supervisor")
    sales = other_line(desk)
    contact = add_contact(desk, "Marie", MARIE, company="ACME", company_key="acme")
    colleague = add_contact(desk, "Paul", PAUL, company="Acme ", company_key="acme")
    here = add_conversation(desk, MARIE, contact=contact, at=1000)
    hidden = add_conversation(desk, MARIE, line=sales, contact=contact, at=2000)
    other_number = add_conversation(desk, MOBILE, line=sales, contact=contact, at=3000)
    seen = add_conversation(desk, PAUL, contact=colleague, at=500)
    add_conversation(desk, PAUL, line=sales, contact=colleague, at=400)
    add_text(desk, hidden, "secret", 2500)
    mine = look(desk, here)
    assert mine["figures"] == {
        "calls": 0, "calls_in": 0, "answered_in": 0, "talk_ms": 0, "texts": 0, "first_at": 1000, "last_at": 1000,
    }  # fmt: skip
    assert (mine["last_contacts"], mine["related"]["same_customer"]) == ([], [])
    assert [one["id"] for one in mine["related"]["same_company"]] == [seen]
    theirs = look(desk, here, boss, "supervisor")
    assert (theirs["figures"]["texts"], theirs["figures"]["last_at"]) == (1, 3000)
    assert [one["text"] for one in theirs["last_contacts"]] == ["secret"]
    assert [one["id"] for one in theirs["related"]["same_customer"]] == [other_number, hidden]
    assert len(theirs["related"]["same_company"]) == 2


def test_the_same_number_on_another_line_is_the_same_customer_also_without_a_contact(desk: Desk) -> None:
    sales = other_line(desk, desk.ids["Ann"])
    here, there = add_conversation(desk, MARIE), add_conversation(desk, MARIE, line=sales)
    assert [one["id"] for one in look(desk, here)["related"]["same_customer"]] == [there]
    hidden, other = add_conversation(desk, "anonymous"), add_conversation(desk, "anonymous", line=sales)
    assert look(desk, hidden)["related"]["same_customer"] == []
    assert look(desk, other)["party"]["anonymous"]


def test_open_points_go_when_somebody_has_seen_to_them(desk: Desk) -> None:
    plan = desk.arrive(MARIE)
    desk.end(plan.call_id)
    kinds: Callable[[], list[str]] = lambda: [one["kind"] for one in look(desk, plan.conversation_id)["open_points"]]  # noqa: E731
    assert kinds() == ["missed"]
    asked = {
        "id": new_id(), "call_id": plan.call_id, "conversation_id": plan.conversation_id, "line_id": desk.line,
        "queue_id": "line:x", "number": MARIE, "queued_at": 1, "requested_at": 2, "state": "waiting",
    }  # fmt: skip
    with desk.store.write() as tx:
        tx.execute(insert(t.callbacks).values(asked))
    assert kinds() == ["callback"]
    with desk.store.write() as tx:
        tx.execute(update(t.callbacks).values(state="taken"))
    assert kinds() == []
    failed = add_text(desk, plan.conversation_id, "Hello", now_ms(), state="failed", user=desk.ids["Ann"])
    note = {"conversation_id": plan.conversation_id, "user_id": desk.ids["Bo"], "created_at": 5, "updated_at": 5}
    with desk.store.write() as tx:
        tx.execute(insert(t.notes).values(id=new_id(), text="Call back on Monday", **note))
        tx.execute(insert(t.notes).values(id=new_id(), text="", **note))
    points = look(desk, plan.conversation_id)["open_points"]
    assert [(one["kind"], one.get("text")) for one in points] == [("text", None), ("note", "Call back on Monday")]
    assert points[0]["id"] == failed
    assert points[1]["by"]["name"] == "Bo"
    with desk.store.write() as tx:
        tx.execute(update(t.conversations).values(closed_at=9))
    assert kinds() == ["note"]


def test_a_long_history_takes_no_more_queries_and_its_figures_come_from_an_index(desk: Desk) -> None:
    contact = add_contact(desk, "Marie", MARIE, MOBILE)
    here = add_conversation(desk, MARIE, contact=contact, at=2000)
    add_conversation(desk, MOBILE, contact=contact, at=1000)
    statements: list[tuple[str, Any]] = []
    with desk.store.read() as conn:
        engine = conn.engine

    def note(_conn: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        statements.append((statement, values))

    def asked() -> int:
        statements.clear()
        event.listen(engine, "before_cursor_execute", note)
        try:
            look(desk, here)
        finally:
            event.remove(engine, "before_cursor_execute", note)
        return len(statements)

    few = asked()
    with desk.store.write() as tx:
        some = {
            "line_id": desk.line, "conversation_id": here, "state": "ended", "outcome": "answered",
            "owner_node": "w", "owner_epoch": 1, "answered_at": 2000, "ended_at": 5000,
        }  # fmt: skip
        tx.execute(insert(t.calls), [{**some, "id": new_id(), "arrived_at": 1000 + n} for n in range(3000)])
    assert asked() <= few + 1  # names of whom the calls tell
    assert look(desk, here)["figures"] == {
        "calls": 3000, "calls_in": 3000, "answered_in": 3000, "talk_ms": 9_000_000, "texts": 0, "first_at": 1000,
        "last_at": 2000,
    }  # fmt: skip
    if engine.dialect.name == "sqlite":
        (figures,) = [(query, values) for query, values in statements if "sum(" in query]
        with desk.store.read() as conn:
            plan = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {figures[0]}", figures[1]).all()
        assert "USING COVERING INDEX ix_calls_figures" in str(plan), plan

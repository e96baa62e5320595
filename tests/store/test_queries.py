"""What pages read: callbacks, a conversation and its timeline, readiness, people, health; on both databases."""

from typing import Any

import pytest
from sqlalchemy import insert, update

from aircall_core.desk import availability, flow_facts
from aircall_core.domain import events as kinds
from aircall_core.domain.events import Event
from aircall_core.ids import new_id, now_ms
from aircall_core.store import Store
from aircall_core.store import tables as t
from aircall_core.store.queries import callbacks, cards, conversation, health, lines, people, readiness, timeline
from tests.support.desk_kit import Desk, add_line, add_user, beat_of, go_offline


@pytest.fixture
def desk(store: Store) -> Desk:
    """A line that Ann and Bo answer."""
    return Desk.open(store, "Ann", "Bo")


def told(desk: Desk, conversation_id: str, **page: Any) -> list[tuple[str, str]]:
    """Kinds and people of a page of the timeline."""
    with desk.store.read() as conn:
        entries = timeline.timeline(conn, conversation_id, **page)["entries"]
    return [(entry["kind"], entry["who"]["name"] if entry["who"] else "") for entry in entries]


# ---- callbacks


def test_callbacks_stand_in_turn_and_those_taken_lately_behind_them(desk: Desk) -> None:
    asked = []
    for number, priority in ((1, None), (2, 3), (3, 1), (4, None)):
        plan = desk.arrive(f"+3361111000{number}", arrived_at=now_ms() - 60_000 + number)
        with desk.store.write() as tx:
            flow_facts.callback(tx, desk.owner, plan.call_id, at=now_ms())
            tx.execute(update(t.callbacks).where(t.callbacks.c.call_id == plan.call_id).values(priority=priority))
        desk.end(plan.call_id)
        asked.append(plan.call_id)
    with desk.store.write() as tx:
        settled = update(t.callbacks).where(t.callbacks.c.call_id == asked[3])
        tx.execute(settled.values(state="taken", user_id=desk.ids["Bo"], settled_at=tx.now_ms()))
    with desk.store.read() as conn:
        found = callbacks.cards(conn, desk.ids["Ann"], "agent")
        assert callbacks.waiting(conn, desk.ids["Ann"], "agent") == 3
    assert [(one["number"][-1], one["state"]) for one in found] == [
        ("3", "waiting"), ("2", "waiting"), ("1", "waiting"), ("4", "taken"),
    ]  # fmt: skip
    assert found[3]["by"] == {"id": desk.ids["Bo"], "name": "Bo"}
    with desk.store.write() as tx:
        tx.execute(settled.values(settled_at=tx.now_ms() - callbacks.TAKEN_FOR_MS - 1000))
    with desk.store.read() as conn:
        assert len(callbacks.cards(conn, desk.ids["Ann"], "agent")) == 3


def test_agents_see_their_lines_others_see_all(desk: Desk) -> None:
    with desk.store.write() as tx:
        other = add_line(tx, number="+33199009900")
        outsider, boss = add_user(tx, "Out", lines=(other,)), add_user(tx, "Boss", role="supervisor")
    plan = desk.arrive()
    with desk.store.read() as conn:
        assert conversation.may_see(conn, plan.conversation_id, desk.ids["Ann"], "agent")
        assert conversation.may_see(conn, plan.conversation_id, boss, "supervisor")
        assert not conversation.may_see(conn, plan.conversation_id, outsider, "agent")
        assert not conversation.may_see(conn, new_id(), boss, "supervisor")


# ---- the card of a ringing call


def test_a_card_tells_the_way_the_digits_and_who_is_concerned(desk: Desk) -> None:
    plan = desk.arrive()
    with desk.store.write() as tx:
        for key, label in (("1", "Sales"), ("2", "Spare parts")):
            flow_facts.chose(tx, desk.owner, plan.call_id, step=f"m{key}", key=key, label=label, at=now_ms())
        flow_facts.typed(tx, desk.owner, plan.call_id, step="d", label="Account", value="4711", at=now_ms())
        flow_facts.typed(tx, desk.owner, plan.call_id, step="pin", label="PIN", value=None, at=now_ms())
        tx.execute(update(t.calls).where(t.calls.c.id == plan.call_id).values(priority=1))
        tx.execute(update(t.conversations).values(assigned_to=desk.ids["Bo"]))
    with desk.store.read() as conn:
        card = cards.cards(conn, [plan.call_id])[plan.call_id]
        assert cards.cards(conn, []) == {}
    assert card["path"] == ["Sales", "Spare parts"]
    assert card["digits"] == [{"label": "Account", "value": "4711"}]
    assert (card["priority"], card["assigned_to"]) == (1, desk.ids["Bo"])
    assert card["people"] == {user: name for name, user in desk.ids.items()}, "both are rung"


# ---- conversation


def test_the_timeline_joins_what_ids_stand_for(desk: Desk) -> None:
    plan = desk.arrive()
    with desk.store.write() as tx:
        flow_facts.chose(tx, desk.owner, plan.call_id, step="m", key="1", label="Sales", at=now_ms())
        said: Any = {"conversation_id": plan.conversation_id, "line_id": desk.line, "audience": "staff"}
        tx.append(
            Event(kinds.CONVERSATION_ASSIGNED, actor=f"user:{desk.ids['Ann']}", data={"to": desk.ids["Bo"]}, **said)
        )
        tx.append(
            Event(kinds.CALL_REDIRECTED, actor="worker", call_id=plan.call_id, data={"from_line": desk.line}, **said)
        )
    with desk.store.read() as conn:
        entries = {one["kind"]: one for one in timeline.timeline(conn, plan.conversation_id)["entries"]}
    assert entries[kinds.CALL_CHOSE]["call"]["path"] == ["Sales"]
    assigned = entries[kinds.CONVERSATION_ASSIGNED]
    assert (assigned["who"]["name"], assigned["about"]["to"]["name"]) == ("Ann", "Bo")
    assert entries[kinds.CALL_REDIRECTED]["about"] == {"from": "Support", "line": "Support"}


def test_the_timeline_tells_a_call_in_order(desk: Desk) -> None:
    plan = desk.arrive()
    desk.answer(plan.call_id, desk.ids["Bo"])
    desk.end(plan.call_id)
    kinds = told(desk, plan.conversation_id)
    assert [kind for kind, _ in kinds if kind != "conversation.opened"] == [
        "call.arrived",
        "call.answered",
        "call.ended",
    ]
    assert ("call.answered", "Bo") in kinds
    with desk.store.read() as conn:
        page = timeline.timeline(conn, plan.conversation_id)
    call = next(entry["call"] for entry in page["entries"] if "call" in entry)
    assert (call["state"], call["outcome"]) == ("ended", "answered")
    assert call["answered_by"] == {"id": desk.ids["Bo"], "name": "Bo"}
    assert sorted(call["rang"]) == ["Ann", "Bo"]
    assert call["recordings"] == []
    assert page["before"] is None


def test_pages_of_the_timeline_join_without_gap_or_overlap(desk: Desk) -> None:
    for _ in range(7):
        plan = desk.arrive()
        conversation_id = plan.conversation_id
        desk.end(plan.call_id)
    whole = told(desk, conversation_id, limit=200)
    pages: list[list[int]] = []
    before: int | None = None
    with desk.store.read() as conn:
        while True:
            page = timeline.timeline(conn, conversation_id, before, 4)
            pages.insert(0, [entry["seq"] for entry in page["entries"]])
            before = page["before"]
            if before is None:
                break
    joined = [seq for page in pages for seq in page]
    assert len(joined) == len(whole)
    assert joined == sorted(set(joined))
    assert all(len(page) == 4 for page in pages[1:])


def test_a_recording_shows_in_its_call(desk: Desk) -> None:
    plan = desk.arrive()
    desk.end(plan.call_id)
    with desk.store.write() as tx:
        for duration in (1000, 2000):
            tx.execute(
                insert(t.recordings).values(
                    id=new_id(),
                    call_id=plan.call_id,
                    path="x.wav",
                    duration_ms=duration,
                    size_bytes=1,
                    created_at=duration,
                )
            )
    with desk.store.read() as conn:
        page = timeline.timeline(conn, plan.conversation_id)
    call = next(entry["call"] for entry in page["entries"] if "call" in entry)
    assert [one["duration_ms"] for one in call["recordings"]] == [1000, 2000]
    assert [(one["kind"], one["deleted"]) for one in call["recordings"]] == [("call", False)] * 2
    with desk.store.write() as tx:
        tx.execute(update(t.recordings).where(t.recordings.c.duration_ms == 1000).values(deleted_at=now_ms()))
    with desk.store.read() as conn:
        page = timeline.timeline(conn, plan.conversation_id)
    call = next(entry["call"] for entry in page["entries"] if "call" in entry)
    assert [one["deleted"] for one in call["recordings"]] == [True, False], "it is told, not hidden"


def test_the_header_names_the_contact_or_what_the_caller_said(desk: Desk) -> None:
    plan = desk.arrive(from_display="Marie")
    with desk.store.read() as conn:
        header = conversation.header(conn, plan.conversation_id)
    assert header is not None
    assert (header.contact_name, header.line_name, header.line_country) == ("Marie", "Support", "FR")
    with desk.store.write() as tx:
        contact = new_id()
        tx.execute(insert(t.contacts).values(id=contact, name="Marie Dupont", company="Dupont SA", created_at=1))
        tx.execute(update(t.conversations).values(contact_id=contact))
    with desk.store.read() as conn:
        header = conversation.header(conn, plan.conversation_id)
        assert header is not None
        assert (header.contact_name, header.contact_company) == ("Marie Dupont", "Dupont SA")
        assert conversation.header(conn, new_id()) is None


# ---- readiness


def test_the_first_steps_are_what_the_store_shows(store: Store) -> None:
    with store.read() as conn:
        assert list(readiness.steps(conn)) == list(readiness.STEPS)
        assert not any(readiness.steps(conn).values())
    desk = Desk.open(store, "Ann")
    with store.read() as conn:
        steps = readiness.steps(conn)
    assert (steps["line"], steps["users"], steps["call"], steps["audio"]) == (True, True, False, False)
    plan = desk.arrive()
    desk.answer(plan.call_id, desk.ids["Ann"])
    with store.read() as conn:
        assert readiness.steps(conn)["call"]
        assert readiness.steps(conn)["audio"], "who has talked has been heard"


def test_who_can_be_rung_and_why_not(desk: Desk) -> None:
    with desk.store.write() as tx:
        cy = add_user(tx, "Cy", lines=(desk.line,), on_duty=False)
        availability.beat(tx, [beat_of(cy)])
        go_offline(tx, desk.ids["Bo"])
    with desk.store.read() as conn:
        (line,) = readiness.who_can_be_rung(conn)
        assert readiness.who_can_be_rung(conn, []) == []
    assert line.users == [("Ann", "available"), ("Bo", "offline"), ("Cy", "off_duty")]
    assert line.available == ["Ann"]
    desk.accept(desk.arrive().call_id, desk.ids["Ann"])
    with desk.store.read() as conn:
        (line,) = readiness.who_can_be_rung(conn)
    assert line.users[0] == ("Ann", "in_call")


# ---- people, lines, health


def test_a_session_names_its_user_until_it_ends(desk: Desk) -> None:
    session, digest = new_id(), "0" * 64
    at = now_ms()
    row = {"id": session, "token_hash": digest, "user_id": desk.ids["Ann"], "created_at": at, "seen_at": at}
    with desk.store.write() as tx:
        tx.execute(insert(t.sessions).values(**row, expires_at=at + 60_000))

    def found() -> list[people.Identity | None]:
        with desk.store.read() as conn:
            return [people.identity(conn, digest, now_ms()), people.identity_of_session(conn, session)]

    assert found() == [people.Identity(desk.ids["Ann"], "Ann", "agent", session)] * 2
    with desk.store.write() as tx:
        tx.execute(update(t.users).where(t.users.c.id == desk.ids["Ann"]).values(state="disabled"))
    assert found() == [None, None]
    with desk.store.write() as tx:
        tx.execute(update(t.users).values(state="active"))
        tx.execute(update(t.sessions).values(revoked_at=at))
    assert found() == [None, None]


def test_people_and_teams_with_their_state(desk: Desk) -> None:
    with desk.store.write() as tx:
        go_offline(tx, desk.ids["Bo"])
    with desk.store.read() as conn:
        assert [(user["name"], user["now"]) for user in people.users_list(conn)] == [
            ("Ann", "available"),
            ("Bo", "offline"),
        ]
        assert all("password_hash" not in user for user in people.users_list(conn))
        assert people.teams_list(conn) == []
        assert people.company(conn)["timezone"] == "UTC"


def test_no_secret_of_a_trunk_is_read(desk: Desk) -> None:
    with desk.store.write() as tx:
        tx.execute(
            insert(t.trunks).values(
                id=new_id(),
                name="Carrier",
                kind="register",
                secret="sealed",
                host="sip.example",
                username="u",
                created_at=1,
            )
        )
    with desk.store.read() as conn:
        (trunk,) = lines.trunks_list(conn)
        (line,) = lines.lines_list(conn)
    assert trunk["has_secret"]
    assert "sealed" not in str(trunk)
    assert line["users"] == sorted(desk.users)


def test_nodes_are_alive_while_their_lease_runs(desk: Desk) -> None:
    at = now_ms()
    row = {"host": "h", "epoch": 1, "pid": 1, "version": "1", "info": {"calls": 256}, "started_at": at}
    with desk.store.write() as tx:
        tx.execute(insert(t.nodes).values(id="worker-0@h", kind="worker", lease_until=at + 60_000, **row))
        tx.execute(insert(t.nodes).values(id="gateway-0@h", kind="gateway", lease_until=at - 1, **row))
    desk.arrive()
    with desk.store.read() as conn:
        states = {node.id: node.alive for node in health.node_states(conn)}
        assert health.live_calls(conn) == 1
    assert states == {"gateway-0@h": False, "worker-0@h": True}


def test_a_store_that_no_desk_has_prepared_has_no_id(store: Store) -> None:
    with store.read() as conn:
        assert people.install_id(conn) is None

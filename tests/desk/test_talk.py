"""In the call, by what the store decides: hold and its others, keys, the recording, call waiting, calls out."""

import threading
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from aircall_core.desk import afterwork, availability, outbound, talk, transfers
from aircall_core.desk.callbacks import take
from aircall_core.desk.errors import DeskError
from aircall_core.desk.talk_facts import DialPlan
from aircall_core.domain import events as kinds
from aircall_core.domain.availability import Status
from aircall_core.domain.flow import parse
from aircall_core.ids import new_id, now_ms
from aircall_core.store import Store, people
from aircall_core.store import calls as rows
from aircall_core.store import tables as t
from tests.support.desk_kit import Desk, add_tag

OUTSIDE = "+33611999888"


@pytest.fixture
def desk(store: Store) -> Desk:
    """A line with Sam, Tia and Uma, a trunk for calls out, and a worker."""
    desk = Desk.open(store, "Sam", "Tia", "Uma", number="+33199000001")
    with store.write() as tx:
        trunk = new_id()
        tx.execute(insert(t.trunks).values(id=trunk, name="t", kind="register", host="sip.example.com", created_at=1))
        tx.execute(update(t.lines).values(outbound_trunk_id=trunk))
        tx.execute(
            insert(t.nodes).values(
                id=desk.owner.node, kind="worker", host="test", epoch=desk.owner.epoch, pid=1, capacity=10, info={},
                version="1", started_at=1, lease_until=now_ms() + 600_000,
            )
        )  # fmt: skip
    return desk


def answered(desk: Desk, name: str = "Sam", number: str = "+33655555555") -> str:
    call = desk.arrive(number).call_id
    desk.answer(call, desk.ids[name])
    return call


def wishes(desk: Desk, kind: str = kinds.CALL_HOLD_WANTED) -> list[tuple[str | None, Any, Any]]:
    """Call, what is wanted, and the command, of all wishes of a kind."""
    found = [row.event for row in desk.store.events(0, 10_000) if row.kind == kind]
    return [(one.call_id, one.data.get("held", one.data.get("on")), one.data["command"]) for one in found]


def obey(desk: Desk, after: int = 0) -> int:
    """The worker does all that was wished of hold; how far it has read."""
    for row in desk.store.events(after, 10_000):
        after = row.seq
        if row.kind == kinds.CALL_HOLD_WANTED:
            data: Mapping[str, Any] = row.event.data
            more = {"held": data["held"], "command": data["command"], "at": now_ms()}
            desk.report("held", row.event.call_id or "", user_id=row.event.user_id, **more)
    return after


def held(desk: Desk, *calls_: str) -> list[bool]:
    return [bool(desk.call(one)["held"]) for one in calls_]


def status(desk: Desk, name: str) -> Status:
    with desk.store.read() as conn:
        standing = people.standing(conn, desk.ids[name], now_ms())
    assert standing is not None
    return standing.status


def slot(desk: Desk, name: str) -> str | None:
    with desk.store.read() as conn:
        return rows.active_call_of(conn, desk.ids[name])


def code(wish: Any, *args: Any, **more: Any) -> str:
    with pytest.raises(DeskError) as caught:
        wish(*args, **more)
    return caught.value.code


def dial(desk: Desk, name: str = "Sam", number: str = OUTSIDE, *, command: str = "", **more: Any) -> str:
    wanted = outbound.Dial(desk.line, number, "peer-00000001", "tab-00000001", **more)
    with desk.store.write() as tx:
        return outbound.dial(tx, desk.ids[name], wanted, command=command or new_id())


# ---- hold


def test_hold_and_back_and_only_by_who_has_the_call(desk: Desk) -> None:
    call = answered(desk)
    desk.wish(talk.hold, call, "Sam", held=True, command="hold-0001")
    assert wishes(desk) == [(call, True, "hold-0001")]
    assert held(desk, call) == [False], "only the worker says that it is so"
    seen = obey(desk)
    assert held(desk, call) == [True]
    assert desk.call(call)["held_at"] is not None
    desk.wish(talk.hold, call, "Sam", held=False)
    obey(desk, seen)
    assert (held(desk, call), desk.call(call)["held_at"]) == ([False], None)
    assert code(desk.wish, talk.hold, call, "Tia", held=True) == "not_yours"
    desk.end(call)
    assert code(desk.wish, talk.hold, call, "Sam", held=True) == "over"


def test_a_fact_of_hold_told_twice_is_told_once(desk: Desk) -> None:
    call = answered(desk)
    for _ in range(2):
        desk.report("held", call, user_id=desk.ids["Sam"], command=None, held=True, at=now_ms())
    assert [row.kind for row in desk.store.events(0, 10_000)].count(kinds.CALL_HELD) == 1


def test_talk_first_swap_and_merge(desk: Desk) -> None:
    call = answered(desk)
    child = desk.wish(transfers.consult, call, "Sam", target={"user": desk.ids["Tia"]}, join=False)
    seen = obey(desk)
    assert held(desk, call) == [True], "the caller waits from the first moment on"
    desk.report("dial_began", child, command="dial", at=now_ms())
    assert code(desk.wish, talk.talk, child, "Sam") == "not_answered"
    desk.answer(child, desk.ids["Tia"])
    desk.wish(talk.talk, call, "Sam")
    seen = obey(desk, seen)
    assert held(desk, call, child) == [False, True]
    desk.wish(talk.talk, child, "Sam")
    seen = obey(desk, seen)
    assert held(desk, call, child) == [True, False]
    desk.wish(talk.merge, call, "Sam")
    obey(desk, seen)
    assert held(desk, call, child) == [False, False]
    assert code(desk.wish, talk.hold, child, "Tia", held=True) == "internal"
    assert code(desk.wish, talk.merge, child, "Sam") == "internal"


def test_to_add_somebody_holds_nobody(desk: Desk) -> None:
    call = answered(desk)
    desk.wish(transfers.consult, call, "Sam", target={"user": desk.ids["Tia"]}, join=True)
    assert wishes(desk) == []
    assert code(desk.wish, talk.merge, call, "Sam") == "alone"


# ---- keys and the recording


def test_keys_are_claimed_once_and_in_no_event(desk: Desk) -> None:
    call = answered(desk)
    for _ in range(2):
        desk.wish(talk.press, call, "Sam", digits="47*11 #", command="keys-0001")
    assert desk.report("keys", call, command="keys-0001").digits == "47*11#"
    desk.wish(talk.press, call, "Sam", digits="47*11#", command="keys-0001")
    assert desk.report("keys", call, command="keys-0001").digits is None, "a command sent again dials nothing again"
    assert not any("47*11" in str(row.event.data) for row in desk.store.events(0, 10_000))
    desk.report("keys_sent", call, user_id=desk.ids["Sam"], command="keys-0001", count=5)
    assert [dict(row.event.data) for row in desk.store.events(0, 10_000) if row.kind == kinds.CALL_KEYS_SENT] == [
        {"command": "keys-0001", "count": 5}
    ]


@pytest.mark.parametrize("wrong", ["", "12x", "1" * 33, "+33", "１２"])
def test_what_is_no_key(desk: Desk, wrong: str) -> None:
    assert code(desk.wish, talk.press, answered(desk), "Sam", digits=wrong) == "invalid"


def test_keys_never_sent_are_gone_with_their_call(desk: Desk) -> None:
    call = answered(desk)
    desk.wish(talk.press, call, "Sam", digits="1")
    desk.end(call)
    with desk.store.read() as conn:
        assert conn.execute(select(t.keys)).all() == []


def test_the_recording_pauses_where_there_is_one(desk: Desk) -> None:
    call = answered(desk)
    assert code(desk.wish, talk.record, call, "Sam", on=False) == "not_recorded"
    desk.report("recording", call, state="started")
    desk.wish(talk.record, call, "Sam", on=False, command="pause-001")
    assert wishes(desk, kinds.CALL_RECORD_WANTED) == [(call, False, "pause-001")]
    desk.report("recording", call, state="paused", command="pause-001", user_id=desk.ids["Sam"])
    assert desk.call(call)["recording"] == "paused"


# ---- call waiting


def call_waiting(desk: Desk, name: str) -> None:
    with desk.store.write() as tx:
        tx.execute(update(t.users).where(t.users.c.id == desk.ids[name]).values(call_waiting=True))


def test_a_second_call_rings_only_who_wants_it_and_taking_it_holds_the_first(desk: Desk) -> None:
    call_waiting(desk, "Sam")
    first, other = answered(desk), answered(desk, "Tia", "+33655550001")
    second = desk.arrive("+33655550002").call_id
    assert desk.ringing(second) == {"Sam", "Uma"}, "Tia has a call and no call waiting"
    assert status(desk, "Sam") is Status.IN_CALL
    desk.answer(second, desk.ids["Sam"])
    obey(desk)
    assert held(desk, first, second) == [True, False]
    assert slot(desk, "Sam") == second
    third = desk.arrive("+33655550003").call_id
    assert desk.ringing(third) == {"Uma"}, "two are enough"
    desk.wish(talk.talk, first, "Sam")
    seen = obey(desk)
    assert (held(desk, first, second), slot(desk, "Sam")) == ([False, True], first)
    desk.end(first)
    assert slot(desk, "Sam") == second
    desk.wish(talk.hold, second, "Sam", held=False)
    obey(desk, seen)
    desk.end(second)
    assert slot(desk, "Sam") is None
    desk.end(other)


def test_a_call_that_waited_rings_who_talks_already_as_soon_as_they_talk(desk: Desk) -> None:
    call_waiting(desk, "Sam")
    with desk.store.write() as tx:
        for name in ("Tia", "Uma"):
            availability.choose(tx, desk.ids[name], "unavailable", "lunch", new_id())
    first, second = desk.arrive("+33655550001").call_id, desk.arrive("+33655550002").call_id
    desk.answer(first, desk.ids["Sam"])
    assert desk.ringing(second) == {"Sam"}
    desk.wish(transfers.consult, first, "Sam", target={"line": desk.line}, join=False)
    assert code(desk.accept, second, desk.ids["Sam"]) == "busy", "not while asking somebody"


def test_one_after_the_other_rings_who_has_no_call_first(desk: Desk) -> None:
    call_waiting(desk, "Sam")
    desk.flow({"id": "r", "kind": "ring", "strategy": "longest_idle"})
    with desk.store.write() as tx:
        tx.execute(update(t.users).values(idle_since=1000))
        tx.execute(update(t.users).where(t.users.c.id == desk.ids["Sam"]).values(idle_since=1))
    answered_call = desk.arrive("+33655550001").call_id
    assert desk.ringing(answered_call) == {"Sam"}
    desk.answer(answered_call, desk.ids["Sam"])
    second = desk.arrive("+33655550002").call_id
    assert desk.ringing(second) <= {"Tia", "Uma"}


def test_call_waiting_ends_where_a_tag_is_owed(desk: Desk) -> None:
    call_waiting(desk, "Sam")
    with desk.store.write() as tx:
        add_tag(tx, "Sale")
        tx.execute(update(t.lines).values(tags_required=True))
    first = answered(desk)
    second = desk.arrive("+33655550002").call_id
    desk.answer(second, desk.ids["Sam"])
    desk.end(first)
    third = desk.arrive("+33655550003").call_id
    assert desk.ringing(third) == {"Tia", "Uma"}
    assert code(dial, desk) == "tag_due"


# ---- calls out


def test_a_call_out_from_the_wish_to_its_end(desk: Desk) -> None:
    call = dial(desk, command="dial-0001")
    assert dial(desk, command="dial-0001") == call, "sent again it is the same"
    row = desk.call(call)
    assert (row["direction"], row["state"], row["accepted_by"]) == ("outbound", "dialling", desk.ids["Sam"])
    assert (row["to_number"], row["from_number"]) == (OUTSIDE, "+33199000001")
    assert status(desk, "Sam") is Status.IN_CALL
    plan = desk.report("dial_began", call, command="dial-0001", at=now_ms())
    assert isinstance(plan, DialPlan)
    assert (plan.number, plan.kind, [step.id for step in parse(plan.flow).steps]) == (OUTSIDE, "top", ["voicemail"])
    assert desk.report("dial_began", call, command="dial-0001", at=now_ms()) is None
    desk.report("progress", call, state="ringing", at=now_ms())
    desk.report("answered", call, user_id=desk.ids["Sam"], command="dial-0001", at=now_ms(), dialog=None)
    desk.report("confirmed", call, at=now_ms())
    assert desk.call(call)["progress"] is None
    desk.report("ended", call, by="callee", at=now_ms(), reason="bye")
    row = desk.call(call)
    assert (row["outcome"], row["missed_reason"], slot(desk, "Sam")) == ("answered", None, None)
    with desk.store.read() as conn:
        conversation = conn.execute(select(t.conversations).where(t.conversations.c.party == OUTSIDE)).one()
    assert (conversation.last_call_id, conversation.missed) == (call, False)


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        ("busy", "busy"), ("declined", "refused"), ("refused", "refused"), ("no_answer", "no_answer"),
        ("cancelled", "no_answer"), ("not_found", "failed"), ("unreachable", "failed"), ("no_audio", "failed"),
    ],
)  # fmt: skip
def test_a_call_out_in_vain_is_no_missed_call(desk: Desk, reason: str, outcome: str) -> None:
    call = dial(desk)
    desk.report("dial_began", call, command="c", at=now_ms())
    desk.report("ended", call, by="callee", at=now_ms(), reason=reason, sip_code=486)
    row = desk.call(call)
    assert (row["outcome"], row["end_reason"], row["missed_reason"]) == (outcome, reason, None)
    assert status(desk, "Sam") is Status.AVAILABLE, "no wrap-up after a call that never was"


def test_two_calls_at_most_and_the_first_is_held(desk: Desk) -> None:
    first = answered(desk)
    second = dial(desk)
    assert [one[:2] for one in wishes(desk)] == [(first, True)]
    assert slot(desk, "Sam") == second
    assert code(dial, desk, number="+33611999889") == "busy"
    assert code(desk.accept, desk.arrive("+33655550009").call_id, desk.ids["Sam"]) == "busy"


def test_not_while_asking_and_not_while_another_one_begins(desk: Desk) -> None:
    call = answered(desk)
    desk.wish(transfers.consult, call, "Sam", target={"user": desk.ids["Tia"]}, join=False)
    assert code(dial, desk) == "busy"
    dial(desk, "Uma")
    assert code(dial, desk, "Uma", "+33611999889") == "busy"


def test_who_is_asked_by_a_colleague_does_not_leave_by_dialling(desk: Desk) -> None:
    call = answered(desk)
    child = desk.wish(transfers.consult, call, "Sam", target={"user": desk.ids["Tia"]}, join=False)
    desk.report("dial_began", child, command="c", at=now_ms())
    desk.answer(child, desk.ids["Tia"])
    assert code(dial, desk, "Tia") == "busy"


@pytest.mark.parametrize("state", [{"draining": True}, {"serving": False}])
def test_refused_numbers_and_no_worker(desk: Desk, state: dict[str, bool]) -> None:
    assert code(dial, desk, number="+33899123456") == "premium"
    with desk.store.write() as tx:
        tx.execute(update(t.nodes).values(**state))
    assert code(dial, desk) == "no_worker"
    assert slot(desk, "Sam") is None


def test_the_worker_with_the_most_room_gets_the_call(desk: Desk) -> None:
    with desk.store.write() as tx:
        known = {"kind": "worker", "host": "test", "pid": 1, "info": {}, "version": "1", "started_at": 1}
        tx.execute(
            insert(t.nodes).values(id="worker-1@test", epoch=7, capacity=10, lease_until=now_ms() + 9000, **known)
        )
        tx.execute(update(t.nodes).where(t.nodes.c.id == desk.owner.node).values(in_use=4))
    row = desk.call(dial(desk))
    assert (row["owner_node"], row["owner_epoch"]) == ("worker-1@test", 7)


def test_a_lost_agent_of_a_call_out_leaves_the_far_end_to_the_lines_overflow(desk: Desk) -> None:
    call = dial(desk)
    desk.report("dial_began", call, command="c", at=now_ms())
    desk.report("answered", call, user_id=desk.ids["Sam"], command="c", at=now_ms(), dialog=None)
    entered = desk.report("returned", call, at=now_ms())
    assert (entered.ringing, entered.waits, desk.call(call)["state"]) == ((), False, "flow")
    desk.fact("voicemail", call, at=now_ms())
    desk.end(call)
    assert desk.call(call)["outcome"] == "answered"


def asks_back(desk: Desk) -> str:
    """A caller in a queue wants to be called; the callback's id."""
    desk.flow({"id": "q", "kind": "queue"})
    call = desk.arrive(OUTSIDE).call_id
    desk.fact("callback", call, at=now_ms())
    desk.end(call)
    with desk.store.read() as conn:
        found: str = conn.execute(select(t.callbacks.c.id)).scalar_one()
    return found


def callback_row(desk: Desk) -> tuple[str, str | None]:
    with desk.store.read() as conn:
        row = conn.execute(select(t.callbacks)).one()
    return row.state, row.user_id


def test_a_callback_keeps_its_place_until_the_caller_has_answered(desk: Desk) -> None:
    callback = asks_back(desk)
    call = dial(desk, callback=callback)
    assert callback_row(desk) == ("calling", desk.ids["Sam"])
    assert code(dial, desk, "Tia", callback=callback) == "taken"
    with desk.store.write() as tx:
        assert code(take, tx, callback, desk.ids["Tia"], command="x") == "taken"
    assert slot(desk, "Tia") is None
    desk.report("dial_began", call, command="c", at=now_ms())
    desk.report("ended", call, by="callee", at=now_ms(), reason="busy")
    assert callback_row(desk) == ("waiting", None)
    call = dial(desk, "Tia", callback=callback)
    desk.report("dial_began", call, command="c", at=now_ms())
    desk.report("answered", call, user_id=desk.ids["Tia"], command="c", at=now_ms(), dialog=None)
    assert callback_row(desk) == ("taken", desk.ids["Tia"])
    desk.end(call)
    assert callback_row(desk) == ("taken", desk.ids["Tia"])


def test_a_callback_is_for_its_own_number(desk: Desk) -> None:
    callback = asks_back(desk)
    assert code(dial, desk, number="+33611999889", callback=callback) == "other_number"
    assert callback_row(desk) == ("waiting", None)


# ---- two at once


def at_once(*deeds: Any) -> list[str]:
    """Both at the same moment; what each is told."""
    results: list[str] = []
    start = threading.Barrier(len(deeds))

    def run(deed: Any) -> None:
        start.wait()
        try:
            deed()
        except DeskError as refusal:
            results.append(refusal.code)
        else:
            results.append("done")

    threads = [threading.Thread(target=run, args=(deed,)) for deed in deeds]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return sorted(results)


def test_two_tabs_dial_at_once_and_one_call_is_made(desk: Desk) -> None:
    done = at_once(lambda: dial(desk), lambda: dial(desk, number="+33611999889"))
    assert done == ["busy", "done"]


def test_two_tabs_ask_at_once_and_one_colleague_is_called(desk: Desk) -> None:
    call = answered(desk)

    def ask(name: str) -> None:
        desk.wish(transfers.consult, call, "Sam", target={"user": desk.ids[name]}, join=False)

    assert at_once(lambda: ask("Tia"), lambda: ask("Uma")) == ["asking", "done"]


def test_accepting_and_dialling_at_once_gives_one_of_them(desk: Desk) -> None:
    call = desk.arrive().call_id
    done = at_once(lambda: desk.accept(call, desk.ids["Sam"]), lambda: dial(desk))
    assert done == ["busy", "done"]


def test_completing_and_the_callers_end_at_once(desk: Desk) -> None:
    call = answered(desk)
    child = desk.wish(transfers.consult, call, "Sam", target={"user": desk.ids["Tia"]}, join=False)
    desk.report("dial_began", child, command="c", at=now_ms())
    desk.answer(child, desk.ids["Tia"])
    at_once(lambda: desk.report("transferred", call, via=child, command="c", at=now_ms()), lambda: desk.end(call))
    assert desk.call(call)["ended_at"] is not None
    assert desk.call(child)["ended_at"] is not None
    assert [slot(desk, name) for name in ("Sam", "Tia")] == [None, None]


def test_who_hands_an_untagged_call_on_owes_its_tag_at_once(desk: Desk) -> None:
    with desk.store.write() as tx:
        add_tag(tx, "Sale")
        tx.execute(update(t.lines).values(tags_required=True))
    call = answered(desk)
    desk.wish(transfers.transfer, call, "Sam", target={"user": desk.ids["Tia"]})
    desk.report("transfer_began", call, command="c", at=now_ms())
    assert status(desk, "Sam") is Status.TAGGING
    with desk.store.write() as tx, pytest.raises(DeskError, match="Tag"):
        afterwork.no_tag_owed(tx, desk.ids["Sam"])
    desk.end(call)

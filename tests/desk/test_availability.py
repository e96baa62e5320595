"""Who can be rung changes while calls ring: duty, presence, ends of calls, and workers that die."""

import threading

import pytest
from sqlalchemy import update

from aircall_core.desk import availability, endings, facts, nodes
from aircall_core.desk.distribution import Entered
from aircall_core.desk.errors import Fenced
from aircall_core.ids import new_id, now_ms
from aircall_core.store import Store, open_store
from aircall_core.store import calls as rows
from aircall_core.store import tables as t
from aircall_core.store.calls import Owner
from tests.support.desk_kit import Desk, beat_of, go_offline


def ringing(store: Store, call: str) -> list[str]:
    """Users rung now."""
    with store.read() as conn:
        return rows.ringing_users(conn, call)


def test_nobody_on_duty_is_said_with_reasons(store: Store) -> None:
    desk = Desk.open(store, "Anna", "Ben")
    with store.write() as tx:
        availability.set_duty(tx, desk.ids["Anna"], on=False, command="command-1")
        go_offline(tx, desk.ids["Ben"])
    plan = desk.arrive()
    assert plan.entered == Entered((), waits=False)
    queued = store.events(0, 100)[-1].event
    assert queued.kind == "call.queued"
    assert queued.data["reasons"] == {desk.ids["Anna"]: "off_duty", desk.ids["Ben"]: "offline"}


def test_going_on_duty_while_a_call_rings_joins_the_ring(store: Store) -> None:
    desk = Desk.open(store, "Anna", "Ben")
    with store.write() as tx:
        availability.set_duty(tx, desk.ids["Ben"], on=False, command="command-1")
    call = desk.arrive().call_id
    with store.write() as tx:
        availability.set_duty(tx, desk.ids["Ben"], on=True, command="command-2")
    assert ringing(store, call) == sorted(desk.users)


def test_a_browser_that_comes_back_joins_the_ring(store: Store) -> None:
    desk = Desk.open(store, "Anna", "Ben")
    with store.write() as tx:
        go_offline(tx, desk.ids["Ben"])
    call = desk.arrive().call_id
    with store.write() as tx:
        availability.beat(tx, [beat_of(desk.ids["Ben"])])
    assert ringing(store, call) == sorted(desk.users)


def test_the_end_of_a_call_offers_the_next_one(store: Store) -> None:
    desk = Desk.open(store, "Anna", "Ben")
    anna, ben = desk.ids["Anna"], desk.ids["Ben"]
    first = desk.arrive("+33611111111").call_id
    desk.answer(first, anna)
    second = desk.arrive("+33622222222")
    assert second.entered == Entered((ben,))
    desk.end(first)
    assert ringing(store, second.call_id) == sorted((anna, ben))


def test_an_agent_whose_audio_stays_away_gives_the_caller_back_to_the_line(store: Store) -> None:
    desk = Desk.open(store, "Anna", "Ben")
    anna, ben = desk.ids["Anna"], desk.ids["Ben"]
    call = desk.arrive().call_id
    desk.answer(call, anna)
    with store.write() as tx:
        facts.agent_away(tx, desk.owner, call, reason="silence")
        assert facts.returned(tx, desk.owner, call, at=now_ms()).ringing == (ben,)
    desk.answer(call, ben)
    with store.read() as conn:
        row = rows.get(conn, call)
    assert row is not None
    assert (row["answered_by"], row["state"]) == (ben, "confirmed")


def test_calls_of_a_dead_worker_are_closed_once_and_free_their_users(store: Store) -> None:
    desk = Desk.open(store, "Anna")
    with store.write() as tx:
        desk_node = nodes.register(tx, "desk", 0, "test")
        worker = nodes.register(tx, "worker", 0, "test")
    desk.owner = Owner(worker.id, worker.epoch)
    call = desk.arrive().call_id
    desk.answer(call, desk.ids["Anna"])
    with store.write() as tx:
        tx.execute(update(t.nodes).where(t.nodes.c.id == worker.id).values(lease_until=1))
        assert nodes.report_lost(tx, reporter=desk_node, watching_since=0) == [worker.id]
    with store.write() as tx:
        assert nodes.report_lost(tx, reporter=desk_node, watching_since=0) == []
        assert not nodes.beat(tx, worker)
    with store.read() as conn:
        row = rows.get(conn, call)
        assert rows.active_call_of(conn, desk.ids["Anna"]) is None
    assert row is not None
    assert row["outcome"] == "lost"


@pytest.mark.parametrize("first", ["desk", "worker"])
def test_the_far_ends_of_lost_calls_are_told_goodbye_once_whoever_closed_the_calls(store: Store, first: str) -> None:
    desk = Desk.open(store, "Anna")
    with store.write() as tx:
        desk_node = nodes.register(tx, "desk", 0, "test")
        worker = nodes.register(tx, "worker", 0, "test")
    desk.owner = Owner(worker.id, worker.epoch)
    talked, over = desk.arrive().call_id, desk.arrive("+33611223355").call_id
    command = desk.accept(talked, desk.ids["Anna"])
    desk.report("answered", talked, user_id=desk.ids["Anna"], command=command, at=now_ms(), dialog={"of": "talked"})
    with store.write() as tx:
        rows.change(tx.conn, over, dialog={"of": "over"})
    desk.end(over)
    if first == "desk":  # the worker stayed away for longer than its lease
        with store.write() as tx:
            tx.execute(update(t.nodes).where(t.nodes.c.id == worker.id).values(lease_until=1))
            assert nodes.report_lost(tx, reporter=desk_node, watching_since=0) == [worker.id]
    for expected in ([{"of": "talked"}], []):
        with store.write() as tx:
            life = nodes.register(tx, "worker", 0, "test")
            endings.close_lost(tx, life.id, life.epoch - 1, actor="worker:test", at=now_ms())
            assert endings.farewells(tx, life.id, life.epoch - 1) == expected


def test_nobody_is_judged_while_the_store_has_only_just_come_back(store: Store) -> None:
    with store.write() as tx:
        desk_node = nodes.register(tx, "desk", 0, "test")
        nodes.register(tx, "worker", 0, "test")
        tx.execute(update(t.nodes).where(t.nodes.c.kind == "worker").values(lease_until=1))
    with store.write() as tx:
        assert nodes.report_lost(tx, reporter=desk_node, watching_since=tx.now_ms() - 1_000) == []


def test_a_second_life_fences_the_first(store: Store) -> None:
    with store.write() as tx:
        first = nodes.register(tx, "worker", 0, "test")
    with store.write() as tx:
        second = nodes.register(tx, "worker", 0, "test")
    assert second.epoch == first.epoch + 1
    with store.write() as tx:
        assert not nodes.beat(tx, first)
        assert nodes.beat(tx, second, in_use=2)


def test_a_late_answer_does_not_reopen_a_call_that_is_being_closed_as_lost(store: Store) -> None:
    """Two processes on one store: the desk has closed the call, not yet committed, when the worker's fact comes in."""
    desk = Desk.open(store, "Anna")
    call, user = desk.arrive().call_id, desk.ids["Anna"]
    command = desk.accept(call, user)

    def report() -> None:
        with worker.write() as tx:
            facts.answered(tx, desk.owner, call, user_id=user, command=command, at=now_ms(), dialog=None)

    with open_store(store.url.render_as_string(hide_password=False)) as worker:
        late = threading.Thread(target=report)
        with store.write() as tx:
            endings.close_lost(tx, desk.owner.node, desk.owner.epoch, actor="desk:other", at=now_ms())
            late.start()
            late.join(0.3)  # it has read by now what it may read
        late.join(10)
    with store.read() as conn:
        row = rows.get(conn, call)
    assert row is not None
    assert (row["state"], row["outcome"]) == ("ended", "lost")


def test_a_call_that_a_replaced_worker_reports_late_is_not_filed(store: Store) -> None:
    desk = Desk.open(store, "Anna")
    with store.write() as tx:
        first = nodes.register(tx, "worker", 0, "test")
    desk.owner = Owner(first.id, first.epoch)
    before = desk.arrive().call_id
    with store.write() as tx:
        nodes.register(tx, "worker", 0, "test")
    with pytest.raises(Fenced):
        desk.arrive()
    with store.read() as conn:
        assert rows.live_of_owner(conn, first.id, first.epoch) == [before]


def test_formats_of_a_number_meet_in_one_conversation(store: Store) -> None:
    desk = Desk.open(store, "Anna")
    first = desk.arrive("+33611223344")
    desk.end(first.call_id)
    again = desk.arrive("+33611223344")
    hidden = desk.arrive("")
    assert again.conversation_id == first.conversation_id
    assert hidden.conversation_id != first.conversation_id
    assert desk.arrive("", call_id=new_id()).conversation_id == hidden.conversation_id

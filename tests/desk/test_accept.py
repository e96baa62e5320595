"""Accepting: exactly one winner, one call a user, and the losers read who it was."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from aircall_core.desk import calls, facts
from aircall_core.desk.distribution import Entered
from aircall_core.desk.errors import DeskError, Fenced
from aircall_core.ids import now_ms
from aircall_core.store import Store, open_store
from aircall_core.store import calls as rows
from aircall_core.store.calls import Owner
from aircall_core.store.queries.views import snapshot
from tests.support.desk_kit import Desk


def kinds(store: Store, call: str) -> list[str]:
    """Kinds of the call's events, in order."""
    return [row.kind for row in store.events(0, 10_000) if row.event.call_id == call]


def test_the_way_of_an_answered_call(store: Store) -> None:
    desk = Desk.open(store, "Anna", "Ben")
    plan = desk.arrive()
    assert plan.entered == Entered(tuple(sorted(desk.users)))
    desk.answer(plan.call_id, desk.ids["Anna"])
    desk.end(plan.call_id)
    assert kinds(store, plan.call_id) == [
        "conversation.opened",
        "call.arrived",
        "call.queued",
        "call.ringing",
        "call.ringing",
        "call.accepting",
        "call.answered",
        "call.confirmed",
        "call.ended",
    ]
    [ended] = [row.event for row in store.events(0, 10_000) if row.kind == "call.ended"]
    assert ended.data["outcome"] == "answered"
    assert ended.user_id == desk.ids["Anna"]


def test_the_second_accept_reads_who_won(store: Store) -> None:
    desk = Desk.open(store, "Anna", "Ben")
    call = desk.arrive().call_id
    desk.accept(call, desk.ids["Anna"])
    with pytest.raises(DeskError) as refusal:
        desk.accept(call, desk.ids["Ben"])
    assert (refusal.value.code, refusal.value.status) == ("taken", 409)
    assert refusal.value.details["by"] == {"id": desk.ids["Anna"], "name": "Anna"}
    with store.read() as conn:
        assert rows.active_call_of(conn, desk.ids["Ben"]) is None


def test_the_same_command_twice_changes_nothing(store: Store) -> None:
    desk = Desk.open(store, "Anna")
    call = desk.arrive().call_id
    command = desk.accept(call, desk.ids["Anna"])
    before = store.last_seq()
    desk.accept(call, desk.ids["Anna"], command)
    assert store.last_seq() == before


def test_a_failed_accept_rings_on_and_frees_the_user(store: Store) -> None:
    desk = Desk.open(store, "Anna", "Ben")
    call = desk.arrive().call_id
    anna, ben = desk.ids["Anna"], desk.ids["Ben"]
    command = desk.accept(call, anna)
    with store.write() as tx:
        facts.accept_failed(tx, desk.owner, call, user_id=anna, command=command, reason="no_audio")
    desk.accept(call, ben)
    with store.read() as conn:
        assert rows.active_call_of(conn, anna) is None
        assert rows.active_call_of(conn, ben) == call


def test_accepting_after_the_caller_gave_up_says_so(store: Store) -> None:
    desk = Desk.open(store, "Anna")
    call = desk.arrive().call_id
    desk.end(call)
    with pytest.raises(DeskError) as refusal:
        desk.accept(call, desk.ids["Anna"])
    assert refusal.value.message == "The caller has hung up."


def test_a_rejected_call_rings_the_others_on(store: Store) -> None:
    desk = Desk.open(store, "Anna", "Ben")
    call = desk.arrive().call_id
    with store.write() as tx:
        calls.reject(tx, call, desk.ids["Anna"], command="command-1")
    with pytest.raises(DeskError):
        desk.accept(call, desk.ids["Anna"])
    desk.accept(call, desk.ids["Ben"])


@pytest.mark.parametrize("race", range(5))
def test_of_three_users_at_once_one_wins(store: Store, store_url: str, race: int) -> None:
    desk = Desk.open(store, "Anna", "Ben", "Chloe")
    call = desk.arrive().call_id
    outcomes = run_at_once(desk, store_url, [lambda desk, user=user: desk.accept(call, user) for user in desk.users])
    assert Counter(outcomes) == {"won": 1, "taken": 2}


@pytest.mark.parametrize("race", range(5))
def test_of_two_calls_accepted_at_once_a_user_gets_one(store: Store, store_url: str, race: int) -> None:
    desk = Desk.open(store, "Anna")
    both = [desk.arrive("+33611223344").call_id, desk.arrive("+33655667788").call_id]
    anna = desk.ids["Anna"]
    outcomes = run_at_once(desk, store_url, [lambda desk, call=call: desk.accept(call, anna) for call in both])
    assert Counter(outcomes) == {"won": 1, "busy": 1}


def run_at_once(desk: Desk, url: str, deeds: Sequence[Callable[..., object]]) -> list[str]:
    """Each deed in a thread and with a store of its own, as if in other processes; "won" or the refusal's code."""
    start = threading.Barrier(len(deeds))

    def run(deed: Callable[..., object]) -> str:
        with open_store(url) as own:
            own.last_seq()  # connected before the start
            start.wait(10)
            try:
                deed(replace(desk, store=own))
            except DeskError as refusal:
                return refusal.code
            return "won"

    with ThreadPoolExecutor(len(deeds)) as threads:
        return list(threads.map(run, deeds))


def test_a_worker_that_was_replaced_changes_nothing(store: Store) -> None:
    desk = Desk.open(store, "Anna")
    call = desk.arrive().call_id
    with pytest.raises(Fenced), store.write() as tx:
        facts.ended(tx, Owner(desk.owner.node, desk.owner.epoch + 1), call, by="system", at=now_ms())
    with store.read() as conn:
        assert snapshot(conn, desk.ids["Anna"])[1]["calls"][call]["state"] == "ringing"


def test_a_replayed_journal_writes_nothing_twice(store: Store) -> None:
    desk = Desk.open(store, "Anna")
    first = desk.arrive()
    desk.answer(first.call_id, desk.ids["Anna"])
    command = desk.store.events(0, 100)[-2].event.data["command"]
    desk.end(first.call_id)
    before = store.last_seq()
    again = desk.arrive(call_id=first.call_id)
    with store.write() as tx:
        user = desk.ids["Anna"]
        facts.answered(tx, desk.owner, first.call_id, user_id=user, command=str(command), at=now_ms(), dialog=None)
        facts.confirmed(tx, desk.owner, first.call_id, at=now_ms())
    desk.end(first.call_id)
    assert store.last_seq() == before
    assert again.conversation_id == first.conversation_id

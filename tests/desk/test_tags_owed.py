"""A mandatory tag, whichever way an agent leaves a call: it comes before their next one, and nothing goes around it."""

from typing import Any

import pytest
from sqlalchemy import insert, select, update

from aircall_core.desk import afterwork, availability, calls, outbound, tags, talk, transfers
from aircall_core.desk.errors import DeskError, Invalid
from aircall_core.domain.events import CALL_TAG_DUE, USER_WRAP_UP
from aircall_core.ids import new_id, now_ms
from aircall_core.store import Store, people, states
from aircall_core.store import tables as t
from tests.desk.test_transfers import OUTSIDE, Floor
from tests.support.desk_kit import add_tag, add_user, beat_of


class Tagged(Floor):
    """Sam's call on a line that demands tags."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.store = store
        with store.write() as tx:
            self.tag = add_tag(tx, "Billing")
            tx.execute(update(t.lines).values(tags_required=True))
            tx.execute(
                insert(t.nodes).values(
                    id=self.desk.owner.node, kind="worker", host="test", epoch=self.desk.owner.epoch, pid=1, capacity=9,
                    version="1", info={}, started_at=1, lease_until=tx.now_ms() + 600_000,
                )
            )  # fmt: skip

    def owed(self, user: str) -> list[str]:
        with self.store.read() as conn:
            return states.owed_tags(conn, user)

    def status(self, user: str) -> str:
        with self.store.read() as conn:
            one = people.standing(conn, user, now_ms())
            noted = people.user(conn, user)
        assert one is not None
        assert noted is not None
        assert one.status.value == noted["status"], "the history says what is so"
        return one.status.value

    def give(self, call: str, user: str) -> None:
        with self.store.write() as tx:
            tags.give(tx, call, user, "agent", [self.tag], new_id())

    def dial(self, user: str, number: str = OUTSIDE) -> str:
        wanted = outbound.Dial(self.desk.line, number, peer=new_id(), tab=new_id())
        with self.store.write() as tx:
            return outbound.dial(tx, user, wanted, command=new_id())

    def reached(self, number: str = OUTSIDE) -> str:
        """Sam dials a number, which answers; the call's id."""
        call = self.dial(self.sam, number)
        self.dialled(call)
        self.desk.report("answered", call, user_id=self.sam, command="", at=now_ms(), dialog=None)
        self.desk.report("confirmed", call, at=now_ms())
        return call

    def told(self, kind: str) -> list[tuple[str | None, str | None]]:
        return [(row.event.user_id, row.event.call_id) for row in self.store.events(0, 10_000) if row.kind == kind]


@pytest.fixture
def floor(store: Store) -> Tagged:
    return Tagged(store)


def refused(deed: Any, *args: Any, **more: Any) -> str:
    with pytest.raises(DeskError) as caught:
        deed(*args, **more)
    return caught.value.code


# ---- who owes it


def test_who_transferred_owes_it_at_once_and_who_ended_too(floor: Tagged) -> None:
    floor.began(floor.transfer(user=floor.tia))
    assert (floor.owed(floor.sam), floor.status(floor.sam)) == ([floor.a], "tagging")
    floor.desk.answer(floor.a, floor.tia)
    assert floor.owed(floor.tia) == [], "their call goes on"
    floor.desk.end(floor.a)
    assert (floor.owed(floor.sam), floor.owed(floor.tia)) == ([floor.a], [floor.a])
    assert floor.told(CALL_TAG_DUE) == [(floor.sam, floor.a), (floor.tia, floor.a)]
    floor.give(floor.a, floor.tia)
    assert (floor.status(floor.sam), floor.status(floor.tia)) == ("available", "available"), "one tag is enough"


def test_who_takes_over_a_call_that_is_tagged_owes_nothing(floor: Tagged) -> None:
    child = floor.asked()
    floor.desk.report("transferred", floor.a, via=child, command=None, at=now_ms())
    assert (floor.owed(floor.sam), floor.owed(floor.tia)) == ([floor.a], [])
    floor.give(floor.a, floor.sam)
    floor.desk.end(floor.a)
    assert floor.owed(floor.tia) == []
    assert floor.status(floor.tia) == "available"


def test_to_an_outside_number_by_either_way(floor: Tagged) -> None:
    child = floor.outside()
    floor.desk.report("transferred", floor.a, via=child, command=None, at=now_ms())
    assert (floor.desk.call(floor.a)["state"], floor.status(floor.sam)) == ("forwarded", "tagging")
    floor.desk.end(floor.a)
    assert floor.owed(floor.sam) == [floor.a]
    assert floor.told(CALL_TAG_DUE) == [(floor.sam, floor.a)], "once"


def test_who_is_asked_owes_nothing_for_having_been_asked(floor: Tagged) -> None:
    with floor.store.write() as tx:
        states.change(tx.conn, floor.tia, wrap_up_s=60)
    child = floor.asked()
    floor.desk.end(child, "agent")
    assert (floor.owed(floor.tia), floor.status(floor.tia)) == ([], "available")
    assert (floor.owed(floor.sam), floor.status(floor.sam)) == ([], "in_call")
    assert floor.told(USER_WRAP_UP) == []


def test_closing_the_browser_is_no_way_out(floor: Tagged) -> None:
    """The audio stays away, a colleague takes the call and ends it untagged: both talked, both owe."""
    floor.desk.report("agent_away", floor.a, reason="silence")
    floor.desk.report("returned", floor.a, at=now_ms())
    assert floor.owed(floor.sam) == [floor.a]
    assert floor.status(floor.sam) == "tagging"
    floor.desk.answer(floor.a, floor.tia)
    floor.desk.end(floor.a)
    assert floor.owed(floor.tia) == [floor.a]


def test_calls_out_owe_a_tag_when_they_were_answered(floor: Tagged) -> None:
    floor.give(floor.a, floor.sam)
    floor.desk.end(floor.a)
    call = floor.reached()
    floor.desk.end(call, "agent")
    assert (floor.owed(floor.sam), floor.status(floor.sam)) == ([call], "tagging")
    floor.give(call, floor.sam)
    unanswered = floor.dial(floor.sam)
    floor.dialled(unanswered)
    floor.desk.report("ended", unanswered, by="callee", at=now_ms(), sip_code=486, reason="busy")
    assert (floor.owed(floor.sam), floor.status(floor.sam)) == ([], "available")


# ---- nothing goes around it


def test_a_second_call_that_rang_before_the_first_was_over_cannot_be_taken(floor: Tagged) -> None:
    with floor.store.write() as tx:
        states.change(tx.conn, floor.sam, call_waiting=True)
        for other in (floor.tia, floor.uma):
            availability.choose(tx, other, "unavailable", "break", new_id())
    second = floor.desk.arrive("+33600000002").call_id
    assert floor.desk.ringing(second) == {"Sam"}, "call waiting"
    floor.desk.end(floor.a)
    if "Sam" in floor.desk.ringing(second):
        assert refused(floor.desk.accept, second, floor.sam) == "tag_due"
    floor.give(floor.a, floor.sam)
    assert floor.desk.ringing(second) == {"Sam"}, "it rang on, or rings again"
    floor.desk.answer(second, floor.sam)
    assert floor.status(floor.sam) == "in_call"


def test_two_calls_at_once_owe_two_tags_and_no_third_comes_between(floor: Tagged) -> None:
    with floor.store.write() as tx:
        states.change(tx.conn, floor.sam, call_waiting=True)
    second = floor.desk.arrive("+33600000002").call_id
    floor.desk.answer(second, floor.sam)
    floor.desk.end(floor.a)  # the one on hold: its caller gives up
    assert (floor.owed(floor.sam), floor.status(floor.sam)) == ([floor.a], "in_call")
    third = floor.desk.arrive("+33600000003").call_id
    assert "Sam" not in floor.desk.ringing(third), "no call waiting for who owes a tag"
    assert refused(floor.dial, floor.sam) == "tag_due"
    floor.desk.end(second)
    assert (floor.owed(floor.sam), floor.status(floor.sam)) == (sorted([floor.a, second]), "tagging")
    floor.give(second, floor.sam)
    assert floor.status(floor.sam) == "tagging"
    floor.give(floor.a, floor.sam)
    assert floor.status(floor.sam) == "available"


def test_neither_a_call_out_nor_anything_that_can_be_chosen_goes_around_it(floor: Tagged) -> None:
    floor.desk.end(floor.a)
    assert refused(floor.dial, floor.sam) == "tag_due"
    with floor.store.write() as tx:
        for on in (False, True):
            availability.set_duty(tx, floor.sam, on=on, command=new_id())
        availability.choose(tx, floor.sam, "unavailable", "break", new_id())
        availability.choose(tx, floor.sam, "available", None, new_id())
        availability.choose_for(tx, "user:boss", floor.sam, "available")
        afterwork.finish(tx, floor.sam, new_id())
        availability.beat(tx, [beat_of(floor.sam, "a second tab")])
    assert floor.status(floor.sam) == "tagging"
    for given in ([], [new_id()]):
        with pytest.raises(Invalid), floor.store.write() as tx:
            tags.give(tx, floor.a, floor.sam, "agent", given, new_id())
    new = floor.desk.arrive("+33600000002").call_id
    assert "Sam" not in floor.desk.ringing(new)
    assert refused(floor.desk.accept, new, floor.sam) in ("tag_due", "not_rung")
    with floor.store.read() as conn:
        assert conn.scalar(select(t.users.c.active_call_id).where(t.users.c.id == floor.sam)) is None


def test_who_owes_a_tag_is_not_asked_by_colleagues_nor_handed_a_call(floor: Tagged) -> None:
    floor.desk.end(floor.a)
    other = floor.desk.arrive("+33600000002").call_id
    floor.desk.answer(other, floor.tia)
    floor.a = other
    for deed, more in ((transfers.consult, {"join": False}), (transfers.transfer, {})):
        code = refused(floor.desk.wish, deed, other, "Tia", target={"user": floor.sam}, **more)
        assert code in ("busy", "unavailable")


def test_a_tag_cannot_be_taken_back_from_a_call_that_needs_one(floor: Tagged) -> None:
    floor.give(floor.a, floor.sam)
    with pytest.raises(Invalid), floor.store.write() as tx:
        tags.give(tx, floor.a, floor.sam, "agent", [], new_id())
    floor.desk.end(floor.a)
    assert floor.owed(floor.sam) == []


def test_a_tag_given_to_a_call_made_for_another_is_that_ones(floor: Tagged) -> None:
    child = floor.asked()
    floor.give(child, floor.tia)
    floor.desk.end(child, "agent")
    floor.desk.end(floor.a)
    assert floor.owed(floor.sam) == []


# ---- and nobody is shut out by it


def test_a_call_that_comes_back_to_who_handed_it_on_can_be_taken_untagged(floor: Tagged) -> None:
    floor.began(floor.transfer(user=floor.tia))
    floor.desk.reject(floor.a, "Tia")
    floor.ring_back()
    assert floor.desk.ringing(floor.a) == {"Sam"}, "though they owe it its tag"
    floor.desk.answer(floor.a, floor.sam)
    floor.desk.end(floor.a)
    assert floor.owed(floor.sam) == [floor.a]
    floor.give(floor.a, floor.sam)
    assert floor.status(floor.sam) == "available"


def test_who_does_not_see_the_line_can_tag_the_call_that_was_handed_to_them(floor: Tagged) -> None:
    with floor.store.write() as tx:
        floor.desk.ids["Zed"] = zed = add_user(tx, "Zed")
        availability.beat(tx, [beat_of(zed)])
    floor.began(floor.transfer(user=zed))
    floor.desk.answer(floor.a, zed)
    floor.desk.end(floor.a)
    assert floor.status(zed) == "tagging"
    floor.give(floor.a, zed)
    assert floor.status(zed) == "available"


def test_wrap_up_after_each_way_to_leave_a_call(floor: Tagged) -> None:
    with floor.store.write() as tx:
        for user in floor.desk.users:
            states.change(tx.conn, user, wrap_up_s=60)
    floor.give(floor.a, floor.sam)
    floor.began(floor.transfer(user=floor.tia))
    assert floor.status(floor.sam) == "wrap_up"
    floor.desk.answer(floor.a, floor.tia)
    floor.desk.end(floor.a)
    assert floor.status(floor.tia) == "wrap_up"
    with floor.store.write() as tx:
        afterwork.finish(tx, floor.sam, new_id())
    call = floor.reached()
    floor.desk.end(call)
    assert floor.status(floor.sam) == "wrap_up"


def test_wrap_up_begins_after_the_last_of_two_calls(floor: Tagged) -> None:
    with floor.store.write() as tx:
        states.change(tx.conn, floor.sam, wrap_up_s=60, call_waiting=True)
        tx.execute(update(t.lines).values(tags_required=False))
    second = floor.desk.arrive("+33600000002").call_id
    floor.desk.answer(second, floor.sam)
    floor.desk.end(floor.a)
    assert floor.status(floor.sam) == "in_call"
    floor.desk.wish(talk.talk, second, "Sam")
    floor.desk.wish(calls.hang_up, second, "Sam")
    floor.desk.end(second, "agent")
    assert floor.status(floor.sam) == "wrap_up"
    with floor.store.read() as conn:
        until = states.work_of(conn, floor.sam)["wrap_up_until"]
    assert until - now_ms() > 55_000, "the whole time, from the last one's end"

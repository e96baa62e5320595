"""Handing calls on, by what the store decides: every cell of the matrix, the worker played by the facts it reports."""

from typing import Any

import pytest
from sqlalchemy import update

from aircall_core.desk import availability, calls, endings, transfers
from aircall_core.desk.arrivals import ArrivalPlan
from aircall_core.desk.distribution import Entered
from aircall_core.desk.errors import DeskError
from aircall_core.desk.talk_facts import DialPlan
from aircall_core.domain import events as kinds
from aircall_core.domain import view
from aircall_core.domain.flow import DEFAULTS, Kind, parse
from aircall_core.domain.transfer import BACK, TO
from aircall_core.ids import new_id, now_ms
from aircall_core.store import Store
from aircall_core.store import calls as rows
from aircall_core.store import tables as t
from aircall_core.store.queries.views import snapshot
from tests.support.desk_kit import Desk, add_line, add_team, add_user, go_offline
from tests.support.desk_kit import beat_of as beat

OUTSIDE = "+33611999888"


class Floor:
    """A desk with a call that Sam has answered, and Tia, Uma whom it may go to."""

    def __init__(self, store: Store) -> None:
        self.desk = Desk.open(store, "Sam", "Tia", "Uma", number="+33199000001")
        with store.write() as tx:
            trunk = new_id()
            tx.execute(
                t.trunks.insert().values(id=trunk, name="trunk", kind="register", host="sip.example.com", created_at=1)
            )
            tx.execute(update(t.lines).values(outbound_trunk_id=trunk))
            self.team = add_team(tx, "Experts", [self.desk.ids["Tia"], self.desk.ids["Uma"]])
        self.sam, self.tia, self.uma = self.desk.users
        self.a = self.desk.arrive().call_id
        self.desk.answer(self.a, self.sam)

    # ---- what users do

    def transfer(self, **target: str) -> str:
        command = new_id()
        self.desk.wish(transfers.transfer, self.a, "Sam", target=target, command=command)
        return command

    def consult(self, *, join: bool = False, **target: str) -> str:
        child: str = self.desk.wish(transfers.consult, self.a, "Sam", target=target, join=join)
        return child

    # ---- what the worker reports

    def began(self, command: str | None, **more: Any) -> ArrivalPlan:
        plan = self.desk.report("transfer_began", self.a, command=command, at=now_ms(), ring_s=5, **more)
        assert isinstance(plan, ArrivalPlan)
        return plan

    def dialled(self, child: str) -> Any:
        return self.desk.report("dial_began", child, command=new_id(), at=now_ms(), ring_s=5)

    def asked(self, name: str = "Tia") -> str:
        """Sam asks a colleague, who answers."""
        child = self.consult(user=self.desk.ids[name])
        self.dialled(child)
        self.hold(self.a, True)
        self.desk.answer(child, self.desk.ids[name])
        return child

    def outside(self) -> str:
        """Sam calls an outside number, which answers."""
        child = self.consult(number=OUTSIDE)
        self.dialled(child)
        self.hold(self.a, True)
        self.desk.report("answered", child, user_id=self.sam, command="", at=now_ms(), dialog=None)
        self.desk.report("confirmed", child, at=now_ms())
        return child

    def hold(self, call: str, held: bool) -> None:
        self.desk.report("held", call, user_id=self.sam, command=None, held=held, at=now_ms())

    def missed(self, name: str) -> Entered:
        entered = self.desk.fact("ring_missed", self.a, user_id=self.desk.ids[name], at=now_ms() + 5000)
        assert isinstance(entered, Entered)
        return entered

    def ring_back(self) -> Entered:
        """The worker goes on to the bounce."""
        self.desk.fact("ring_over", self.a, at=now_ms() + 5000, reason="timeout")
        settings = {
            **DEFAULTS[Kind.RING], "kind": "ring", "target": {"user": self.sam}, "user_s": 5, "total_s": 5,
        }  # fmt: skip
        entered = self.desk.fact("ring_step", self.a, step=BACK, settings=settings, at=now_ms())
        assert isinstance(entered, Entered)
        return entered

    def overflowed(self) -> None:
        """The worker goes on to the line's voicemail, where the caller hangs up."""
        self.desk.fact("ring_over", self.a, at=now_ms() + 5000, reason="nobody")
        self.desk.fact("voicemail", self.a, at=now_ms())
        self.desk.end(self.a)

    # ---- how it stands

    def slot(self, user: str) -> str | None:
        with self.desk.store.read() as conn:
            return rows.active_call_of(conn, user)

    def kinds(self, call: str) -> list[str]:
        return [row.kind for row in self.desk.store.events(0, 10_000) if row.event.call_id == call]

    def over(self) -> bool:
        """No call lives, nobody is rung, everybody is free, and the caller's call has exactly one end."""
        with self.desk.store.read() as conn:
            assert rows.live_of_owner(conn, self.desk.owner.node, self.desk.owner.epoch) == []
            assert not conn.execute(t.call_legs.select().where(t.call_legs.c.state == "ringing")).all()
        assert [self.slot(user) for user in self.desk.users] == [None] * 3
        assert self.kinds(self.a).count(kinds.CALL_ENDED) == 1
        return True


@pytest.fixture
def floor(store: Store) -> Floor:
    return Floor(store)


def refused(wish: Any, *args: Any, **more: Any) -> str:
    with pytest.raises(DeskError) as caught:
        wish(*args, **more)
    return caught.value.code


# ---- now, to a user


def test_now_answered(floor: Floor) -> None:
    plan = floor.began(floor.transfer(user=floor.tia))
    assert plan.entered is not None
    assert plan.entered.ringing == (floor.tia,)
    assert [step.id for step in parse(plan.flow).steps] == [TO, BACK, "voicemail"]
    assert plan.step == TO
    assert floor.slot(floor.sam) is None
    floor.desk.answer(floor.a, floor.tia)
    call = floor.desk.call(floor.a)
    assert (call["accepted_by"], call["answered_by"], call["state"]) == (floor.tia, floor.tia, "confirmed")
    floor.desk.end(floor.a, "agent")
    assert floor.desk.call(floor.a)["outcome"] == "answered"
    assert floor.over()


def test_now_rejected_comes_back_to_the_sender_in_wrap_up_or_tagging(floor: Floor) -> None:
    with floor.desk.store.write() as tx:
        tx.execute(update(t.users).where(t.users.c.id == floor.sam).values(wrap_up_s=60))
    floor.began(floor.transfer(user=floor.tia))
    floor.desk.reject(floor.a, "Tia")
    assert floor.desk.ringing(floor.a) == set()
    assert floor.ring_back().ringing == (floor.sam,)
    floor.desk.answer(floor.a, floor.sam)
    floor.desk.end(floor.a)
    assert floor.over()


def test_now_unanswered_then_the_sender_does_not_take_it_back_then_voicemail(floor: Floor) -> None:
    floor.began(floor.transfer(user=floor.tia))
    floor.missed("Tia")
    assert floor.ring_back().ringing == (floor.sam,)
    floor.desk.reject(floor.a, "Sam")
    floor.overflowed()
    call = floor.desk.call(floor.a)
    assert (call["outcome"], call["missed_reason"]) == ("answered", None)
    assert floor.over()


def test_now_the_sender_is_gone_when_it_comes_back(floor: Floor) -> None:
    floor.began(floor.transfer(user=floor.tia))
    with floor.desk.store.write() as tx:
        go_offline(tx, floor.sam)
    floor.desk.reject(floor.a, "Tia")
    entered = floor.ring_back()
    assert (entered.ringing, entered.waits) == ((), False)
    floor.overflowed()
    assert floor.over()


def test_now_the_sender_is_in_another_call_when_it_comes_back(floor: Floor) -> None:
    floor.began(floor.transfer(user=floor.tia))
    other = floor.desk.arrive("+33655555555").call_id
    floor.desk.answer(other, floor.sam)
    floor.desk.reject(floor.a, "Tia")
    entered = floor.ring_back()
    assert (entered.ringing, entered.waits) == ((), False)
    floor.desk.end(other)
    floor.overflowed()
    assert floor.over()


def test_now_to_who_is_busy_away_or_oneself_changes_nothing(floor: Floor) -> None:
    other = floor.desk.arrive("+33655555555").call_id
    floor.desk.answer(other, floor.tia)
    with floor.desk.store.write() as tx:
        go_offline(tx, floor.uma)
        nobody = add_team(tx, "Empty", [floor.tia, floor.uma])
    before = floor.desk.call(floor.a)
    assert refused(floor.transfer, user=floor.tia) == "busy"
    assert refused(floor.transfer, user=floor.uma) == "unavailable"
    assert refused(floor.transfer, user=floor.sam) == "yourself"
    assert refused(floor.transfer, user="nobody-of-that-id") == "not_found"
    assert refused(floor.transfer, team=nobody) == "nobody"
    assert refused(floor.transfer, team="nothing") == "nobody"
    assert refused(floor.transfer, line="nothing") == "not_found"
    assert refused(floor.transfer, number="+33899123456") == "premium"
    assert refused(floor.consult, user=floor.tia) == "busy"
    assert floor.desk.call(floor.a) == before


def test_now_caller_hangs_up_meanwhile(floor: Floor) -> None:
    floor.began(floor.transfer(user=floor.tia))
    floor.desk.end(floor.a)
    assert floor.over()


def test_now_targets_audio_never_comes_or_goes(floor: Floor) -> None:
    floor.began(floor.transfer(user=floor.tia))
    command = floor.desk.accept(floor.a, floor.tia)
    floor.desk.report("accept_failed", floor.a, user_id=floor.tia, command=command, reason="no_audio")
    assert floor.desk.ringing(floor.a) == {"Tia"}
    floor.desk.answer(floor.a, floor.tia)
    returned = floor.desk.report("returned", floor.a, at=now_ms())
    assert (returned.ringing, returned.waits) == ((), False)
    floor.overflowed()
    assert floor.over()


def test_the_command_again_and_the_fact_again_change_nothing(floor: Floor) -> None:
    command = floor.transfer(user=floor.tia)
    floor.desk.wish(transfers.transfer, floor.a, "Sam", target={"user": floor.tia}, command=command)
    assert floor.kinds(floor.a).count(kinds.CALL_TRANSFER_WANTED) == 1
    floor.began(command)
    again = floor.began(command)
    assert again.entered is not None
    assert (again.step, again.entered.ringing) == (TO, (floor.tia,))
    assert floor.kinds(floor.a).count(kinds.CALL_TRANSFERRING) == 1


def test_a_call_sent_back_and_forth_rings_whoever_had_it_before(floor: Floor) -> None:
    floor.began(floor.transfer(user=floor.tia))
    floor.desk.answer(floor.a, floor.tia)
    command = new_id()
    floor.desk.wish(transfers.transfer, floor.a, "Tia", target={"user": floor.sam}, command=command)
    plan = floor.began(command)
    assert plan.entered is not None
    assert plan.entered.ringing == (floor.sam,)
    assert [step.id for step in parse(plan.flow).steps] == [TO, BACK, "voicemail"]
    floor.desk.answer(floor.a, floor.sam)
    floor.desk.end(floor.a)
    assert floor.over()


# ---- now, to a team, a line, outside


def test_now_to_a_team_rings_one_after_the_other_but_never_the_sender(floor: Floor) -> None:
    with floor.desk.store.write() as tx:
        tx.execute(t.team_members.insert().values(team_id=floor.team, user_id=floor.sam))
    plan = floor.began(floor.transfer(team=floor.team))
    assert plan.entered is not None
    assert len(plan.entered.ringing) == 1
    first = plan.entered.ringing[0]
    floor.desk.reject(floor.a, floor.desk.names[first])
    assert floor.desk.ringing(floor.a) == {"Tia", "Uma"} - {floor.desk.names[first]}
    for name in floor.desk.ringing(floor.a):
        floor.desk.reject(floor.a, name)
    assert floor.desk.ringing(floor.a) == set()
    assert floor.ring_back().ringing == (floor.sam,)
    floor.desk.end(floor.a)
    assert floor.over()


def test_now_to_a_line_goes_through_that_lines_flow(floor: Floor) -> None:
    with floor.desk.store.write() as tx:
        other = add_line(tx, number="+33199000002")
        lea = add_user(tx, "Lea", lines=(other,))
        be_online(tx, lea)
    plan = floor.began(floor.transfer(line=other))
    assert parse(plan.flow).steps[0].kind is Kind.REDIRECT
    there = floor.desk.fact("redirected", floor.a, line_id=other, at=now_ms())
    assert there.entered.ringing == (lea,)
    assert floor.desk.call(floor.a)["line_id"] == other
    floor.desk.answer(floor.a, lea)
    floor.desk.end(floor.a)
    assert floor.over()


def be_online(tx: Any, user: str) -> None:
    availability.beat(tx, [beat(user)])


def test_now_outside_answered(floor: Floor) -> None:
    plan = floor.began(floor.transfer(number=OUTSIDE))
    step = parse(plan.flow).steps[0]
    assert (step.kind, step["number"]) == (Kind.DIAL, OUTSIDE)
    dial = floor.desk.report("dial_step", floor.a, step=TO, number=OUTSIDE, at=now_ms())
    assert isinstance(dial, DialPlan)
    assert (dial.number, dial.caller_id, dial.kind) == (OUTSIDE, "+33199000001", "step")
    floor.desk.report("forwarded", floor.a, at=now_ms())
    call = floor.desk.call(floor.a)
    assert (call["state"], call["forwarded_to"], call["accepted_by"]) == ("forwarded", OUTSIDE, None)
    floor.desk.end(floor.a, "callee")
    assert floor.desk.call(floor.a)["outcome"] == "answered"
    assert floor.over()


def test_now_outside_refused_comes_back(floor: Floor) -> None:
    floor.began(floor.transfer(number=OUTSIDE))
    assert floor.ring_back().ringing == (floor.sam,)
    floor.desk.answer(floor.a, floor.sam)
    floor.desk.end(floor.a)
    assert floor.over()


def test_a_dial_step_of_a_number_that_is_refused_is_not_dialled_and_written_down(floor: Floor) -> None:
    floor.began(floor.transfer(number=OUTSIDE))
    assert floor.desk.report("dial_step", floor.a, step=TO, number="+33899123456", at=now_ms()) is None
    assert kinds.DIAL_REFUSED in [row.kind for row in floor.desk.store.events(0, 10_000)]


# ---- talk first


def test_asked_then_complete(floor: Floor) -> None:
    child = floor.asked()
    assert floor.desk.call(child)["audio_peer"]
    floor.desk.wish(transfers.complete, floor.a, "Sam", via=child)
    floor.desk.report("transferred", floor.a, via=child, command="done", at=now_ms())
    call, gone = floor.desk.call(floor.a), floor.desk.call(child)
    assert (call["accepted_by"], call["answered_by"], call["held"]) == (floor.tia, floor.tia, False)
    assert call["audio_peer"] == gone["audio_peer"]
    assert (gone["end_reason"], gone["outcome"]) == ("merged", "answered")
    assert (floor.slot(floor.sam), floor.slot(floor.tia)) == (None, floor.a)
    order = [(row.kind, row.event.call_id) for row in floor.desk.store.events(0, 10_000)]
    assert order.index((kinds.CALL_TRANSFERRED, floor.a)) < order.index((kinds.CALL_ENDED, child))
    floor.desk.report("transferred", floor.a, via=child, command="done", at=now_ms())  # again
    floor.desk.report("ended", child, by="system", at=now_ms(), reason="merged")
    assert floor.kinds(floor.a).count(kinds.CALL_TRANSFERRED) == 1
    floor.desk.end(floor.a, "agent")
    assert floor.over()


def test_asked_outside_then_complete(floor: Floor) -> None:
    child = floor.outside()
    assert floor.slot(floor.sam) == floor.a
    floor.desk.report("transferred", floor.a, via=child, command="done", at=now_ms())
    call = floor.desk.call(floor.a)
    assert (call["state"], call["accepted_by"], call["forwarded_to"]) == ("forwarded", None, OUTSIDE)
    floor.desk.end(floor.a)
    assert floor.desk.call(floor.a)["outcome"] == "answered"
    assert floor.over()


@pytest.mark.parametrize("reason", ["rejected", "timeout", "nobody", "no_audio", "cancelled"])
def test_asked_in_vain(floor: Floor, reason: str) -> None:
    child = floor.consult(user=floor.tia)
    plan = floor.dialled(child)
    assert isinstance(plan, ArrivalPlan)
    assert plan.entered is not None
    assert plan.entered.ringing == (floor.tia,)
    floor.hold(floor.a, True)
    if reason == "rejected":
        floor.desk.reject(child, "Tia")
    floor.desk.report("ended", child, by="system", at=now_ms(), reason=reason)
    floor.hold(floor.a, False)
    assert floor.desk.call(floor.a)["state"] == "confirmed"
    assert floor.slot(floor.sam) == floor.a
    assert floor.desk.call(child)["missed_reason"] is None
    floor.desk.end(floor.a)
    assert floor.over()


@pytest.mark.parametrize(("reason", "outcome"), [("busy", "busy"), ("declined", "refused"), ("no_answer", "no_answer")])
def test_asked_outside_in_vain(floor: Floor, reason: str, outcome: str) -> None:
    child = floor.consult(number=OUTSIDE)
    plan = floor.dialled(child)
    assert (plan.number, plan.kind) == (OUTSIDE, "child")
    assert floor.dialled(child) is None, "a number is not dialled twice"
    floor.desk.report("progress", child, state="ringing", at=now_ms())
    floor.desk.report("ended", child, by="callee", at=now_ms(), reason=reason, sip_code=486)
    assert floor.desk.call(child)["outcome"] == outcome
    floor.desk.end(floor.a)
    assert floor.over()


@pytest.mark.parametrize("answered", [True, False])
def test_the_caller_hangs_up_and_all_that_was_made_for_them_ends(floor: Floor, answered: bool) -> None:
    child = floor.asked() if answered else floor.consult(user=floor.tia)
    if not answered:
        floor.dialled(child)
    floor.desk.end(floor.a)
    assert floor.desk.call(child)["end_reason"] == "parent_over"
    assert floor.over()


def test_the_sender_hangs_up_while_the_colleague_is_still_rung(floor: Floor) -> None:
    child = floor.consult(user=floor.tia)
    floor.dialled(child)
    floor.desk.wish(calls.hang_up, floor.a, "Sam")
    plan = floor.began("hangup", via=child)
    assert plan.entered is not None
    assert plan.entered.ringing == (floor.tia,)
    assert floor.desk.call(child)["end_reason"] == "transferred"
    floor.desk.answer(floor.a, floor.tia)
    floor.desk.end(floor.a)
    assert floor.over()


def test_both_ends_of_a_question_can_hang_it_up(floor: Floor) -> None:
    child = floor.asked()
    floor.desk.wish(calls.hang_up, child, "Sam")
    floor.desk.wish(calls.hang_up, child, "Tia")
    assert refused(floor.desk.wish, calls.hang_up, child, "Uma") == "not_yours"
    floor.desk.report("ended", child, by="agent", at=now_ms(), reason="bye")
    assert floor.slot(floor.tia) is None
    floor.desk.end(floor.a)
    assert floor.over()


def test_the_colleagues_browser_dies_during_the_question(floor: Floor) -> None:
    child = floor.asked()
    floor.desk.report("agent_away", child, reason="link")
    floor.desk.report("ended", child, by="system", at=now_ms(), reason="agent_lost")
    assert floor.slot(floor.tia) is None
    assert floor.desk.call(floor.a)["state"] == "confirmed"
    floor.desk.end(floor.a)
    assert floor.over()


def test_the_senders_browser_dies_and_nobody_was_asked(floor: Floor) -> None:
    child = floor.consult(user=floor.tia)
    floor.dialled(child)
    floor.desk.report("returned", floor.a, at=now_ms())
    assert floor.desk.call(child)["end_reason"] == "parent_over"
    assert floor.slot(floor.sam) is None
    floor.desk.end(floor.a)
    assert floor.over()


def test_a_colleague_is_asked_by_line_and_team(floor: Floor) -> None:
    with floor.desk.store.write() as tx:
        other = add_line(tx, number="+33199000002")
        lea = add_user(tx, "Lea", lines=(other,))
        be_online(tx, lea)
    child = floor.consult(line=other)
    plan = floor.dialled(child)
    assert plan.entered.ringing == (lea,)
    assert floor.desk.call(child)["line_id"] == floor.desk.line
    floor.desk.report("ended", child, by="caller", at=now_ms(), reason="cancelled")
    child = floor.consult(team=floor.team, join=True)
    assert len(floor.dialled(child).entered.ringing) == 1
    floor.desk.end(floor.a)
    assert floor.over()


# ---- several, and what is refused


def test_after_completing_to_a_colleague_the_other_participants_are_theirs(floor: Floor) -> None:
    inside = floor.asked()
    outside = floor.outside()
    floor.desk.report("transferred", floor.a, via=inside, command=None, at=now_ms())
    other = floor.desk.call(outside)
    assert (other["started_by"], other["accepted_by"], other["ended_at"]) == (floor.tia, floor.tia, None)
    floor.desk.wish(calls.hang_up, outside, "Tia")
    floor.desk.end(floor.a)
    assert floor.over()


def test_one_at_a_time_and_three_at_most(floor: Floor) -> None:
    child = floor.consult(user=floor.tia)
    assert refused(floor.consult, user=floor.uma) == "asking"
    floor.dialled(child)
    floor.desk.answer(child, floor.tia)
    floor.outside()
    floor.outside()
    assert refused(floor.consult, user=floor.uma) == "too_many"


@pytest.mark.parametrize("whom", ["colleague", "number"])
def test_who_gets_the_call_sees_whom_else_it_rings(floor: Floor, whom: str) -> None:
    """As the view says that followed the log, so does one that is read now."""
    child = floor.asked("Tia")
    floor.hold(floor.a, False)
    other = floor.consult(join=True, **({"user": floor.uma} if whom == "colleague" else {"number": OUTSIDE}))
    floor.dialled(other)
    if whom == "number":
        floor.desk.report("progress", other, state="ringing", at=now_ms())
    with floor.desk.store.read() as conn:
        seq, seen = snapshot(conn, floor.tia)
    floor.desk.report("transferred", floor.a, via=child, command="done", at=now_ms())
    for row in floor.desk.store.events(seq, 1000):
        seen = view.apply(seen, row.event)
    with floor.desk.store.read() as conn:
        fresh = snapshot(conn, floor.tia)[1]
    assert seen["calls"][other] == fresh["calls"][other]
    assert "ringing" in (seen["calls"][other]["state"], seen["calls"][other]["progress"])


def test_who_is_asked_cannot_hand_on_nor_ask(floor: Floor) -> None:
    child = floor.asked()
    for wish in (transfers.transfer, transfers.consult):
        more = {"join": False} if wish is transfers.consult else {}
        assert refused(floor.desk.wish, wish, child, "Tia", target={"user": floor.uma}, **more) == "internal"
    assert refused(floor.desk.wish, transfers.complete, floor.a, "Tia", via=child) == "not_yours"
    assert refused(floor.desk.wish, transfers.complete, floor.a, "Sam", via=floor.a) == "not_found"


def test_complete_meets_a_hang_up(floor: Floor) -> None:
    """The wish and the colleague's end cross each other: the caller stays with the sender."""
    child = floor.asked()
    floor.desk.wish(transfers.complete, floor.a, "Sam", via=child)
    floor.desk.report("ended", child, by="agent", at=now_ms(), reason="bye")
    floor.desk.report("transferred", floor.a, via=child, command="late", at=now_ms())
    assert floor.desk.call(floor.a)["accepted_by"] == floor.sam
    assert refused(floor.desk.wish, transfers.complete, floor.a, "Sam", via=child) == "over"


def test_complete_meets_the_callers_end(floor: Floor) -> None:
    child = floor.asked()
    floor.desk.wish(transfers.complete, floor.a, "Sam", via=child)
    floor.desk.end(floor.a)
    floor.desk.report("transferred", floor.a, via=child, command="late", at=now_ms())
    assert floor.over()


def test_a_lost_worker_ends_the_whole_family(floor: Floor) -> None:
    child = floor.asked()
    owner = floor.desk.owner
    with floor.desk.store.write() as tx:
        endings.close_lost(tx, owner.node, owner.epoch, actor="system", at=now_ms())
    assert floor.desk.call(child)["outcome"] == "lost"
    assert floor.over()

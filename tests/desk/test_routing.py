"""A call's way through its line's flow, in the store: each rule of routing as the worker and the agents meet it."""

from typing import Any

import pytest
from sqlalchemy import insert, select, update

from aircall_core.desk import assignment, availability, facts
from aircall_core.desk.arrivals import ArrivalPlan
from aircall_core.desk.distribution import Entered
from aircall_core.desk.errors import DeskError
from aircall_core.domain.availability import Status
from aircall_core.domain.flow import DEFAULTS, Kind
from aircall_core.ids import new_id, now_ms
from aircall_core.store import Store, people
from aircall_core.store import tables as t
from tests.support.desk_kit import Desk, add_line, add_team, add_user, beat_of, go_offline, set_flow

RING = {"id": "ring", "kind": "ring"}
QUEUE = {"id": "queue", "kind": "queue"}
MENU = {"id": "menu", "kind": "menu", "options": {"1": "Sales", "2": "Support"}, "branches": {"1": [], "2": []}}
HANG_UP = {"id": "end", "kind": "hang_up"}
DAY = 86_400_000


@pytest.fixture
def desk(store: Store) -> Desk:
    """A line with Anna, Ben and Cleo, who were free in this order: Ben first."""
    desk = Desk.open(store, "Anna", "Ben", "Cleo")
    for name, since in (("Anna", 300), ("Ben", 100), ("Cleo", 200)):
        with store.write() as tx:
            tx.execute(update(t.users).where(t.users.c.id == desk.ids[name]).values(idle_since=since))
    return desk


def settings(kind: Kind, **changes: Any) -> dict[str, Any]:
    """What the worker says of a step."""
    return {**DEFAULTS[kind], **changes, "kind": kind.value}


def entered(plan: ArrivalPlan) -> Entered:
    """How a call stands whose flow begins with a ring or queue step."""
    assert plan.entered is not None
    return plan.entered


def events(store: Store, call: str, kind: str) -> list[dict[str, Any]]:
    """The data of the call's events of this kind."""
    return [dict(row.event.data) for row in store.events(0, 10_000) if (row.event.call_id, row.kind) == (call, kind)]


def make_busy(desk: Desk, name: str) -> str:
    """The user of this name is in a call on another line; that call."""
    with desk.store.write() as tx:
        line = add_line(tx, number=f"+331{new_id()[-8:]}")
        tx.execute(insert(t.line_users).values(line_id=line, user_id=desk.ids[name]))
    call = desk.arrive("+33600000000", line_id=line).call_id
    desk.answer(call, desk.ids[name])
    return call


# ---- who is rung


def test_default_flow_rings_the_line_within_the_arrival(desk: Desk) -> None:
    plan = desk.arrive()
    assert (plan.step, plan.flow_version) == ("ring", 0)
    assert [step["kind"] for step in plan.flow["steps"]] == ["ring", "voicemail"]
    assert entered(plan).ringing == tuple(sorted(desk.users))
    assert desk.call(plan.call_id)["state"] == "ringing"


def test_longest_idle_rings_one_after_the_other_and_nobody_twice(desk: Desk) -> None:
    desk.flow({**RING, "strategy": "longest_idle"})
    call = desk.arrive().call_id
    assert desk.ringing(call) == {"Ben"}
    assert events(desk.store, call, "call.ringing")[0]["user_s"] == 25
    desk.fact("ring_missed", call, user_id=desk.ids["Ben"], at=now_ms())
    assert desk.ringing(call) == {"Cleo"}
    desk.reject(call, "Cleo")
    assert desk.ringing(call) == {"Anna"}
    last = desk.fact("ring_missed", call, user_id=desk.ids["Anna"], at=now_ms())
    assert last == Entered((), waits=False, position=1)
    assert desk.call(call)["state"] == "queued"
    with desk.store.write() as tx:  # nor when they become available anew
        availability.set_duty(tx, desk.ids["Ben"], on=False, command=new_id())
    with desk.store.write() as tx:
        availability.set_duty(tx, desk.ids["Ben"], on=True, command=new_id())
    assert desk.ringing(call) == set()


def test_the_idle_clock_starts_anew_after_a_call(desk: Desk) -> None:
    desk.flow({**RING, "strategy": "longest_idle"})
    for expected in ("Ben", "Cleo", "Anna", "Ben"):
        call = desk.arrive().call_id
        assert desk.ringing(call) == {expected}
        desk.answer(call, desk.ids[expected])
        desk.end(call)


def test_round_robin_goes_on_where_it_was(desk: Desk) -> None:
    desk.flow({**RING, "strategy": "round_robin"})
    order = sorted(desk.ids, key=lambda name: desk.ids[name])
    rung: list[str] = []
    for _ in range(4):
        call = desk.arrive().call_id
        rung += desk.ringing(call)
        desk.end(call)
    assert rung == [*order, order[0]]


def test_a_team_of_people_who_are_not_on_the_line(desk: Desk) -> None:
    with desk.store.write() as tx:
        dora = add_user(tx, "Dora")
        availability.beat(tx, [beat_of(dora)])
        team = add_team(tx, "Night", [dora])
    desk.ids["Dora"] = dora
    desk.flow({**RING, "target": {"team": team}})
    assert desk.ringing(desk.arrive().call_id) == {"Dora"}


def test_busy_user_is_skipped_or_waited_for(desk: Desk) -> None:
    other = make_busy(desk, "Anna")
    desk.flow({**RING, "target": {"user": desk.ids["Anna"]}})
    assert entered(desk.arrive("+33611111111")) == Entered((), waits=False, position=1)
    desk.flow({**RING, "target": {"user": desk.ids["Anna"]}, "if_busy": True}, version=2)
    call = desk.arrive("+33622222222")
    assert entered(call) == Entered((), waits=True, position=2), "behind the one who has not gone on yet"
    desk.end(other)
    assert desk.ringing(call.call_id) == {"Anna"}


def test_unavailable_users_are_never_waited_for_unless_the_step_says_so(desk: Desk) -> None:
    with desk.store.write() as tx:
        for user in desk.users:
            go_offline(tx, user)
    desk.flow(QUEUE)
    given_up = desk.arrive("+33611111111")
    assert not entered(given_up).waits
    desk.end(given_up.call_id)
    desk.flow({**QUEUE, "if_unavailable": True}, version=2)
    call = desk.arrive("+33622222222")
    assert entered(call).waits
    with desk.store.write() as tx:
        availability.beat(tx, [beat_of(desk.ids["Cleo"])])
    assert desk.ringing(call.call_id) == {"Cleo"}


def test_a_queue_serves_by_priority_then_arrival(desk: Desk) -> None:
    desk.flow(QUEUE)
    busy = {name: desk.arrive(f"+3360000000{n}").call_id for n, name in enumerate(("Ben", "Cleo", "Anna"))}
    for name, call in busy.items():
        assert desk.ringing(call) == {name}
        desk.answer(call, desk.ids[name])
    with desk.store.write() as tx:
        contact = new_id()
        tx.execute(insert(t.contacts).values(id=contact, name="VIP", priority=1, created_at=1))
        tx.execute(insert(t.contact_phones).values(number="+33699999999", contact_id=contact))
    first, second = desk.arrive("+33611111111"), desk.arrive("+33622222222")
    urgent = desk.arrive("+33699999999")
    assert [entered(one).position for one in (first, second, urgent)] == [1, 2, 1]
    assert desk.fact("check", second.call_id).position == 3
    for name, plan in zip(("Cleo", "Anna", "Ben"), (urgent, first, second), strict=True):
        desk.end(busy[name])
        assert desk.ringing(plan.call_id) == {name}


def test_a_queue_rings_an_agent_for_one_call_at_a_time_and_the_next_when_it_ends(desk: Desk) -> None:
    with desk.store.write() as tx:
        go_offline(tx, desk.ids["Ben"])
        go_offline(tx, desk.ids["Cleo"])
    desk.flow(QUEUE)
    first, second = desk.arrive("+33611111111"), desk.arrive("+33622222222")
    assert desk.ringing(first.call_id) == {"Anna"}
    assert entered(second) == Entered((), waits=True, position=2)
    desk.end(first.call_id)
    assert desk.ringing(second.call_id) == {"Anna"}


def test_who_takes_one_of_two_calls_leaves_the_other_to_somebody_else(desk: Desk) -> None:
    """A ring of all and a queue both ring Ben: he sees both. He takes the one, the queue rings Cleo."""
    with desk.store.write() as tx:
        other = add_line(tx, number="+33199990000")
        tx.execute(insert(t.line_users).values(line_id=other, user_id=desk.ids["Ben"]))
        set_flow(tx, desk.line, QUEUE)
    queued = desk.arrive("+33611111111").call_id
    rung = desk.arrive("+33622222222", line_id=other).call_id
    assert desk.ringing(queued) == desk.ringing(rung) == {"Ben"}
    command = desk.accept(rung, desk.ids["Ben"])
    assert desk.ringing(queued) == {"Cleo"}
    with desk.store.write() as tx:  # it comes to nothing: he may be rung for the first again, but Cleo is
        facts.accept_failed(tx, desk.owner, rung, user_id=desk.ids["Ben"], command=command, reason="no_audio")
    assert desk.ringing(queued) == {"Cleo"}
    desk.fact("ring_missed", queued, user_id=desk.ids["Cleo"], at=now_ms())
    assert desk.ringing(queued) == {"Ben"}


def test_a_queue_that_rings_everybody_gives_the_losers_the_next_call(desk: Desk) -> None:
    desk.flow({**QUEUE, "strategy": "simultaneous"})
    first, second = desk.arrive("+33611111111").call_id, desk.arrive("+33622222222").call_id
    assert (desk.ringing(first), desk.ringing(second)) == ({"Anna", "Ben", "Cleo"}, set())
    desk.answer(first, desk.ids["Cleo"])
    assert desk.ringing(second) == {"Anna", "Ben"}


# ---- steps one after the other


def test_after_a_step_is_over_those_who_had_their_time_are_not_rung_again(desk: Desk) -> None:
    desk.flow({**RING, "total_s": 20, "user_s": 20}, QUEUE)
    with desk.store.write() as tx:
        availability.set_duty(tx, desk.ids["Ben"], on=False, command=new_id())
    call = desk.arrive().call_id
    began = desk.call(call)["arrived_at"]
    with desk.store.write() as tx:
        availability.set_duty(tx, desk.ids["Ben"], on=True, command=new_id())
        tx.execute(update(t.call_legs).where(t.call_legs.c.user_id == desk.ids["Ben"]).values(rang_at=began + 15_000))
    over = began + 20_000
    desk.fact("ring_over", call, at=over, reason="timeout")
    reasons = {one["reason"] for one in events(desk.store, call, "call.ring_stopped")}
    assert reasons == {"missed", "left"}
    assert (desk.call(call)["state"], desk.ringing(call)) == ("flow", set())
    again = desk.fact("ring_step", call, step="queue", settings=settings(Kind.QUEUE), at=over)
    assert again.ringing == (desk.ids["Ben"],)
    row = desk.call(call)
    assert (row["ring_steps"], row["queued_at"], row["step"]) == (2, began, "queue"), "the place is kept"


def test_a_step_that_ends_while_somebody_accepts_takes_the_call_back(desk: Desk) -> None:
    call = desk.arrive().call_id
    command = desk.accept(call, desk.ids["Ben"])
    desk.fact("ring_over", call, at=now_ms(), reason="timeout")
    assert events(desk.store, call, "call.accept_failed") == [{"command": command, "reason": "expired"}]
    with desk.store.read() as conn:
        standing = people.standing(conn, desk.ids["Ben"], now_ms())
    assert standing is not None
    assert standing.status is Status.AVAILABLE
    desk.fact("voicemail", call, at=now_ms())
    assert desk.call(call)["state"] == "voicemail"


def test_menu_digits_and_the_way_are_kept_for_the_agent_and_hidden_ones_nowhere(desk: Desk) -> None:
    desk.flow(MENU, RING)
    plan = desk.arrive()
    call = plan.call_id
    assert (plan.step, plan.entered, desk.call(call)["state"]) == ("menu", None, "flow")
    assert events(desk.store, call, "call.step") == [{"step": "menu", "kind": "menu"}]
    desk.fact("step", call, step="menu", kind="menu", at=1)
    assert len(events(desk.store, call, "call.step")) == 1
    for _ in range(2):  # a journal may be replayed
        desk.fact("picked_up", call, at=5, dialog={"a": 1})
        desk.fact("chose", call, step="menu", key="2", label="Support", at=7)
        desk.fact("typed", call, step="number", label="Account", value="4711", at=8)
    desk.fact("typed", call, step="pin", label="PIN", value=None, at=9)
    row = desk.call(call)
    assert (row["picked_up_at"], row["dialog"]) == (5, {"a": 1})
    assert [(one["key"], one["label"]) for one in row["path"]] == [("2", "Support")]
    assert [(one["label"], one["value"]) for one in row["digits"]] == [("Account", "4711")]
    assert [one["hidden"] for one in events(desk.store, call, "call.typed")] == [False, True]
    everything = [row.event.data for row in desk.store.events(0, 10_000)]
    assert "4711" not in str(everything)
    assert "Support" not in str(everything)


def test_opening_hours_are_judged_as_the_call_arrives(desk: Desk) -> None:
    with desk.store.write() as tx:
        for name, day in (("always", [["00:00", "24:00"]]), ("never", [])):
            row = {"name": name, "timezone": "Europe/Paris", "weekly": [day] * 7, "special": {}, "created_at": 1}
            tx.execute(insert(t.schedules).values(id=name, **row))
    closed = [{"id": "sorry", "kind": "message"}, HANG_UP]
    branches = {"open": [RING], "closed": closed}
    desk.flow({"id": "hours", "kind": "hours", "schedule": "always", "branches": branches})
    plan = desk.arrive("+33611111111")
    assert entered(plan).ringing
    [[begin, end]] = plan.hours["always"]
    assert begin <= now_ms() < now_ms() + DAY < end
    desk.end(plan.call_id)
    desk.flow({"id": "hours", "kind": "hours", "schedule": "never", "branches": branches}, version=2)
    plan = desk.arrive("+33622222222")
    assert (plan.step, plan.hours, plan.entered) == ("sorry", {"never": []}, None)
    assert desk.call(plan.call_id)["out_of_hours"]
    assert events(desk.store, plan.call_id, "call.chose") == [{"step": "hours", "key": "closed"}]
    desk.end(plan.call_id)
    assert desk.call(plan.call_id)["missed_reason"] == "out_of_opening_hours"


def test_an_empty_flow_tells_the_caller_that_nobody_is_there(desk: Desk) -> None:
    desk.flow()
    plan = desk.arrive()
    assert (plan.step, plan.entered, desk.call(plan.call_id)["state"]) == ("", None, "overflow")


def test_a_call_keeps_the_flow_that_it_began_with(desk: Desk) -> None:
    desk.flow(MENU)
    call = desk.arrive().call_id
    desk.flow(QUEUE, version=2)
    again = desk.arrive(call_id=call)
    assert (again.flow_version, again.step, again.flow["steps"][0]["kind"]) == (1, "menu", "menu")
    assert desk.arrive("+33622222222").flow_version == 2


def test_the_prompts_of_a_flow_come_with_the_plan(desk: Desk) -> None:
    with desk.store.write() as tx:
        row = {"name": "Hello", "kind": "uploaded", "path": "prompts/p1.wav", "duration_ms": 1, "created_at": 1}
        tx.execute(insert(t.prompts).values(id="p1", **row))
    desk.flow({**MENU, "prompt": {"prompt": "p1"}}, {**QUEUE, "music": {"shipped": "hold-music"}})
    assert desk.arrive().prompts == {"p1": "prompts/p1.wav"}


def test_redirect_leads_into_the_other_lines_flow_and_conversation(desk: Desk) -> None:
    with desk.store.write() as tx:
        other = add_line(tx, number="+33199990000")
        tx.execute(insert(t.line_users).values(line_id=other, user_id=desk.ids["Cleo"]))
    desk.flow({"id": "go", "kind": "redirect", "line": other})
    call, before = (plan := desk.arrive()).call_id, plan.conversation_id
    plan = desk.fact("redirected", call, line_id=other, at=now_ms())
    assert (plan.step, plan.flow_version, entered(plan).ringing) == ("ring", 0, (desk.ids["Cleo"],))
    row = desk.call(call)
    assert (row["line_id"], row["conversation_id"]) == (other, plan.conversation_id)
    with desk.store.read() as conn:
        left = conn.scalars(select(t.conversations.c.id)).all()
    assert left == [plan.conversation_id], f"{before} has no calls any more"
    assert events(desk.store, call, "call.redirected") == [{"from_line": desk.line}]
    assert desk.fact("redirected", call, line_id="gone", at=now_ms()).step == ""


def test_who_waited_on_one_line_is_no_further_in_the_queue_of_another(desk: Desk) -> None:
    with desk.store.write() as tx:
        other = add_line(tx, number="+33199990000")
    call = desk.arrive().call_id
    later = desk.call(call)["queued_at"] + 30_000
    desk.fact("ring_over", call, at=later, reason="timeout")
    desk.fact("redirected", call, line_id=other, at=later)
    assert desk.call(call)["queued_at"] == later


# ---- blocklist, priority, assignee, callback


@pytest.mark.parametrize(
    ("pattern", "number", "blocked"),
    [
        ("+33611223344", "+33611223344", True),
        ("+33611223344", "+33611223345", False),
        ("+33611*", "+33611223344", True),
        ("+33611*", "+33612223344", False),
        ("anonymous", "", True),
        ("anonymous", "+33611223344", False),
    ],
)
def test_blocked_callers_ring_nobody_and_leave_no_trace_but_a_count(
    desk: Desk, pattern: str, number: str, blocked: bool
) -> None:
    with desk.store.write() as tx:
        tx.execute(insert(t.blocked_numbers).values(id="entry", pattern=pattern, created_at=1))
    before = desk.store.last_seq()
    plan = desk.arrive(number)
    assert plan.blocked is blocked
    assert (desk.store.last_seq() == before) is blocked
    with desk.store.read() as conn:
        assert (conn.execute(select(t.calls)).first() is None) is blocked
        assert conn.scalar(select(t.blocked_numbers.c.hits)) == int(blocked)


def test_priority_is_the_better_of_line_and_contact(desk: Desk) -> None:
    with desk.store.write() as tx:
        tx.execute(update(t.lines).values(priority=3))
        contact = new_id()
        tx.execute(insert(t.contacts).values(id=contact, name="VIP", priority=2, created_at=1))
        tx.execute(insert(t.contact_phones).values(number="+33699999999", contact_id=contact))
    assert desk.call(desk.arrive("+33611111111").call_id)["priority"] == 3
    assert desk.call(desk.arrive("+33699999999").call_id)["priority"] == 2


def test_the_assignee_is_rung_alone_first_where_the_line_says_so(desk: Desk) -> None:
    first = desk.arrive()
    desk.end(first.call_id)
    with desk.store.write() as tx:
        tx.execute(update(t.lines).values(assignee_first_s=15))
        assignment.assign(tx, first.conversation_id, desk.ids["Anna"], desk.ids["Cleo"], command="c")
    plan = desk.arrive()
    assert (plan.step, entered(plan).ringing) == ("assignee", (desk.ids["Cleo"],))
    assert plan.flow["steps"][0]["total_s"] == 15
    later = desk.call(plan.call_id)["arrived_at"] + 15_000
    desk.fact("ring_over", plan.call_id, at=later, reason="timeout")
    on = desk.fact("ring_step", plan.call_id, step="ring", settings=settings(Kind.RING, total_s=30), at=later)
    assert set(on.ringing) == {desk.ids["Anna"], desk.ids["Ben"]}, "Cleo had her time"
    assert desk.call(plan.call_id)["queued_at"] == later, "others are waited for now"


def test_a_conversation_is_given_to_who_works_on_its_line_or_to_nobody(desk: Desk) -> None:
    conversation = desk.arrive().conversation_id
    with desk.store.write() as tx:
        outsider = add_user(tx, "Otto")

    def assign(user: str | None) -> None:
        with desk.store.write() as tx:
            assignment.assign(tx, conversation, desk.ids["Anna"], user, command="c")

    for refused in (outsider, "nobody"):
        with pytest.raises(DeskError) as refusal:
            assign(refused)
        assert refusal.value.code == "not_assignable"
    for user in (desk.ids["Ben"], desk.ids["Ben"], None):
        assign(user)
    told = [row.event for row in desk.store.events(0, 1000) if row.kind == "conversation.assigned"]
    assert [one.data["to"] for one in told] == [desk.ids["Ben"], None]


def test_a_callback_keeps_the_place_and_is_the_outcome(desk: Desk) -> None:
    for name in desk.ids:
        make_busy(desk, name)
    desk.flow(QUEUE)
    call = desk.arrive("+33655555555").call_id
    desk.fact("callback", call, at=now_ms())
    desk.fact("callback", call, at=now_ms())
    desk.fact("ring_over", call, at=now_ms(), reason="callback")
    desk.end(call)
    with desk.store.read() as conn:
        [row] = conn.execute(select(t.callbacks)).mappings().all()
    assert (row["number"], row["queue_id"], row["state"]) == ("+33655555555", f"line:{desk.line}", "waiting")
    assert row["queued_at"] == desk.call(call)["queued_at"]
    assert desk.call(call)["outcome"] == "callback"
    assert events(desk.store, call, "callback.requested") == [{"callback": row["id"], "queue": row["queue_id"]}]


# ---- the end


@pytest.mark.parametrize(("message", "outcome"), [(True, "voicemail"), (False, "abandoned")])
def test_a_message_is_an_outcome_if_there_is_one(desk: Desk, message: bool, outcome: str) -> None:
    desk.flow({"id": "vm", "kind": "voicemail"})
    call = desk.arrive().call_id
    desk.fact("voicemail", call, at=now_ms())
    with desk.store.write() as tx:
        facts.ended(tx, desk.owner, call, by="caller", at=now_ms() + 20_000, reason="bye", message=message)
    row = desk.call(call)
    assert (row["outcome"], row["missed_reason"]) == (outcome, "abandoned_in_classic")


@pytest.mark.parametrize(
    ("steps", "online", "after_s", "why"),
    [
        ([RING], False, 60, "no_available_agent"),
        ([RING], True, 9, "short_abandoned"),
        ([RING], True, 60, "agents_did_not_answer"),
        ([MENU], True, 9, "short_abandoned"),
        ([MENU], True, 60, "abandoned_in_ivr"),
        ([{"id": "digits", "kind": "digits"}], True, 60, "abandoned_in_ivr"),
        ([{"id": "hello", "kind": "message"}], True, 60, "abandoned_in_classic"),
    ],
)
def test_why_nobody_answered_is_written_at_the_end(
    desk: Desk, steps: list[dict[str, Any]], online: bool, after_s: int, why: str
) -> None:
    if not online:
        with desk.store.write() as tx:
            for user in desk.users:
                go_offline(tx, user)
    desk.flow(*steps)
    call = desk.arrive().call_id
    with desk.store.write() as tx:
        facts.ended(tx, desk.owner, call, by="caller", at=desk.call(call)["arrived_at"] + after_s * 1000)
    assert desk.call(call)["missed_reason"] == why


def test_an_answered_call_has_no_reason_for_being_missed(desk: Desk) -> None:
    call = desk.arrive().call_id
    desk.answer(call, desk.ids["Anna"])
    desk.end(call)
    row = desk.call(call)
    assert (row["missed_reason"], row["outcome"], row["queue_id"]) == (None, "answered", f"line:{desk.line}")


def test_a_lost_agents_caller_waits_for_the_group_that_answered_and_never_for_that_agent(desk: Desk) -> None:
    with desk.store.write() as tx:
        team = add_team(tx, "Two", [desk.ids["Anna"], desk.ids["Ben"]])
    desk.flow({**QUEUE, "target": {"team": team}})
    call = desk.arrive().call_id
    assert desk.ringing(call) == {"Ben"}
    desk.answer(call, desk.ids["Ben"])
    with desk.store.write() as tx:
        back = facts.returned(tx, desk.owner, call, at=now_ms())
    assert back.ringing == (desk.ids["Anna"],), "not Cleo, who is not of the team"
    desk.fact("ring_missed", call, user_id=desk.ids["Anna"], at=now_ms())
    assert desk.ringing(call) == set()


def test_facts_are_never_refused_for_the_state_they_find(desk: Desk) -> None:
    call = desk.arrive().call_id
    desk.answer(call, desk.ids["Anna"])
    before = desk.store.last_seq()
    for name, fields in (
        ("step", {"step": "x", "kind": "menu", "at": 1}),
        ("ring_step", {"step": "x", "settings": settings(Kind.RING), "at": 1}),
        ("ring_missed", {"user_id": desk.ids["Ben"], "at": 1}),
        ("check", {}),
        ("ring_over", {"at": 1, "reason": "timeout"}),
        ("voicemail", {"at": 1}),
        ("redirected", {"line_id": desk.line, "at": 1}),
    ):
        desk.fact(name, call, **fields)
    assert desk.store.last_seq() == before
    assert desk.call(call)["state"] == "confirmed"
    desk.end(call)
    before = desk.store.last_seq()
    desk.fact("ring_step", call, step="x", settings=settings(Kind.RING), at=1)
    desk.fact("step", call, step="x", kind="menu", at=1)
    assert desk.store.last_seq() == before


def test_a_flow_that_cannot_be_read_any_more_rings_the_line(desk: Desk) -> None:
    desk.flow({"id": "x", "kind": "of no kind"})
    plan = desk.arrive()
    assert (plan.flow_version, plan.step, entered(plan).ringing) == (0, "ring", tuple(sorted(desk.users)))


def test_who_accepts_too_late_is_told_that_the_ring_time_is_over(desk: Desk) -> None:
    call = desk.arrive().call_id
    desk.fact("ring_over", call, at=now_ms(), reason="timeout")
    with pytest.raises(DeskError, match="ring time is over"):
        desk.accept(call, desk.ids["Anna"])
    with desk.store.read() as conn:
        assert conn.scalar(select(t.users.c.active_call_id).where(t.users.c.id == desk.ids["Anna"])) is None

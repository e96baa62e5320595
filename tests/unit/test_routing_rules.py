"""Who is rung, who is waited for, and why a call was missed: routing's rules, a row each, and what always holds."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircall_core.domain.availability import Status
from aircall_core.domain.distribution import Agent, Manner, Waiting, distribute, may_come, place
from aircall_core.domain.flow import DEFAULTS, LIMITS, STRATEGIES, Kind
from aircall_core.domain.missed_reason import reason

FREE, TALKS, WRAPS, TAGS = Status.AVAILABLE, Status.IN_CALL, Status.WRAP_UP, Status.TAGGING
AWAY, OFF, SHUT = Status.UNAVAILABLE, Status.OFFLINE, Status.OUT_OF_HOURS


def manner(kind: Kind = Kind.RING, **settings: Any) -> Manner:
    """How a step rings that has these settings, and else the defaults."""
    return Manner.of({**DEFAULTS[kind], **settings, "kind": kind.value})


def waiting(how: Manner, targets: str = "abc", *, call: str = "call", tried: str = "", rung: str = "") -> Waiting:
    return Waiting(call, None, 0, how, frozenset(targets), frozenset(tried), frozenset(rung))


def team(statuses: Mapping[str, Status] | Sequence[Status], idle: Sequence[int] = (3, 1, 2)) -> list[Agent]:
    """Users a, b, c ... as they stand; b has been idle longest."""
    named = statuses if isinstance(statuses, Mapping) else dict(zip("abcdef", statuses, strict=False))
    since = [*idle, *range(10, 20)]
    return [Agent(name, status, since[place]) for place, (name, status) in enumerate(named.items())]


USER = {"user": "a"}
ONE_BY_ONE = manner(strategy="longest_idle")
# Rule, how the step rings, how users stand, who has tried, who is rung, and whether it waits when nobody is.
RULES = [
    ("a free user rings", manner(target=USER), [FREE], "", "a", False),
    ("busy: the next step at once", manner(target=USER), [TALKS], "", "", False),
    ("busy, and rung even so: waits", manner(target=USER, if_busy=True), [TALKS], "", "", True),
    ("wrap-up is busy", manner(target=USER, if_busy=True), [WRAPS], "", "", True),
    ("a tag that is owed is busy", manner(target=USER, if_busy=True), [TAGS], "", "", True),
    ("who rejected it is not waited for", manner(target=USER, if_busy=True), [TALKS], "a", "", False),
    ("simultaneous: every free user", manner(), [FREE, FREE, TALKS], "", "ab", False),
    ("simultaneous: nobody twice", manner(), [FREE, FREE, FREE], "b", "ac", False),
    ("longest idle: the one idle longest", ONE_BY_ONE, [FREE, FREE, FREE], "", "b", True),
    ("who missed it is not rung again", ONE_BY_ONE, [FREE, FREE, FREE], "b", "c", True),
    ("no loop: all have missed it", ONE_BY_ONE, [FREE, FREE, FREE], "abc", "", False),
    ("all free ones failed, some are busy: waits", ONE_BY_ONE, [FREE, FREE, TALKS], "ab", "", True),
    ("round robin: one", manner(strategy="round_robin"), [FREE, FREE, FREE], "", "a", True),
    ("away: never waited for", manner(if_busy=True), [AWAY, OFF, SHUT], "", "", False),
    ("one busy among them: waited for", manner(if_busy=True), [AWAY, TALKS, SHUT], "", "", True),
    ("queueing time respected: waits for anybody", manner(if_unavailable=True), [AWAY, OFF, SHUT], "", "", True),
    ("queue: waits for the busy by itself", manner(Kind.QUEUE), [TALKS, TALKS, OFF], "", "", True),
    ("queue: nobody there: goes on", manner(Kind.QUEUE), [OFF, AWAY, SHUT], "", "", False),
    ("nobody assigned: goes on", manner(if_busy=True), [], "", "", False),
]


@pytest.mark.parametrize(("rule", "how", "statuses", "tried", "rung", "waits"), RULES, ids=[row[0] for row in RULES])
def test_who_is_rung_and_who_is_waited_for(
    rule: str, how: Manner, statuses: list[Status], tried: str, rung: str, waits: bool
) -> None:
    call, agents = waiting(how, tried=tried), team(statuses)
    assert "".join(sorted(user for _, user in distribute([call], agents))) == rung
    assert may_come(call, agents) is waits or bool(rung)


def test_a_step_rings_for_five_seconds_to_an_hour() -> None:
    assert LIMITS[Kind.RING, "total_s"] == LIMITS[Kind.QUEUE, "total_s"] == (5, 3600)
    assert (DEFAULTS[Kind.RING]["user_s"], DEFAULTS[Kind.QUEUE]["announce_first_s"]) == (25, 30)


def test_the_time_of_a_team_that_is_rung_at_once_is_the_teams() -> None:
    assert manner().own_s is None
    assert ONE_BY_ONE.own_s == manner(Kind.QUEUE, strategy="simultaneous").own_s == 25


def test_who_was_rung_for_less_than_their_time_has_not_missed_it() -> None:
    how = manner(total_s=30, user_s=30)
    assert how.missed(29_900)
    assert not how.missed(20_000)
    assert manner(total_s=20, user_s=25).missed(20_000)


def test_round_robin_goes_on_after_the_last_one_and_starts_again() -> None:
    how = manner(strategy="round_robin")
    calls = [Waiting(f"call-{n}", None, n, how, frozenset("abc")) for n in range(3)]
    assert distribute(calls, team([FREE, FREE, FREE]), "b") == [("call-0", "c"), ("call-1", "a"), ("call-2", "b")]


def test_random_is_the_same_for_whoever_asks_and_fair_over_many_calls() -> None:
    how, agents = manner(strategy="random"), team([FREE, FREE, FREE])
    picks = [distribute([waiting(how, call=f"call-{n}")], agents)[0][1] for n in range(3000)]
    assert picks == [distribute([waiting(how, call=f"call-{n}")], agents[::-1])[0][1] for n in range(3000)]
    assert all(900 < picks.count(user) < 1100 for user in "abc")


def test_priority_then_arrival() -> None:
    how = manner(Kind.QUEUE)
    calls = [
        Waiting("late and urgent", 1, 900, how, frozenset("a")),
        Waiting("early", None, 100, how, frozenset("a")),
        Waiting("less urgent", 2, 50, how, frozenset("a")),
        Waiting("none is 0 too", 0, 99, how, frozenset("a")),
    ]
    order = sorted(calls, key=lambda one: place(one.priority, one.since, one.call_id))
    assert [one.call_id for one in order] == ["late and urgent", "less urgent", "none is 0 too", "early"]
    assert distribute(calls, team([FREE])) == [("late and urgent", "a")]


def test_a_user_rung_by_two_calls_sees_both_unless_one_has_them_to_itself() -> None:
    both = [waiting(manner(), call="one"), waiting(manner(), call="two")]
    assert len(distribute(both, team([FREE, FREE]))) == 4
    queued = [waiting(manner(Kind.QUEUE), call="one"), waiting(manner(Kind.QUEUE), call="two")]
    assert len({user for _, user in distribute(queued, team([FREE, FREE]))}) == 2
    rung = [Agent("a", FREE, 0, frozenset({"other"}))]
    assert distribute([waiting(manner(Kind.QUEUE))], rung) == []
    assert may_come(waiting(manner(Kind.QUEUE)), rung)
    assert distribute([waiting(manner())], rung) == [("call", "a")]


# ---- what always holds

MANNERS = st.builds(
    manner,
    st.sampled_from([Kind.RING, Kind.QUEUE]),
    strategy=st.sampled_from(STRATEGIES),
    if_busy=st.booleans(),
    if_unavailable=st.booleans(),
)
NAMES = st.frozensets(st.sampled_from("abcdef"))
CALLS = st.lists(
    st.builds(
        Waiting,
        st.text("0123456789", min_size=1, max_size=4),
        st.none() | st.integers(0, 3),
        st.integers(0, 5),
        MANNERS,
        NAMES,
        NAMES,
    ),
    unique_by=lambda one: one.call_id,
    max_size=8,
)
AGENTS = st.lists(
    st.builds(
        Agent,
        st.sampled_from("abcdef"),
        st.sampled_from(list(Status)),
        st.integers(0, 3),
        st.sampled_from([frozenset(), frozenset({"elsewhere"})]),
    ),
    unique_by=lambda one: one.user_id,
)


@given(CALLS, AGENTS, st.none() | st.sampled_from("abcdef"))
def test_what_always_holds(calls: list[Waiting], agents: list[Agent], last: str | None) -> None:
    known, by_user = {one.call_id: one for one in calls}, {one.user_id: one for one in agents}
    rings = distribute(calls, agents, last)
    assert len(set(rings)) == len(rings)
    held: set[str] = set()
    for call_id, user in rings:
        call = known[call_id]
        assert by_user[user].status is FREE, "only who is available is rung"
        assert user in call.targets - call.tried, "nobody is rung again who missed or rejected it"
        if call.manner.exclusive:
            assert user not in held, "one idle agent never gets two callers"
            assert not by_user[user].exclusive
            held.add(user)
        if call.manner.strategy != "simultaneous":
            assert [one for one, _ in rings].count(call_id) == 1
    # A later round over what has come of it rings nobody more: the first one went as far as it goes.
    settled = [replace(one, rung_now=frozenset(user for call, user in rings if call == one.call_id)) for one in calls]
    taken = {one: {call for call, user in rings if user == one and known[call].manner.exclusive} for one in by_user}
    now = [replace(one, exclusive=one.exclusive | taken[one.user_id]) for one in agents]
    assert distribute(settled, now, last) == []


@given(CALLS, AGENTS, st.randoms())
def test_the_order_in_which_rows_are_read_changes_nothing(
    calls: list[Waiting], agents: list[Agent], dice: random.Random
) -> None:
    before = distribute(calls, agents)
    dice.shuffle(calls)
    dice.shuffle(agents)
    assert distribute(calls, agents) == before


@given(CALLS, AGENTS)
def test_no_free_agent_is_left_idle_while_a_caller_waits_for_them(calls: list[Waiting], agents: list[Agent]) -> None:
    rings = distribute(calls, agents)
    busy = {user for _, user in rings}
    rung = {call for call, _ in rings}
    for call in calls:
        for agent in agents:
            wanted = agent.status is FREE and agent.user_id in call.targets - call.tried and not agent.exclusive
            if wanted and call.call_id not in rung:
                assert agent.user_id in busy


# ---- why a call was missed: every leaf of the tree

LEAVES = [
    (1, False, 60.0, False, False, "no_available_agent"),
    (1, False, 3.0, False, False, "no_available_agent"),
    (1, True, 9.9, False, False, "short_abandoned"),
    (2, True, 10.0, False, False, "short_abandoned"),
    (1, True, 10.1, False, False, "agents_did_not_answer"),
    (1, True, 60.0, True, True, "agents_did_not_answer"),
    (0, False, 60.0, True, False, "out_of_opening_hours"),
    (0, False, 3.0, True, True, "out_of_opening_hours"),
    (0, False, 10.0, False, True, "short_abandoned"),
    (0, False, 10.1, False, True, "abandoned_in_ivr"),
    (0, False, 10.1, False, False, "abandoned_in_classic"),
]


@pytest.mark.parametrize(("ring_steps", "any_rang", "seconds", "out_of_hours", "in_menu", "why"), LEAVES)
def test_why_a_call_was_missed(
    ring_steps: int, any_rang: bool, seconds: float, out_of_hours: bool, in_menu: bool, why: str
) -> None:
    found = reason(
        ring_steps=ring_steps, any_rang=any_rang, seconds=seconds, out_of_hours=out_of_hours, in_menu=in_menu
    )
    assert found == why

"""The life of a call: what may follow what, and what its end is called."""

import pytest

from aircall_core.domain.call import LIVE, TALKING, Outcome, State, may_follow, outcome_of


def test_an_ended_call_stays_ended() -> None:
    assert not any(may_follow(State.ENDED, state) for state in State)


def test_any_live_call_can_end() -> None:
    assert all(may_follow(state, State.ENDED) for state in LIVE)


def test_a_call_is_answered_only_by_somebody_who_accepted() -> None:
    assert [state for state in State if may_follow(state, State.ANSWERED)] == [State.ACCEPTING]


def test_the_message_for_the_caller_cannot_be_interrupted_by_an_accept() -> None:
    assert not may_follow(State.OVERFLOW, State.ACCEPTING)


@pytest.mark.parametrize(
    ("state", "was_answered", "ended_by", "lost", "outcome"),
    [
        (State.RINGING, False, "caller", False, Outcome.ABANDONED),
        (State.ACCEPTING, False, "caller", False, Outcome.ABANDONED),
        (State.OVERFLOW, False, "caller", False, Outcome.MISSED),
        (State.OVERFLOW, False, "system", False, Outcome.MISSED),
        (State.RINGING, False, "system", False, Outcome.FAILED),
        (State.CONFIRMED, True, "caller", False, Outcome.ANSWERED),
        (State.CONFIRMED, True, "agent", False, Outcome.ANSWERED),
        (State.RINGING, True, "caller", False, Outcome.ANSWERED),
        (State.CONFIRMED, True, "system", True, Outcome.LOST),
        (State.RINGING, False, "system", True, Outcome.LOST),
    ],
)
def test_outcomes(state: State, was_answered: bool, ended_by: str, lost: bool, outcome: Outcome) -> None:
    assert outcome_of(state, was_answered=was_answered, ended_by=ended_by, lost=lost) is outcome


def test_talking_states_are_live() -> None:
    assert TALKING < LIVE

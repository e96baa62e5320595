"""What the end of a call is called."""

import pytest

from aircall_core.domain.call import Outcome, State, outcome_of


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

"""What the end of a call is called."""

from typing import Any

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
        (State.FLOW, False, "caller", False, Outcome.ABANDONED),
        (State.FLOW, False, "system", False, Outcome.MISSED),
        (State.QUEUED, False, "caller", False, Outcome.ABANDONED),
        (State.QUEUED, False, "system", False, Outcome.MISSED),
        (State.VOICEMAIL, False, "caller", False, Outcome.ABANDONED),
    ],
)
def test_outcomes(state: State, was_answered: bool, ended_by: str, lost: bool, outcome: Outcome) -> None:
    assert outcome_of(state, was_answered=was_answered, ended_by=ended_by, lost=lost) is outcome


@pytest.mark.parametrize("lost", [False, True])
def test_a_message_or_a_wish_to_be_called_is_the_outcome_even_if_the_worker_died(lost: bool) -> None:
    asked: Any = {"was_answered": False, "ended_by": "caller", "lost": lost}
    assert outcome_of(State.VOICEMAIL, message=True, **asked) is Outcome.VOICEMAIL
    assert outcome_of(State.FLOW, callback=True, **asked) is Outcome.CALLBACK
    assert outcome_of(State.VOICEMAIL, message=True, callback=True, **asked) is Outcome.CALLBACK

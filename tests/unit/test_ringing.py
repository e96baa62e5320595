"""Who is rung: every available user of the line, nobody twice, and a reason for everybody else."""

from hypothesis import given
from hypothesis import strategies as st

from aircall_core.domain.ringing import Availability, Candidate, availability, decide

candidates = st.builds(
    Candidate,
    user_id=st.text("abcdef", min_size=1, max_size=3),
    active=st.booleans(),
    on_duty=st.booleans(),
    online=st.booleans(),
    in_call=st.booleans(),
)


def someone(**changes: bool) -> Candidate:
    state = {"active": True, "on_duty": True, "online": True, "in_call": False} | changes
    return Candidate(user_id="anna", **state)


def test_what_stands_in_the_way_is_named_in_the_order_of_mending() -> None:
    assert availability(someone()) is Availability.AVAILABLE
    assert availability(someone(in_call=True)) is Availability.IN_CALL
    assert availability(someone(in_call=True, online=False)) is Availability.OFFLINE
    assert availability(someone(online=False, on_duty=False)) is Availability.OFF_DUTY
    assert availability(someone(active=False, on_duty=False)) is Availability.DISABLED


@given(st.lists(candidates, unique_by=lambda one: one.user_id), st.frozensets(st.text("abcdef", max_size=3)))
def test_everybody_is_either_rung_or_has_a_reason(line: list[Candidate], rung: frozenset[str]) -> None:
    decision = decide(line, rung)
    assert set(decision.ring) | set(decision.reasons) == {one.user_id for one in line}
    assert not set(decision.ring) & set(decision.reasons)
    assert not set(decision.ring) & rung
    assert list(decision.ring) == sorted(decision.ring)


@given(st.lists(candidates, unique_by=lambda one: one.user_id))
def test_exactly_the_available_are_rung(line: list[Candidate]) -> None:
    available = {one.user_id for one in line if availability(one) is Availability.AVAILABLE}
    assert set(decide(line).ring) == available

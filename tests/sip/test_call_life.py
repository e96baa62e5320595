"""Crossings in a call's life that the wire cannot time: a call alone, with what is around it noted down."""

import pytest

from aircall_core.desk.distribution import Entered
from aircall_core.domain import events as kinds
from aircall_core.sip.tools import Stage
from tests.sip.alone import Alone

RING = {"id": "ring", "kind": "ring", "total_s": 20}


def test_a_failed_accept_rings_on_for_those_who_are_left() -> None:
    alone = Alone(RING, ring=("anna", "ben"))
    alone.accepts("anna")
    alone.passes(1.6)
    assert alone.said == ["accept_failed no_audio anna"]
    assert alone.call.stage is Stage.RINGING


def test_accepted_in_one_tab_and_rejected_in_another_the_call_does_not_ring_nobody() -> None:
    alone = Alone(RING, ring=("anna",))
    alone.accepts("anna")
    alone.hears(kinds.CALL_RING_STOPPED, "anna")
    alone.passes(1.6)
    assert alone.said == ["accept_failed no_audio anna", "check"]
    alone.stands()
    assert alone.said[2:] == ["ring_over all_rejected", "overflow all_rejected"]


def test_when_the_time_is_over_during_an_accept_it_is_over_once_that_has_failed() -> None:
    alone = Alone(RING, ring=("anna",))
    alone.passes(19)
    alone.accepts("anna")
    alone.passes(1.2)
    assert alone.said == []
    alone.passes(0.5)
    assert alone.said == ["accept_failed no_audio anna", "ring_over timeout", "overflow timeout"]


def test_an_accept_that_comes_after_the_step_is_over_has_its_end_too() -> None:
    alone = Alone(RING, {"id": "bye", "kind": "message", "prompt": {"shipped": "bye"}}, ring=("anna",))
    alone.passes(20.1)
    alone.accepts("anna")
    assert alone.said[-1] == "accept_failed expired anna"
    assert alone.call.stage is Stage.FLOW


@pytest.mark.parametrize("last", [True, False])
def test_a_rejection_that_crosses_the_return_counts(last: bool) -> None:
    alone = Alone(RING, ring=("anna", "ben", "chloe"))
    link = alone.talks("anna")
    alone.streams()
    link.closed = "gone"
    alone.passes(30.5)
    assert [said.split()[0] for said in alone.said] == ["answered", "agent_away", "returned"]
    alone.hears(kinds.CALL_RING_STOPPED, "ben")  # the log is quicker than the store's answer
    alone.call.on_returned(Entered(("ben",) if last else ("ben", "chloe")))
    alone.passes(0.1)
    assert alone.said[3:] == (["ring_over all_rejected", "overflow all_rejected"] if last else [])


def test_given_back_it_rings_for_the_steps_time_and_then_overflows_as_the_line_wants() -> None:
    alone = Alone(RING, {"id": "mail", "kind": "voicemail"}, ring=("anna", "ben"))
    link = alone.talks("anna")
    alone.streams()
    link.closed = "gone"
    alone.passes(30.5)
    alone.call.on_returned(Entered(("ben",)))
    alone.passes(19)
    assert alone.said[-1] == "returned"
    alone.passes(1.5)
    assert alone.said[-1] == "step mail voicemail", "as for one whom nobody has answered"


def test_audio_of_somebody_elses_peer_answers_nothing() -> None:
    alone = Alone(RING, ring=("anna",))
    alone.talks("ben")
    alone.call.end("system", "test")
    alone = Alone(RING, ring=("anna",))
    link = alone.talks("ben", "stolen")
    alone = Alone(RING, ring=("anna",))
    alone.links.links["stolen"] = link
    alone.accepts("anna", "stolen")
    assert alone.call.stage is Stage.ACCEPTING
    alone.passes(1.6)
    assert alone.said == ["accept_failed no_audio anna"]

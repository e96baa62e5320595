"""Crossings in a call's life that the wire cannot time: a call alone, with what is around it noted down."""

from types import SimpleNamespace
from typing import Any

import pytest

from aircall_core.desk.arrivals import ArrivalPlan
from aircall_core.domain import events as kinds
from aircall_core.domain.events import Event, EventRow
from aircall_core.ids import now_ms
from aircall_core.sip.calls import InboundCall
from aircall_core.sip.timers import Timers
from aircall_core.sip.tools import Stage, Tools


class Alone:
    """One call of a line that rings `ring`, its clock, and the facts it tells."""

    def __init__(self, *ring: str) -> None:
        self.now = 0.0
        self.facts: list[tuple[str, dict[str, Any]]] = []
        nothing: Any = SimpleNamespace(
            links={},
            close_call=lambda *_, **__: None,
            answer=lambda *_: True,
            refuse=lambda *_: True,
            hang_up=lambda *_: True,
        )
        self.timers = Timers(lambda: self.now)
        tools = Tools(nothing, nothing, nothing, nothing, nothing, self.timers, self.put)
        self.call = InboundCall(tools, "call", 1, "192.0.2.1:5060", has_offer=False)
        self.call.on_plan(ArrivalPlan("call", "conversation", ring, 20, "off", "en"))

    def put(self, name: str, call_id: str, **fields: Any) -> None:
        self.facts.append((name, fields))

    def hears(self, kind: str, user: str, **data: Any) -> None:
        event = Event(kind, "staff", f"user:{user}", call_id="call", user_id=user, data=data)
        self.call.on_event(EventRow(1, 1, event))

    def accepts(self, user: str, peer: str = "peer") -> None:
        self.hears(kinds.CALL_ACCEPTING, user, peer=peer, command="command", deadline=now_ms() + 60_000)

    def passes(self, seconds: float) -> None:
        self.now += seconds
        for action in self.timers.due():
            action()

    @property
    def said(self) -> list[str]:
        return [f"{name} {fields.get('reason', '')}".strip() for name, fields in self.facts]


def test_a_failed_accept_rings_on_for_those_who_are_left() -> None:
    alone = Alone("anna", "ben")
    alone.accepts("anna")
    alone.passes(1.6)
    assert alone.said == ["accept_failed no_audio"]
    assert alone.call.stage is Stage.RINGING


def test_accepted_in_one_tab_and_rejected_in_another_the_call_does_not_ring_nobody() -> None:
    alone = Alone("anna")
    alone.accepts("anna")
    alone.hears(kinds.CALL_RING_STOPPED, "anna")
    alone.passes(1.6)
    assert alone.said == ["accept_failed no_audio", "overflow all_rejected", "ended all_rejected"]


@pytest.mark.parametrize("last", [True, False])
def test_a_rejection_that_crosses_the_return_counts(last: bool) -> None:
    alone = Alone("anna", "ben", "chloe")
    alone.call._give_back()
    alone.hears(kinds.CALL_RING_STOPPED, "ben")  # the log is quicker than the store's answer
    assert alone.said == ["returned"]
    alone.call.on_returned(("ben",) if last else ("ben", "chloe"))
    assert alone.said == (["returned", "overflow all_rejected", "ended all_rejected"] if last else ["returned"])


def test_audio_of_somebody_elses_peer_answers_nothing() -> None:
    alone = Alone("anna")
    links: dict[str, Any] = alone.call.tools.links.links
    links["peer"] = SimpleNamespace(call="call", user="ben", peer="peer", fresh=lambda _: True)
    alone.accepts("anna")
    assert alone.call.stage is Stage.ACCEPTING
    alone.passes(1.6)
    assert alone.said == ["accept_failed no_audio"]

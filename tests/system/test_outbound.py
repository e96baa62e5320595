"""Calls out through the whole system: dialled, answered, refused, and what never reaches the trunk."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from aircall_core.desk import lines
from tests.support.desk_system import System
from tests.support.floor import Floor, Voice
from tests.support.outside import ANSWERS, BUSY, EARLY, REJECTS, RINGS, Manner, Outside
from tests.system.talking import Agent, House, house

pytestmark = [pytest.mark.sip, pytest.mark.timeout(60)]

ADA_HZ, OUTSIDE_HZ = 700.0, 1300.0
NUMBER = "+33612345678"


@dataclass
class Place:
    """Ada, whose line calls out."""

    house: House
    ada: Agent
    outside: Outside

    def dial(self, manner: Manner, number: str = NUMBER) -> str:
        """Ada calls a number that behaves so."""
        self.outside.manner = manner
        return self.ada.dial(self.house.line, number)

    def ended(self, call_id: str) -> tuple[str, str]:
        """How the call ended: outcome and reason."""
        data = self.house.system.wait_for("call.ended", call_id=call_id).event.data
        self.house.at_rest()
        return str(data["outcome"]), str(data["reason"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A running installation with a trunk that leads to the outside."""
    with System(tmp_path_factory.mktemp("outbound")) as system, house(system) as home, Outside(hz=OUTSIDE_HZ) as far:
        ada = home.agent("Ada", ADA_HZ)
        with system.store.write() as tx:
            lines.change(tx, "system", home.line.id, users=[ada.id])
        home.can_dial(far.address)
        yield Place(home, ada, far)
        home.no_leg_left()


@pytest.fixture(autouse=True)
def _nothing_is_left(place: Place) -> Iterator[None]:
    """A test that fails leaves the others an empty house."""
    yield
    place.house.clear()


def test_dialled_answered_heard_both_ways_and_hung_up(place: Place) -> None:
    count = len(place.outside.calls) + 1
    call_id = place.dial(Manner(answer_s=0.6), "06 12 34 56 78")
    call = place.outside.wait_call(count)
    assert call.number == NUMBER
    assert place.house.line.number in call.invite.header("From")
    place.ada.tab.wait_for("call.progress", call_id=call_id, state="ringing")
    call.wait("confirmed")
    place.ada.tab.wait_for("call.confirmed", call_id=call_id)
    floor = Floor(Voice("ada", ADA_HZ, place.ada.peers[call_id].heard), Voice("outside", OUTSIDE_HZ, call.ear))
    floor.stays(ada={"outside"}, outside={"ada"})
    place.ada.do(f"/desk/calls/{call_id}/keys", digits="12#")
    place.ada.tab.wait_for("call.keys_sent", call_id=call_id)
    assert call.keys == "12#"
    place.ada.do(f"/desk/calls/{call_id}/hangup")
    call.wait("over")
    assert place.ended(call_id)[0] == "answered"
    place.ada.free()


def test_the_one_called_hangs_up(place: Place) -> None:
    call_id = place.dial(Manner(bye_s=0.3))
    assert place.ended(call_id)[0] == "answered"


@pytest.mark.parametrize(
    ("manner", "end"), [(BUSY, ("busy", "busy")), (REJECTS, ("refused", "declined"))], ids=["busy", "rejected"]
)
def test_not_taken(place: Place, manner: Manner, end: tuple[str, str]) -> None:
    assert place.ended(place.dial(manner)) == end
    place.ada.free()


def test_given_up_while_it_rings(place: Place) -> None:
    count = len(place.outside.calls) + 1
    call_id = place.dial(RINGS)
    call = place.outside.wait_call(count).wait("ringing")
    place.ada.tab.wait_for("call.progress", call_id=call_id, state="ringing")
    place.ada.do(f"/desk/calls/{call_id}/hangup")
    call.wait("cancelled")
    assert place.ended(call_id) == ("no_answer", "cancelled")


def test_sound_before_the_answer_is_heard(place: Place) -> None:
    count = len(place.outside.calls) + 1
    call_id = place.dial(EARLY)
    call = place.outside.wait_call(count).wait("early")
    place.ada.tab.wait_for("call.progress", call_id=call_id, state="early")
    floor = Floor(Voice("ada", ADA_HZ, place.ada.peers[call_id].heard), Voice("outside", OUTSIDE_HZ, call.ear))
    floor.wait(ada={"outside"})
    place.ada.do(f"/desk/calls/{call_id}/hangup")
    call.wait("cancelled")
    place.ended(call_id)


PREMIUM = (  # French premium rate, 0 899 70 12 34, as people and programs write it
    "0899701234", "08 99 70 12 34", "08.99.70.12.34", "08-99-70-12-34", "(0899) 701 234", "+33899701234",
    "+33 (0) 899 70 12 34", "0033899701234", "00 33 8 99 70 12 34", "tel:+33-899-70-12-34", "0899701234;ext=1",
    "0899701234p1",
)  # fmt: skip


@pytest.mark.parametrize("number", [*PREMIUM, "+979123456789", "+15005550006x", "+882161234567"])
def test_a_refused_number_never_reaches_the_trunk(place: Place, number: str) -> None:
    place.outside.manner = ANSWERS
    count = len(place.outside.calls)
    code = place.ada.refused("/desk/dial", line=place.house.line.id, number=number, peer="peer-no-1", tab="tab-no-1")
    assert code not in ("forbidden", "unauthorized", "not_found")
    assert len(place.outside.calls) == count
    place.house.at_rest()
    assert not place.ada.tab.view["calls"]

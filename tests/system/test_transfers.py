"""Transfers through the whole system, by real SIP and tones: {now, talk first} x {user, team, line, outside} x whatever
the target, the caller and the sender do. In the end nothing is left, and nobody was heard by whom they must not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aircall_core.desk import lines, teams
from tests.support.audio import Samples, read_wav
from tests.support.desk_system import Line, System
from tests.support.floor import MUSIC, Voice
from tests.support.outside import ANSWERS, BUSY, REJECTS, RINGS, Manner, Outside, OutsideCall
from tests.system.talking import Agent, House, Talk, house

pytestmark = [pytest.mark.sip, pytest.mark.timeout(120)]

PROMPTS = Path(__file__).parents[2] / "data" / "prompts"
ADA_HZ, BEA_HZ, OUTSIDE_HZ = 700.0, 1000.0, 1300.0
RING_S, AWAY_S = 2, 2  # short forms of 25 and 30 seconds
RING_ONLY: list[dict[str, Any]] = [{"id": "ring", "kind": "ring", "total_s": 2}]
RING_THEN_VOICEMAIL = [*RING_ONLY, {"id": "message", "kind": "voicemail"}]


@dataclass
class Place:
    """Who sends and who is asked: Ada's line, Bea alone in a team and on a line of her own."""

    house: House
    ada: Agent
    bea: Agent
    targets: dict[str, dict[str, str]]  # a line has a voicemail of its own
    asked: dict[str, dict[str, str]]  # to talk first: a line rings, and that is all
    other: Line
    greeting: Samples  # how the line's voicemail begins
    outside: Outside

    def talk(self) -> Talk:
        """Ada has a caller."""
        return self.house.talk(self.ada)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A running installation; transfers ring for two seconds."""
    folder = tmp_path_factory.mktemp("transfers")
    with (
        System(folder, transfer_ring_s=RING_S, agent_away_s=AWAY_S) as system,
        house(system, tags_required=False) as home,
    ):
        ada, bea = home.agent("Ada", ADA_HZ), home.agent("Bea", BEA_HZ)
        with system.store.write() as tx:
            lines.change(tx, "system", home.line.id, users=[ada.id])
            team = teams.create(tx, "system", name="Support", users=[bea.id])
        other = system.add_line("+33199000002", [bea.user], name="Support")
        system.draw(other, RING_THEN_VOICEMAIL)
        direct = system.add_line("+33199000003", [bea.user], name="Direct")
        system.draw(direct, RING_ONLY)
        both = {"user": {"user": bea.id}, "team": {"team": team}}
        targets, asked = {**both, "line": {"line": other.id}}, {**both, "line": {"line": direct.id}}
        greeting = read_wav(PROMPTS / "en" / "voicemail.wav")[0][0]
        with Outside(hz=OUTSIDE_HZ) as outside:
            home.can_dial(outside.address)
            yield Place(home, ada, bea, targets, asked, other, greeting, outside)
            home.no_leg_left()


@pytest.fixture(autouse=True)
def _nothing_is_left(place: Place) -> Iterator[None]:
    """A test that fails leaves the others an empty house."""
    yield
    place.house.clear()


INSIDE = pytest.mark.parametrize("to", ["user", "team", "line"])


@INSIDE
def test_transferred_now_and_answered(place: Place, to: str) -> None:
    talk = place.talk()
    place.ada.do(f"/desk/calls/{talk.id}/transfer", target=place.targets[to])
    place.bea.rung(talk.id)
    place.ada.free()
    talk.floor.wait(caller=MUSIC)
    place.bea.accept(talk.id)
    talk.floor.add(place.bea.voice)
    talk.floor.stays(caller={"bea"}, bea={"caller"}, ada=set())
    place.bea.do(f"/desk/calls/{talk.id}/hangup")
    talk.caller.wait_for_request("BYE")
    place.house.at_rest()
    assert place.house.ends(talk.id) == ["answered"]


@INSIDE
def test_transferred_now_and_rejected(place: Place, to: str) -> None:
    talk = place.talk()
    place.ada.do(f"/desk/calls/{talk.id}/transfer", target=place.targets[to])
    place.bea.reject(talk.id)
    after_nobody_took_it(place, talk, to)


@INSIDE
def test_transferred_now_and_unanswered(place: Place, to: str) -> None:
    talk = place.talk()
    place.ada.do(f"/desk/calls/{talk.id}/transfer", target=place.targets[to])
    place.bea.rung(talk.id)
    after_nobody_took_it(place, talk, to)


def after_nobody_took_it(place: Place, talk: Talk, to: str) -> None:
    """It comes back to Ada; only a line has a way of its own: its voicemail."""
    if to == "line":
        in_voicemail(place, talk)
        return
    place.ada.accept(talk.id)
    talk.floor.add(place.ada.voice)
    talk.floor.stays(caller={"ada"}, ada={"caller"})
    place.ada.do(f"/desk/calls/{talk.id}/hangup")
    talk.caller.wait_for_request("BYE")
    place.house.at_rest()
    assert place.house.ends(talk.id) == ["answered"]


def in_voicemail(place: Place, talk: Talk) -> None:
    """The caller is asked to leave a message, and hangs up."""
    talk.caller.wait_heard(place.greeting)
    talk.caller.bye()
    place.house.at_rest()
    assert place.house.ends(talk.id) == ["answered"]


@INSIDE
def test_transferred_now_to_somebody_busy(place: Place, to: str) -> None:
    talk, other = place.talk(), place.house.talk(place.bea, place.other, hz=1600.0)
    path = f"/desk/calls/{talk.id}/transfer"
    if to == "line":
        place.ada.do(path, target=place.targets[to])
        talk.caller.wait_heard(place.greeting)
    else:
        assert place.ada.refused(path, target=place.targets[to]) == {"user": "busy", "team": "nobody"}[to]
        talk.floor.stays(caller={"ada"}, ada={"caller"})
    talk.caller.bye()
    other.caller.bye()
    place.house.at_rest()


@INSIDE
def test_the_caller_hangs_up_while_transferred(place: Place, to: str) -> None:
    talk = place.talk()
    place.ada.do(f"/desk/calls/{talk.id}/transfer", target=place.targets[to])
    place.bea.rung(talk.id)
    talk.caller.bye()
    place.bea.free()
    place.house.at_rest()
    assert place.house.ends(talk.id) == ["answered"]


@INSIDE
def test_the_sender_is_gone_when_a_transfer_fails(place: Place, to: str) -> None:
    talk = place.talk()
    place.ada.do(f"/desk/calls/{talk.id}/transfer", target=place.targets[to])
    place.bea.rung(talk.id)
    place.ada.do("/desk/duty", on=False)
    place.bea.reject(talk.id)
    in_voicemail(place, talk)
    place.ada.do("/desk/duty", on=True)


@INSIDE
def test_the_target_of_a_transfer_has_no_audio(place: Place, to: str) -> None:
    talk = place.talk()
    place.ada.do(f"/desk/calls/{talk.id}/transfer", target=place.targets[to])
    place.bea.rung(talk.id)
    place.bea.do(f"/desk/calls/{talk.id}/accept", peer="no-such-peer-1", tab=place.bea.tab.id)
    place.house.system.wait_for("call.accept_failed", call_id=talk.id, reason="no_audio")
    talk.floor.wait(caller=MUSIC)
    after_nobody_took_it(place, talk, to)


# ---- talk first


def ask(place: Place, talk: Talk, to: str) -> str:
    """Ada talks first; the call made for it."""
    child = str(place.ada.do(f"/desk/calls/{talk.id}/consult", target=place.asked[to], join=False)["call"])
    place.bea.rung(child)
    talk.floor.wait(caller=MUSIC)
    return child


def asked(place: Place, talk: Talk, to: str) -> str:
    """As `ask`, and Bea has answered."""
    child = ask(place, talk, to)
    place.bea.accept(child)
    talk.floor.add(place.bea.voice)
    talk.floor.stays(caller=MUSIC, ada={"bea"}, bea={"ada"})
    return child


def over(place: Place, talk: Talk) -> None:
    """Nothing is left, and the call ended once."""
    place.house.at_rest()
    place.ada.free()
    place.bea.free()
    assert place.house.ends(talk.id) == ["answered"]


@INSIDE
def test_talked_first_and_handed_over(place: Place, to: str) -> None:
    talk = place.talk()
    child = asked(place, talk, to)
    place.ada.do(f"/desk/calls/{talk.id}/complete", via=child)
    talk.floor.stays(caller={"bea"}, bea={"caller"})
    place.ada.free()
    place.bea.do(f"/desk/calls/{talk.id}/hangup")
    talk.caller.wait_for_request("BYE")
    over(place, talk)


@INSIDE
def test_talked_first_and_took_the_caller_back(place: Place, to: str) -> None:
    talk = place.talk()
    child = asked(place, talk, to)
    place.ada.do(f"/desk/calls/{child}/hangup")
    place.bea.free()
    talk.floor.stays(caller={"ada"}, ada={"caller"})
    talk.caller.bye()
    over(place, talk)


@INSIDE
def test_swapped_between_both(place: Place, to: str) -> None:
    talk = place.talk()
    child = asked(place, talk, to)
    place.ada.do(f"/desk/calls/{talk.id}/talk")
    talk.floor.stays(caller={"ada"}, ada={"caller"}, bea=MUSIC)
    place.ada.do(f"/desk/calls/{child}/talk")
    talk.floor.stays(caller=MUSIC, ada={"bea"}, bea={"ada"})
    talk.caller.bye()
    over(place, talk)


@pytest.mark.parametrize("first", ["caller", "ada", "bea"])
def test_all_three_talk_and_one_hangs_up(place: Place, first: str) -> None:
    talk = place.talk()
    child = asked(place, talk, "user")
    place.ada.do(f"/desk/calls/{talk.id}/merge")
    talk.floor.stays(caller={"ada", "bea"}, ada={"caller", "bea"}, bea={"caller", "ada"})
    if first == "caller":
        talk.caller.bye()
    elif first == "bea":
        place.bea.do(f"/desk/calls/{child}/hangup")
        talk.floor.stays(caller={"ada"}, ada={"caller"})
        place.ada.do(f"/desk/calls/{talk.id}/hangup")
    else:
        place.ada.do(f"/desk/calls/{talk.id}/hangup")
        talk.floor.stays(caller={"bea"}, bea={"caller"})
        place.ada.free()
        talk.caller.bye()
    over(place, talk)


@INSIDE
@pytest.mark.parametrize("how", ["rejected", "unanswered"])
def test_nobody_to_talk_with_first(place: Place, to: str, how: str) -> None:
    talk = place.talk()
    child = ask(place, talk, to)
    if how == "rejected":
        place.bea.reject(child)
    talk.floor.stays(caller={"ada"}, ada={"caller"})
    place.bea.free()
    talk.caller.bye()
    over(place, talk)


@INSIDE
def test_talk_first_with_somebody_busy(place: Place, to: str) -> None:
    talk, other = place.talk(), place.house.talk(place.bea, place.other, hz=1600.0)
    path = f"/desk/calls/{talk.id}/consult"
    if to == "line":
        place.ada.do(path, target=place.asked[to], join=False)
    else:
        code = place.ada.refused(path, target=place.asked[to], join=False)
        assert code == {"user": "busy", "team": "nobody"}[to]
    talk.floor.stays(caller={"ada"}, ada={"caller"})
    talk.caller.bye()
    other.caller.bye()
    over(place, talk)


@INSIDE
@pytest.mark.parametrize("when", ["ringing", "talking"])
def test_the_caller_hangs_up_while_others_talk_of_them(place: Place, to: str, when: str) -> None:
    talk = place.talk()
    (ask if when == "ringing" else asked)(place, talk, to)
    talk.caller.bye()
    over(place, talk)


@INSIDE
@pytest.mark.parametrize("when", ["ringing", "talking"])
def test_the_sender_hangs_up_while_talking_first(place: Place, to: str, when: str) -> None:
    talk = place.talk()
    (ask if when == "ringing" else asked)(place, talk, to)
    place.ada.do(f"/desk/calls/{talk.id}/hangup")
    if when == "ringing":  # it goes on as a transfer
        place.bea.accept(talk.id)
        talk.floor.add(place.bea.voice)
    talk.floor.stays(caller={"bea"}, bea={"caller"})
    place.ada.free()
    talk.caller.bye()
    over(place, talk)


@INSIDE
def test_the_browser_of_one_asked_dies(place: Place, to: str) -> None:
    talk = place.talk()
    child = asked(place, talk, to)
    place.bea.peers[child].close()
    place.house.system.wait_for("call.agent_away", call_id=child)
    talk.floor.wait(caller={"ada"}, ada={"caller"}, timeout=AWAY_S + 6)
    talk.caller.bye()
    over(place, talk)


def test_the_browser_of_a_sender_dies_while_talking_first(place: Place) -> None:
    talk = place.talk()
    asked(place, talk, "user")
    place.ada.peers[talk.id].close()
    talk.floor.wait(caller={"bea"}, bea={"caller"}, timeout=AWAY_S + 6)
    talk.caller.bye()
    over(place, talk)


# ---- outside numbers

NUMBER = "+33612345678"


def send_out(place: Place, manner: Manner) -> tuple[Talk, int]:
    """Ada transfers her caller to an outside number that behaves so; the outside call's place."""
    place.outside.manner = manner
    talk, count = place.talk(), len(place.outside.calls) + 1
    place.ada.do(f"/desk/calls/{talk.id}/transfer", target={"number": NUMBER})
    return talk, count


@pytest.mark.parametrize("last", ["caller", "outside"])
def test_transferred_now_to_an_outside_number(place: Place, last: str) -> None:
    talk, count = send_out(place, Manner(answer_s=0.5))
    call = place.outside.wait_call(count)
    assert call.number == NUMBER
    place.ada.free()
    talk.floor.wait(caller=MUSIC)
    call.wait("confirmed")
    talk.floor.add(Voice("outside", OUTSIDE_HZ, call.ear))
    talk.floor.stays(caller={"outside"}, outside={"caller"})
    if last == "caller":
        talk.caller.bye()
        call.wait("over")
    else:
        call.bye()
        talk.caller.wait_for_request("BYE")
    over(place, talk)


@pytest.mark.parametrize("manner", [REJECTS, BUSY, RINGS], ids=["rejected", "busy", "unanswered"])
def test_an_outside_number_does_not_take_a_transfer(place: Place, manner: Manner) -> None:
    talk, count = send_out(place, manner)
    call = place.outside.wait_call(count)
    after_nobody_took_it(place, talk, "outside")
    call.wait("over")


def test_the_caller_hangs_up_while_an_outside_number_rings(place: Place) -> None:
    talk, count = send_out(place, RINGS)
    call = place.outside.wait_call(count).wait("ringing")
    talk.caller.bye()
    call.wait("cancelled")
    over(place, talk)


def test_the_sender_is_gone_when_an_outside_number_refuses(place: Place) -> None:
    talk, count = send_out(place, RINGS)
    call = place.outside.wait_call(count).wait("ringing")
    place.ada.do("/desk/duty", on=False)
    call.answer(603)
    in_voicemail(place, talk)
    place.ada.do("/desk/duty", on=True)


def ask_out(place: Place, manner: Manner) -> tuple[Talk, str, OutsideCall]:
    """Ada talks first with an outside number; the call made for it, and the number's side of it."""
    place.outside.manner = manner
    talk, count = place.talk(), len(place.outside.calls) + 1
    made = place.ada.do(f"/desk/calls/{talk.id}/consult", target={"number": NUMBER}, join=False)
    return talk, str(made["call"]), place.outside.wait_call(count)


def asked_out(place: Place) -> tuple[Talk, str, OutsideCall]:
    """As `ask_out`, and the number has answered."""
    talk, child, call = ask_out(place, ANSWERS)
    call.wait("confirmed")
    talk.floor.add(Voice("outside", OUTSIDE_HZ, call.ear))
    talk.floor.stays(caller=MUSIC, ada={"outside"}, outside={"ada"})
    return talk, child, call


def test_talked_with_an_outside_number_and_handed_over(place: Place) -> None:
    talk, child, call = asked_out(place)
    place.ada.do(f"/desk/calls/{talk.id}/complete", via=child)
    talk.floor.stays(caller={"outside"}, outside={"caller"})
    place.ada.free()
    call.bye()
    talk.caller.wait_for_request("BYE")
    over(place, talk)


def test_talked_with_an_outside_number_swapped_and_took_the_caller_back(place: Place) -> None:
    talk, child, call = asked_out(place)
    place.ada.do(f"/desk/calls/{talk.id}/talk")
    talk.floor.stays(caller={"ada"}, ada={"caller"}, outside=MUSIC)
    place.ada.do(f"/desk/calls/{child}/talk")
    talk.floor.stays(caller=MUSIC, ada={"outside"}, outside={"ada"})
    place.ada.do(f"/desk/calls/{child}/hangup")
    call.wait("over")
    talk.floor.stays(caller={"ada"}, ada={"caller"})
    talk.caller.bye()
    over(place, talk)


@pytest.mark.parametrize("first", ["caller", "ada", "outside"])
def test_three_with_an_outside_number_and_one_hangs_up(place: Place, first: str) -> None:
    talk, _, call = asked_out(place)
    place.ada.do(f"/desk/calls/{talk.id}/merge")
    talk.floor.stays(caller={"ada", "outside"}, ada={"caller", "outside"}, outside={"caller", "ada"})
    if first == "caller":
        talk.caller.bye()
    elif first == "outside":
        call.bye()
        talk.floor.stays(caller={"ada"}, ada={"caller"})
        place.ada.do(f"/desk/calls/{talk.id}/hangup")
    else:
        place.ada.do(f"/desk/calls/{talk.id}/hangup")
        talk.floor.stays(caller={"outside"}, outside={"caller"})
        place.ada.free()
        talk.caller.bye()
    call.wait("over")
    over(place, talk)


def test_a_participant_is_added_without_the_caller_waiting(place: Place) -> None:
    talk, count = place.talk(), len(place.outside.calls) + 1
    place.outside.manner = Manner(answer_s=0.5)
    place.ada.do(f"/desk/calls/{talk.id}/consult", target={"number": NUMBER}, join=True)
    call = place.outside.wait_call(count)
    talk.floor.wait(caller={"ada"})
    call.wait("confirmed")
    talk.floor.add(Voice("outside", OUTSIDE_HZ, call.ear))
    talk.floor.stays(caller={"ada", "outside"}, ada={"caller", "outside"}, outside={"caller", "ada"})
    talk.caller.bye()
    call.wait("over")
    over(place, talk)


@pytest.mark.parametrize("manner", [REJECTS, BUSY, RINGS], ids=["rejected", "busy", "unanswered"])
def test_an_outside_number_does_not_talk_first(place: Place, manner: Manner) -> None:
    talk, _, call = ask_out(place, manner)
    talk.floor.wait(caller={"ada"}, ada={"caller"}, timeout=RING_S + 8)
    call.wait("over")
    talk.caller.bye()
    over(place, talk)


@pytest.mark.parametrize("when", ["ringing", "talking"])
def test_the_caller_hangs_up_while_an_outside_number_is_asked(place: Place, when: str) -> None:
    talk, _, call = ask_out(place, RINGS) if when == "ringing" else asked_out(place)
    talk.caller.bye()
    call.wait("over")
    over(place, talk)


@pytest.mark.parametrize("when", ["ringing", "talking"])
def test_the_sender_hangs_up_while_an_outside_number_is_asked(place: Place, when: str) -> None:
    if when == "ringing":
        talk, _, call = ask_out(place, Manner(answer_s=1.5))
        count = len(place.outside.calls) + 1
        place.ada.do(f"/desk/calls/{talk.id}/hangup")
        call.wait("over")
        call = place.outside.wait_call(count).wait("confirmed")
        talk.floor.add(Voice("outside", OUTSIDE_HZ, call.ear))
    else:
        talk, _, call = asked_out(place)
        place.ada.do(f"/desk/calls/{talk.id}/hangup")
    talk.floor.stays(caller={"outside"}, outside={"caller"})
    place.ada.free()
    talk.caller.bye()
    call.wait("over")
    over(place, talk)

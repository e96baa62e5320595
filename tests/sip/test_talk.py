"""Calls out and what is done in a call, as the carrier sees it: a trunk with a registration, by which we call with a
password, that wants to be told of hold (re-INVITE) and connects transfers itself (REFER).

Who hears whom after each action, and every cell of the transfer matrix, is under test in tests/system.
"""

import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from aircall_core.desk import calls, lines, outbound, talk, transfers, trunks
from aircall_core.desk.outbound import Dial
from aircall_core.desk.secrets import open_box
from aircall_core.ids import new_id
from tests.sip.kit import NUMBER, RATE, Agent, Site, WorkerProcess
from tests.support.audio import from_pcm, has_tone, tone
from tests.support.floor import LiveCaller
from tests.support.outside import ANSWERS, EARLY, RINGS, Manner, Outside, OutsideCall
from tests.support.processes import eventually

pytestmark = [pytest.mark.sip, pytest.mark.timeout(90)]
ADA_HZ, CALLER_HZ, OUTSIDE_HZ = 700.0, 440.0, 1300.0
FAR, SHOWN = "+33612345678", "+33199000009"


class Place:
    """A site whose line calls out by the carrier `outside`."""

    def __init__(self, site: Site, worker: WorkerProcess, outside: Outside, stack: ExitStack) -> None:
        self.site, self.worker, self.outside, self._stack = site, worker, outside, stack

    def dial(self, manner: Manner = ANSWERS, number: str = FAR) -> tuple[str, Agent, OutsideCall]:
        """Ada dials; call, her audio and the far end."""
        self.outside.manner = manner
        before, peer = len(self.outside.calls), new_id()
        wanted = Dial(self.site.line, number, peer, "tab-12345678")
        with self.site.store.write() as tx:
            call = outbound.dial(tx, self.site.users["Ada"], wanted, command=new_id())
        ada = Agent(self.site, call, "Ada", tone(ADA_HZ, 1, RATE), peer)
        self._stack.callback(ada.close)
        return call, ada, self.outside.wait_call(before + 1, 20)

    def talk(self) -> tuple[str, Agent, "Referee"]:
        """A caller comes in through the carrier, and Ada answers; call, her audio and the caller."""
        caller = self._stack.enter_context(Referee("127.0.0.1", self.site.port))
        caller.call(NUMBER, CALLER_HZ, answered=False)
        call = self.site.arrived()
        ada = Agent(self.site, call, "Ada", tone(ADA_HZ, 1, RATE))
        self._stack.callback(ada.close)
        self.site.accept(call, "Ada", ada.peer)
        caller.wait_for(200)
        self.site.wait("call.confirmed")
        return call, ada, caller

    def consult(self, call: str, number: str = FAR, *, join: bool = False) -> tuple[str, OutsideCall]:
        """Ada talks first with somebody outside, who answers; the child and the far end."""
        self.outside.manner, before = ANSWERS, len(self.outside.calls)
        target = {"number": number}
        with self.site.store.write() as tx:
            user = self.site.users["Ada"]
            child = transfers.consult(tx, call, user, target=target, join=join, command=new_id())
        far = self.outside.wait_call(before + 1, 20).wait("confirmed")
        self.site.wait("call.answered")
        return child, far

    def rest(self) -> None:
        """No leg is left in the worker."""
        eventually(lambda: self.site.node()["info"].get("legs") == 0, 20, "no leg left")


class Referee(LiveCaller):
    """A caller behind a carrier that obeys REFER: says, when asked to, what came of it."""

    def tell(self, code: int) -> None:
        """The NOTIFY that ends a REFER (RFC 3515)."""
        headers = ("Event: refer", "Subscription-State: terminated;reason=noresource")
        body = f"SIP/2.0 {code} Whatever\r\n"
        text = self._in_dialog("NOTIFY", *headers, "Content-Type: message/sipfrag;version=2.0", body=body)
        self.send(text.replace("Content-Type: application/sdp\r\n", ""))


@contextmanager
def a_place(url: str, folder: Path) -> Iterator[Place]:
    """A worker whose carrier registers it, wants a password, and wishes REFER and re-INVITE."""
    with ExitStack() as stack:
        outside = stack.enter_context(Outside(hz=OUTSIDE_HZ, username="pbx", password="good-password-1"))
        site = stack.enter_context(Site(folder, url, "Ada", "Bea"))
        box = open_box(site.settings.data_dir, site.settings.secret_key)
        with site.store.write() as tx:
            trunk = trunks.create(
                tx, "system", box, name="Carrier", kind="register", host=outside.address, username="pbx",
                password="good-password-1", dial_format="digits", hold_by="reinvite", transfer_by="refer",
            )  # fmt: skip
            lines.change(tx, "system", site.line, outbound_trunk_id=trunk, caller_id=SHOWN)
        worker = stack.enter_context(site.worker())
        site.wait("trunk.state", state="registered")
        yield Place(site, worker, outside, stack)


@pytest.fixture(scope="module")
def place(module_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One for all tests but those that kill it."""
    with a_place(module_url, tmp_path_factory.mktemp("site")) as one:
        yield one


def test_the_carrier_is_called_as_it_wants_to_be(place: Place) -> None:
    _call, ada, far = place.dial()
    answered = place.site.wait("call.answered")
    assert answered.event.user_id == place.site.users["Ada"]
    far.wait("confirmed")
    invite = far.invite
    assert invite.text.startswith(f"INVITE sip:{FAR[1:]}@{place.outside.address} SIP/2.0"), "digits, and to the trunk"
    assert f"<sip:{SHOWN}@" in invite.header("From")
    assert f"<sip:{SHOWN}@" in invite.header("P-Asserted-Identity")
    assert invite.header("Proxy-Authorization"), "proven, since it was asked for"
    assert invite.header("Session-Expires"), "RFC 4028"
    eventually(lambda: has_tone(far.ear(0.3), ADA_HZ, RATE), 10, "the agent heard outside")
    eventually(lambda: has_tone(from_pcm(ada.pcm)[-2400:], OUTSIDE_HZ, RATE), 10, "the outside heard by the agent")
    far.bye()
    ended = place.site.wait("call.ended")
    assert (ended.event.data["by"], ended.event.data["outcome"]) == ("callee", "answered")
    place.rest()


def test_it_is_told_of_hold_and_hears_music_meanwhile(place: Place) -> None:
    call, ada, far = place.dial()
    place.site.wait("call.confirmed")
    eventually(lambda: has_tone(far.ear(0.3), ADA_HZ, RATE), 10, "the agent heard outside")
    place.site.do(talk.hold, call, "Ada", held=True)
    place.site.wait("call.held", held=True)
    eventually(lambda: far.direction == "sendonly", 10, "re-INVITE")
    eventually(lambda: len(far.ear(0.3)) and not has_tone(far.ear(0.3), ADA_HZ, RATE), 10, "music")
    place.site.do(talk.hold, call, "Ada", held=False)
    place.site.wait("call.held", held=False)
    eventually(lambda: far.direction == "sendrecv", 10, "re-INVITE")
    eventually(lambda: has_tone(far.ear(0.3), ADA_HZ, RATE), 10, "the agent heard again")
    eventually(lambda: has_tone(from_pcm(ada.pcm)[-2400:], OUTSIDE_HZ, RATE), 10, "the outside heard again")
    place.site.do(calls.hang_up, call, "Ada")
    far.wait("over")
    place.rest()


def test_keys_reach_the_far_end_once_and_in_order(place: Place) -> None:
    call, _, far = place.dial()
    place.site.wait("call.confirmed")
    place.site.do(talk.press, call, "Ada", digits="12,0#*9876543210123")
    sent = place.site.wait("call.keys_sent")
    assert sent.event.data["count"] == 19
    eventually(lambda: far.keys == "120#*9876543210123", 15, "the keys")
    place.site.do(calls.hang_up, call, "Ada")
    far.wait("over")


@pytest.mark.parametrize("manner", [RINGS, EARLY], ids=["ringing", "early"])
def test_given_up_before_the_answer(place: Place, manner: Manner) -> None:
    call, _, far = place.dial(manner)
    place.site.wait("call.progress", state="early" if manner is EARLY else "ringing")
    place.site.do(calls.hang_up, call, "Ada")
    far.wait("cancelled")
    ended = place.site.wait("call.ended")
    assert (ended.event.data["reason"], ended.event.data["outcome"]) == ("cancelled", "no_answer")
    place.rest()


# ---- REFER


def refer_to(caller: Referee) -> str:
    """Where the caller is sent."""
    found = re.search(r"sip:[^>\s]+", caller.wait_for_request("REFER", 20).header("Refer-To"))
    assert found
    return found[0]


@pytest.mark.parametrize("code", [200, 486])
def test_the_carrier_connects_a_transfer_itself(place: Place, code: int) -> None:
    call, _ada, caller = place.talk()
    before = len(place.outside.calls)
    place.site.do(transfers.transfer, call, "Ada", target={"number": FAR})
    assert refer_to(caller) == f"sip:{FAR[1:]}@{place.outside.address}"
    caller.tell(code)
    if code == 200:
        caller.wait_for_request("BYE")
        ended = place.site.wait("call.ended")
        assert (ended.event.data["reason"], ended.event.data["outcome"]) == ("referred", "answered")
    else:
        place.site.wait("call.ringing")  # it comes back
        caller.bye()
        place.site.wait("call.ended")
    assert len(place.outside.calls) == before, "we have called nobody"
    place.rest()


@pytest.mark.parametrize("code", [200, 486])
def test_the_carrier_takes_over_from_both_calls(place: Place, code: int) -> None:
    call, _ada, caller = place.talk()
    child, far = place.consult(call)
    place.site.do(transfers.complete, call, "Ada", via=child)
    assert "Replaces=" in refer_to(caller)
    caller.tell(code)
    if code == 200:
        caller.wait_for_request("BYE")
        far.wait("over")
        ended = place.site.wait("call.ended", reason="referred")
        assert ended.event.call_id == call
    else:
        failed = place.site.wait("command.failed")
        assert failed.event.data["code"] == "refused"
        assert far.state == "confirmed", "the call stays as it was"
        caller.bye()
        far.wait("over")
    place.rest()


# ---- what is left


def test_a_carrier_that_redirects_is_not_followed(place: Place) -> None:
    call, *_ = place.dial(Manner(final=302))
    assert place.site.wait("call.ended", reason="refused").event.call_id == call
    place.rest()


@pytest.mark.parametrize("rounds", [3, pytest.param(50, marks=pytest.mark.soak)])
def test_consults_leave_nothing_behind(place: Place, rounds: int) -> None:
    call, _ada, caller = place.talk()
    child, far = place.consult(call)
    place.site.do(calls.hang_up, child, "Ada")
    far.wait("over")
    ports = beat_of(place, 1)
    for _ in range(rounds):
        child, far = place.consult(call)
        place.site.do(calls.hang_up, child, "Ada")
        far.wait("over")
    assert beat_of(place, 1) == ports
    caller.bye()
    place.rest()


def beat_of(place: Place, legs: int) -> int:
    """The bridge's ports, once the worker says that it has so many legs."""
    eventually(lambda: place.site.node()["info"].get("legs") == legs, 20, f"{legs} legs")
    return int(place.site.node()["info"]["bridge_ports"])


SMALL = """
from dataclasses import replace
from aircall_core.sip import capabilities
found = capabilities.discover
capabilities.discover = lambda folder: replace(found(folder), calls=3)
"""


def test_a_full_worker_says_so_and_keeps_a_slot_to_refuse_with(tmp_path: Path, sqlite_url: str) -> None:
    with ExitStack() as stack:
        outside = stack.enter_context(Outside(hz=OUTSIDE_HZ))
        site = stack.enter_context(Site(tmp_path, sqlite_url))
        trunk = site.add_trunk(kind="address", cidrs=["127.0.0.9/32"], outbound_host=outside.address)
        with site.store.write() as tx:
            lines.change(tx, "system", site.line, outbound_trunk_id=trunk)
        place = Place(site, stack.enter_context(site.worker(prelude=SMALL)), outside, stack)
        call, _, far = place.dial()
        site.wait("call.confirmed")
        place.consult(call)
        with site.store.write() as tx:
            transfers.consult(
                tx, call, site.users["Ada"], target={"number": FAR}, join=True, command=(command := new_id())
            )
        refused = site.wait("command.failed")
        assert (refused.event.data["command"], refused.event.data["code"]) == (command, "full")
        assert site.wait("call.ended").event.data["reason"] == "full"
        caller = stack.enter_context(LiveCaller("127.0.0.1", site.port))
        caller.invite(NUMBER)
        caller.wait_for(503, timeout=20)
        site.do(calls.hang_up, call, "Ada")  # to the one who was asked: the call is passed on
        site.wait("call.transferred")
        far.bye()
        outside.calls[1].wait("over")
        place.rest()


def test_a_killed_worker_lets_go_of_those_it_called(tmp_path: Path, sqlite_template: Path) -> None:
    (tmp_path / "site").mkdir()
    shutil.copyfile(sqlite_template, tmp_path / "store.db")
    with a_place(f"sqlite:///{tmp_path / 'store.db'}", tmp_path / "site") as place:
        call, _, far = place.dial()
        far.wait("confirmed")
        place.site.wait("call.confirmed")
        place.worker.kill(signal.SIGKILL)
        place.worker.wait()
        with place.site.worker("worker-again"):
            far.wait("over", 20)
            assert place.site.wait("call.ended", outcome="lost").event.call_id == call
            (bye,) = far.got("BYE")
            assert bye.header("From").split(";tag=")[1] == far.invite.header("From").split(";tag=")[1]
            assert far.tag in bye.header("To")

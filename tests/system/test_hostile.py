"""A whole installation that strangers and broken callers try their worst on; after each of them an honest call works.

It listens on every address of a network of its own: 127.0.0.1 is the test phone's, 10.99.0.1 a stranger's.
"""

import os
import random
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from aircall_core.domain import events as kinds
from tests.support.audio import has_tone, sounds, tone
from tests.support.desk_system import Line, System, User
from tests.support.floor import LiveCaller
from tests.support.netns import NetNs, netns
from tests.support.processes import eventually
from tests.support.rawsip import RawCaller
from tests.support.realtime import Tab
from tests.support.sipp import Sipp
from tests.system.kit import AGENT_HZ, CALLER_HZ, log_lines, next_ring, worker_row

__all__ = ["netns"]  # the fixture
pytestmark = [pytest.mark.sip, pytest.mark.timeout(240)]

HONEST, STRANGE, DIALLED = "+33199005012", "+33199006666", "+33199007777"
ROOT = Path(__file__).parents[2]


@dataclass
class Fort:
    """An installation under attack, with one agent at work."""

    system: System
    line: Line
    ada: User
    tab: Tab
    lan: str
    known: set[str] = field(default_factory=set)
    sip_port: int = 0

    def honest_call(self) -> None:
        """A call as any other gets through, and nothing is left of it or of what was before."""
        with LiveCaller("127.0.0.1", self.sip_port, caller=HONEST) as phone:
            phone.call(self.line.number, CALLER_HZ, answered=False)
            call_id = next_ring(self.tab, self.ada, self.known)
            agent = self.system.accept(self.ada, self.tab, call_id, voice=tone(AGENT_HZ, 1, 8000))
            phone.wait_for(200)
            eventually(lambda: has_tone(agent.heard(0.5), CALLER_HZ, 8000), 15, "the caller's voice")
            phone.hang_up()
        self.tab.wait_for("call.ended", call_id=call_id)
        self.tab.wait_until(lambda: self.tab.view["calls"] == {}, "an empty desk", 60)


@pytest.fixture(scope="module")
def fort(netns: NetNs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fort]:
    """One for all tests here. 25 of 256 slots are for inbound calls."""
    folder = tmp_path_factory.mktemp("fort")
    with System(folder, sip_host="0.0.0.0", sip_port=5060, inbound_share=0.1, min_free_disk_mb=0) as system:
        system.sip_host = "127.0.0.1"
        ada = system.add_user("Ada")
        line = system.add_line("+33199000001", [ada])
        system.draw(line, [{"id": "ring", "kind": "ring", "total_s": 8}])  # and no voicemail, which would pick up
        yield Fort(system, line, ada, system.on_duty(ada), netns.address, sip_port=5060)


@pytest.fixture(autouse=True)
def unharmed(fort: Fort) -> Iterator[None]:
    """After each attack: the same processes, an honest call, and a log without what customers said or dialled."""
    pids = {role: fort.system.pid(role) for role in ("worker", "desk")}
    yield
    fort.honest_call()
    assert {role: fort.system.pid(role) for role in pids} == pids
    log = fort.system.log
    assert [word for word in (HONEST, STRANGE, DIALLED, "alert(", "Mallory") if word in log] == []
    assert log_lines(log, "callback_failed") == []
    assert log_lines(log, "fact_lost") == []


def test_a_stranger_gets_403_and_leaves_one_line_in_the_log(fort: Fort) -> None:
    before = len(fort.system.events())
    with RawCaller(fort.lan, fort.sip_port, host=fort.lan, caller=STRANGE, display="Mallory") as stranger:
        for _ in range(5):
            stranger.invite(fort.line.number)
            assert "Retry-After" not in stranger.wait_for(403).text
        stranger.invite(DIALLED)
        stranger.wait_for(403)  # and not 404: which numbers there are is nobody's business
    assert [row.kind for row in fort.system.events()[before:] if row.event.call_id] == []
    lines = [line for line in log_lines(fort.system.log, "call_refused") if line["why"] == "stranger"]
    assert [(line["code"], line["level"]) for line in lines] == [(403, "warning")]
    eventually(lambda: worker_row(fort.system)["info"]["refused"].get("stranger", 0) >= 6, what="counted")


def test_whatever_else_a_stranger_sends_moves_nobody(fort: Fort) -> None:
    before = len(fort.system.events())
    more = {
        "OPTIONS": [], "REGISTER": [], "MESSAGE": ["Content-Type: text/plain"], "SUBSCRIBE": ["Event: presence"],
        "PUBLISH": ["Event: presence"], "REFER": [f"Refer-To: <sip:{DIALLED}@127.0.0.1>"], "BYE": [], "INFO": [],
        "NOTIFY": ["Event: refer", "Subscription-State: active"], "UPDATE": [], "PRACK": ["RAck: 1 1 INVITE"],
    }  # fmt: skip
    with RawCaller(fort.lan, fort.sip_port, host=fort.lan, caller=STRANGE) as stranger:
        stranger.invite(fort.line.number)  # fills in the identifiers
        stranger.wait_for(403)
        for number, (method, headers) in enumerate(more.items(), 7):
            branch = f"z9hG4bK{method}"
            stranger.send(stranger.request(method, number, branch=branch, headers=[*headers, "Expires: 60"]))
        stranger.pump(1.0)
        codes = {m.method: m.status for m in stranger.messages if m.received and m.status}
    print(f"a stranger's requests: {codes}")
    # OPTIONS is how trunks ask whether we live. The library takes every MESSAGE, and hands it to nobody.
    assert {method for method, code in codes.items() if code // 100 == 2} <= {"OPTIONS", "MESSAGE"}, codes
    assert [row.kind for row in fort.system.events()[before:] if row.event.call_id] == []


def test_an_unknown_number_gets_404(fort: Fort) -> None:
    with RawCaller("127.0.0.1", fort.sip_port, caller=HONEST) as caller:
        caller.invite(DIALLED)
        caller.wait_for(404)
    assert [line for line in log_lines(fort.system.log, "call_refused") if line["why"] == "unknown_number"]


def test_no_codec_in_common_gets_488(fort: Fort) -> None:
    with RawCaller("127.0.0.1", fort.sip_port, payloads=(18,)) as caller:
        caller.invite(fort.line.number)
        caller.wait_for(488)


def test_a_call_that_brings_no_offer_gets_ours_with_the_answer(fort: Fort, tmp_path: Path) -> None:
    with Sipp("late_offer", "127.0.0.1:5060", tmp_path, number=fort.line.number, hold_ms=1500,
              audio=tone(CALLER_HZ, 1, 8000)) as caller:  # fmt: skip
        call_id = next_ring(fort.tab, fort.ada, fort.known)
        agent = fort.system.accept(fort.ada, fort.tab, call_id, voice=tone(AGENT_HZ, 1, 8000))
        assert caller.result().successful == 1, caller.why
        assert sounds(agent.heard()[4000:8000], CALLER_HZ, 8000)


def test_a_call_without_an_offer_that_nobody_takes_is_ended(fort: Fort) -> None:
    with RawCaller("127.0.0.1", fort.sip_port) as caller:
        caller.invite(fort.line.number, sdp=False)
        caller.wait_for(180)
        call_id = next_ring(fort.tab, fort.ada, fort.known)
        fort.system.post(fort.ada, f"/desk/calls/{call_id}/reject", {"command": f"reject-{call_id}"})
        caller.wait_for(480, timeout=20)


def test_a_name_of_four_kilobytes_with_markup_is_text_and_short(fort: Fort) -> None:
    name = "<img src=x onerror=alert(1)>Mallory\u202e" + "\U0001f600" * 900
    with RawCaller("127.0.0.1", fort.sip_port, caller=HONEST, display=name) as caller:
        caller.invite(fort.line.number)
        caller.wait_for(180)
        call_id = next_ring(fort.tab, fort.ada, fort.known)
        card = fort.tab.cards[call_id]
        caller.cancel()
        caller.wait_for(487)
    fort.tab.wait_for("call.ended", call_id=call_id)
    assert card["caller_name"].startswith("<img src=x onerror=alert(1)>Mallory\U0001f600")  # text; nobody parses it
    assert len(card["caller_name"]) <= 120
    answer = fort.system.get(fort.ada, f"/desk/conversations/{card['conversation_id']}/timeline")
    assert answer.headers["content-type"].partition(";")[0] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert len(answer.text) < 50_000
    with fort.system.store.read() as conn:
        kept = str(conn.exec_driver_sql(f"SELECT from_display FROM calls WHERE id = '{call_id}'").scalar_one())  # noqa: S608
    assert len(kept) <= 120


def test_nothing_that_draws_pages_parses_markup() -> None:
    """Names, numbers and texts get into pages as text nodes alone."""
    ways = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "unsafe_allow_html", "DOMParser",
            "createContextualFragment", "setHTMLUnsafe", "eval(")  # fmt: skip
    sources = [
        *ROOT.glob("aircall_core/ui/**/*.js"),
        *ROOT.glob("aircall_core/ui/**/*.py"),
        *ROOT.glob("pages/**/*.py"),
    ]
    assert len(sources) > 10
    found = [(path.name, way) for path in sources for way in ways if way in path.read_text()]
    assert found == []


def test_a_caller_who_asks_us_to_dial_is_refused(fort: Fort, tmp_path: Path) -> None:
    with RawCaller("127.0.0.1", fort.sip_port) as target:
        refer_to = f"sip:{DIALLED}@127.0.0.1:{target.socket.getsockname()[1]}"
        with Sipp("refer", "127.0.0.1:5060", tmp_path, number=fort.line.number, refer_to=refer_to, hold_ms=500,
                  code=603) as caller:  # fmt: skip
            call_id = next_ring(fort.tab, fort.ada, fort.known)
            fort.system.accept(fort.ada, fort.tab, call_id, voice=tone(AGENT_HZ, 1, 8000))
            assert caller.result().successful == 1, caller.why
        target.pump(0.3)
        assert target.messages == [], "somebody was dialled"
    assert log_lines(fort.system.log, "request_refused")[0]["what"] == "REFER"


@pytest.mark.parametrize("count", [40, pytest.param(300, marks=pytest.mark.soak)])
def test_invites_that_are_never_acknowledged_take_the_inbound_share_and_no_more(fort: Fort, count: int) -> None:
    capacity = worker_row(fort.system)["capacity"]
    before = worker_row(fort.system)["info"]["refused"].get("full", 0)
    with RawCaller("127.0.0.1", fort.sip_port, caller=STRANGE, acknowledge=False) as flood:
        for _ in range(count):
            flood.invite(fort.line.number)
            flood.pump(0.01)
        flood.pump(1.0)
        answers = {(m.header("Call-ID"), m.status) for m in flood.messages if m.received}
        codes = Counter(status for _, status in answers)
        refused = [m for m in flood.messages if m.received and m.status == 503]
        print(f"{count} INVITEs, {capacity} slots: {dict(codes)}")
        assert codes[180] >= capacity
        assert codes[180] + codes[503] == count
        assert not any("Retry-After" in message.text for message in refused)
    # They ring out, their refusals are never acknowledged (32 s, RFC 3261 timer H), then there is room again.
    eventually(lambda: _live_calls(fort.system) == 0, 60, "the end of each", every=0.2)
    full = before + codes[503]
    eventually(lambda: _told(fort.system, full) and worker_row(fort.system)["in_use"] == 0, 120, "room", every=0.5)


def test_an_honest_call_gets_through_while_a_stranger_floods_and_never_acknowledges(fort: Fort) -> None:
    over = threading.Event()
    with RawCaller(fort.lan, fort.sip_port, host=fort.lan, caller=STRANGE, acknowledge=False) as stranger:

        def flood() -> None:
            while not over.is_set():
                stranger.invite(fort.line.number)
                stranger.pump(0.005)

        thread = threading.Thread(target=flood)
        thread.start()
        try:
            eventually(lambda: sum(m.status == 403 for m in list(stranger.messages)) > 100, 20, "a hundred refusals")
            fort.honest_call()
        finally:
            over.set()
            thread.join(10)
        sent = sum(m.method == "INVITE" for m in stranger.messages if not m.received)
        codes = Counter(m.status for m in stranger.messages if m.received)
        print(f"{sent} INVITEs of a stranger: {dict(codes)}")
        assert set(codes) <= {100, 403}, codes


def test_over_capacity_calls_are_refused_and_the_others_ring_on(fort: Fort) -> None:
    capacity = worker_row(fort.system)["capacity"]
    before = len(fort.system.events(kinds.CALL_ENDED))
    with ExitStack() as stack:
        callers = [stack.enter_context(RawCaller("127.0.0.1", fort.sip_port)) for _ in range(capacity)]
        for caller in callers:
            caller.invite(fort.line.number)
            caller.wait_for(180)
        late = stack.enter_context(RawCaller("127.0.0.1", fort.sip_port))
        late.invite(fort.line.number)
        assert "Retry-After" not in late.wait_for(503).text
        callers[0].cancel()
        callers[0].wait_for(487)
        eventually(lambda: _gets_in(late, fort.line.number), 10, "a free slot")
        for caller in [*callers[1:], late]:
            caller.cancel()
        for caller in [*callers[1:], late]:
            caller.wait_for(487)
    # A caller is told 180 before the store is: an empty desk may also be one that has not heard of the calls yet.
    gone = fort.tab.wait_until(lambda: _all_ended(fort.tab, before + capacity + 1), "all gone", 20)
    assert gone
    assert [line for line in log_lines(fort.system.log, "call_refused") if line["why"] == "full"]


def test_junk_over_udp_and_tcp_is_counted_and_nothing_more(fort: Fort) -> None:
    chance = random.Random(5060)
    before = worker_row(fort.system)["info"]["malformed"]
    honest = RawCaller("127.0.0.1", fort.sip_port)
    with honest, RawCaller(fort.lan, fort.sip_port, host=fort.lan) as stranger:
        whole = stranger.request("INVITE", 1, headers=["X-Long: " + "a" * 8000], body="v=0\r\n").encode()
        for _ in range(300):
            stranger.send(os.urandom(chance.randrange(1, 1400)))
            cut = bytearray(whole[: chance.randrange(20, len(whole))])
            cut[chance.randrange(len(cut))] = chance.randrange(256)
            stranger.send(bytes(cut))
            stranger.pump(0.001)
    with ExitStack() as stack:
        for number in range(50):
            tcp = stack.enter_context(socket.create_connection((fort.lan, fort.sip_port)))
            tcp.sendall(whole[: 40 + number] if number % 2 else os.urandom(2000) + b"\r\n\r\n")
        fort.honest_call()  # while they hold the connections
    eventually(lambda: worker_row(fort.system)["info"]["malformed"] > before, what="junk is counted")
    strange = [row for row in fort.system.events(kinds.CALL_ARRIVED) if row.event.data["trunk"] != "test-phone"]
    assert strange == []


def _all_ended(tab: Tab, calls: int) -> bool:
    ended = {frame["call_id"] for frame in tab.frames if frame.get("kind") == kinds.CALL_ENDED}
    return len(ended) >= calls and tab.view["calls"] == {}


def _gets_in(caller: RawCaller, number: str) -> bool:
    caller.invite(number)
    return caller.wait_for_any(180, 503).status == 180


def _live_calls(system: System) -> int:
    with system.store.read() as conn:
        return int(conn.exec_driver_sql("SELECT count(*) FROM calls WHERE ended_at IS NULL").scalar_one())


def _told(system: System, full: int) -> bool:
    """Whether the worker's heartbeat is from after the flood."""
    return bool(worker_row(system)["info"]["refused"].get("full", 0) >= full)

"""Flows walked through by real SIP: keys by RFC 4733 and by INFO, and every prompt proven by what the caller heard."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import insert, select

from aircall_core.ids import new_id
from aircall_core.store import tables as t
from tests.sip.kit import NUMBER, Agent, Site
from tests.support.audio import Samples, found, gaps, has_tone, level, noise, read_wav, silence, sounds, tone, write_wav
from tests.support.desk_kit import add_line
from tests.support.ivr_caller import RATE, IvrCaller
from tests.support.processes import eventually
from tests.support.sipp import Sipp

pytestmark = pytest.mark.sip
SITE = {"names": ("Ada",)}
SHIPPED = Path(__file__).parents[2] / "data" / "prompts"


def shipped(name: str, language: str = "en") -> Samples:
    return np.asarray(read_wav(SHIPPED / language / f"{name}.wav")[0][0])


class Company:
    """Prompts of the company, each a noise of its own."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.sounds: dict[str, Samples] = {}

    def prompt(self, name: str, sound: Samples | float = 1.2) -> dict[str, str]:
        """A step's reference to a prompt of this name: this sound, or so many seconds of noise."""
        prompt, number = new_id(), len(self.sounds)
        self.sounds[name] = noise(sound, RATE, number, -18) if isinstance(sound, float) else sound
        seconds = len(self.sounds[name]) / RATE
        write_wav(self.site.folder / "data" / f"{prompt}.wav", self.sounds[name], RATE)
        with self.site.store.write() as tx:
            tx.execute(insert(t.prompts).values(id=prompt, name=prompt, kind="uploaded", path=f"{prompt}.wav",
                                                duration_ms=round(seconds * 1000), created_at=1))  # fmt: skip
        return {"prompt": prompt}


@pytest.fixture
def company(site: Site) -> Company:
    return Company(site)


def caller_of(site: Site, number: str = "+33199005003") -> IvrCaller:
    return IvrCaller("127.0.0.1", site.port, caller=number)


def row_of(site: Site, table: Any, call: str) -> Any:
    with site.store.read() as conn:
        return conn.execute(select(table).where(table.c.call_id == call)).mappings().one_or_none()


def test_a_call_goes_through_a_menu_of_two_levels_types_a_number_waits_and_asks_for_a_call_back(
    site: Site, company: Company
) -> None:
    account = {"id": "account", "kind": "digits", "prompt": company.prompt("account"), "label": "Account"}
    sub = {"id": "sub", "kind": "menu", "prompt": company.prompt("sub"), "options": {"2": "Invoices"},
           "branches": {"2": [account]}}  # fmt: skip
    top = {"id": "top", "kind": "menu", "prompt": company.prompt("top", 3.0), "options": {"1": "Billing", "3": "All"},
           "branches": {"1": [sub], "3": []}}  # fmt: skip
    site.draw([top, {"id": "wait", "kind": "queue", "announce_first_s": 2, "announce_s": 30}])
    with ExitStack() as stack:
        first, second, third = (stack.enter_context(caller_of(site, f"+3319900500{one}")) for one in (1, 2, 4))
        talk = stack.enter_context(taken_by_ada(site, into_queue(site, first)))
        call = into_queue(site, second)
        eventually(lambda: len(second.heard()) > 3 * RATE, what="a wait that makes an estimate")
        talk.close()
        first.bye()
        stack.enter_context(taken_by_ada(site, call))  # Ada is busy from here on
        into_queue(site, third)
        for info in (False, True):
            ask_for_a_call_back(site, company, info=info)
        for caller in (second, third):
            caller.bye()
            site.wait("call.ended")


def into_queue(site: Site, caller: IvrCaller) -> str:
    """Goes straight into the queue of the flow above; the call's id."""
    caller.invite(NUMBER)
    caller.wait_for(200)
    caller.press("3")
    return str(site.wait("call.queued").event.call_id)


def taken_by_ada(site: Site, call: str) -> Agent:
    """She is rung, and answers."""
    assert site.wait("call.ringing").event.call_id == call
    agent = Agent(site, call, "Ada", tone(660, 1, RATE))
    site.accept(call, "Ada", agent.peer)
    site.wait("call.confirmed")
    return agent


def ask_for_a_call_back(site: Site, company: Company, *, info: bool) -> None:
    with caller_of(site) as caller:
        caller.invite(NUMBER)
        caller.wait_for(200)
        call = site.arrived()
        eventually(lambda: len(caller.heard()) > RATE, what="a second of the first prompt")
        caller.press("1", info=info)
        caller.wait_heard(company.sounds["sub"])
        assert not found(caller.heard(), company.sounds["top"], RATE), "a key cuts the prompt"
        caller.press("2", info=info)
        caller.wait_heard(company.sounds["account"])
        caller.press("4711#", info=info)
        queued = site.wait("call.queued").event
        assert (queued.call_id, queued.data["queue"]) == (call, f"line:{site.line}")
        names = ("queue-position-before", "digits/2", "queue-position-after", "estimate-before", "less-than-a-minute",
                 "callback-offer")  # fmt: skip
        told = [caller.wait_heard(shipped(name)) for name in names]
        assert told == sorted(told)
        music = caller.heard()[round((told[0] - 1.5) * RATE) : round((told[0] - 0.2) * RATE)]
        assert level(music) > -45, "music before the announcement"
        assert -3 < level(np.concatenate([shipped(name) for name in names])) - level(
            caller.heard()[round(told[0] * RATE) : round((told[-1] + 2) * RATE)]
        ) < 3  # fmt: skip
        caller.press("*", info=info)
        caller.wait_heard(shipped("callback-confirmed"))
        caller.wait_for_request("BYE", 10)
        assert site.wait("call.ended").event.data["outcome"] == "callback"
    row, wish = site.call(call), row_of(site, t.callbacks, call)
    assert [(one["key"], one["label"]) for one in row["path"]] == [("1", "Billing"), ("2", "Invoices")]
    assert [(one["label"], one["value"]) for one in row["digits"]] == [("Account", "4711")]
    assert (wish["state"], wish["number"], wish["queued_at"]) == ("waiting", "+33199005003", row["queued_at"])
    with site.store.write() as tx:  # the next caller shall stand where this one stood
        tx.execute(t.callbacks.delete().where(t.callbacks.c.call_id == call))


def test_music_goes_on_after_an_announcement_without_a_glitch(site: Site, company: Company) -> None:
    music = company.prompt("music", tone(350, 2, RATE, -20))
    site.draw([{"id": "wait", "kind": "queue", "if_unavailable": True, "music": music, "announce_first_s": 3,
                "announce_s": 60, "callback": False, "target": {"team": "nobody"}}])  # fmt: skip
    with caller_of(site) as caller:
        caller.invite(NUMBER)
        caller.wait_for(200)
        at = caller.wait_heard(shipped("queue-next"))
        lasts = len(shipped("queue-next")) / RATE
        eventually(lambda: len(caller.heard()) > (at + lasts + 3) * RATE, what="music again")
        heard = caller.heard()
        caller.bye()
        site.wait("call.ended")
    missing = [gap for gap in gaps(heard, 350, RATE) if gap.length_s > 0.03]
    assert missing, "the announcement is not over the music"
    outside = [gap for gap in missing if not at - 0.06 < gap.start_s < gap.start_s + gap.length_s < at + lasts + 0.06]
    assert not outside, f"announced from {at:.2f} to {at + lasts:.2f} s"
    for part in (heard[RATE : 2 * RATE], heard[-2 * RATE : -RATE]):
        assert level(part) == pytest.approx(-20, abs=0.5)


def test_a_caller_without_an_offer_is_picked_up_with_ours(site: Site, tmp_path: Path) -> None:
    site.draw([{"id": "wait", "kind": "queue", "if_unavailable": True}])
    with Sipp("late_offer", f"127.0.0.1:{site.port}", tmp_path, number=NUMBER, hold_ms=1500) as sipp:
        result = sipp.result()
    assert (result.successful, result.failed) == (1, 0), sipp.why
    assert site.wait("call.picked_up").event.call_id == site.wait("call.ended").event.call_id


@pytest.mark.in_pairs
def test_a_voicemail_is_recorded_as_loud_as_it_was_said_and_only_if_something_was(site: Site) -> None:
    site.draw([{"id": "mail", "kind": "voicemail"}])
    with caller_of(site) as caller:
        caller.invite(NUMBER)
        caller.wait_for(200)
        call = site.arrived()
        greeting = caller.wait_heard(shipped("voicemail"))
        beep = caller.wait_heard(shipped("beep"))
        assert beep - greeting == pytest.approx(len(shipped("voicemail")) / RATE, abs=0.1)
        site.wait("call.recording", state="started")
        caller.speak(np.concatenate([tone(440, 2.5, RATE, -20), silence(0.5, RATE), tone(440, 1, RATE, -20)]))
        caller.press("#")
        caller.wait_heard(shipped("goodbye"))
        caller.wait_for_request("BYE", 10)
        saved = site.wait("call.recording", state="saved").event
        assert saved.call_id == call
        assert site.wait("call.ended").event.data["outcome"] == "voicemail"
    row = row_of(site, t.recordings, call)
    assert row["kind"] == "voicemail"
    channels, rate = read_wav(site.folder / "data" / row["path"])
    assert channels.shape == (1, row["duration_ms"] * rate // 1000)
    assert 3.5 < row["duration_ms"] / 1000 < 6
    sounding = channels[0][np.abs(channels[0]) > 0.01]
    assert 3.0 < len(sounding) / rate < 3.7, "all that was said, and no beep"
    assert level(channels[0][rate : 2 * rate]) == pytest.approx(-20, abs=1)
    assert sounds(channels[0][rate : 2 * rate], 440, rate)


@pytest.mark.parametrize("heard", ["voicemail", "beep"])
def test_who_hangs_up_in_the_greeting_or_says_nothing_leaves_no_voicemail(site: Site, heard: str) -> None:
    site.draw([{"id": "mail", "kind": "voicemail"}])
    with caller_of(site) as caller:
        caller.invite(NUMBER)
        caller.wait_for(200)
        call = site.arrived()
        if heard == "voicemail":
            eventually(lambda: len(caller.heard()) > RATE, what="a second of the greeting")
        else:
            site.wait("call.recording", state="started")
            caller.speak(np.concatenate([tone(440, 1, RATE), silence(2, RATE)]))
        caller.bye()
        caller.wait_for(200, "BYE")
        assert site.wait("call.ended").event.data["outcome"] != "voicemail"
    assert row_of(site, t.recordings, call) is None
    assert not list((site.folder / "data").glob(f"recordings/**/{call}*"))


def test_a_flow_that_is_edited_while_a_call_is_in_it_changes_for_the_next_caller(site: Site, company: Company) -> None:
    old, new = company.prompt("old"), company.prompt("new")
    top = {"id": "top", "kind": "menu", "prompt": company.prompt("menu"), "options": {"1": "One"}}
    bye = {"id": "bye", "kind": "hang_up"}
    site.draw([{**top, "branches": {"1": [{"id": "one", "kind": "message", "prompt": old}]}}, bye])
    for prompt, other in (("old", "new"), ("new", "old")):
        with caller_of(site) as caller:
            caller.invite(NUMBER)
            caller.wait_for(200)
            caller.wait_heard(company.sounds["menu"])
            site.draw([{**top, "branches": {"1": [{"id": "one", "kind": "message", "prompt": new}]}}, bye])
            caller.press("1")
            caller.wait_for_request("BYE", 10)
            assert found(caller.heard(), company.sounds[prompt], RATE)
            assert not found(caller.heard(), company.sounds[other], RATE)
            site.wait("call.ended", reason="hang_up")


# ---- lookup


class Service(BaseHTTPRequestHandler):
    """A customer's service: each path answers in its own way."""

    asked: list[tuple[str, bytes, str]] = []  # noqa: RUF012 - the test's own notebook
    answers: dict[str, bytes] = {}  # noqa: RUF012
    release = threading.Event()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append((self.path, body, self.headers.get("Authorization", "")))
        if self.path == "/slow":
            self.release.wait(10)
        answer = self.answers.get(self.path, b"")
        self.send_response(302 if self.path == "/moved" else 200)
        if self.path == "/moved":
            self.send_header("Location", "/good")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Not into the test's output."""


@pytest.fixture
def service() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    Service.asked.clear()
    Service.release.clear()
    yield f"http://127.0.0.1:{server.server_port}"
    Service.release.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("path", ["/good", "/slow", "/garbage", "/moved", "/endless"])
def test_a_lookup_that_does_not_answer_as_agreed_is_passed_over(
    site: Site, company: Company, service: str, path: str
) -> None:
    good = b'{"branch": "vip"}'
    Service.answers = {"/good": good, "/slow": good, "/moved": good, "/garbage": b"<html>", "/endless": b" " * 99_999}
    vip = {"id": "vip", "kind": "message", "prompt": company.prompt("vip")}
    other = {"id": "other", "kind": "message", "prompt": company.prompt("other")}
    site.draw([
        {"id": "pin", "kind": "digits", "prompt": company.prompt("pin"), "length": 4, "shown": False, "label": "PIN"},
        {"id": "look", "kind": "lookup", "url": service + path, "timeout_s": 1,
         "branches": {"vip": [vip, {"id": "bye", "kind": "hang_up"}]}}, other, {"id": "bye2", "kind": "hang_up"},
    ])  # fmt: skip
    with caller_of(site) as caller:
        caller.invite(NUMBER)
        caller.wait_for(200)
        call = site.arrived()
        caller.wait_heard(company.sounds["pin"])
        caller.press("1234")
        caller.wait_heard(company.sounds["vip" if path == "/good" else "other"])
        caller.wait_for_request("BYE", 10)
        site.wait("call.ended", reason="hang_up")
    assert [path_ for path_, _, _ in Service.asked] == [path], "no redirect is followed, nothing is asked twice"
    asked = json.loads(Service.asked[0][1])
    assert (asked["call"], asked["line"], asked["from"]) == (call, site.line, "+33199005003")
    assert asked["digits"] == [{"step": "pin", "label": "PIN", "value": "1234"}]
    assert not site.call(call)["digits"], "hidden from the agent, and not kept"


# ---- elsewhere


def test_redirected_to_another_line_its_flow_and_its_language_go_on(site: Site) -> None:
    with site.store.write() as tx:
        other = add_line(tx, number="+33199000777")
        tx.execute(t.lines.update().where(t.lines.c.id == other).values(language="fr"))
    site.draw([{"id": "mail", "kind": "voicemail"}], other)
    site.draw([{"id": "go", "kind": "redirect", "line": other}])
    with caller_of(site) as caller:
        caller.invite(NUMBER)
        caller.wait_for(200)
        caller.wait_heard(shipped("voicemail", "fr"))
        redirected = site.wait("call.redirected").event
        assert (redirected.line_id, redirected.data["from_line"]) == (other, site.line)
        caller.bye()
        ended = site.wait("call.ended").event
    assert (ended.line_id, site.call(str(ended.call_id))["line_id"]) == (other, other)


def test_after_a_message_the_caller_hears_it_ring_until_an_agent_comes(site: Site, company: Company) -> None:
    site.draw([{"id": "hi", "kind": "message", "prompt": company.prompt("hi")}, {"id": "ring", "kind": "ring"}])
    with caller_of(site) as caller:
        caller.invite(NUMBER)
        caller.wait_for(200)
        call = site.arrived()
        hello = caller.wait_heard(company.sounds["hi"])
        site.wait("call.ringing")
        eventually(lambda: len(caller.heard()) > (hello + 2.6) * RATE, what="a second of ringing")
        rung = caller.heard()[round((hello + 1.7) * RATE) : round((hello + 2.5) * RATE)]
        assert has_tone(rung, 440, RATE), "the French ringing tone"
        with Agent(site, call, "Ada", tone(660, 1, RATE)) as agent:
            site.accept(call, "Ada", agent.peer)
            site.wait("call.answered")
            site.wait("call.confirmed")
            before = len(caller.heard())
            eventually(lambda: len(caller.heard()) > before + 2 * RATE, what="two seconds of talk")
            assert sounds(caller.heard()[before + RATE : before + 2 * RATE], 660, RATE)
            caller.bye()
            assert site.wait("call.ended").event.data["outcome"] == "answered"
    assert [m.status for m in caller.received() if m.status == 200 and m.method == "INVITE"] == [200]


def test_a_blocked_caller_hears_so_and_is_declined_and_leaves_no_trace(site: Site) -> None:
    with site.store.write() as tx:
        tx.execute(insert(t.blocked_numbers).values(id=new_id(), pattern="+33199005666", created_at=1))
    before = site.store.last_seq()
    with caller_of(site, "+33199005666") as caller:
        caller.invite(NUMBER)
        caller.wait_for(183)
        caller.wait_heard(shipped("blocked"))
        caller.wait_for(603)
    assert site.store.last_seq() == before


def test_a_dead_worker_says_goodbye_to_those_in_the_flow_and_saves_their_voicemail(
    tmp_path: Path, sqlite_url: str
) -> None:
    flow = [{"id": "top", "kind": "menu", "prompt": {"shipped": "queue-next"}, "wait_s": 60,
             "branches": {"1": [{"id": "mail", "kind": "voicemail"}]}}]  # fmt: skip
    with Site(tmp_path, sqlite_url, flow=flow) as site, caller_of(site) as waits, caller_of(site) as speaks:
        worker = site.worker()
        calls = []
        for caller in (waits, speaks):
            caller.invite(NUMBER)
            caller.wait_for(200)
            calls.append(site.arrived())
        speaks.press("1")
        site.wait("call.recording", state="started")
        speaks.speak(tone(440, 3.5, RATE))
        worker.kill()
        worker.wait()
        with site.worker("worker-again"):
            for caller in (waits, speaks):
                caller.wait_for_request("BYE")
            lost = [site.wait("call.ended").event for _ in calls]
            saved = site.wait("call.recording", state="saved").event
        assert {str(one.call_id) for one in lost} == set(calls)
        assert {one.data["outcome"] for one in lost} == {"lost"}
        assert saved.call_id == calls[1]
        channels, rate = read_wav(site.folder / "data" / row_of(site, t.recordings, calls[1])["path"])
        assert sounds(channels[0][rate : 2 * rate], 440, rate)

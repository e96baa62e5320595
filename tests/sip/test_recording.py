"""Recording by the line's wish: with a spoken notice before anybody talks, and never at the price of a full disk."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from aircall_core.desk import lines
from aircall_core.desk import talk as desk
from tests.sip.kit import NUMBER, RATE, Agent, Caller, Site
from tests.support.audio import Samples, from_pcm, level, read_wav, sounds, tone, tone_level
from tests.support.floor import LiveCaller
from tests.support.peers import TestPhone
from tests.support.processes import eventually

pytestmark = pytest.mark.sip
AGENT_HZ, CALLER_HZ = 660.0, 440.0
NOTICE = Path(__file__).parents[2] / "data/prompts/en/recording-notice.wav"


@pytest.fixture
def site(tmp_path: Path, sqlite_url: str) -> Iterator[Site]:
    """A line that records with notice."""
    with Site(tmp_path, sqlite_url, recording="notice") as opened:
        yield opened


def test_the_notice_comes_first_and_is_not_recorded(site: Site, tmp_path: Path) -> None:
    record = tmp_path / "phone-heard.wav"
    samples, rate = read_wav(NOTICE)
    notice = samples.shape[1] / rate
    with (
        site.worker(),
        TestPhone.call(
            tmp_path, NUMBER, server=f"127.0.0.1:{site.port}", audio=tone(CALLER_HZ, 1, RATE), record=record
        ) as phone,
    ):
        call = site.arrived()
        with Agent(site, call, "Ada", tone(AGENT_HZ, 1, RATE)) as agent:
            site.accept(call, "Ada", agent.peer)
            answered = site.wait("call.answered")
            started = site.wait("call.recording", 20, state="started")
            assert started.at - answered.at > notice * 1000 - 300
            wanted = len(agent.heard) + 100
            eventually(lambda: len(agent.heard) > wanted, what="two seconds of talk")
            phone.hang_up()
            ended = site.wait("call.ended")
        saved = site.wait("call.recording", state="saved")
        phone.wait(10)
    talked = int(str(ended.event.data["duration_ms"])) / 1000 - notice
    assert int(str(saved.event.data["duration_ms"])) / 1000 == pytest.approx(talked, abs=0.7)
    heard, rate = read_wav(record)
    during = heard[0][round(0.5 * rate) : round((notice - 0.5) * rate)]
    assert level(during) > -40, "no notice"
    assert tone_level(during, AGENT_HZ, rate) < -45, "the agent was heard before the notice was over"
    after = heard[0][round((notice + 0.7) * rate) : round((notice + 1.7) * rate)]
    assert sounds(after, AGENT_HZ, rate)
    assert level(from_pcm(agent.pcm)[: round(notice * RATE)]) > -40, "the agent hears it too"


def test_a_pause_is_spoken_of_and_hold_pauses_where_the_line_wants_so(tmp_path: Path, sqlite_url: str) -> None:
    with Site(tmp_path, sqlite_url, recording="on") as site:
        with site.store.write() as tx:
            lines.change(tx, "system", site.line, pause_on_hold=True, pause_notice=True)
        with site.worker(), LiveCaller("127.0.0.1", site.port) as caller:
            caller.call(NUMBER, CALLER_HZ, answered=False)
            call = site.arrived()
            with Agent(site, call, "Ada", tone(AGENT_HZ, 1, RATE)) as agent:
                site.accept(call, "Ada", agent.peer)
                site.wait("call.recording", state="started")
                site.do(desk.hold, call, "Ada", held=True)
                assert site.wait("call.recording", state="paused").event.data["reason"] == "hold"
                site.do(desk.record, call, "Ada", on=False)
                site.wait("call.recording", state="paused", reason="agent")
                caller.wait_heard(spoken("recording-paused"))
                site.do(desk.hold, call, "Ada", held=False)
                site.wait("call.held", held=False)
                command = site.do(desk.record, call, "Ada", on=True)
                resumed = site.wait("call.recording", state="started")
                assert resumed.event.data["command"] == command, "not by the end of hold: the agent had paused it"
                caller.wait_heard(spoken("recording-resumed"))
                caller.bye()
                talked = int(str(site.wait("call.ended").event.data["duration_ms"]))
                saved = site.wait("call.recording", state="saved")
        assert int(str(saved.event.data["duration_ms"])) < talked - 2000, "hold and pause are absent"


def spoken(name: str) -> Samples:
    """The words of a prompt that ships, without the rest around them."""
    samples, rate = read_wav(NOTICE.with_name(f"{name}.wav"))
    return np.asarray(samples[0][round(0.2 * rate) : -round(0.2 * rate)])


DISK = """
import shutil, types
from pathlib import Path
shutil.disk_usage = lambda path: types.SimpleNamespace(free=0 if Path({flag!r}).exists() else 10**12)
"""


def test_a_full_disk_stops_the_recording_and_not_the_call(tmp_path: Path, sqlite_url: str) -> None:
    full = tmp_path / "full"
    with (
        Site(tmp_path, sqlite_url, recording="on", AIRCALL_MIN_FREE_DISK_MB="500") as site,
        site.worker(prelude=DISK.format(flag=str(full))) as worker,
        Caller("127.0.0.1", site.port) as caller,
    ):
        call = talk(site, caller)
        with call:
            full.touch()
            site.wait("call.recording", state="stopped", reason="disk")
            wanted = len(call.heard) + 25
            eventually(lambda: len(call.heard) > wanted, what="the call goes on")
            caller.bye()
            assert site.wait("call.ended").event.data["outcome"] == "answered"
        eventually(
            lambda: [row for row in site.events() if row.event.data.get("state") == "saved"], what="a saved part"
        )
        again = talk(site, caller)
        with again:
            site.wait("call.recording", state="failed", reason="disk")
            caller.bye()
            site.wait("call.ended")
        full.unlink()
        worker.wait_log("disk_fine")


def talk(site: Site, caller: Caller) -> Agent:
    """A call that is answered."""
    caller.invite(NUMBER)
    call = site.arrived()
    agent = Agent(site, call, "Ada", tone(AGENT_HZ, 1, RATE))
    site.accept(call, "Ada", agent.peer)
    caller.wait_for(200)
    return agent

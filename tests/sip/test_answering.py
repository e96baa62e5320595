"""A call is answered: 200 on the wire once the agent's audio is there, sound both ways, and every way it can end."""

import re
from pathlib import Path

import pytest

from aircall_core.desk import calls
from tests.sip.kit import NUMBER, RATE, Agent, Caller, Site, WorkerProcess
from tests.support.audio import Samples, from_pcm, gaps, level, read_wav, sounds, tone, tone_level
from tests.support.peers import TestPhone
from tests.support.processes import eventually
from tests.support.sipp import Sipp

pytestmark = pytest.mark.sip
SITE = {"names": ("Ada", "Ben"), "recording": "on", "AIRCALL_AGENT_AWAY_S": "5"}

CALLER_HZ, AGENT_HZ, OTHER_HZ = 440.0, 660.0, 880.0


def heard(agent: Agent) -> Samples:
    """What came from the caller."""
    return from_pcm(agent.pcm)


def agent_tone(frequency: float = AGENT_HZ) -> Samples:
    return tone(frequency, 1, RATE)


def answered(site: Site, agent_of: str = "Ada", frequency: float = AGENT_HZ) -> tuple[str, Agent]:
    """The call that rings now, answered by an agent."""
    call = site.arrived()
    agent = Agent(site, call, agent_of, agent_tone(frequency))
    site.accept(call, agent_of, agent.peer)
    site.wait("call.confirmed")
    talk(agent)
    return call, agent


def talk(agent: Agent, seconds: float = 1) -> None:
    """So much sound passes."""
    wanted = len(agent.heard) + round(seconds * 50)
    eventually(lambda: len(agent.heard) >= wanted, what="the agent hears the caller")


def test_sound_goes_both_ways_and_into_a_stereo_recording(site: Site, tmp_path: Path) -> None:
    record = tmp_path / "phone-heard.wav"
    sound = tone(CALLER_HZ, 1, RATE)
    with TestPhone.call(
        tmp_path, NUMBER, server=f"127.0.0.1:{site.port}", audio=sound, record=record, hangup_after=3
    ) as phone:
        call, agent = answered(site)
        with agent:
            ended = site.wait("call.ended")
        phone.wait(10)
    assert (ended.event.data["outcome"], ended.event.data["by"]) == ("answered", "caller")
    assert sounds(heard(agent)[RATE : 2 * RATE], CALLER_HZ, RATE)
    caller_heard, rate = read_wav(record)
    assert sounds(caller_heard[0][rate : 2 * rate], AGENT_HZ, rate)

    saved = site.wait("call.recording", state="saved")
    with site.store.read() as conn:
        path = str(conn.exec_driver_sql("select path from recordings where call_id = ?", (call,)).scalar_one())
    assert re.fullmatch(rf"recordings/\d{{4}}/\d\d/{call}\.wav", path)
    channels, rate = read_wav(site.folder / "data" / path)
    assert channels.shape[0] == 2
    middle = slice(rate, 2 * rate)
    assert sounds(channels[0][middle], CALLER_HZ, rate)
    assert sounds(channels[1][middle], AGENT_HZ, rate)
    assert tone_level(channels[0][middle], AGENT_HZ, rate) < -50, "the agent is in the caller's channel"
    assert abs(channels.shape[1] / rate * 1000 - int(saved.event.data["duration_ms"])) <= 1  # type: ignore[call-overload]
    assert not list((site.folder / "data/recordings/parts").rglob(f"{call}*"))


def test_hang_up_by_the_agent_sends_bye(site: Site) -> None:
    with Caller("127.0.0.1", site.port) as caller:
        caller.invite(NUMBER)
        call = site.arrived()
        with Agent(site, call, "Ada", agent_tone()) as agent:
            site.accept(call, "Ada", agent.peer)
            caller.wait_for(200)
            site.wait("call.confirmed")
            command = site.do(calls.hang_up, call, "Ada")
            assert caller.wait_for_request("BYE").header("Reason").startswith("SIP;cause=200")
            ended = site.wait("call.ended")
            eventually(lambda: agent.said[-1] == {"close": "call ended"}, what="the gateway is told")
        assert (ended.event.data["by"], ended.event.data["command"]) == ("agent", command)


def test_mute_silences_the_agent_and_nothing_else(site: Site, tmp_path: Path) -> None:
    record = tmp_path / "muted.wav"
    with TestPhone.call(
        tmp_path, NUMBER, server=f"127.0.0.1:{site.port}", audio=tone(CALLER_HZ, 1, RATE), record=record
    ) as phone:
        call, agent = answered(site)
        with agent:
            command = site.do(calls.mute, call, "Ada", muted=True)
            assert site.wait("call.muted").event.data == {"command": command, "muted": True}
            talk(agent, 1.5)
            site.do(calls.mute, call, "Ada", muted=False)
            site.wait("call.muted", muted=False)
            talk(agent)
            site.do(calls.hang_up, call, "Ada")
            site.wait("call.ended")
        phone.wait(10)
    samples, rate = read_wav(record)
    quiet = [gap for gap in gaps(samples[0], AGENT_HZ, rate) if gap.length_s > 0.3]
    assert len(quiet) == 1
    assert 1.2 < quiet[0].length_s < 2.5


def test_music_while_the_agents_audio_is_away(site: Site, tmp_path: Path) -> None:
    record = tmp_path / "away.wav"
    with TestPhone.call(
        tmp_path, NUMBER, server=f"127.0.0.1:{site.port}", audio=tone(CALLER_HZ, 1, RATE), record=record
    ) as phone:
        call, agent = answered(site)
        with agent:
            agent.muted.set()
            assert site.wait("call.agent_away").event.data["reason"] == "silence"
            assert site.call(call)["agent_away"]
            talk(agent, 1.2)
            agent.muted.clear()
            site.wait("call.agent_back")
            talk(agent)
        site.wait("call.agent_away", reason="link")  # the gateway is gone
        with Agent(site, call, "Ada", agent_tone(OTHER_HZ)) as again:
            site.move_audio(call, "Ada", again.peer)
            site.wait("call.agent_back")
            talk(again)
            phone.hang_up()
            site.wait("call.ended")
            assert sounds(heard(again)[RATE // 2 : RATE], CALLER_HZ, RATE)
        phone.wait(10)
    samples, rate = read_wav(record)
    away = next(gap for gap in gaps(samples[0], AGENT_HZ, rate) if gap.length_s > 0.5)
    start = round((away.start_s + 0.6) * rate)
    assert tone_level(samples[0][start : start + rate // 2], AGENT_HZ, rate) < -40
    assert level(samples[0][start : start + rate // 2]) > -45, "no music"
    assert sounds(samples[0][-rate // 2 :], OTHER_HZ, rate)


def test_another_user_is_rung_when_the_agent_stays_away(site: Site) -> None:
    with Caller("127.0.0.1", site.port) as caller:
        caller.invite(NUMBER)
        call, agent = answered_raw(site, caller)
        agent.close()
        site.wait("call.agent_away")
        returned = site.wait("call.returned", 10)
        assert returned.event.data["ringing"] == [site.users["Ben"]]
        with Agent(site, call, "Ben", agent_tone(OTHER_HZ)) as ben:
            site.accept(call, "Ben", ben.peer)
            assert site.wait("call.answered").event.user_id == site.users["Ben"]
            talk(ben, 0.5)
            caller.bye()
            ended = site.wait("call.ended")
        assert ended.event.data["outcome"] == "answered"


def answered_raw(site: Site, caller: Caller) -> tuple[str, Agent]:
    """As `answered`, for a caller that must be pumped by hand."""
    call = site.arrived()
    agent = Agent(site, call, "Ada", agent_tone())
    site.accept(call, "Ada", agent.peer)
    caller.wait_for(200)
    site.wait("call.confirmed")
    return call, agent


def test_call_without_sdp_is_answered_with_our_offer(site: Site, tmp_path: Path) -> None:
    with Sipp("late_offer", f"127.0.0.1:{site.port}", tmp_path, hold_ms=1500, audio=tone(CALLER_HZ, 4, RATE)) as caller:
        _call, agent = answered(site)
        with agent:
            site.wait("call.ended")
        assert caller.result().successful == 1, caller.why
    assert sounds(heard(agent)[RATE // 2 : RATE], CALLER_HZ, RATE)


def test_hold_by_the_caller_is_no_silence(site: Site, tmp_path: Path) -> None:
    with Sipp("hold", f"127.0.0.1:{site.port}", tmp_path, hold_ms=1000, audio=tone(CALLER_HZ, 8, RATE)) as caller:
        _call, agent = answered(site)
        with agent:
            ended = site.wait("call.ended")
        assert caller.result().successful == 1, caller.why
    assert ended.event.data["by"] == "caller"
    assert sounds(heard(agent)[-RATE // 2 :], CALLER_HZ, RATE), "the caller is not heard after the hold"


def test_a_caller_who_vanishes_is_noticed(site: Site) -> None:
    with Caller("127.0.0.1", site.port) as caller:
        caller.invite(NUMBER)
        _call, agent = answered_raw(site, caller)  # it never sends RTP
        with agent:
            ended = site.wait("call.ended")
        assert (ended.event.data["by"], ended.event.data["reason"]) == ("system", "rtp_timeout")
        caller.wait_for_request("BYE")


def test_a_gateway_that_says_nonsense_is_refused(site: Site, worker: WorkerProcess) -> None:
    with Agent(site, "no-such-call", "Ada", agent_tone()) as agent:
        assert agent.said == [{"refused": "no such call"}]


def missing(samples: Samples, frequency: float) -> float:
    """Seconds without the tone. A loaded machine makes some, clocks that drift apart would make many."""
    return sum(gap.length_s for gap in gaps(samples, frequency, RATE))


@pytest.mark.in_pairs
def test_what_the_agent_says_is_not_lost_in_a_long_call(site: Site, tmp_path: Path) -> None:
    """The two 20 ms clocks drift: neither side's queue may creep or run dry."""
    record = tmp_path / "long.wav"
    with (
        TestPhone.call(
            tmp_path, NUMBER, server=f"127.0.0.1:{site.port}", audio=tone(CALLER_HZ, 1, RATE), record=record
        ) as phone,
    ):
        call = site.arrived()
        with Agent(site, call, "Ada", tone(AGENT_HZ, 1, RATE)) as agent:
            site.accept(call, "Ada", agent.peer)
            eventually(lambda: len(agent.heard) > 500, timeout=20, what="ten seconds of talk")
            phone.hang_up()
            site.wait("call.ended")
            heard = from_pcm(agent.pcm)
        phone.wait(10)
    samples, rate = read_wav(record)
    assert missing(samples[0][rate : 9 * rate], AGENT_HZ) < 0.5
    assert missing(heard[RATE : 9 * RATE], CALLER_HZ) < 0.5
    assert len(heard) / RATE > 9.5

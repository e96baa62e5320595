"""Before the answer: who gives up, who rejects, who is too slow, and what the caller hears when nobody comes."""

from pathlib import Path

import pytest

from aircall_core.desk import availability, calls
from aircall_core.desk.errors import DeskError
from tests.sip.kit import NUMBER, RATE, Agent, Caller, Site
from tests.support.audio import level, read_wav, tone
from tests.support.peers import TestPhone
from tests.support.processes import eventually

pytestmark = pytest.mark.sip
SITE = {"names": ("Ada", "Ben"), "ring_s": 4, "AIRCALL_ACCEPT_TIMEOUT_MS": "600"}


def test_caller_gives_up(site: Site) -> None:
    with Caller("127.0.0.1", site.port) as caller:
        caller.invite(NUMBER)
        caller.wait_for(180)
        site.arrived()
        caller.cancel()
        caller.wait_for(487)
        ended = site.wait("call.ended")
    assert ended.event.data["outcome"] == "abandoned"
    assert (ended.event.data["by"], ended.event.data["sip_code"]) == ("caller", 487)


def test_accept_without_audio_fails_and_ringing_goes_on(site: Site) -> None:
    with Caller("127.0.0.1", site.port) as caller:
        caller.invite(NUMBER)
        call = site.arrived()
        command = site.accept(call, "Ada", "peer-that-never-comes")
        failed = site.wait("call.accept_failed")
        assert failed.event.data == {"command": command, "reason": "no_audio"}
        with Agent(site, call, "Ben", tone(660, 1, RATE)) as agent:
            site.accept(call, "Ben", agent.peer)
            caller.wait_for(200)
            site.wait("call.confirmed")
            caller.bye()
            site.wait("call.ended")


def test_audio_that_comes_after_the_accept_is_in_time(site: Site) -> None:
    with Caller("127.0.0.1", site.port) as caller:
        caller.invite(NUMBER)
        call = site.arrived()
        site.accept(call, "Ada", "late-peer-1234")
        site.wait("call.accepting")
        with Agent(site, call, "Ada", tone(660, 1, RATE), peer="late-peer-1234"):
            caller.wait_for(200)
            caller.bye()
            site.wait("call.ended")


def test_caller_gives_up_while_the_accept_is_in_flight(site: Site) -> None:
    with Caller("127.0.0.1", site.port) as caller:
        caller.invite(NUMBER)
        call = site.arrived()
        command = site.accept(call, "Ada", "peer-that-never-comes")
        caller.cancel()
        caller.wait_for(487)
        assert site.wait("call.ended").event.data["outcome"] == "abandoned"

    def answers() -> list[str]:
        ends = ("call.accept_failed", "command.failed")
        return [row.kind for row in site.events(call) if row.kind in ends and row.event.data["command"] == command]

    assert len(eventually(answers, what="the command's end")) == 1
    with pytest.raises(DeskError, match="hung up"):
        site.accept(call, "Ada", "another-peer")


def test_rejected_by_all_the_message_plays_at_once(site: Site) -> None:
    with Caller("127.0.0.1", site.port) as caller:
        caller.invite(NUMBER)
        call = site.arrived()
        site.do(calls.reject, call, "Ada")
        site.do(calls.reject, call, "Ben")
        assert site.wait("call.overflow").event.data["reason"] == "all_rejected"
        caller.wait_for(183)
        caller.cancel()
        assert site.wait("call.ended").event.data["outcome"] == "missed"


def test_nobody_answers_in_time_the_caller_is_told(site: Site, tmp_path: Path) -> None:
    record = tmp_path / "message.wav"
    with TestPhone.call(tmp_path, NUMBER, server=f"127.0.0.1:{site.port}", record=record) as phone:
        call = site.arrived()
        with Agent(site, call, "Ada", tone(660, 1, RATE)) as agent:  # offered while it rings, never accepted
            assert site.wait("call.overflow", 10).event.data["reason"] == "timeout"
            eventually(lambda: agent.said[-1] == {"close": "ringing ended"}, what="the gateway is told")
        ended = site.wait("call.ended")
        phone.wait(10)
    assert (ended.event.data["outcome"], ended.event.data["sip_code"]) == ("missed", 480)
    samples, rate = read_wav(record)
    prompt, _ = read_wav(Path("data/prompts/en/nobody-available.wav"))
    assert abs(samples.shape[1] / rate - prompt.shape[1] / rate) < 0.6, "the message was cut"
    assert level(samples[0]) > -40
    with pytest.raises(DeskError, match="over"):
        site.accept(call, "Ada", "too-late-peer")


def test_nobody_to_ring_the_caller_is_told_without_ringing_time(site: Site) -> None:
    with site.store.write() as tx:
        for user in site.users.values():
            availability.set_duty(tx, user, on=False, command="off-duty")
    try:
        with Caller("127.0.0.1", site.port) as caller:
            caller.invite(NUMBER)
            caller.wait_for(183)
            assert site.wait("call.overflow").event.data["reason"] == "nobody"
            caller.wait_for(480, timeout=15)
            assert site.wait("call.ended").event.data["outcome"] == "missed"
    finally:
        with site.store.write() as tx:
            for user in site.users.values():
                availability.set_duty(tx, user, on=True, command="on-duty")


def test_nobody_answers_a_call_without_sdp(site: Site) -> None:
    """Without an offer there is no early media: the call is refused without a message."""
    with Caller("127.0.0.1", site.port) as caller:
        caller.invite(NUMBER, sdp=False)
        call = site.arrived()
        site.do(calls.reject, call, "Ada")
        site.do(calls.reject, call, "Ben")
        caller.wait_for(480, timeout=3)
        site.wait("call.ended")


def test_one_after_another_is_rung_each_for_their_own_time(site: Site) -> None:
    usual = [{"id": "ring", "kind": "ring", "total_s": 4}]
    site.draw([{"id": "ring", "kind": "ring", "strategy": "longest_idle", "user_s": 1, "total_s": 60}])
    try:
        with Caller("127.0.0.1", site.port) as caller:
            caller.invite(NUMBER)
            first = site.wait("call.ringing").event
            missed = site.wait("call.ring_stopped").event
            second = site.wait("call.ringing").event
            assert (missed.user_id, missed.data["reason"]) == (first.user_id, "missed")
            assert {first.user_id, second.user_id} == set(site.users.values())
            assert site.wait("call.ring_stopped").event.user_id == second.user_id
            assert site.wait("call.overflow").event.data["reason"] == "timeout", "nobody is left, so nobody waits"
            caller.cancel()
            site.wait("call.ended")
    finally:
        site.draw(usual)

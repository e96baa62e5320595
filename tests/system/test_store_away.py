"""PostgreSQL stops in the middle of the day: calls go on without it, and it learns all of it afterwards."""

import time
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from aircall_core.domain import events as kinds
from tests.support.audio import Samples, gaps, read_wav, tone, tone_level
from tests.support.databases import Postgres
from tests.support.desk_system import System
from tests.support.processes import eventually
from tests.support.rawsip import RawCaller
from tests.system.kit import AGENT_HZ, CALLER_HZ, begin_talk, log_lines, next_ring

pytestmark = [pytest.mark.sip, pytest.mark.postgres, pytest.mark.timeout(240)]


@pytest.mark.parametrize(
    ("outage_s", "how"),
    [
        pytest.param(6.0, "fast", id="6s"),
        pytest.param(30.0, "fast", id="30s", marks=pytest.mark.soak),
        pytest.param(30.0, "immediate", id="30s-crash", marks=pytest.mark.soak),
    ],
)
def test_calls_go_on_while_the_store_is_away_and_it_learns_all_of_it(
    tmp_path: Path, postgres_server: Postgres, postgres_url: str, outage_s: float, how: str
) -> None:
    with System(tmp_path, database_url=postgres_url, min_free_disk_mb=0) as system:
        ada, bob, cleo = users = [system.add_user(name) for name in ("Ada", "Bob", "Cleo")]
        line = system.add_line("+33199000001", users, ring_s=120)
        tabs = {user.id: system.on_duty(user) for user in users}
        pids = {role: system.pid(role) for role in ("worker", "desk", "gateway")}
        known: set[str] = set()
        talk = begin_talk(system, line, ada, tabs[ada.id], known, record=tmp_path / "heard.wav")
        waiting = system.phone_call(line, audio=tone(CALLER_HZ, 1, 8000))
        ringing = next_ring(tabs[bob.id], bob, known)
        waiting.wait_for("ringing")

        postgres_server.stop(how)
        stopped_at = time.monotonic()
        try:
            asked_at = time.monotonic()
            body = {"command": "command-in-outage", "peer": "peer-in-outage", "tab": tabs[bob.id].id}
            refused = system.post(bob, f"/desk/calls/{ringing}/accept", body)
            print(f"accept while the store is away: {refused.status_code} in {time.monotonic() - asked_at:.2f} s")
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "store_away")
            assert system.http.get("/healthz").status_code == 200
            readiness = system.http.get("/readyz")
            assert (readiness.status_code, readiness.json()["reasons"][0]["code"]) == (503, "store_away")
            with pytest.raises(InvalidStatus, match="503"):
                system.open_tab(bob)
            # Facts of every kind fall into the outage: the agent's network goes and comes, a call ends, calls arrive.
            talk.agent.network(up=False)
            _pass(0.8)
            talk.agent.network(up=True)
            with RawCaller("127.0.0.1", system.settings.sip_port) as gone:
                gone.invite(line.number)
                gone.wait_for(180)
                gone.cancel()
                gone.wait_for(487)
            _pass(max(0.0, stopped_at + outage_s * 0.6 - time.monotonic()))
            newcomer = system.phone_call(line, audio=tone(CALLER_HZ, 1, 8000))
            assert newcomer.wait_for("ringing")["code"] == 180
            _pass(max(0.0, stopped_at + outage_s - 1 - time.monotonic()))
            talk.phone.hang_up()
            talk.phone.wait_for("ended")
            hung_up_at = time.time() * 1000
            _pass(max(0.0, stopped_at + outage_s - time.monotonic()))
            assert [one for one in waiting.happenings.seen if one["event"] == "ended"] == []
        finally:
            postgres_server.start()

        # The one that rang all the time is answered now, the one that came meanwhile is rung for and answered.
        tabs[bob.id].wait_for("call.ended", call_id=talk.id, timeout=20)
        agent = system.accept(bob, tabs[bob.id], ringing, voice=tone(AGENT_HZ, 1, 8000))
        waiting.wait_for("answered")
        tabs[bob.id].wait_for("call.confirmed", call_id=ringing)
        late = next_ring(tabs[cleo.id], cleo, known)
        second = system.accept(cleo, tabs[cleo.id], late, voice=tone(AGENT_HZ, 1, 8000))
        newcomer.wait_for("answered")
        tabs[cleo.id].wait_for("call.confirmed", call_id=late)
        for phone, link, call_id in ((waiting, agent, ringing), (newcomer, second, late)):
            phone.hang_up()
            phone.wait_for("ended")
            system.wait_for("call.ended", call_id=call_id)
            assert link.ended.wait(10)

        assert {role: system.pid(role) for role in pids} == pids, "something was restarted"
        assert not any(tab.closed for tab in tabs.values())
        assert system.open_tab(bob).view["duty"]
        rows = system.events()
        assert [row.seq for row in rows] == sorted(row.seq for row in rows)
        assert [row for row in rows if row.kind == kinds.NODE_LOST] == []
        assert [row.event.data["outcome"] for row in rows if row.kind == kinds.CALL_ENDED and
                row.event.data["outcome"] == "lost"] == []  # fmt: skip
        story = [row for row in rows if row.event.call_id == talk.id and row.kind != kinds.CALL_RINGING]
        assert [row.kind for row in story] == [
            kinds.CONVERSATION_OPENED, kinds.CALL_ARRIVED, kinds.CALL_QUEUED,
            kinds.CALL_ACCEPTING, kinds.CALL_ANSWERED, kinds.CALL_CONFIRMED,
            kinds.CALL_AGENT_AWAY, kinds.CALL_AGENT_BACK, kinds.CALL_ENDED,
        ]  # fmt: skip
        ended: dict[str, Any] = dict(story[-1].event.data)
        assert (ended["outcome"], ended["by"]) == ("answered", "caller")
        assert abs(ended["ended_at"] - hung_up_at) < 1500, "the end is told with the time it had"
        abandoned = [
            row for row in rows if row.kind == kinds.CALL_ENDED and row.event.data["outcome"] == "abandoned"
        ]  # fmt: skip
        assert len(abandoned) == 1
        told = [row.kind for row in rows if row.event.call_id == abandoned[0].event.call_id]
        assert (told[-1], told.count(kinds.CALL_ENDED), told.count(kinds.CALL_ARRIVED)) == (kinds.CALL_ENDED, 1, 1)
        assert log_lines(system.log, "fact_lost") == []
        assert not list((system.settings.data_dir / "journal").glob("*")), "the journal is empty again"

    heard, rate = read_wav(tmp_path / "heard.wav")
    _check_agent_was_heard(heard[0], rate, outage_s)


def test_a_worker_that_dies_while_the_store_is_away_leaves_no_call_that_rings_for_ever(
    tmp_path: Path, postgres_server: Postgres, postgres_url: str
) -> None:
    with System(tmp_path, database_url=postgres_url, min_free_disk_mb=0) as system:
        ada, _ = users = [system.add_user(name) for name in ("Ada", "Bob")]
        line = system.add_line("+33199000001", users, ring_s=120)
        tabs = {user.id: system.on_duty(user) for user in users}
        known: set[str] = set()
        talk = begin_talk(system, line, ada, tabs[ada.id], known)
        postgres_server.stop()
        try:
            newcomer = system.phone_call(line)
            newcomer.wait_for("ringing")
            talk.phone.hang_up()
            talk.phone.wait_for("ended")
            journal = system.settings.data_dir / "journal" / "worker-0.jsonl"
            eventually(lambda: journal.exists() and journal.read_text().count("\n") >= 2, what="two facts on disk")
            old = system.kill("worker")
            system.wait_new("worker", old)
        finally:
            postgres_server.start()
        system.wait_ready()
        assert system.wait_for("call.ended", call_id=talk.id).event.data["outcome"] == "answered"
        arrived = [row.event.call_id for row in system.events(kinds.CALL_ARRIVED) if row.event.call_id != talk.id]
        assert len(arrived) == 1
        assert system.wait_for("call.ended", call_id=arrived[0]).event.data["outcome"] == "lost"
        assert not journal.exists()
        for tab in tabs.values():
            tab.wait_for("call.ended", call_id=arrived[0])
            assert tab.view["calls"] == {}
        assert begin_talk(system, line, ada, tabs[ada.id], known).id not in (talk.id, *arrived)


def _check_agent_was_heard(samples: Samples, rate: int, outage_s: float) -> None:
    """The caller heard the agent all the time, but for the hole that the test made."""
    holes = [gap for gap in gaps(samples, AGENT_HZ, rate) if gap.length_s > 0.1]
    print(f"heard {len(samples) / rate:.1f} s; without the agent: {[(g.start_s, round(g.length_s, 2)) for g in holes]}")
    missing = float(sum(gap.length_s for gap in holes))
    sounding = len(samples) / rate - missing
    assert sounding >= outage_s - 2.5
    assert tone_level(samples[-rate:], AGENT_HZ, rate) > -30, "still there at the end"
    assert missing < 2.5


def _pass(seconds: float) -> None:
    """The outage lasts: time itself is what this test is about."""
    time.sleep(seconds)

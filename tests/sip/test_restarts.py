"""A worker that dies, is replaced, or is told to stop: what becomes of its calls, its far ends and its recordings."""

import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from aircall_core.desk import nodes
from tests.sip.kit import NUMBER, RATE, Agent, Caller, Site
from tests.support.audio import read_wav, sounds, tone
from tests.support.peers import TestPhone
from tests.support.processes import eventually

pytestmark = pytest.mark.sip
AGENT_HZ, CALLER_HZ = 660.0, 440.0


@pytest.fixture
def site(tmp_path: Path, sqlite_url: str) -> Iterator[Site]:
    """A site of the test's own."""
    with Site(tmp_path, sqlite_url, "Ada", "Ben", "Cleo", recording="on") as opened:
        yield opened


def answer(site: Site, caller: Caller, name: str = "Ada") -> tuple[str, Agent]:
    caller.invite(NUMBER)
    caller.wait_for(180)
    call = site.arrived()
    agent = Agent(site, call, name, tone(AGENT_HZ, 1, RATE))
    site.accept(call, name, agent.peer)
    caller.wait_for(200)
    site.wait("call.confirmed")
    return call, agent


def test_killed_with_three_calls(site: Site) -> None:
    """Closed as lost by the next life, the answered far end gets a BYE, and the next call works."""
    with ExitStack() as stack:
        first, talker, second, third = (stack.enter_context(Caller("127.0.0.1", site.port)) for _ in range(4))
        worker = site.worker()
        call, agent = answer(site, talker)
        with agent:
            second.invite(NUMBER)
            third.invite(NUMBER)
            ringing = [site.arrived(), site.arrived()]
            worker.kill(signal.SIGKILL)
            worker.wait()
        with site.worker("worker-again") as again:
            bye = talker.wait_for_request("BYE")
            ok = talker.wait_for(200)
            assert bye.header("Call-ID") == ok.header("Call-ID")
            assert bye.header("From").split(";tag=")[1] == ok.header("To").split(";tag=")[1]
            assert bye.header("To").split(";tag=")[1] == ok.header("From").split(";tag=")[1]
            lost = {str(site.wait("call.ended").event.call_id) for _ in range(3)}
            assert lost == {call, *ringing}
            assert {site.call(one)["outcome"] for one in lost} == {"lost"}
            assert again.wait_log("farewells")["answered"] == 1
            assert site.node()["epoch"] == 2
            _, agent = answer(site, first)
            with agent:
                first.bye()
                assert site.wait("call.ended").event.data["outcome"] == "answered"


def test_recording_of_a_killed_worker_is_repaired(site: Site, tmp_path: Path) -> None:
    worker = site.worker()
    with TestPhone.call(tmp_path, NUMBER, server=f"127.0.0.1:{site.port}", audio=tone(CALLER_HZ, 1, RATE)) as phone:
        call = site.arrived()
        with Agent(site, call, "Ada", tone(AGENT_HZ, 1, RATE)) as agent:
            site.accept(call, "Ada", agent.peer)
            site.wait("call.recording", state="started")
            eventually(lambda: len(agent.heard) > 150, what="three seconds of talk")
            worker.kill(signal.SIGKILL)
            worker.wait()
        with site.worker("worker-again"):
            phone.wait_for("ended")
            saved = site.wait("call.recording", state="saved")
    with site.store.read() as conn:
        path = str(conn.exec_driver_sql("select path from recordings where call_id = ?", (call,)).scalar_one())
    channels, rate = read_wav(site.folder / "data" / path)
    assert 2000 < int(str(saved.event.data["duration_ms"])) < 4500
    assert sounds(channels[0][rate : 2 * rate], CALLER_HZ, rate)
    assert sounds(channels[1][rate : 2 * rate], AGENT_HZ, rate)
    assert site.call(call)["outcome"] == "lost"


def test_told_to_stop_it_refuses_new_calls_and_ends_the_others(site: Site) -> None:
    with Caller("127.0.0.1", site.port) as talker, Caller("127.0.0.1", site.port) as late:
        worker = site.worker()
        _, agent = answer(site, talker)
        with agent:
            worker.kill(signal.SIGTERM)
            worker.wait_log("worker_drains")
            late.invite(NUMBER)
            assert "Retry-After" not in late.wait_for(503).text
            talker.wait_for_request("BYE")
            ended = site.wait("call.ended")
        assert worker.wait() == 0
    assert (ended.event.data["by"], ended.event.data["reason"]) == ("system", "drained")
    assert site.wait("call.recording", state="saved").event.call_id == ended.event.call_id
    assert site.node()["lease_until"] <= ended.at + 5000, "the lease goes on"


def test_told_to_stop_twice_it_waits_for_nobody(tmp_path: Path, sqlite_url: str) -> None:
    with (
        Site(tmp_path, sqlite_url, "Ada", AIRCALL_DRAIN_S="60") as site,
        site.worker() as worker,
        Caller("127.0.0.1", site.port) as talker,
    ):
        _, agent = answer(site, talker)
        with agent:
            worker.kill(signal.SIGTERM)
            worker.wait_log("worker_drains")
            worker.kill(signal.SIGTERM)
            talker.wait_for_request("BYE")
        assert worker.wait(10) == 0


def test_it_says_that_it_serves_once_it_listens(site: Site) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", site.port))
        with pytest.raises(AssertionError, match="worker_cannot_start"):
            site.worker("deaf")
        assert not site.node()["serving"], "it lived, and never listened"
    with site.worker():
        row = eventually(lambda: node if (node := site.node())["serving"] else None, what="a worker that serves")
    assert row is not None
    assert (row["epoch"], row["info"]["refused"]) == (2, {}), "its first word has all that later ones have"


def test_replaced_by_another_life_it_drops_its_calls(site: Site) -> None:
    with Caller("127.0.0.1", site.port) as talker, site.worker() as worker:
        call, agent = answer(site, talker)
        with agent:
            settings = site.settings
            with site.store.write() as tx:
                nodes.register(tx, "worker", 0, nodes.host_name(settings.data_dir))
            talker.wait_for_request("BYE")
            assert worker.wait(10) == 3
    assert site.call(call)["ended_at"] is None, "a worker that was replaced wrote a fact"

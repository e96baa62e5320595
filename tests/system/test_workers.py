"""Several workers on one store, and what is left of a worker that was killed."""

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaPlayer
from sqlalchemy import select

from aircall_core.desk import nodes
from aircall_core.domain import events as kinds
from aircall_core.store import tables as t
from tests.support.audio import has_tone, read_wav, sounds, tone, write_wav
from tests.support.desk_system import System, User
from tests.support.netns import NetNs, netns
from tests.support.pcm_peer import PcmPeer
from tests.support.processes import eventually
from tests.support.realtime import Tab
from tests.system.kit import AGENT_HZ, CALLER_HZ, begin_talk, log_lines, next_ring, worker_row

__all__ = ["netns"]  # the fixture
pytestmark = [pytest.mark.sip, pytest.mark.timeout(240)]


def test_two_workers_each_call_is_its_owners_and_a_replaced_life_lets_go(tmp_path: Path) -> None:
    with System(tmp_path, workers=2, min_free_disk_mb=0) as system:
        ada, bob = users = [system.add_user(name) for name in ("Ada", "Bob")]
        line = system.add_line("+33199000001", users, ring_s=120)
        tabs = {user.id: system.on_duty(user) for user in users}
        eventually(lambda: all(worker_row(system, index).get("alive") for index in (0, 1)), 30, "both workers")
        known: set[str] = set()
        first = begin_talk(system, line, ada, tabs[ada.id], known, worker=0)
        second = begin_talk(system, line, bob, tabs[bob.id], known, worker=1)
        owners = {call: _call(system, call)["owner_node"].split("@")[0] for call in (first.id, second.id)}
        assert owners == {first.id: "worker-0", second.id: "worker-1"}
        with pytest.raises(ConnectionRefusedError, match="no such call"):
            PcmPeer(system.settings.worker_socket(0), peer="peer-lost-its-way", call=second.id, user=bob.id)

        # A command finds the call's owner, whichever it is.
        for user, talk, command in ((ada, first, "mute-command-1"), (bob, second, "mute-command-2")):
            answer = system.post(user, f"/desk/calls/{talk.id}/mute", {"command": command, "muted": True})
            assert answer.status_code == 202, answer.text
            muted = tabs[user.id].wait_for("call.muted", call_id=talk.id)
            assert (muted["data"]["command"], muted["actor"].split("@")[0]) == (command, f"worker:{owners[talk.id]}")

        # Somebody else takes worker 1's name: that life is over at its next heartbeat, worker 0 is not concerned.
        old = system.pid("worker", 1)
        with system.store.write() as tx:
            usurper = nodes.register(tx, "worker", 1, system.settings.host_id)
        assert second.phone.wait_for("ended", timeout=60)["by"] == "far end"
        assert second.agent.ended.wait(10)
        system.wait_new("worker", old, 1, timeout=30)
        lost = system.wait_for("call.ended", call_id=second.id, timeout=30)
        assert lost.event.data["outcome"] == "lost"
        facts = [row for row in system.events() if row.event.call_id == second.id and row.seq >= lost.seq]
        assert [row.kind for row in facts] == [kinds.CALL_ENDED], "nothing after the end"
        assert _slot(system, bob.id) is None
        eventually(lambda: worker_row(system, 1).get("alive"), 30, "worker 1's next life")
        assert _node(system, 1)["epoch"] == usurper.epoch + 1
        third = begin_talk(system, line, bob, tabs[bob.id], known, worker=1)
        assert _call(system, third.id)["owner_epoch"] == usurper.epoch + 1

        assert [one for one in first.phone.happenings.seen if one["event"] == "ended"] == []
        assert not first.agent.ended.is_set()
        hung_up = system.post(ada, f"/desk/calls/{first.id}/hangup", {"command": "hangup-command"})
        assert hung_up.status_code == 202
        assert first.phone.wait_for("ended")["by"] == "far end"
        assert log_lines(system.log, "fact_lost") == []


def test_a_worker_killed_with_three_calls(tmp_path: Path) -> None:
    with System(tmp_path, min_free_disk_mb=0) as system:
        ada, bob, cleo = users = [system.add_user(name) for name in ("Ada", "Bob", "Cleo")]
        plain = system.add_line("+33199000001", users, ring_s=120)
        recorded = system.add_line("+33199000002", users, name="Support", ring_s=120, recording="on")
        tabs = {user.id: system.on_duty(user) for user in users}
        known: set[str] = set()
        talk = begin_talk(system, plain, ada, tabs[ada.id], known)
        taped = begin_talk(system, recorded, bob, tabs[bob.id], known)
        tabs[bob.id].wait_for("call.recording", call_id=taped.id, state="started")
        waiting = system.phone_call(plain, audio=tone(CALLER_HZ, 1, 8000))
        ringing = next_ring(tabs[cleo.id], cleo, known)
        parts = system.settings.data_dir / "recordings" / "parts" / "worker-0"
        eventually(lambda: sum(part.stat().st_size for part in parts.iterdir()) > 2 * 2 * 16_000, what="2 s on disk")

        killed_at = time.monotonic()
        old = system.kill("worker")
        system.wait_new("worker", old)
        print(f"worker started again after {time.monotonic() - killed_at:.2f} s")
        for call_id in (talk.id, taped.id, ringing):
            ended = tabs[cleo.id].wait_for("call.ended", call_id=call_id, timeout=60)
            print(f"closed as {ended['data']['outcome']} after {ended['got_at'] - killed_at:.2f} s")
            assert (ended["data"]["outcome"], ended["data"]["reason"]) == ("lost", "worker_lost")
        for phone in (talk.phone, taped.phone):
            assert phone.wait_for("ended", timeout=60)["by"] == "far end", "the new life says goodbye for the old one"
        assert waiting.wait_for("ended", timeout=60)["code"] == 480, "nobody hears it ring when it rings nowhere"
        for link in (talk.agent, taped.agent):
            assert link.ended.wait(10)
        assert [_slot(system, user.id) for user in users] == [None, None, None]
        assert all(tab.view["calls"] == {} for tab in tabs.values())

        saved = system.wait_for("call.recording", call_id=taped.id, state="saved", timeout=60)
        duration_ms = float(str(saved.event.data["duration_ms"]))
        assert duration_ms >= 1500
        audio = system.get(bob, f"/desk/recordings/{taped.id}")  # whose call it was
        assert audio.status_code == 200
        (tmp_path / "repaired.wav").write_bytes(audio.content)
        (left, right), rate = read_wav(tmp_path / "repaired.wav")
        assert abs(len(left) / rate * 1000 - duration_ms) < 2
        assert sounds(left[rate // 2 : rate * 3 // 2], CALLER_HZ, rate)
        assert sounds(right[rate // 2 : rate * 3 // 2], AGENT_HZ, rate)
        assert list(parts.iterdir()) == []

        system.wait_ready()
        after = begin_talk(system, recorded, cleo, tabs[cleo.id], known)
        after.phone.hang_up()
        assert system.wait_for("call.ended", call_id=after.id).event.data["outcome"] == "answered"
        system.wait_for("call.recording", call_id=after.id, state="saved", timeout=60)


def _call(system: System, call_id: str) -> dict[str, Any]:
    with system.store.read() as conn:
        return dict(conn.execute(select(t.calls).where(t.calls.c.id == call_id)).mappings().one())


def _node(system: System, index: int) -> dict[str, Any]:
    with system.store.read() as conn:
        row = conn.execute(select(t.nodes).where(t.nodes.c.id.like(f"worker-{index}@%"))).mappings().one()
        return dict(row)


def _slot(system: System, user_id: str) -> str | None:
    with system.store.read() as conn:
        held: str | None = conn.scalar(select(t.users.c.active_call_id).where(t.users.c.id == user_id))
        return held


def test_a_machine_that_slept_for_a_while_loses_nobody(tmp_path: Path) -> None:
    """All processes stand still for longer than a lease (a suspended machine, a stalled disk): the first to wake must
    not report the others as lost, for that would end every call."""
    with System(tmp_path, min_free_disk_mb=0) as system:
        ada = system.add_user("Ada")
        line = system.add_line("+33199000001", [ada], ring_s=120)
        tab = system.on_duty(ada)
        talk = begin_talk(system, line, ada, tab, set())
        pids = [system.pid(role) for role in ("worker", "gateway", "desk")]
        last = system.store.last_seq()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(nodes.LEASE_MS / 1000 + 2)  # the lease runs out: nothing less is what this test is about
        os.kill(pids[2], signal.SIGCONT)  # the desk wakes first, and looks around
        eventually(
            lambda: _lease(system, "desk") > _lease(system, "worker") + nodes.LEASE_MS, 20, "the desk's next beat"
        )
        for pid in pids[:2]:
            os.kill(pid, signal.SIGCONT)
        eventually(lambda: _lease(system, "worker") > _lease(system, "desk") - 3000, 20, "the worker's next beat")
        assert system.events(kinds.NODE_LOST) == []
        assert system.events(kinds.CALL_ENDED, after=last) == []
        eventually(lambda: has_tone(talk.agent.heard(0.5), CALLER_HZ, 8000), 15, "the caller's voice again")
        talk.phone.hang_up()
        assert system.wait_for("call.ended", call_id=talk.id).event.data["outcome"] == "answered"


def _lease(system: System, kind: str) -> int:
    with system.store.read() as conn:
        return int(conn.scalar(select(t.nodes.c.lease_until).where(t.nodes.c.kind == kind)) or 0)


def test_a_browsers_audio_is_placed_beside_the_worker_that_has_its_call(tmp_path: Path, netns: NetNs) -> None:
    with System(tmp_path, workers=2, gateways=2, min_free_disk_mb=0) as system:
        ada = system.add_user("Ada")
        line = system.add_line("+33199000001", [ada], ring_s=120)
        tab = system.on_duty(ada)
        eventually(lambda: worker_row(system, 1).get("alive"), 30, "the second worker")
        heard = tmp_path / "heard.wav"
        phone = system.phone_call(line, audio=tone(CALLER_HZ, 1, 8000), worker=1, record=heard, hangup_after=4)
        call_id = next_ring(tab, ada, set())
        voice = write_wav(tmp_path / "voice.wav", tone(AGENT_HZ, 30, 8000), 8000)
        asyncio.run(_talk_as_a_browser(system, ada, tab, call_id, voice))
        phone.wait_for("ended")
        phone.wait()
        (samples,), rate = read_wav(heard)
        assert sounds(samples[2 * rate : 3 * rate], AGENT_HZ, rate)
        assert _call(system, call_id)["owner_node"].startswith("worker-1@")


async def _talk_as_a_browser(system: System, user: User, tab: Tab, call_id: str, voice: Path) -> None:
    """Offers audio for the call, accepts it, stays until it is over."""
    connection = RTCPeerConnection()
    player = MediaPlayer(str(voice))
    assert player.audio is not None
    connection.addTrack(player.audio)
    await connection.setLocalDescription(await connection.createOffer())
    ids = {"call_id": call_id, "peer": "peer-of-a-browser", "tab": tab.id}
    body = {**ids, "purpose": "ring", "sdp": connection.localDescription.sdp}
    answer = await asyncio.to_thread(system.post, user, "/rtc/offer", body)
    assert answer.status_code == 200, answer.text
    await connection.setRemoteDescription(RTCSessionDescription(**answer.json()))
    accept = {"command": "accept-by-browser", "peer": ids["peer"], "tab": tab.id}
    accepted = await asyncio.to_thread(system.post, user, f"/desk/calls/{call_id}/accept", accept)
    assert accepted.status_code == 202, accepted.text
    await asyncio.to_thread(tab.wait_for, "call.answered", 20, call_id=call_id)
    await asyncio.to_thread(tab.wait_for, "call.ended", 30, call_id=call_id)
    await connection.close()
    player.audio.stop()

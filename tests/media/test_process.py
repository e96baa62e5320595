"""The gateway as a process: its lease, its socket, its end."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack

from aircall_core.media.lease import Lease, Place
from aircall_core.store import Store, StoreAway, nodes, open_store
from tests.media.kit import FakeWorker, GatewayProcess, offer_body
from tests.support.processes import eventually

pytestmark = pytest.mark.usefixtures("netns")


@pytest.fixture
def store_of(sqlite_url: str) -> Iterator[Store]:
    """The store that the gateway registers in."""
    with open_store(sqlite_url) as store:
        yield store


def row(store: Store) -> dict[str, Any]:
    """The gateway's row, once there is one."""

    def found() -> dict[str, Any] | None:
        with store.read() as conn:
            rows = nodes.alive(conn, "gateway", 0)
        return rows[0] if rows else None

    return eventually(found, what="a living gateway in the store") or {}


def test_it_registers_renews_and_leaves(short_path: Path, sqlite_url: str, store_of: Store) -> None:
    with GatewayProcess(short_path, sqlite_url, gateway_capacity=7) as gateway:
        first = row(store_of)
        assert first["id"].startswith("gateway-0@")
        assert (first["address"], first["capacity"], first["epoch"]) == (str(gateway.path), 7, 1)
        assert first["pid"] == gateway.process.pid
        eventually(lambda: row(store_of)["lease_until"] > first["lease_until"], what="a beat")
        gateway.client.post("/drain")
        eventually(lambda: row(store_of)["draining"], what="the drain in its row")
        gateway.stop()
        assert gateway.process.popen.returncode == 0, gateway.process.errors
    with store_of.read() as conn:
        assert nodes.alive(conn, "gateway", 0) == []
    assert not gateway.path.exists()


def test_only_the_owner_can_speak_to_it(short_path: Path, sqlite_url: str) -> None:
    with GatewayProcess(short_path, sqlite_url) as gateway:
        assert stat.S_IMODE(gateway.path.stat().st_mode) == 0o600
        assert stat.S_IMODE(gateway.path.parent.stat().st_mode) == 0o700


def test_a_killed_one_is_replaced_under_the_next_epoch(short_path: Path, sqlite_url: str, store_of: Store) -> None:
    with GatewayProcess(short_path, sqlite_url) as gateway:
        assert row(store_of)["epoch"] == 1
        gateway.process.kill(signal.SIGKILL)
        gateway.process.wait()
        gateway.client.close()
        assert gateway.path.exists()  # what it left must not stop the next one
        gateway.start()
        eventually(lambda: row(store_of)["epoch"] == 2, what="the next life")


def test_two_of_one_index_do_not_live_together(short_path: Path, sqlite_url: str) -> None:
    with GatewayProcess(short_path, sqlite_url) as gateway:
        code = "from aircall_core.media.main import main; main(0)"
        environment = {**os.environ, **gateway.environment}
        second = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)
        assert second.returncode == 1
        assert b"gateway_already_running" in second.stderr
        assert gateway.stats()["peers"] == 0


class FlakyStore:
    """A store that is away when told so."""

    def __init__(self, store: Store) -> None:
        self.store, self.away, self.refused = store, False, 0

    @contextmanager
    def write(self) -> Iterator[Any]:
        if self.away:
            self.refused += 1
            raise StoreAway("the database is away")
        with self.store.write() as tx:
            yield tx


def test_the_store_may_be_away_for_a_while(store_of: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aircall_core.desk.nodes.BEAT_S", 0.01)
    flaky = FlakyStore(store_of)
    flaky.away = True

    async def wait(probe: Any) -> None:
        until = time.monotonic() + 5
        while not await asyncio.to_thread(probe):
            assert time.monotonic() < until
            await asyncio.sleep(0.01)

    def lease_until() -> int:
        with store_of.read() as conn:
            rows = nodes.alive(conn, "gateway", 0)
        return int(rows[0]["lease_until"]) if rows else 0

    async def run() -> None:
        place = Place(0, "host", "/run/gateway-0.http", 10, {})
        task = asyncio.create_task(Lease(flaky, place, lambda: (3, False)).run())  # type: ignore[arg-type]
        await wait(lambda: flaky.refused > 2)
        flaky.away = False
        await wait(lambda: lease_until() > 0)
        flaky.away, before = True, flaky.refused
        await wait(lambda: flaky.refused > before + 2)
        flaky.away, seen = False, lease_until()
        await wait(lambda: lease_until() > seen)
        assert (await asyncio.to_thread(row, store_of))["in_use"] == 3
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert lease_until() == 0


def test_a_life_reported_lost_is_followed_by_the_next(store_of: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aircall_core.desk.nodes.BEAT_S", 0.01)

    async def run() -> None:
        place = Place(0, "host", "/run/gateway-0.http", 10, {})
        task = asyncio.create_task(Lease(store_of, place, lambda: (0, False)).run())
        first = await asyncio.to_thread(row, store_of)

        def lose() -> None:
            with store_of.write() as tx:
                assert nodes.change(tx.conn, first["id"], first["epoch"], lost=True)

        await asyncio.to_thread(lose)
        await asyncio.to_thread(eventually, lambda: row(store_of)["epoch"] == first["epoch"] + 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_thousand_peers_leave_the_process_as_it_was(short_path: Path, sqlite_url: str) -> None:
    """Memory settles within the first few hundred (allocator, caches) and is flat from there."""

    async def one(gateway: GatewayProcess, worker: FakeWorker, number: int) -> None:
        pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        connected = asyncio.Event()
        pc.on("connectionstatechange", lambda: pc.connectionState == "connected" and connected.set())  # type: ignore[func-returns-value]
        pc.addTrack(AudioStreamTrack())
        await pc.setLocalDescription(await pc.createOffer())
        body = offer_body({"peer": f"peer-{number:05}", "call_id": "call-0001", "sdp": pc.localDescription.sdp}, worker)
        answer = await asyncio.to_thread(lambda: gateway.client.post("/peers", json=body).json())
        await pc.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
        await connected.wait()
        await pc.close()

    async def many(gateway: GatewayProcess, worker: FakeWorker, first: int, count: int) -> None:
        for number in range(first, first + count, 5):
            await asyncio.gather(*(one(gateway, worker, number + other) for other in range(5)))
        await asyncio.to_thread(eventually, lambda: gateway.stats()["peers"] == 0)

    with (
        FakeWorker(short_path / "worker.pcm") as worker,
        GatewayProcess(short_path, sqlite_url, gateway_capacity=20) as gateway,
    ):
        asyncio.run(many(gateway, worker, 0, 400))
        memory, files = resident(gateway), open_files(gateway)
        asyncio.run(many(gateway, worker, 400, 600))
        eventually(lambda: open_files(gateway) <= files, what="files given back")
        assert resident(gateway) - memory < 8 * 1024 * 1024


def resident(gateway: GatewayProcess) -> int:
    """Bytes of memory that the process holds."""
    return int(Path(f"/proc/{gateway.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def open_files(gateway: GatewayProcess) -> int:
    """How many descriptors the process holds."""
    return len(os.listdir(f"/proc/{gateway.process.pid}/fd"))

"""A gateway's peers from offer to end, with aiortc in the place of the browser and a fake worker behind."""

import asyncio
import gc
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack

from aircall_core.media import peer as peer_module
from aircall_core.media.gateway import Gateway
from aircall_core.media.http import MAX_BODY, create_app
from aircall_core.media.peer import Network, Peer
from tests.media.kit import FakeWorker, tone_voice

pytestmark = pytest.mark.usefixtures("netns")


@pytest.fixture
def worker(short_path: Path) -> Iterator[FakeWorker]:
    """A worker that plays 1 kHz."""
    with FakeWorker(short_path / "worker.pcm", 8000, tone_voice(1000, 8000)) as end:
        yield end


WAIT_S = 10


class Desk:
    """A gateway behind its own routes, and browsers made of aiortc."""

    def __init__(self, worker: FakeWorker, capacity: int = 10) -> None:
        self.worker = worker
        self.gateway = Gateway(capacity, Network())
        transport = httpx.ASGITransport(create_app(self.gateway))
        self.http = httpx.AsyncClient(transport=transport, base_url="http://gateway")
        self.browsers: list[RTCPeerConnection] = []

    async def browser(self, peer: str) -> RTCPeerConnection:
        """A browser that has been answered."""
        pc, body = await self.offer(peer)
        answer = await self.http.post("/peers", json=body)
        assert answer.status_code == 200, answer.text
        await pc.setRemoteDescription(RTCSessionDescription(answer.json()["sdp"], "answer"))
        return pc

    async def offer(self, peer: str) -> tuple[RTCPeerConnection, dict[str, Any]]:
        """A browser and what the desk would tell the gateway about it."""
        pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.browsers.append(pc)
        pc.addTrack(AudioStreamTrack())
        await pc.setLocalDescription(await pc.createOffer())
        ids = {"peer": peer, "call": "call-0001", "user": "user-0001"}
        return pc, {**ids, "worker": str(self.worker.path), "sdp": pc.localDescription.sdp}

    async def connected(self, peer: str) -> RTCPeerConnection:
        """A browser whose audio flows."""
        pc = await self.browser(peer)
        await state(pc, "connected")
        await until(lambda: peer in self.worker.peers and bool(self.worker.peers[peer].frames), "frames at the worker")
        return pc

    async def close(self) -> None:
        """End the browsers, then the gateway."""
        for pc in self.browsers:
            await pc.close()
        await self.gateway.close_all("test over")
        await self.http.aclose()


@asynccontextmanager
async def desk_of(worker: FakeWorker, capacity: int = 10) -> Any:
    """A desk for one test."""
    desk = Desk(worker, capacity)
    try:
        yield desk
    finally:
        await desk.close()


async def state(pc: RTCPeerConnection, wanted: str) -> None:
    """Wait until a browser's connection is in a state."""
    reached = asyncio.Event()

    def look() -> None:
        if pc.connectionState == wanted:
            reached.set()

    pc.on("connectionstatechange", look)
    look()
    await asyncio.wait_for(reached.wait(), WAIT_S)


async def until(probe: Callable[[], bool], what: str) -> None:
    """Wait for what another thread or task brings about."""
    async with asyncio.timeout(WAIT_S):
        while not probe():  # noqa: ASYNC110  what threads do has no event here
            await asyncio.sleep(0.01)


def error(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json()["error"]["code"]


def test_a_browser_and_the_worker_are_joined(worker: FakeWorker) -> None:
    async def run() -> None:
        async with desk_of(worker) as desk:
            pc = await desk.connected("peer-0001")
            assert worker.peers["peer-0001"].hello == {"peer": "peer-0001", "call": "call-0001", "user": "user-0001"}
            frame = await pc.getReceivers()[0].track.recv()
            assert frame.samples > 0
            stats = (await desk.http.get("/stats")).json()
            assert (stats["peers"], stats["connected"], stats["draining"]) == (1, 1, False)
            assert stats["each"]["peer-0001"]["undecodable"] == 0

    asyncio.run(run())


def test_delete_ends_both_sides(worker: FakeWorker) -> None:
    async def run() -> None:
        async with desk_of(worker) as desk:
            pc = await desk.connected("peer-0001")
            assert (await desk.http.delete("/peers/peer-0001")).status_code == 204
            await state(pc, "closed")
            await until(lambda: not worker.peers, "the link's end")
            assert desk.gateway.in_use == 0
            assert error(await desk.http.delete("/peers/peer-0001")) == (404, "unknown")

    asyncio.run(run())


def test_the_worker_hanging_up_ends_the_peer(worker: FakeWorker) -> None:
    async def run() -> None:
        async with desk_of(worker) as desk:
            pc = await desk.connected("peer-0001")
            worker.hang_up("peer-0001")
            await state(pc, "closed")
            await asyncio.wait_for(desk.gateway.wait_empty(), 5)

    asyncio.run(run())


def test_the_browser_going_away_ends_the_link(worker: FakeWorker) -> None:
    async def run() -> None:
        async with desk_of(worker) as desk:
            pc = await desk.connected("peer-0001")
            end = worker.peers["peer-0001"]
            await pc.close()
            await until(end.closed.is_set, "the link's end")
            await asyncio.wait_for(desk.gateway.wait_empty(), 5)

    asyncio.run(run())


def test_a_full_gateway_refuses_and_takes_again_when_there_is_room(worker: FakeWorker) -> None:
    async def run() -> None:
        async with desk_of(worker, capacity=2) as desk:
            await desk.connected("peer-0001")
            await desk.connected("peer-0002")
            _, body = await desk.offer("peer-0003")
            assert error(await desk.http.post("/peers", json=body)) == (503, "full")
            assert (await desk.http.get("/stats")).json()["refused"] == 1
            await desk.http.delete("/peers/peer-0001")
            await desk.connected("peer-0004")

    asyncio.run(run())


def test_simultaneous_offers_do_not_exceed_the_capacity(worker: FakeWorker) -> None:
    async def run() -> None:
        async with desk_of(worker, capacity=3) as desk:
            bodies = [(await desk.offer(f"peer-000{n}"))[1] for n in range(6)]
            answers = await asyncio.gather(*(desk.http.post("/peers", json=body) for body in bodies))
            assert sorted(answer.status_code for answer in answers) == [200] * 3 + [503] * 3

    asyncio.run(run())


def test_a_draining_gateway_keeps_its_peers_and_takes_no_more(worker: FakeWorker) -> None:
    async def run() -> None:
        async with desk_of(worker) as desk:
            pc = await desk.connected("peer-0001")
            assert (await desk.http.post("/drain")).status_code == 202
            _, body = await desk.offer("peer-0002")
            assert error(await desk.http.post("/peers", json=body)) == (503, "draining")
            before = len(worker.peers["peer-0001"].frames)
            await until(lambda: len(worker.peers["peer-0001"].frames) > before + 10, "audio going on")
            await pc.close()
            await asyncio.wait_for(desk.gateway.wait_empty(), 5)

    asyncio.run(run())


def test_the_same_peer_offered_anew_takes_the_place_of_the_old(worker: FakeWorker) -> None:
    async def run() -> None:
        async with desk_of(worker, capacity=1) as desk:
            await desk.connected("peer-0001")
            old = worker.peers["peer-0001"]
            await desk.browser("peer-0001")
            assert old.closed.wait(5)
            await until(
                lambda: "peer-0001" in worker.peers and bool(worker.peers["peer-0001"].frames), "frames of the new"
            )
            assert desk.gateway.in_use == 1
            _, body = await desk.offer("peer-0001")
            assert error(await desk.http.post("/peers", json={**body, "user": "user-0002"})) == (409, "exists")

    asyncio.run(run())


def test_a_browser_that_never_connects_gives_way(worker: FakeWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_module, "CONNECT_S", 2)  # from the offer on, whose answer takes its time on a busy machine

    async def run() -> None:
        async with desk_of(worker) as desk:
            pc, body = await desk.offer("peer-0001")
            assert (await desk.http.post("/peers", json=body)).status_code == 200
            end = worker.seen[0]
            await pc.close()  # it has never heard the answer
            await until(end.closed.is_set, "the link's end")
            await asyncio.wait_for(desk.gateway.wait_empty(), 5)

    asyncio.run(run())


def test_a_browser_gone_without_a_word_gives_way(worker: FakeWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_module, "SILENT_S", 0.3)

    async def run() -> None:
        async with desk_of(worker) as desk:
            pc = await desk.connected("peer-0001")
            pc.getSenders()[0].replaceTrack(None)  # connected still, but no packet comes
            await asyncio.wait_for(desk.gateway.wait_empty(), 5)

    asyncio.run(run())


def test_a_connection_that_does_not_end_does_not_keep_its_place(
    worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer_module, "CLOSE_S", 0.1)

    async def run() -> None:
        async with desk_of(worker) as desk:
            await desk.connected("peer-0001")
            (peer,) = desk.gateway._peers.values()
            end = worker.peers["peer-0001"]
            hanging = asyncio.Event()
            with monkeypatch.context() as patch:
                patch.setattr(peer._pc, "close", hanging.wait)
                assert (await desk.http.delete("/peers/peer-0001")).status_code == 204
            assert desk.gateway.in_use == 0
            await until(end.closed.is_set, "the link's end")
            await peer._pc.close()

    asyncio.run(run())


def test_a_worker_that_refuses_or_is_not_there(worker: FakeWorker, short_path: Path) -> None:
    async def run() -> None:
        async with desk_of(worker) as desk:
            _, body = await desk.offer("peer-0001")
            worker.refuse = "no such call"
            assert error(await desk.http.post("/peers", json=body)) == (409, "refused")
            nobody = {**body, "worker": str(short_path / "nobody.pcm")}
            assert error(await desk.http.post("/peers", json=nobody)) == (502, "worker_away")
            assert desk.gateway.in_use == 0

    asyncio.run(run())


NOT_OFFERS = {
    "nothing": "",
    "words": "please call me",
    "video": "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n",
    "two": "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n",
    "bare": "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n",
    "odd": "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio x y z\r\na=mid:0\r\n",
}


@pytest.mark.parametrize("sdp", NOT_OFFERS.values(), ids=NOT_OFFERS.keys())
def test_what_is_no_offer_is_refused_and_costs_nothing(worker: FakeWorker, sdp: str) -> None:
    async def run() -> None:
        async with desk_of(worker) as desk:
            _, body = await desk.offer("peer-0001")
            assert error(await desk.http.post("/peers", json={**body, "sdp": sdp})) == (400, "bad_offer")
            await asyncio.wait_for(desk.gateway.wait_empty(), 5)
            await until(lambda: all(end.closed.is_set() for end in worker.seen), "the link's end")

    asyncio.run(run())


@pytest.mark.parametrize(("rate", "codec"), [(8000, "0"), (16000, "96")], ids=["pcmu", "opus"])
def test_the_codec_suits_the_workers_rate(worker: FakeWorker, rate: int, codec: str) -> None:
    worker.rate = rate

    async def run() -> None:
        async with desk_of(worker) as desk:
            _, body = await desk.offer("peer-0001")
            assert "SAVPF 96 9 0 8" in body["sdp"]
            answer = (await desk.http.post("/peers", json=body)).json()["sdp"]
            (media,) = [line for line in answer.splitlines() if line.startswith("m=audio")]
            assert sorted(media.split()[3:]) == ["0", "96"]
            assert media.split()[3] == codec

    asyncio.run(run())


def test_an_offer_without_our_codecs_is_refused(worker: FakeWorker) -> None:
    async def run() -> None:
        async with desk_of(worker) as desk:
            _, body = await desk.offer("peer-0001")
            others = body["sdp"].replace("opus/48000", "speex/16000").replace("PCMU/8000", "L8/8000")
            others = others.replace("RTP/SAVPF 96 9 0 8", "RTP/SAVPF 96 9 8")
            assert error(await desk.http.post("/peers", json={**body, "sdp": others})) == (400, "bad_offer")

    asyncio.run(run())


@pytest.mark.parametrize("wrong", [{"peer": "x"}, {"peer": 7}, {"call": None}, {"worker": "relative"}, {"sdp": 1}])
def test_malformed_requests_are_refused(worker: FakeWorker, wrong: dict[str, Any]) -> None:
    async def run() -> None:
        async with desk_of(worker) as desk:
            _, body = await desk.offer("peer-0001")
            assert error(await desk.http.post("/peers", json={**body, **wrong})) == (400, "bad_request")
            assert error(await desk.http.post("/peers", content=b"[1]")) == (400, "bad_request")
            assert error(await desk.http.post("/peers", content=b"x" * (MAX_BODY + 1))) == (413, "too_large")

    asyncio.run(run())


def _open_things() -> tuple[int, int, int]:
    gc.collect()
    peers = sum(isinstance(thing, Peer | RTCPeerConnection) for thing in gc.get_objects())
    # The loop's pool, in which aiortc encodes on the browsers' side, grows as it likes.
    threads = [thread for thread in threading.enumerate() if not thread.name.startswith("asyncio_")]
    return len(os.listdir("/proc/self/fd")), len(threads), peers


def no_more_than(before: tuple[int, int, int]) -> bool:
    """No more is open than at another time."""
    return all(now <= then for now, then in zip(_open_things(), before, strict=True))


def test_fifty_connections_leave_nothing_behind(worker: FakeWorker) -> None:
    async def run() -> None:
        async with desk_of(worker) as desk:

            async def one(number: int) -> None:
                pc = await desk.connected(f"peer-{number:04}")
                if number % 3 == 0:
                    worker.hang_up(f"peer-{number:04}")
                elif number % 3 == 1:
                    await desk.http.delete(f"/peers/peer-{number:04}")
                await pc.close()
                desk.browsers.remove(pc)
                await asyncio.wait_for(desk.gateway.wait_empty(), 5)

            for number in range(3):
                await one(number)  # executors, caches
            await asyncio.sleep(0)
            tasks, before = len(asyncio.all_tasks()), _open_things()
            for number in range(3, 53):
                await one(number)
            await until(lambda: not worker.peers, "the worker's threads")
            await until(
                lambda: all(now <= then for now, then in zip(_open_things(), before, strict=True)), "all given back"
            )
            await until(lambda: len(asyncio.all_tasks()) <= tasks, "all tasks done")

    asyncio.run(run())

"""The two directions of a peer and its link, each alone: what is sent, when, and how loss sounds."""

import asyncio
import itertools
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiortc.mediastreams import MediaStreamError
from aiortc.rtp import RtpPacket

from aircall_core.media import g711
from aircall_core.media.codec import decoder, encoder
from aircall_core.media.downlink import SILENCE_AFTER_S, CallerTrack
from aircall_core.media.link import LinkDown, LinkRefused, WorkerLink
from aircall_core.media.uplink import Uplink
from tests.support.audio import Samples, from_pcm, gaps, level, to_pcm, tone, tone_level

RATE, FRAME = 8000, 160


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer: minutes pass in a moment, exactly."""

    def __init__(self) -> None:
        super().__init__()
        self._virtual = 0.0
        select = self._selector.select  # type: ignore[attr-defined]

        def jump(timeout: float | None) -> Any:
            if timeout is not None and timeout > 0:
                self._virtual += timeout
            return select(0)

        self._selector.select = jump  # type: ignore[attr-defined]

    def time(self) -> float:
        return self._virtual


def virtually(run: Callable[[], Awaitable[None]]) -> None:
    """Run on a clock of our own."""

    async def main() -> None:
        await run()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())


def frame_of(samples: Samples, number: int) -> bytes:
    return to_pcm(samples[number * FRAME : (number + 1) * FRAME])


def rtp(number: int, payload: bytes, ssrc: int = 1) -> RtpPacket:
    packet = RtpPacket(payload_type=0, sequence_number=(65_530 + number) & 0xFFFF, timestamp=number * FRAME, ssrc=ssrc)
    packet.payload = payload
    return packet


# ---- browser to worker


async def send_tone(numbers: list[int | None], codec: str = "pcmu", hold: float = 0.0) -> tuple[Samples, Uplink]:
    """Packets of a 440 Hz tone every 20 ms in the order given (None: nothing arrives); what the worker gets."""
    out: list[bytes] = []
    uplink = Uplink(decoder(codec, RATE), FRAME * 2, out.append)
    samples, sender = tone(440, 4, RATE), encoder(codec, RATE)
    payloads = [sender.encode(frame_of(samples, number)) for number in range(200)]
    for number in numbers:
        if number is not None:
            assert uplink.add(rtp(number, payloads[number])) == (False, None)
        await asyncio.sleep(0.020)
    await asyncio.sleep(hold)
    assert all(len(frame) == FRAME * 2 for frame in out)
    uplink.close()
    return from_pcm(b"".join(out)), uplink


@pytest.mark.parametrize("codec", ["pcmu", "opus"])
def test_a_whole_stream_arrives_whole(codec: str) -> None:
    async def run() -> None:
        heard, uplink = await send_tone(list(range(100)), codec)
        assert len(heard) >= 99 * FRAME
        assert gaps(heard, 440, RATE) == []
        assert (uplink.packets, uplink.lost, uplink.late, uplink.undecodable) == (100, 0, 0, 0)

    virtually(run)


def test_a_lost_packet_is_concealed_and_keeps_its_place() -> None:
    async def run() -> None:
        heard, uplink = await send_tone([*range(50), None, *range(51, 100)])
        assert uplink.lost == 1
        assert len(heard) == 100 * FRAME  # no time is lost, so what follows is neither early nor late
        hole = heard[50 * FRAME : 51 * FRAME]
        assert -24 < level(hole) < -12  # the frame before, fading: no click, no hole

    virtually(run)


def test_a_long_loss_is_not_made_up() -> None:
    async def run() -> None:
        heard, uplink = await send_tone([*range(50), *[None] * 30, *range(80, 100)])
        assert uplink.lost == 30
        assert len(heard) == (50 + 2 + 20) * FRAME  # two fading frames; inventing 600 ms would only delay what follows

    virtually(run)


def test_swapped_packets_sound_as_if_they_were_not() -> None:
    async def run() -> None:
        order = [number + (1 if number % 10 == 5 else -1 if number % 10 == 6 else 0) for number in range(100)]
        out: list[bytes] = []
        uplink = Uplink(decoder("pcmu", RATE), FRAME * 2, out.append)
        samples = tone(440, 4, RATE)
        for number in order:
            uplink.add(rtp(number, g711.encode(frame_of(samples, number))))
            await asyncio.sleep(0.004 if number % 10 == 6 else 0.020)  # its twin follows 4 ms later
        assert from_pcm(b"".join(out)) == pytest.approx(samples[: 100 * FRAME], abs=0.01)
        assert (uplink.lost, uplink.late) == (0, 0)

    virtually(run)


def test_a_new_stream_of_the_browser_is_taken_up_at_once() -> None:
    async def run() -> None:
        out: list[bytes] = []
        uplink = Uplink(decoder("pcmu", RATE), FRAME * 2, out.append)
        payload = g711.encode(frame_of(tone(440, 1, RATE), 0))
        uplink.add(rtp(0, payload))
        uplink.add(rtp(30_000, payload, ssrc=2))
        assert len(out) == 2

    virtually(run)


def test_rubbish_is_counted_and_survived() -> None:
    async def run() -> None:
        out: list[bytes] = []
        uplink = Uplink(decoder("opus", RATE), FRAME * 2, out.append)
        for number in range(20):
            uplink.add(rtp(number, b"\xff\xff\xff" * (number + 1)))
        assert uplink.undecodable > 0
        uplink.add(rtp(20, b""))
        uplink.add(rtp(21, b"\x00" * 1400))
        sender = encoder("opus", RATE)
        for number in range(22, 40):
            uplink.add(rtp(number, sender.encode(frame_of(tone(440, 4, RATE), number))))
            await asyncio.sleep(0.02)
        assert level(from_pcm(b"".join(out[-5:]))) > -20

    virtually(run)


def test_packets_of_another_length_become_frames_of_ours() -> None:
    async def run() -> None:
        out: list[bytes] = []
        uplink = Uplink(decoder("pcmu", RATE), FRAME * 2, out.append)
        samples = tone(440, 1, RATE)
        for number in range(30):  # 30 ms a packet
            uplink.add(rtp(number, g711.encode(to_pcm(samples[number * 240 : (number + 1) * 240]))))
        assert len(out) == 45
        assert gaps(from_pcm(b"".join(out)), 440, RATE) == []

    virtually(run)


def test_nothing_is_sent_after_the_end() -> None:
    async def run() -> None:
        out: list[bytes] = []
        uplink = Uplink(decoder("pcmu", RATE), FRAME * 2, out.append)
        payload = g711.encode(frame_of(tone(440, 1, RATE), 0))
        uplink.add(rtp(0, payload))
        uplink.add(rtp(2, payload))  # waits for 1
        uplink.close()
        await asyncio.sleep(1)
        uplink.add(rtp(3, payload))
        assert len(out) == 1

    virtually(run)


# ---- worker to browser


def samples_of(packets: list[Any]) -> Samples:
    return from_pcm(b"".join(g711.decode(bytes(packet)) for packet in packets))


async def take(track: CallerTrack, seconds: float, into: list[tuple[float, Any]]) -> None:
    """What aiortc's sender does: ask for the next packet as soon as the last is sent."""
    clock = asyncio.get_running_loop()
    until = clock.time() + seconds
    while clock.time() < until:
        packet = await track.recv()
        into.append((clock.time(), packet))


def test_frames_go_out_the_moment_they_come() -> None:
    async def run() -> None:
        track, sent = CallerTrack(encoder("pcmu", RATE), RATE), list[tuple[float, Any]]()
        taking = asyncio.create_task(take(track, 2.0, sent))
        await asyncio.sleep(0.1)
        samples, pushed = tone(440, 2, RATE), []
        for number in range(80):
            pushed.append(asyncio.get_running_loop().time())
            track.push(number, frame_of(samples, number))
            await asyncio.sleep(0.020)
        await taking
        live = [(at, packet) for at, packet in sent if bytes(packet) != g711.SILENCE * FRAME]
        assert [at for at, _ in live] == pytest.approx(pushed)
        assert {after.pts - before.pts for (_, before), (_, after) in itertools.pairwise(live)} == {FRAME}
        assert tone_level(samples_of([packet for _, packet in live]), 440, RATE) == pytest.approx(-12, abs=0.5)

    virtually(run)


def test_silence_fills_what_does_not_come_and_time_stamps_keep_time() -> None:
    async def run() -> None:
        track, sent = CallerTrack(encoder("pcmu", RATE), RATE), list[tuple[float, Any]]()
        taking = asyncio.create_task(take(track, 3.0, sent))
        samples = tone(440, 2, RATE)
        await asyncio.sleep(0.5)
        for number in range(25):
            track.push(number, frame_of(samples, number))
            await asyncio.sleep(0.020)
        await asyncio.sleep(1.0)  # the worker says nothing
        for number in range(25, 50):
            track.push(number, frame_of(samples, number))
            await asyncio.sleep(0.020)
        await taking
        waits = [after[0] - before[0] for before, after in itertools.pairwise(sent)]
        assert max(waits) <= SILENCE_AFTER_S + 0.001
        begin, first = sent[0]
        for at, packet in sent:  # the browser's clock and ours agree to three frames wherever one looks
            assert (packet.pts - first.pts) / RATE == pytest.approx(at - begin, abs=SILENCE_AFTER_S + 0.001)

    virtually(run)


def test_frames_that_the_socket_dropped_leave_their_time_free() -> None:
    async def run() -> None:
        track = CallerTrack(encoder("pcmu", RATE), RATE)
        await track.recv()
        pcm = frame_of(tone(440, 1, RATE), 0)
        stamps = []
        for number in (1, 2, 5, 6):
            track.push(number, pcm)
            stamps.append((await track.recv()).pts or 0)
        assert [b - a for a, b in itertools.pairwise(stamps)] == [FRAME, 3 * FRAME, FRAME]

    virtually(run)


def test_a_sender_that_stalls_gets_the_newest_frames_only() -> None:
    async def run() -> None:
        track = CallerTrack(encoder("pcmu", RATE), RATE)
        await track.recv()
        for number in range(50):
            track.push(number, frame_of(tone(440, 1, RATE), number))
        assert track.skipped == 46
        first = await track.recv()
        assert bytes(first) == g711.encode(frame_of(tone(440, 1, RATE), 46))

    virtually(run)


def test_what_came_before_the_browser_was_connected_is_history() -> None:
    async def run() -> None:
        track = CallerTrack(encoder("pcmu", RATE), RATE)
        for number in range(10):
            track.push(number, frame_of(tone(440, 1, RATE), number))
        assert bytes(await track.recv()) == g711.SILENCE * FRAME

    virtually(run)


def test_a_stopped_track_ends_its_reader() -> None:
    async def run() -> None:
        track = CallerTrack(encoder("pcmu", RATE), RATE)
        await track.recv()
        track.push(0, bytes(FRAME * 2))
        await track.recv()
        reading = asyncio.create_task(track.recv())
        await asyncio.sleep(0)
        track.stop()
        with pytest.raises(MediaStreamError):
            await reading

    virtually(run)


# ---- the link


@pytest.fixture
def listener(short_path: Path) -> Iterator[socket.socket]:
    """Where a worker would listen."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
        sock.bind(str(short_path / "worker.pcm"))
        sock.listen()
        sock.settimeout(5)
        yield sock


async def connect(listener: socket.socket, answer: bytes) -> tuple[WorkerLink, socket.socket]:
    """A link, and the worker's end of it, after the worker said ``answer``."""

    def greet() -> socket.socket:
        end, _ = listener.accept()
        end.settimeout(5)
        assert json.loads(end.recv(4096)) == {"hello": {"peer": "p", "call": "c", "user": "u"}}
        end.send(answer)
        return end

    greeting = asyncio.create_task(asyncio.to_thread(greet))
    try:
        return await WorkerLink.connect(listener.getsockname(), "p", "c", "u"), await greeting
    except BaseException:
        (await greeting).close()
        raise


OK = b'{"ok": {"rate": 8000}}'


def test_frames_both_ways(listener: socket.socket) -> None:
    async def run() -> None:
        link, end = await connect(listener, OK)
        with end:
            assert (link.rate, link.frame_bytes) == (8000, 320)
            got: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue()
            link.start(lambda number, pcm: got.put_nowait((number, pcm)), lambda reason: None)
            link.send(b"a" * 320)
            link.send(b"b" * 320)
            assert end.recv(4096) == struct.pack(">BxHI", 1, 0, 0) + b"a" * 320
            assert end.recv(4096) == struct.pack(">BxHI", 1, 0, 1) + b"b" * 320
            end.send(struct.pack(">BxHI", 1, 0, 7) + b"c" * 320)
            end.send(struct.pack(">BxHI", 1, 0, 8) + b"short")
            end.send(b'{"hint": "from a newer worker"}')
            end.send(b"{not json")
            end.send(struct.pack(">BxHI", 1, 0, 9) + b"d" * 320)
            assert [await got.get(), await got.get()] == [(7, b"c" * 320), (9, b"d" * 320)]
            link.close()
            assert end.recv(4096) == b""

    asyncio.run(run())


@pytest.mark.parametrize("last", [b'{"close": "call over"}', b""])
def test_the_end_is_told_once_with_its_reason(listener: socket.socket, last: bytes) -> None:
    async def run() -> None:
        link, end = await connect(listener, OK)
        told: asyncio.Queue[str] = asyncio.Queue()
        link.start(lambda number, pcm: None, told.put_nowait)
        if last:
            end.send(last)
        end.close()
        assert await told.get() == ("call over" if last else "the worker closed the link")
        link.send(bytes(320))
        await asyncio.sleep(0)
        assert told.empty()

    asyncio.run(run())


def test_a_worker_that_lags_costs_frames_not_time(listener: socket.socket) -> None:
    async def run() -> None:
        link, end = await connect(listener, OK)
        with end:
            for _ in range(5000):
                link.send(bytes(320))
            assert link.dropped > 0
            link.close()

    asyncio.run(run())


@pytest.mark.parametrize("answer", [b'{"ok": {"rate": 44100}}', b"{}", b"nonsense", b""])
def test_a_worker_that_talks_nonsense_is_down(listener: socket.socket, answer: bytes) -> None:
    async def run() -> None:
        with pytest.raises(LinkDown):
            (await connect(listener, answer))[1].close()

    asyncio.run(run())


def test_a_refusal_gives_the_reason(listener: socket.socket) -> None:
    async def run() -> None:
        with pytest.raises(LinkRefused, match="no such call"):
            (await connect(listener, b'{"refused": "no such call"}'))[1].close()

    asyncio.run(run())


def test_a_worker_that_does_not_answer_is_down(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aircall_core.media.link.ANSWER_S", 0.1)

    async def run() -> None:
        with pytest.raises(LinkDown, match="does not answer"):
            await WorkerLink.connect(listener.getsockname(), "p", "c", "u")

    asyncio.run(run())

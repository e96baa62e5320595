"""From the browser to the worker: RTP packets in, whole 20 ms frames of PCM out, with no delay of our own."""

import asyncio
from collections.abc import Callable

import av
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtcrtpreceiver import RTCRtpReceiver
from aiortc.rtp import RtpPacket

from aircall_core.media.codec import Decoder, faded
from aircall_core.media.receive import Lost, Piece, ReceiveBuffer

_BUFFER_NAME = "_RTCRtpReceiver__jitter_buffer"  # what aiortc 1.16 feeds with each RTP packet; see `attach`

_CONCEALED = ((0.8, 0.4), (0.4, 0.0))
"""Levels at the begin and end of the frames that stand in for lost ones. Not more than two: after that the worker's
playout has run dry and played silence already, and further frames would only add delay."""


class Uplink:
    """One browser's audio on its way to the worker. ``send`` takes frames of ``frame_bytes``.

    Stands in for aiortc's jitter buffer (``add`` is its interface), so that RTCP reports, statistics and header parsing
    stay aiortc's, while ordering and decoding are done here, on the event loop, the moment a packet arrives.
    """

    def __init__(self, decoder: Decoder, frame_bytes: int, send: Callable[[bytes], None]) -> None:
        self._decoder = decoder
        self._frame_bytes = frame_bytes
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._buffer = ReceiveBuffer()
        self._source: int | None = None
        self._pending = bytearray()
        self._last = bytes(frame_bytes)
        self._timer: asyncio.TimerHandle | None = None
        self.heard_at = self._loop.time()
        """When the last packet came (event loop's clock)."""
        self.packets = 0
        self.undecodable = 0
        self._lost_before = 0
        self._late_before = 0

    @property
    def lost(self) -> int:
        """Packets that never came, or too late."""
        return self._lost_before + self._buffer.lost

    @property
    def late(self) -> int:
        """Packets that came after they had been given up, or twice."""
        return self._late_before + self._buffer.late

    def attach(self, receiver: RTCRtpReceiver) -> None:
        """Take the place of the receiver's jitter buffer.

        aiortc offers no way to choose it; of the ways in, replacing this one object of this one receiver is the
        narrowest: nothing global, and a rename in aiortc fails here, loudly, instead of bringing 80 ms of delay back.
        """
        if not hasattr(receiver, _BUFFER_NAME):
            raise RuntimeError("this aiortc keeps its jitter buffer elsewhere; adapt Uplink.attach")
        setattr(receiver, _BUFFER_NAME, self)

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """aiortc's call for each RTP packet. Never hands a frame back: its decoder thread stays asleep."""
        now = self.heard_at = self._loop.time()
        self.packets += 1
        if packet.ssrc != self._source:
            self._lost_before, self._late_before = self.lost, self.late
            self._source, self._buffer = packet.ssrc, ReceiveBuffer()
        if packet.payload:
            self._take(self._buffer.push(packet.sequence_number, packet.payload, now))
        return False, None

    def close(self) -> None:
        """Stop the timer; nothing is sent any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._send = _nowhere

    def _expire(self) -> None:
        self._timer = None
        self._take(self._buffer.expire(self._loop.time()))

    def _take(self, pieces: list[Piece]) -> None:
        for piece in pieces:
            if isinstance(piece, Lost):
                for gains in _CONCEALED[: piece.count]:
                    self._send(faded(self._last, *gains))
            else:
                self._decode(piece.payload)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._buffer.deadline is not None:
            self._timer = self._loop.call_at(self._buffer.deadline, self._expire)

    def _decode(self, payload: bytes) -> None:
        try:
            self._pending += self._decoder.decode(payload)
        except av.FFmpegError:  # what a browser sends is untrusted; a bad packet is a lost packet
            self.undecodable += 1
            return
        while len(self._pending) >= self._frame_bytes:
            self._last = bytes(self._pending[: self._frame_bytes])
            del self._pending[: self._frame_bytes]
            self._send(self._last)


def _nowhere(_: bytes) -> None:
    """Where frames go once the peer is closed."""

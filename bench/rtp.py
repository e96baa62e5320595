"""The caller's audio for measures: RTP sent and received on a socket of our own, each packet with its time."""

import select
import socket
import threading
import time
from types import TracebackType
from typing import Self

import numpy as np

from tests.support.audio import Samples
from tests.support.rawsip import receive, rtp_packet
from tests.support.sipp import a_law

FRAME, RATE = 160, 8000
_DECODED = np.zeros(256)
for _code in range(256):
    _plain = _code ^ 0x55
    _segment, _mantissa = _plain >> 4 & 7, _plain & 15
    _value = (_mantissa * 2 + 1) << 3 if _segment == 0 else ((_mantissa * 2 + 33) << 3) << (_segment - 1)
    _DECODED[_code] = (_value if _plain & 0x80 else -_value) / 32768


class RtpStream:
    """Sends `voice` (8 kHz, repeated) as PCMA every 20 ms, keeps all that comes. `sent`, `got`: (time, samples)."""

    def __init__(self, udp: socket.socket, target: tuple[str, int], voice: Samples) -> None:
        self.sent: list[tuple[float, Samples]] = []
        self.got: list[tuple[float, Samples]] = []
        self._socket, self._target = udp, target
        self._frames = voice[: len(voice) // FRAME * FRAME].reshape(-1, FRAME)
        self._over = threading.Event()
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._send, self._receive)]
        for thread in self._threads:
            thread.start()

    def _send(self) -> None:
        packets = [a_law(frame) for frame in self._frames]
        number, due = 0, time.monotonic()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            due += FRAME / RATE
            at = number % len(packets)
            self._socket.sendto(rtp_packet(number, packets[at]), self._target)
            self.sent.append((time.time(), self._frames[at]))
            number += 1

    def _receive(self) -> None:
        while not self._over.is_set():
            if select.select([self._socket], [], [], 0.05)[0]:
                data, at, _ = receive(self._socket)
                if len(data) == 12 + FRAME and data[1] & 0x7F == 8:
                    self.got.append((at, _DECODED[np.frombuffer(data[12:], np.uint8)]))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(5)


def laid_out(frames: list[tuple[float, Samples]], start: float, seconds: float, rate: int = RATE) -> Samples:
    """Frames at the places where their times put them, silence between: what an ear at that point would hear."""
    out = np.zeros(int(seconds * rate))
    for at, samples in frames:
        where = round((at - start) * rate)
        if where >= 0 and where + len(samples) <= len(out):
            out[where : where + len(samples)] = samples
    return out


def first_loud(frames: list[tuple[float, Samples]], level: float = 0.02) -> float:
    """Time of the first frame that is no silence; raises LookupError when there is none."""
    for at, samples in frames:
        if float(np.abs(samples).max()) > level:
            return at
    raise LookupError("only silence came")

"""From the worker to the browser: a frame becomes an RTP packet the moment it comes; silence fills what does not come.

There is no playout buffer here: the worker's bridge ticks every 20 ms, and the browser's own jitter buffer irons out
what little the socket adds. A buffer in between would add 30 ms to every word and help only where the worker is late
and this process is not. What must not happen is that packets stop: Chromium's jitter buffer grows to 300 ms when they
come back.
"""

import asyncio
import fractions
from collections import deque
from typing import Any

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from aircall_core.media.codec import Encoder

FRAME_S = 0.020
SILENCE_AFTER_S = 0.060
"""How long the worker may be late before silence takes its place: three frames, more than its ticks ever wander."""

MAX_WAITING = 4
"""Frames that may wait for the sender. One that lags by more has stalled; no delay is worth more than old audio."""

_LONGEST_STEP = 50  # frames; a larger jump in the worker's sequence numbers is not a pause but another stream


class CallerTrack(MediaStreamTrack):
    """The caller's audio for aiortc's sender: packets already encoded, which spares it a thread and a resampler."""

    kind = "audio"

    def __init__(self, encoder: Encoder, rate: int) -> None:
        super().__init__()
        self._encoder = encoder
        self._silence = bytes(rate // 50 * 2)
        self._step = encoder.clock_rate // 50
        self._time_base = fractions.Fraction(1, encoder.clock_rate)
        self._clock = asyncio.get_running_loop()
        self._queue: deque[tuple[int, bytes]] = deque(maxlen=MAX_WAITING)
        self._arrived = asyncio.Event()
        self._sequence: int | None = None
        self._position = 0  # in frames, of the last packet sent
        self._due: float | None = None  # when silence is due
        self._silent = True
        self.frames = 0
        """Frames received from the worker."""
        self.skipped = 0
        """Frames the worker sent and the browser did not get."""

    def push(self, sequence: int, pcm: bytes) -> None:
        """Take a 20 ms frame of the worker; ``sequence`` counts its frames, also those the socket had no room for."""
        self.frames += 1
        if self._due is None:
            return  # nobody listens yet, and what is said until then is history
        if len(self._queue) == MAX_WAITING:
            self.skipped += 1
        self._queue.append((sequence, pcm))
        self._arrived.set()

    async def recv(self) -> "av.Packet[Any]":
        """The next RTP payload, at the latest when silence is due."""
        if self._due is None:  # the sender begins: the browser is connected
            self._due = self._clock.time()
        while not self._queue and self.readyState == "live" and self._clock.time() < self._due:
            await self._wait_until(self._due)
        if self.readyState != "live":
            raise MediaStreamError
        return self._live() if self._queue else self._pause()

    def stop(self) -> None:
        super().stop()
        self._arrived.set()

    async def _wait_until(self, when: float) -> None:
        """Return when a frame has arrived, at ``when``, or at the end of the track."""
        self._arrived.clear()
        timer = self._clock.call_at(when, self._arrived.set)
        try:
            await self._arrived.wait()
        finally:
            timer.cancel()

    def _live(self) -> "av.Packet[Any]":
        sequence, pcm = self._queue.popleft()
        step = 1 if self._sequence is None else sequence - self._sequence
        self._sequence = sequence
        self._due = self._clock.time() + SILENCE_AFTER_S
        # After silence the time stamps have gone on by themselves: the step of the numbers has been lived through.
        in_order = 1 <= step <= _LONGEST_STEP and not self._silent
        self._silent = False
        return self._packet(step if in_order else 1, pcm)

    def _pause(self) -> "av.Packet[Any]":
        """Silence, stamped with the time that has passed: the browser shall neither stretch nor hurry what it has."""
        assert self._due is not None
        step = 1 if self._silent else round(SILENCE_AFTER_S / FRAME_S)
        self._silent = True
        # A loop that was held up does not send the packets it owes all at once.
        self._due = max(self._due + FRAME_S, self._clock.time())
        return self._packet(step, self._silence)

    def _packet(self, step: int, pcm: bytes) -> "av.Packet[Any]":
        self._position += step
        packet: av.Packet[Any] = av.Packet(self._encoder.encode(pcm))
        packet.pts = self._position * self._step
        packet.time_base = self._time_base
        return packet

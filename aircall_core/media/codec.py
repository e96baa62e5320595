"""What turns RTP payloads into the worker's PCM and back: mu-law by table, Opus by libopus (through PyAV).

Work is done where the packet arrives, on the event loop: 1 us a frame for mu-law, 30-60 us for Opus, which is less than
the hand-over to a thread. Opus is encoded at the worker's own rate: libopus takes 8 and 16 kHz as they are.
"""

import fractions
from typing import Protocol

import av
import numpy as np

from aircall_core.media import g711

OPUS_BITRATE = 24_000
"""Bits per second to the browser: transparent for speech that came over a telephone."""


class Decoder(Protocol):
    """RTP payload to s16le mono at the worker's rate; state carries from packet to packet."""

    def decode(self, payload: bytes) -> bytes: ...


class Encoder(Protocol):
    """One 20 ms frame of s16le mono at the worker's rate to one RTP payload."""

    clock_rate: int

    def encode(self, pcm: bytes) -> bytes: ...


def decoder(codec: str, rate: int) -> Decoder:
    """A decoder for ``codec`` ('pcmu' or 'opus') that delivers ``rate`` samples per second."""
    return OpusDecoder(rate) if codec == "opus" else MuLawDecoder(rate)


def encoder(codec: str, rate: int) -> Encoder:
    """An encoder for ``codec`` ('pcmu' or 'opus') fed with ``rate`` samples per second."""
    return OpusEncoder(rate) if codec == "opus" else MuLawEncoder(rate)


class Resampler:
    """s16le mono from one rate to another (swresample); the same bytes when the rates are equal."""

    def __init__(self, source: int, target: int) -> None:
        self._source = source
        self._native = None if source == target else av.AudioResampler(format="s16", layout="mono", rate=target)

    def convert(self, pcm: bytes) -> bytes:
        """The samples due so far; the filter keeps about a millisecond."""
        if self._native is None or not pcm:
            return pcm
        return b"".join(_samples(frame) for frame in self._native.resample(_frame(pcm, self._source)))


class MuLawDecoder:
    """PCMU to the worker's rate."""

    def __init__(self, rate: int) -> None:
        self._resampler = Resampler(8000, rate)

    def decode(self, payload: bytes) -> bytes:
        return self._resampler.convert(g711.decode(payload))


class MuLawEncoder:
    """The worker's rate to PCMU."""

    clock_rate = 8000

    def __init__(self, rate: int) -> None:
        self._resampler = Resampler(rate, 8000)

    def encode(self, pcm: bytes) -> bytes:
        return g711.encode(self._resampler.convert(pcm))


class OpusDecoder:
    """Opus (RFC 7587) to the worker's rate; FFmpeg's libopus always decodes to 48 kHz, so the rest is resampled."""

    def __init__(self, rate: int) -> None:
        self._codec = av.AudioCodecContext.create("libopus", "r")
        self._codec.format = "s16"
        self._codec.layout = "mono"
        self._codec.sample_rate = 48_000
        self._resampler = Resampler(48_000, rate)

    def decode(self, payload: bytes) -> bytes:
        """Raises av.FFmpegError when the payload is not Opus."""
        return b"".join(self._resampler.convert(_samples(frame)) for frame in self._codec.decode(av.Packet(payload)))


class OpusEncoder:
    """The worker's rate to Opus, one packet a frame."""

    clock_rate = 48_000

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._codec = av.AudioCodecContext.create("libopus", "w")
        self._codec.format = "s16"
        self._codec.layout = "mono"
        self._codec.sample_rate = rate
        self._codec.bit_rate = OPUS_BITRATE
        self._codec.options = {"application": "voip", "frame_duration": "20", "compression_level": "5"}
        self._codec.time_base = fractions.Fraction(1, rate)
        self._position = 0

    def encode(self, pcm: bytes) -> bytes:
        frame = _frame(pcm, self._rate)
        frame.pts = self._position
        self._position += frame.samples
        return b"".join(bytes(packet) for packet in self._codec.encode(frame))


def faded(pcm: bytes, gain_from: float, gain_to: float) -> bytes:
    """The samples with their level moving from one factor to the other: conceals a lost frame by its predecessor."""
    samples = np.frombuffer(pcm, "<i2")
    return (samples * np.linspace(gain_from, gain_to, len(samples))).astype("<i2").tobytes()


def _frame(pcm: bytes, rate: int) -> av.AudioFrame:
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(pcm) // 2)
    frame.planes[0].update(pcm)
    frame.sample_rate = rate
    return frame


def _samples(frame: av.AudioFrame) -> bytes:
    """Planes are padded to the allocator's taste; the frame's own count is what holds."""
    return bytes(frame.planes[0])[: frame.samples * 2]

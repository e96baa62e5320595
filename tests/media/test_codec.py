"""Codecs: what goes in comes out, at every rate the gateway joins."""

import numpy as np
import pytest

from aircall_core.media import g711
from aircall_core.media.codec import Resampler, decoder, encoder, faded
from tests.support.audio import Samples, from_pcm, gaps, silence, to_pcm, tone, tone_level


def through(codec: str, rate: int, samples: Samples) -> Samples:
    """Frame by frame through an encoder and a decoder."""
    sender, receiver, size = encoder(codec, rate), decoder(codec, rate), rate // 50
    frames = [to_pcm(samples[at : at + size]) for at in range(0, len(samples) - size + 1, size)]
    return from_pcm(b"".join(receiver.decode(sender.encode(frame)) for frame in frames))


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("codec", ["pcmu", "opus"])
@pytest.mark.parametrize("frequency", [440, 1000, 3000])
def test_a_tone_survives(codec: str, rate: int, frequency: int) -> None:
    out = through(codec, rate, tone(frequency, 2, rate, level_db=-12))[rate // 2 :]
    assert tone_level(out, frequency, rate) == pytest.approx(-12, abs=1.0)
    assert gaps(out, frequency, rate) == []


@pytest.mark.parametrize("codec", ["pcmu", "opus"])
def test_silence_stays_silence(codec: str) -> None:
    assert np.abs(through(codec, 8000, silence(1, 8000))).max() < 0.001


def test_opus_wants_no_more_than_one_packet_a_frame() -> None:
    sender = encoder("opus", 16000)
    sizes = [len(sender.encode(to_pcm(tone(300 + 10 * i, 0.02, 16000)))) for i in range(50)]
    assert min(sizes) > 0
    assert max(sizes) < 200


def test_g711_is_that_of_the_standard() -> None:
    # ITU-T G.711, table 2a: decoder output values (14 bits there, 16 here) at the segments' ends.
    positive = {0xFF: 0, 0xFE: 8, 0xF0: 120, 0xEF: 132, 0xDF: 396, 0xCF: 924, 0xBF: 1980, 0x8F: 16764, 0x80: 32124}
    for code, value in positive.items():
        assert np.frombuffer(g711.decode(bytes([code])), "<i2")[0] == value
        assert np.frombuffer(g711.decode(bytes([code & 0x7F])), "<i2")[0] == -value


def test_every_g711_code_survives_a_round_trip() -> None:
    codes = bytes(code for code in range(256) if code != 0x7F)  # 0x7F is minus zero
    assert g711.encode(g711.decode(codes)) == codes
    assert g711.encode(bytes(2)) == g711.SILENCE


def test_g711_takes_the_nearest_code() -> None:
    samples = np.arange(-32_124, 32_125, dtype="<i2")
    decoded = np.frombuffer(g711.decode(g711.encode(samples.tobytes())), "<i2").astype(int)
    steps = np.maximum(8, np.abs(samples.astype(int)) // 16)  # a segment has 16 steps
    assert np.all(np.abs(decoded - samples) <= steps)


def test_equal_rates_are_not_touched() -> None:
    pcm = to_pcm(tone(440, 0.02, 8000))
    assert Resampler(8000, 8000).convert(pcm) == pcm


def test_resampling_keeps_the_length() -> None:
    resampler, out = Resampler(48_000, 8000), 0
    for _ in range(100):
        out += len(resampler.convert(to_pcm(tone(440, 0.02, 48_000))))
    assert 100 * 320 - 64 <= out <= 100 * 320  # the filter keeps a few samples to itself


def test_fading_goes_from_level_to_level() -> None:
    out = from_pcm(faded(to_pcm(np.full(160, 0.5)), 1.0, 0.0))
    assert out[0] == pytest.approx(0.5, abs=0.01)
    assert out[-1] == pytest.approx(0.0, abs=0.01)

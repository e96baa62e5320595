"""The measuring tools themselves: a wrong ruler would make every figure wrong."""

import numpy as np
import pytest

from bench.report import Row, spread
from bench.rtp import _DECODED, first_loud, laid_out
from tests.support.audio import delay, noise, tone
from tests.support.sipp import a_law


def test_a_law_there_and_back_loses_less_than_a_step() -> None:
    sent = tone(440, 1, 8000, -6)
    back = _DECODED[np.frombuffer(a_law(sent), np.uint8)]
    assert np.abs(back - sent).max() < 0.02
    assert len(set(_DECODED.tolist())) == 256


def test_a_delay_is_found_to_the_millisecond_through_g711() -> None:
    voice = noise(1.0, 8000, 7, -9)
    frames = voice.reshape(-1, 160)
    sent = [(100.0 + number * 0.02, frame) for number, frame in enumerate(frames)]
    got = [(at + 0.0735, _DECODED[np.frombuffer(a_law(frame), np.uint8)]) for at, frame in sent]
    found = delay(laid_out(sent, 100, 1.2), laid_out(got, 100, 1.2), 8000)
    assert found == pytest.approx(0.0735, abs=0.001)


def test_the_first_sound_is_the_first_frame_above_silence() -> None:
    frames = [(1.0, np.zeros(160)), (1.02, np.full(160, 0.001)), (1.04, np.full(160, 0.3))]
    assert first_loud(frames) == 1.04
    with pytest.raises(LookupError):
        first_loud(frames[:2])


def test_bars_are_upper_limits_unless_they_say_min() -> None:
    figures = spread([float(value) for value in range(1, 101)])
    assert figures == {"median": 50.5, "p95": 96.0, "max": 100.0, "n": 100}
    assert Row("x", "ms", figures, {"median": 51, "p95": 96}).met
    assert not Row("x", "ms", figures, {"p95": 95}).met
    assert not Row("x", "calls/s", {"rate": 75}, {"min_rate": 100}).met
    assert Row("x", "ms", figures).met is None

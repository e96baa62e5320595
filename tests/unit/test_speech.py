"""The spoken text is right in form and level; what cannot be spoken is said clearly."""

import wave
from pathlib import Path

import numpy as np
import pytest

from aircall_core import speech


def _samples(path: Path) -> np.ndarray:
    with wave.open(str(path), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


def test_speech_is_telephone_wav_at_level_and_made_once(tmp_path: Path) -> None:
    first = speech.speech_file("Hello, can you  hear me?", tmp_path)
    samples = _samples(first)
    assert 1.0 < len(samples) / 8000 < 4.0
    assert np.abs(samples).max() < 10 ** (-3 / 20)
    made = first.stat().st_mtime_ns
    assert speech.speech_file("Hello, can you hear\nme?", tmp_path) == first
    assert first.stat().st_mtime_ns == made
    assert speech.speech_file("Something else.", tmp_path) != first
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(("text", "says"), [("   ", "no text"), ("Привет", "English"), ("a" * 2001, "2001 characters")])
def test_unspeakable_text_is_refused_in_words(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(speech.SpeechError, match=says):
        speech.speech_file(text, tmp_path)


def test_an_unknown_voice_never_reaches_the_network(tmp_path: Path) -> None:
    with pytest.raises(speech.SpeechError, match="no voice 'emma'"):
        speech.speech_file("Hello", tmp_path, voice="emma")


@pytest.mark.parametrize("name", ["hold-music", "test-call", "en/nobody-available", "en/recording-notice"])
def test_shipped_prompts_are_alike_in_form_and_level(name: str) -> None:
    samples = _samples(Path(__file__).parents[2] / "data" / "prompts" / f"{name}.wav")
    assert np.abs(samples).max() < 10 ** (-3 / 20)
    power = np.mean(samples[: len(samples) // 160 * 160].reshape(-1, 160) ** 2, axis=1)
    level = 10 * np.log10(power[power > power.max() * 1e-4].mean())
    assert level == pytest.approx(-20, abs=1)


def test_hold_music_loops_without_a_seam() -> None:
    samples = _samples(Path(__file__).parents[2] / "data" / "prompts" / "hold-music.wav")
    assert 20 <= len(samples) / 8000 <= 40
    steps = np.abs(np.diff(samples))
    assert abs(samples[0] - samples[-1]) <= steps.max()

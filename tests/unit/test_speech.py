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


@pytest.mark.parametrize(
    ("text", "voice"),
    [("Pulse uno para ventas.", "pico-es"), ("Appuyez sur la touche étoile, s'il vous plaît.", "pico-fr")],
)
def test_spanish_and_french_are_spoken(text: str, voice: str, tmp_path: Path) -> None:
    samples = _samples(speech.speech_file(text, tmp_path, voice))
    assert 1.0 < len(samples) / 8000 < 5.0
    assert np.abs(samples).max() < 10 ** (-3 / 20)


def test_markup_that_writes_files_is_only_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = speech.synthesise('Hola <genfile file="made.wav"> amigo </genfile> <play file="made.wav"/>', "pico-es")
    assert len(said) > speech.RATE
    assert list(tmp_path.iterdir()) == []


PROMPTS = Path(__file__).parents[2] / "data" / "prompts"
# What the SIP worker plays by these names, in each language.
NAMES = [
    *("nobody-available", "recording-notice", "blocked", "voicemail", "beep", "goodbye", "invalid-choice"),
    *("queue-position-before", "queue-position-after", "queue-next", "estimate-before", "minute", "minutes"),
    *("less-than-a-minute", "callback-offer", "callback-confirmed"),
]


@pytest.mark.parametrize("language", ["en", "es", "fr"])
def test_every_language_has_every_prompt_and_number(language: str) -> None:
    numbers = [f"digits/{number}" for number in [*range(21), *range(30, 100, 10)]]
    missing = [name for name in [*NAMES, *numbers] if not (PROMPTS / language / f"{name}.wav").is_file()]
    assert missing == []


def test_shipped_prompts_are_alike_in_form_and_level_and_begin_at_once() -> None:
    for path in sorted(PROMPTS.rglob("*.wav")):
        samples = _samples(path)
        assert np.abs(samples).max() < 10 ** (-3 / 20), path
        power = np.mean(samples[: len(samples) // 160 * 160].reshape(-1, 160) ** 2, axis=1)
        loud = np.flatnonzero(power > power.max() * 1e-4)
        assert 10 * np.log10(power[loud].mean()) == pytest.approx(-20, abs=1), path
        assert loud[0] * 0.02 <= 0.3, path
        assert len(samples) / 8000 - (loud[-1] + 1) * 0.02 <= 0.3, path


def test_hold_music_loops_without_a_seam() -> None:
    samples = _samples(PROMPTS / "hold-music.wav")
    assert 20 <= len(samples) / 8000 <= 40
    steps = np.abs(np.diff(samples))
    assert abs(samples[0] - samples[-1]) <= steps.max()

"""Text to telephone speech: 8 kHz mono 16-bit WAV files, kept by (text, voice) so that a phrase is spoken once.

The voices live inside packages, so nothing is fetched at run time: a natural one for English (hibari), plain but clear
ones for Spanish and French (Pico). Other languages need a recording: the error says so. The same levelling serves the
prompts that ship (data/prompts/make.py) and those that companies bring, so that all sit alike in the ear.
"""

import hashlib
import os
import tempfile
import wave
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aircall_core.voices import MAX_TEXT, VOICES

RATE = 8000  # Hz; what G.711 carries
_PICO = {"pico-es": "es-ES", "pico-fr": "fr-FR"}
_LEVEL_DBFS = -20.0
_KNEE, _CEILING = 0.45, 0.70  # linear; 0.70 is -3.1 dBFS, which leaves mu-law some room
_RECIPE = 1  # counts up when the sound made from a text changes, so that old files are not used again

Samples = NDArray[np.float64]


class SpeechError(RuntimeError):
    """The text cannot be spoken here; the message says what to do instead."""


def speech_file(text: str, cache_dir: Path, voice: str = "heart") -> Path:
    """Path of a WAV file (8 kHz mono s16) that says `text`, made on first use and kept in `cache_dir`.

    Raises SpeechError for an empty or overlong text, an unknown voice, letters that no voice knows, or when no speech
    engine is installed.
    """
    text = _speakable(text, voice)
    key = hashlib.sha256(f"{_RECIPE}\n{voice}\n{text}".encode()).hexdigest()[:32]
    path = cache_dir / f"speech-{key}.wav"
    if not path.exists():
        cache_dir.mkdir(parents=True, exist_ok=True)
        write_wav(path, levelled(synthesise(text, voice)))
    return path


def spoken(text: str, voice: str = "heart") -> Samples:
    """The text as samples, not levelled. Raises SpeechError as `speech_file` does."""
    return synthesise(_speakable(text, voice), voice)


def _speakable(text: str, voice: str) -> str:
    """The text with its spaces in order."""
    text = " ".join(text.split())
    if not text:
        raise SpeechError("There is no text to speak.")
    if len(text) > MAX_TEXT:
        raise SpeechError(f"The text has {len(text)} characters; at most {MAX_TEXT} can be spoken.")
    if voice not in VOICES:
        raise SpeechError(f"There is no voice {voice!r}; choose one of: {', '.join(VOICES)}.")
    foreign = sorted({letter for letter in text if letter.isalpha() and ord(letter) > 0x24F})
    if foreign:
        raise SpeechError(
            f"Only English, Spanish and French can be spoken, not {''.join(foreign[:5])!r}. "
            "Record the text as a WAV file and play that."
        )
    return text


def synthesise(text: str, voice: str = "heart") -> Samples:
    """The text as samples in [-1, 1] at 8 kHz, not levelled. The same text gives the same samples (Pico: nearly)."""
    try:
        return _pico(text, _PICO[voice]) if voice in _PICO else _hibari(text, voice)
    except ImportError as error:
        raise SpeechError(
            "No speech engine is installed: pip install -r requirements.txt, or play a WAV file instead."
        ) from error


def _hibari(text: str, voice: str) -> Samples:
    from hibari import Hibari  # type: ignore[import-untyped]

    engine: Any = Hibari(voice=voice)
    return _to_8k(np.asarray(engine(text, seed=0), dtype=np.float64), 24000)


def _pico(text: str, voice: str) -> Samples:
    from py_nanotts import NanoTTS  # type: ignore[import-untyped]

    # Pico reads markup that opens and writes files: the text must hold no tag.
    plain = text.translate({ord("<"): " ", ord(">"): " "})
    pcm = NanoTTS().speak(plain, voice=voice)
    return _to_8k(np.frombuffer(pcm, "<i2") / 32768, 16000)


def _to_8k(samples: Samples, rate: int) -> Samples:
    """Every nth sample, after a windowed-sinc low pass at 3.6 kHz that keeps what folds over below -60 dB."""
    step = rate // RATE
    taps = np.arange(-32 * step, 32 * step + 1)
    kernel = np.sinc(taps * 2 * 3600 / rate) * np.blackman(len(taps))
    filtered: Samples = np.convolve(samples, kernel / kernel.sum(), mode="same")
    return filtered[::step]


def trimmed(samples: Samples) -> Samples:
    """The samples without the silence before and after: what is 40 dB below the loudest 10 ms."""
    power = np.mean(samples[: len(samples) // 80 * 80].reshape(-1, 80) ** 2, axis=1)
    loud = np.flatnonzero(power > power.max() * 1e-4)
    return samples[loud[0] * 80 : (loud[-1] + 1) * 80].copy()


def levelled(samples: Samples, dbfs: float = _LEVEL_DBFS) -> Samples:
    """The samples at `dbfs` (RMS over what is not silence), with peaks bent softly below -3 dBFS."""
    blocks = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    power = np.mean(blocks**2, axis=1)
    loud = power[power > power.max() * 1e-4]  # 40 dB below the loudest 20 ms: pauses must not count
    gained = samples * (10 ** (dbfs / 20) / np.sqrt(loud.mean()))
    size = np.abs(gained)
    room = _CEILING - _KNEE
    bent: Samples = np.where(size <= _KNEE, gained, np.sign(gained) * (_KNEE + room * np.tanh((size - _KNEE) / room)))
    return bent


def write_wav(path: Path, samples: Samples, rate: int = RATE) -> None:
    """Write mono s16 in one step: a reader sees the whole file or none."""
    pcm = np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "wb") as raw, wave.open(raw, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(pcm)
    os.chmod(name, 0o644)
    os.replace(name, path)

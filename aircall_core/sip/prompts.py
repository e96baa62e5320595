"""Spoken messages, held in memory as frames: their length is known, so nobody has to be told when they end."""

import wave
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aircall_core.sip.audio import frame_bytes

PROMPTS = Path(__file__).parents[2] / "data" / "prompts"
MUSIC = "hold-music.wav"
NOBODY = "nobody-available"
NOTICE = "recording-notice"
FALLBACK = "en"


class PromptError(RuntimeError):
    """A prompt file is missing or is not 8 kHz or 16 kHz mono 16 bit."""


@dataclass(frozen=True)
class Clip:
    """A message as 20 ms frames at the bridge's rate."""

    frames: tuple[bytes, ...]

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return len(self.frames) * 0.02

    def player(self) -> Callable[[], bytes | None]:
        """A source for an audio port that plays it once from the beginning."""
        frames = iter(self.frames)
        return lambda: next(frames, None)


class Prompts:
    """The messages of one folder, read when first wanted, by language."""

    def __init__(self, rate: int, folder: Path = PROMPTS) -> None:
        self.rate, self.folder = rate, folder
        self._clips: dict[tuple[str, str], Clip] = {}

    def load(self) -> None:
        """Reads every message there is. Raises PromptError."""
        for path in sorted(self.folder.glob("*/*.wav")):
            self._clips[path.parent.name, path.stem] = load_clip(path, self.rate)
        for name in (NOBODY, NOTICE):
            if (FALLBACK, name) not in self._clips:
                raise PromptError(f"prompt {FALLBACK}/{name}.wav is missing in {self.folder}")

    def get(self, name: str, language: str) -> Clip:
        """A message in a language, in English where there is none."""
        return self._clips.get((language, name)) or self._clips[FALLBACK, name]

    @property
    def music(self) -> Path:
        """The hold music's file."""
        return self.folder / MUSIC


def load_clip(path: Path, rate: int) -> Clip:
    """A WAV file as frames at `rate`. Raises PromptError."""
    try:
        with wave.open(str(path), "rb") as file:
            if file.getnchannels() != 1 or file.getsampwidth() != 2 or file.getframerate() not in (8000, 16000):
                raise PromptError(f"{path} must be 8 or 16 kHz, mono, 16 bit")
            own, data = file.getframerate(), file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as problem:
        raise PromptError(f"{path}: {problem}") from problem
    data = _resample(data, own, rate)
    size = frame_bytes(rate)
    data += bytes(-len(data) % size)
    return Clip(tuple(data[start : start + size] for start in range(0, len(data), size)))


def _resample(data: bytes, own: int, rate: int) -> bytes:
    """By a factor of two, up (between two samples lies their mean) or down (the mean of two)."""
    if own == rate:
        return data
    samples = array("h", data)
    if own < rate:
        twice = array("h", bytes(len(data) * 2))
        twice[0::2] = samples
        after = samples[1:] + samples[-1:]
        twice[1::2] = array("h", [(one + two) // 2 for one, two in zip(samples, after, strict=True)])
        return twice.tobytes()
    pairs = zip(samples[0::2], samples[1::2], strict=False)
    return array("h", [(one + two) // 2 for one, two in pairs]).tobytes()

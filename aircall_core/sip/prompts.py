"""Spoken messages, held in memory as frames: their length is known, so nobody has to be told when they end.

Those that ship are read at start. A company's own (table `prompts`) are read by a thread when a call's plan names them,
and kept: the file of a prompt never changes, since a new sound is a new prompt.
"""

import itertools
import wave
from array import array
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aircall_core.logs import get_logger
from aircall_core.sip.audio import frame_bytes

log = get_logger(__name__)

PROMPTS = Path(__file__).parents[2] / "data" / "prompts"
MUSIC = "hold-music.wav"
NOBODY = "nobody-available"
NOTICE = "recording-notice"
BLOCKED = "blocked"
GOODBYE = "goodbye"
BEEP = "beep"
INVALID = "invalid-choice"
CALLED_BACK = "callback-confirmed"
PAUSED, RESUMED = "recording-paused", "recording-resumed"
FALLBACK = "en"
NEEDED = (NOBODY, NOTICE, BLOCKED, GOODBYE, BEEP, INVALID, CALLED_BACK, PAUSED, RESUMED, "voicemail")
KEPT = 200  # a company's prompts in memory, about 1 MB a minute
PATIENCE_S = 0.2  # for a file that is still being read: beyond that the call goes on without it


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

    def looped(self) -> Callable[[], bytes | None]:
        """A source that plays it again and again."""
        frames = itertools.cycle(self.frames)
        return lambda: next(frames)


SILENT = Clip(())


class Prompts:
    """The messages of one folder by language, and those of the company."""

    def __init__(self, rate: int, folder: Path = PROMPTS, data_dir: Path | None = None) -> None:
        """`data_dir`: where the paths of the company's prompts begin."""
        self.rate, self.folder, self.data_dir = rate, folder, data_dir
        self._clips: dict[tuple[str, str], Clip] = {}
        self._own: OrderedDict[str, Future[Clip]] = OrderedDict()
        self._reader = ThreadPoolExecutor(1, "prompts")

    def load(self) -> None:
        """Reads every message that ships. Raises PromptError."""
        for path in sorted(self.folder.glob("*/**/*.wav")):
            language, _, message = path.relative_to(self.folder).with_suffix("").as_posix().partition("/")
            self._clips[language, message] = load_clip(path, self.rate)
        self._clips[FALLBACK, self.music.stem] = load_clip(self.music, self.rate)  # steps may name it, too
        for name in NEEDED:
            if (FALLBACK, name) not in self._clips:
                raise PromptError(f"prompt {FALLBACK}/{name}.wav is missing in {self.folder}")

    def get(self, name: str, language: str) -> Clip:
        """A message that ships, in English where the language has none; silence where there is none at all."""
        found = self._clips.get((language, name)) or self._clips.get((FALLBACK, name))
        if found is None:
            log.error("prompt_missing", name=name[:40], language=language)
        return found or SILENT

    def fetch(self, paths: Mapping[str, str]) -> None:
        """Has these of the company's prompts read: {id: path in the data folder}. Does not wait."""
        for prompt_id, path in paths.items():
            if prompt_id not in self._own or _failed(self._own[prompt_id]):
                self._own[prompt_id] = self._reader.submit(self._read, prompt_id, path)
            self._own.move_to_end(prompt_id)
        while len(self._own) > max(KEPT, len(paths)):
            self._own.popitem(last=False)

    def find(self, reference: Mapping[str, Any] | None, language: str) -> Clip:
        """What a step names: {"prompt": id} or {"shipped": name}. Silence for nothing, and for what cannot be read."""
        reference = reference if isinstance(reference, Mapping) else {}
        if reference.get("shipped"):
            return self.get(str(reference["shipped"]), language)
        reading = self._own.get(str(reference.get("prompt")))
        if reading is None:
            if reference.get("prompt"):
                log.error("prompt_unknown", prompt=str(reference["prompt"])[:32])
            return SILENT
        try:
            return reading.result(PATIENCE_S)
        except (PromptError, NotYet) as problem:
            log.error("prompt_unreadable", prompt=str(reference["prompt"])[:32], error=type(problem).__name__)
            return SILENT

    @property
    def music(self) -> Path:
        """The hold music's file."""
        return self.folder / MUSIC

    def _read(self, prompt_id: str, path: str) -> Clip:
        base = (self.data_dir or Path()).resolve()
        file = (base / path).resolve()
        if not file.is_relative_to(base):
            raise PromptError(f"prompt {prompt_id} lies outside the data folder")
        return load_clip(file, self.rate)


def _failed(reading: "Future[Clip]") -> bool:
    return reading.done() and reading.exception() is not None


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

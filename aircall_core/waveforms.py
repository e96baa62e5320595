"""The waveform of a recording, as a player draws it: computed once from the WAV file, and kept beside it."""

import array
import json
import os
import sys
import tempfile
import wave
from pathlib import Path
from typing import Final

POINTS: Final = 400
_CHUNK_FRAMES: Final = 65_536
_VERSION: Final = 1


def of(path: Path) -> list[int] | None:
    """Loudness over time, POINTS values of 0..255 (fewer for a very short one); None: it is not a WAV of 16 bits.

    The loudest point is 255: who plays a recording wants to see where somebody speaks, however quiet the line was.
    """
    kept = beside(path)
    known = _read(kept, path)
    if known is not None:
        return known
    made = _computed(path)
    if made is not None:
        _keep(kept, made)
    return made


def beside(path: Path) -> Path:
    """Where a recording's waveform is kept; whoever deletes the recording deletes this too."""
    return path.with_name(path.name + ".peaks")


def _read(kept: Path, path: Path) -> list[int] | None:
    try:
        if kept.stat().st_mtime_ns < path.stat().st_mtime_ns:
            return None  # the recording was written since
        found = json.loads(kept.read_text("ascii"))
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict) or found.get("v") != _VERSION:
        return None
    return [int(one) for one in found["peaks"]]


def _computed(path: Path) -> list[int] | None:
    try:
        with wave.open(str(path), "rb") as sound:
            if sound.getsampwidth() != 2 or not sound.getnframes():
                return None
            frames, channels = sound.getnframes(), sound.getnchannels()
            each = max(1, -(-frames // POINTS))
            loudest = [0] * (-(-frames // each))
            at = 0
            while chunk := sound.readframes(_CHUNK_FRAMES // each * each or each):
                samples = array.array("h", chunk[: len(chunk) // 2 * 2])
                if sys.byteorder == "big":
                    samples.byteswap()
                step = each * channels
                for start in range(0, len(samples), step):
                    part = samples[start : start + step]
                    loudest[min(at, len(loudest) - 1)] = max(max(part), -min(part))
                    at += 1
    except (OSError, EOFError, wave.Error):
        return None
    top = max(loudest) or 1
    return [min(255, round(255 * one / top)) for one in loudest]


def _keep(kept: Path, peaks: list[int]) -> None:
    """Written whole or not at all; where that cannot be, it is computed again."""
    try:
        with tempfile.NamedTemporaryFile("w", dir=kept.parent, delete=False, encoding="ascii") as file:
            json.dump({"v": _VERSION, "peaks": peaks}, file, separators=(",", ":"))
        os.replace(file.name, kept)
    except OSError:
        return

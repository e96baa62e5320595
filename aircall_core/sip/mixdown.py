"""The recorder's child process: two mono WAV files in, one stereo file out; or one in and out. JSON lines on stdin and
stdout.

A file whose writer was killed says it is empty: its length is taken from the file's size, not from its header.
"""

import json
import os
import sys
import time
import wave
from array import array
from pathlib import Path
from typing import Any

HEADER = 44  # bytes of the plain PCM header that pjmedia writes
CHUNK = 1 << 16  # samples a turn: memory stays small however long the call was
SETTLE_S = 2.0
LOUD, BLOCK = 400, 50  # what counts as sound: as voicemail.py has it; blocks a second


class BadPart(RuntimeError):
    """A part is not what the recorder writes."""


def rate_of(path: Path) -> int:
    """Sampling rate of a part. Raises BadPart."""
    with path.open("rb") as file:
        head = file.read(HEADER)
    if len(head) < HEADER or head[:4] != b"RIFF" or head[36:40] != b"data":
        raise BadPart(f"{path.name} has no WAV header")
    return int.from_bytes(head[24:28], "little")


def settled(path: Path) -> bool:
    """Whether the writer has closed the file: only then its header tells the length."""
    with path.open("rb") as file:
        told = int.from_bytes(file.read(HEADER)[40:44], "little")
    return told > 0 and told == path.stat().st_size - HEADER


def mix(caller: Path, inside: Path, out: Path) -> tuple[int, int]:
    """Writes `out`; (duration in ms, bytes). Missing ends are silence. Raises BadPart and OSError."""
    rate = rate_of(caller)
    if inside.exists() and rate_of(inside) != rate:
        raise BadPart("the parts differ in rate")
    out.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = out.with_suffix(".tmp")
    samples = 0
    with temporary.open("wb") as raw:
        os.fchmod(raw.fileno(), 0o600)
        with wave.open(raw, "wb") as target, caller.open("rb") as left, _open(inside) as right:
            target.setnchannels(2)
            target.setsampwidth(2)
            target.setframerate(rate)
            left.seek(HEADER)
            right.seek(min(HEADER, os.fstat(right.fileno()).st_size))
            while True:
                one, two = _samples(left), _samples(right)
                count = max(len(one), len(two))
                if not count:
                    break
                both = array("h", bytes(4 * count))
                both[0 : 2 * len(one) : 2] = one
                both[1 : 1 + 2 * len(two) : 2] = two
                target.writeframes(both.tobytes())
                samples += count
        raw.flush()
        os.fsync(raw.fileno())
    temporary.replace(out)
    return samples * 1000 // rate, out.stat().st_size


def copy(part: Path, out: Path) -> tuple[int, int, int]:
    """Writes a mono part with a header that is right; (duration in ms, bytes, ms of sound). As `mix`."""
    rate = rate_of(part)
    out.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = out.with_suffix(".tmp")
    samples = loud = 0
    with temporary.open("wb") as raw:
        os.fchmod(raw.fileno(), 0o600)
        with wave.open(raw, "wb") as target, part.open("rb") as source:
            target.setnchannels(1)
            target.setsampwidth(2)
            target.setframerate(rate)
            source.seek(HEADER)
            while piece := _samples(source):
                target.writeframes(piece.tobytes())
                samples += len(piece)
                blocks = (piece[at : at + rate // BLOCK] for at in range(0, len(piece), rate // BLOCK))
                loud += sum(max(block) >= LOUD or min(block) <= -LOUD for block in blocks)
        raw.flush()
        os.fsync(raw.fileno())
    temporary.replace(out)
    return samples * 1000 // rate, out.stat().st_size, loud * 1000 // BLOCK


def _open(path: Path) -> Any:
    return path.open("rb") if path.exists() else Path(os.devnull).open("rb")


def _samples(file: Any) -> "array[int]":
    data = file.read(CHUNK * 2)
    return array("h", data[: len(data) // 2 * 2])


def handle(job: dict[str, Any]) -> dict[str, Any]:
    """One job; the parts go when the file is whole. No bytes: there was less sound in a voicemail than it must have."""
    caller, out = Path(job["caller"]), Path(job["out"])
    inside = Path(job["inside"]) if job["inside"] else None
    deadline = time.monotonic() + SETTLE_S
    try:
        while not (settled(caller) and (inside is None or not inside.exists() or settled(inside))):
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)  # the library closes files in its own time, and nothing says when
        if inside is not None:
            duration, size = mix(caller, inside, out)
            inside.unlink(missing_ok=True)
        else:
            duration, size, sound = copy(caller, out)
            if sound < job.get("least_ms", 0):
                out.unlink()
                duration = size = 0
        caller.unlink()
    except (OSError, BadPart) as problem:
        return {"duration_ms": 0, "size_bytes": 0, "error": f"{type(problem).__name__}: {problem}"}
    return {"duration_ms": duration, "size_bytes": size, "error": ""}


def main() -> None:
    """Until stdin ends."""
    os.setpriority(os.PRIO_PROCESS, 0, 10)  # absolute: the worker that started us may be at -10
    for line in sys.stdin:
        print(json.dumps(handle(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()

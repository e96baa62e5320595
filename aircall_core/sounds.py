"""What companies bring as prompts, made into telephone sound: files that were uploaded or recorded, and typed texts.

A file is a stranger's: it is decoded in a child process of its own (sound_child.py) with limits on time, memory and
output, so that whatever is wrong with it, this process goes on. Speaking a text takes a processor for seconds: the
child does that too.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

LARGEST: Final = 20 * 1024 * 1024  # bytes of a file
LONGEST_S: Final = 300
PATIENCE_S: Final = 60.0

_turn = threading.Lock()  # one at a time: the processors belong to the calls

# What the child says of a file that it refuses -> what its owner is told.
REASONS: Final = {
    "format": "This is no WAV or MP3 file. Save the sound as one of these.",
    "codec": "This WAV file holds sound in a form that is not supported. Save it as PCM, 16 bit, or as MP3.",
    "broken": "This file is damaged, so it cannot be played. Save it again.",
    "short": "There is less than half a second of sound in it.",
    "long": f"The sound is longer than {LONGEST_S // 60} minutes. Shorten it.",
    "silent": "There is nothing to hear in it. Check the microphone, then record again.",
}


class SoundError(ValueError):
    """No sound can be made of this; the text tells the owner of the file or the text what to do."""


def from_file(data: bytes, target: Path) -> int:
    """Make `target` (WAV, 8 kHz mono s16, levelled, no silence around it) of a WAV or MP3 file; its length in ms.

    Raises SoundError, OSError.
    """
    if len(data) > LARGEST:
        raise SoundError(f"The file is larger than {LARGEST // 1024 // 1024} MB. Save it as MP3.")
    return _in_child("file", data, target)


def from_text(text: str, voice: str, target: Path) -> int:
    """Make `target` of a text that a voice of speech.py speaks; its length in ms. Raises SoundError, OSError."""
    return _in_child("text", json.dumps({"text": text, "voice": voice}).encode(), target)


def _in_child(what: str, data: bytes, target: Path) -> int:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _turn, _part_of(target) as part:
        said = _ask(what, data, part)
        part.chmod(0o600)
        part.replace(target)
        return said


@contextlib.contextmanager
def _part_of(target: Path) -> Iterator[Path]:
    part = target.with_name(target.name + ".part")
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _ask(what: str, data: bytes, part: Path) -> int:
    words = [sys.executable, "-m", "aircall_core.sound_child", what, str(part)]
    # The environment holds secrets of ours, which a file that takes over the child must not find.
    environment = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG") if name in os.environ}
    try:
        child = subprocess.run(
            words,
            input=data,
            capture_output=True,
            timeout=PATIENCE_S,
            env=environment,
            cwd=Path(__file__).parents[1],
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SoundError(REASONS["broken"]) from None
    try:
        said = json.loads(child.stdout)
    except ValueError:  # it was ended by a limit, or crashed
        raise SoundError(REASONS["broken"]) from None
    if "reason" in said:
        raise SoundError(REASONS[said["reason"]])
    if "message" in said:
        raise SoundError(said["message"])
    return int(said["duration_ms"])

"""The child that makes prompts: `python -m aircall_core.sound_child (file|text) target` with the input on stdin.

Says one line of JSON: {"duration_ms"}, or {"reason"} (sounds.REASONS) or {"message"} for what it refuses. Its limits
are set before it looks at the input.
"""

import io
import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

# One thread: the processors belong to the calls. numpy's and onnxruntime's libraries read these when they are loaded.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import av
import numpy as np

from aircall_core import speech
from aircall_core.sounds import LONGEST_S

CPU_S, MEMORY, LARGEST_OUTPUT = 40, 2 << 30, 16 << 20
SHORTEST_S = 0.5
REST_S = 0.1  # of silence before and after
QUIETEST = 1e-3  # -60 dBFS: below it nobody meant to be heard

# What a WAV file may hold: the decoders of strange codecs are not for strangers' files.
PCM = frozenset({
    "pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_alaw", "pcm_mulaw",
})  # fmt: skip
MP3 = frozenset({"mp3", "mp3float"})


class Refused(Exception):
    """The input is no prompt; the argument is a key of sounds.REASONS."""


def limit() -> None:
    """Bounds for whatever a file may do to its decoder."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_OUTPUT, LARGEST_OUTPUT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(10)


def decoded(data: bytes) -> speech.Samples:
    """The sound of a WAV or MP3 file as samples in [-1, 1] at 8 kHz. Raises Refused."""
    form, codecs = _form(data)
    try:
        with av.open(io.BytesIO(data), format=form) as container:
            if not container.streams.audio:
                raise Refused("broken")
            stream = container.streams.audio[0]
            if stream.codec_context.name not in codecs:
                raise Refused("codec")
            return _read(container, stream)
    except (av.FFmpegError, ValueError, EOFError) as problem:
        raise Refused("broken") from problem


def _form(data: bytes) -> tuple[str, frozenset[str]]:
    """The container that the first bytes speak of, whatever the file's name says, and what may be inside."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "wav", PCM
    if data[:3] == b"ID3" or (len(data) > 2 and data[0] == 0xFF and data[1] & 0xE6 == 0xE2):  # MPEG audio, layer III
        return "mp3", MP3
    raise Refused("format")


def _read(container: Any, stream: Any) -> speech.Samples:
    resampler = av.AudioResampler(format="flt", layout="mono", rate=speech.RATE)
    parts: list[np.ndarray[Any, np.dtype[np.float32]]] = []
    length = 0
    for frame in container.decode(stream):
        for piece in resampler.resample(frame):
            parts.append(piece.to_ndarray()[0])
            length += piece.samples
        if length > LONGEST_S * speech.RATE:
            raise Refused("long")
    parts += [piece.to_ndarray()[0] for piece in resampler.resample(None)]
    if not parts:
        raise Refused("broken")
    samples = np.concatenate(parts).astype(np.float64)
    return np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)


def finished(samples: speech.Samples) -> speech.Samples:
    """At the level of all prompts, with a short rest before and after instead of whatever silence there was."""
    if len(samples) < SHORTEST_S * speech.RATE:
        raise Refused("short")
    samples = samples - samples.mean()  # cheap microphones add a constant, which would count as loudness
    if np.abs(samples).max() < QUIETEST:
        raise Refused("silent")
    heard = speech.trimmed(samples)
    rest = np.zeros(int(REST_S * speech.RATE))
    return np.concatenate([rest, speech.levelled(heard), rest])


def main(what: str, target: str) -> dict[str, Any]:
    """Make the file; what to say of it."""
    data = sys.stdin.buffer.read()
    try:
        if what == "text":
            asked = json.loads(data)
            samples = speech.spoken(asked["text"], asked["voice"])
        else:
            samples = decoded(data)
        made = finished(samples)
    except speech.SpeechError as refused:
        return {"message": str(refused)}
    except Refused as refused:
        return {"reason": str(refused)}
    speech.write_wav(Path(target), made)
    return {"duration_ms": len(made) * 1000 // speech.RATE}


if __name__ == "__main__":
    limit()
    print(json.dumps(main(*sys.argv[1:])))

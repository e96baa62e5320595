"""Sound for tests: tones to play, and the measures of what arrived. Samples are float arrays in -1..1, mono.

Levels are in dBFS of a sine (a full-scale sine is 0 dB); times in seconds.
"""

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]

FLOOR_DB = -120.0
"""What silence measures."""


def tone(frequency: float, seconds: float, rate: int, level_db: float = -12.0) -> Samples:
    """A sine of ``frequency`` Hz."""
    amplitude = 10 ** (level_db / 20)
    return np.asarray(amplitude * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate))


def silence(seconds: float, rate: int) -> Samples:
    """Nothing, for so long."""
    return np.zeros(round(seconds * rate))


def noise(seconds: float, rate: int, seed: int, level_db: float = -12.0) -> Samples:
    """White noise, the same for the same seed: a signature whose delay can be measured to a sample."""
    generator = np.random.default_rng(seed)
    return np.asarray(generator.uniform(-1, 1, round(seconds * rate)) * 10 ** (level_db / 20))


def write_wav(path: Path, samples: Samples, rate: int) -> Path:
    """A 16-bit mono WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(to_pcm(samples))
    return path


def read_wav(path: Path) -> tuple[npt.NDArray[np.float64], int]:
    """Samples (channels x length) and rate of a 16-bit WAV file."""
    with wave.open(str(path), "rb") as file:
        channels, rate = file.getnchannels(), file.getframerate()
        assert file.getsampwidth() == 2, "16-bit files only"
        pcm = file.readframes(file.getnframes())
    return from_pcm(pcm).reshape(-1, channels).T, rate


def to_pcm(samples: Samples) -> bytes:
    """s16le bytes."""
    return (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def from_pcm(pcm: bytes) -> Samples:
    """Samples of s16le bytes."""
    return np.frombuffer(pcm, "<i2").astype(np.float64) / 32768


def level(samples: Samples) -> float:
    """Loudness of all that is in it, dBFS."""
    return _db(float(np.sqrt(2 * np.mean(np.square(samples)))) if len(samples) else 0.0)


def tone_level(samples: Samples, frequency: float, rate: int) -> float:
    """Level of one frequency, dBFS (Goertzel: one bin of a Fourier transform, under a Hann window).

    The bin is about 4 / duration wide: 200 ms tell tones apart that differ by 20 Hz.
    """
    count = len(samples)
    if count == 0:
        return FLOOR_DB
    window = np.hanning(count)
    phase = np.exp(-2j * np.pi * frequency * np.arange(count) / rate)
    return _db(float(abs(np.sum(samples * window * phase)) * 2 / np.sum(window)))


def has_tone(samples: Samples, frequency: float, rate: int, at_least_db: float = -40.0) -> bool:
    """Whether the tone is there, and is most of what is there."""
    there = tone_level(samples, frequency, rate)
    return there >= at_least_db and there >= level(samples) - 3


def sounds(samples: Samples, frequency: float, rate: int) -> bool:
    """Whether the tone is what is heard most of the time, in windows short enough for a machine that stalls."""
    size = rate // 10
    windows = [samples[at : at + size] for at in range(0, len(samples) - size + 1, size)]
    return bool(windows) and sum(has_tone(window, frequency, rate) for window in windows) >= 0.6 * len(windows)


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch without the tone."""

    start_s: float
    length_s: float


def gaps(
    samples: Samples,
    frequency: float,
    rate: int,
    *,
    step_s: float = 0.005,
    window_s: float = 0.020,
    drop_db: float = 12.0,
) -> list[Gap]:
    """Stretches, between the tone's first and last sound, where it is ``drop_db`` below its median level.

    Looks through a window that moves by ``step_s``: gaps of half a window and more are found, their length to a step.
    """
    size, step = round(window_s * rate), round(step_s * rate)
    starts = range(0, len(samples) - size + 1, step)
    levels = np.array([tone_level(samples[at : at + size], frequency, rate) for at in starts])
    loud = levels > np.median(levels[levels > -60.0]) - drop_db if np.any(levels > -60.0) else np.zeros(0, bool)
    sounding = np.flatnonzero(loud)
    if len(sounding) == 0:
        return []
    found, begin = [], None
    for index in range(sounding[0], sounding[-1] + 1):
        if not loud[index] and begin is None:
            begin = index
        elif loud[index] and begin is not None:
            found.append(Gap(begin * step / rate, (index - begin) * step / rate))
            begin = None
    return found


def delay(sent: Samples, received: Samples, rate: int) -> float:
    """How much later ``sent`` is found in ``received``, in seconds: the peak of their cross-correlation."""
    size = 1 << (len(sent) + len(received) - 1).bit_length()
    product = np.fft.rfft(received, size) * np.conj(np.fft.rfft(sent, size))
    lag = int(np.argmax(np.abs(np.fft.irfft(product, size))))
    return (lag - size if lag > size // 2 else lag) / rate


def found(heard: Samples, sound: Samples, rate: int, at_least: float = 0.7) -> list[float]:
    """Where ``sound`` (a prompt, say) begins in ``heard``, in seconds: how alike they are there (normalised
    cross-correlation, 1 = but for loudness the same; a telephone's codec keeps more than 0.95) is ``at_least`` this."""
    size = len(sound)
    if len(heard) < size or not np.any(sound):
        return []
    length = 1 << (len(heard) + size - 1).bit_length()
    spectrum = np.fft.rfft(heard, length) * np.conj(np.fft.rfft(sound, length))
    product = np.fft.irfft(spectrum, length)[: len(heard) - size + 1]
    energy = np.cumsum(np.concatenate([[0.0], np.square(heard)]))
    there = np.maximum(energy[size:] - energy[:-size], 1e-6)
    alike = product / np.sqrt(there * np.sum(np.square(sound)))
    starts: list[float] = []
    while alike.size and (best := int(np.argmax(alike))) >= 0 and alike[best] >= at_least:
        starts.append(best / rate)
        alike[max(0, best - size // 2) : best + size // 2] = -1.0
    return sorted(starts)


def _db(amplitude: float) -> float:
    return max(FLOOR_DB, 20 * float(np.log10(amplitude))) if amplitude > 0 else FLOOR_DB

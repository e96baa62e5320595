"""Make the prompts that ship, again: `PYTHONPATH=. python data/prompts/make.py [folder of recordings]`.

Run it in the root of the repository. The Spanish and French recordings come from Debian's packages
asterisk-core-sounds-es-wav and asterisk-core-sounds-fr-wav, which put them into /usr/share/asterisk/sounds; another
folder that holds es_MX_f_Allison and fr_CA_f_June will do. The words are in words.py, the music is computed in
music.py: the same code and packages give the same files (but for the lowest two bits of what Pico speaks), so a change
of words is a change of one line there.
"""

import sys
import wave
from pathlib import Path

import music
import numpy as np
import words

from aircall_core import speech

HERE = Path(__file__).parent
RECORDINGS = Path("/usr/share/asterisk/sounds")
REST_S, BREATH_S = 0.2, 0.04  # before and after a sentence (the audio path opens), and around a part of one
FADE = 64  # samples: a cut must not click
BEEP_HZ, BEEP_S = 1000, 0.4


def recorded(folder: Path, cut: words.Cut) -> speech.Samples:
    """A stretch of a recording, levelled by itself, since the recordings differ, and without silence around it."""
    with wave.open(str(folder / f"{cut.name}.wav"), "rb") as file:
        if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (speech.RATE, 1, 2):
            raise SystemExit(f"{cut.name}.wav is not 8 kHz, mono, 16 bit")
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    end = None if cut.end_s is None else int(cut.end_s * speech.RATE)
    taken = speech.trimmed(speech.levelled(samples[int(cut.start_s * speech.RATE) : end]))
    slope = np.linspace(0, 1, FADE)
    taken[:FADE] *= slope
    taken[-FADE:] *= slope[::-1]
    return taken


def rest(seconds: float) -> speech.Samples:
    """Silence."""
    return np.zeros(int(seconds * speech.RATE))


def said(folder: Path, language: str, what: words.Said) -> speech.Samples:
    """Words or pieces as one stretch of samples at the level of all prompts."""
    if isinstance(what, str):
        return speech.trimmed(speech.levelled(speech.synthesise(what, words.VOICES[language])))
    pieces = [rest(piece) if isinstance(piece, float) else recorded(folder, piece) for piece in what]
    return speech.levelled(np.concatenate(pieces))


def beep() -> speech.Samples:
    """The tone after which a caller speaks."""
    t = np.arange(int(BEEP_S * speech.RATE)) / speech.RATE
    shape = np.minimum(1, np.minimum(t, BEEP_S - t) / 0.01)
    return speech.levelled(np.sin(2 * np.pi * BEEP_HZ * t) * shape)


def main(recordings: Path) -> None:
    """Write every prompt beside this file."""
    for language, table in words.WORDS.items():
        (HERE / language / "digits").mkdir(parents=True, exist_ok=True)
        for name, what in table.items():
            around = rest(BREATH_S if name.startswith(words.PARTS) else REST_S)
            samples = said(recordings / words.FOLDERS.get(language, ""), language, what)
            speech.write_wav(HERE / language / f"{name}.wav", np.concatenate([around, samples, around]))
        speech.write_wav(HERE / language / "beep.wav", np.concatenate([beep(), rest(BREATH_S)]))
    test_call = said(recordings, "en", words.TEST_CALL)
    speech.write_wav(HERE / "test-call.wav", np.concatenate([rest(REST_S), test_call, rest(REST_S)]))
    speech.write_wav(HERE / "hold-music.wav", music.hold_music())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else RECORDINGS)

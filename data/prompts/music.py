"""The hold music that ships: computed, no sample of anybody's recording."""

import numpy as np

from aircall_core import speech

# Hold music: eight chords of four seconds, notes below 1.5 kHz so that G.711 carries them well.
CHORDS = (
    "F3 A3 C4 E4 | D3 F3 A3 C4 | G3 Bb3 D4 F4 | C4 F4 G4 Bb4 | A3 C4 E4 G4 | D3 F3 A3 E4 | Bb3 D4 F4 A4 | C4 E4 G4 D5"
)
MELODY = "A4 C5 E5 C5 F4 A4 C5 E5 D5 F5 Bb4 D5 G4 Bb4 C5 F5 E5 C5 G5 E5 F5 A4 D5 A4 D5 F5 A5 F5 G5 E5 D5 C5"
STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11, "Bb": 10}
BAR_S = 4.0


def hertz(note: str) -> float:
    """Frequency of a note such as Bb3.

    A quarter tone below concert pitch: nobody hears it, and the music holds none of the tones that tests listen for.
    """
    return float(440 * 2 ** (-1 / 24) * 2 ** ((STEPS[note[:-1]] + 12 * int(note[-1]) - 57) / 12))


def ring(note: str, length_s: float, attack_s: float, decay_s: float, overtones: list[float]) -> speech.Samples:
    """One struck note: sine overtones, each higher one dying sooner, ends in silence."""
    t = np.arange(int(length_s * speech.RATE)) / speech.RATE
    tone = sum(
        level * np.exp(-t * number / decay_s) * np.sin(2 * np.pi * hertz(note) * number * t)
        for number, level in enumerate(overtones, start=1)
    )
    shape = np.minimum(1, t / attack_s) * np.minimum(1, (length_s - t) / (length_s * 0.25))
    return np.asarray(tone * shape)


def hold_music() -> speech.Samples:
    """32 s of soft chords under a slow melody. Tails wrap around the end, so that the loop has no seam."""
    chords, melody = [chord.split() for chord in CHORDS.split("|")], MELODY.split()
    out = np.zeros(int(BAR_S * len(chords) * speech.RATE))

    def add(samples: speech.Samples, at_s: float) -> None:
        where = (int(at_s * speech.RATE) + np.arange(len(samples))) % len(out)
        out[where] += samples

    for bar, chord in enumerate(chords):
        for voice, note in enumerate(chord):
            add(0.5 * ring(note, 6.0, 0.35, 4.0, [1, 0.25, 0.1]), bar * BAR_S + voice * 0.06)
        for beat, note in enumerate(melody[bar * 4 : bar * 4 + 4]):
            add(0.6 * ring(note, 2.4, 0.02, 0.9, [1, 0.3, 0.05]), bar * BAR_S + beat)
    return speech.levelled(out)

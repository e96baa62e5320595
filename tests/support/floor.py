"""Who hears whom: every party of a call sends a tone of their own, and what each of them hears is looked at.

floor = Floor(Voice("caller", 440, caller.ear), Voice("ada", 700, ada.heard), Voice("bea", 1000, bea.heard))
floor.wait(caller={"ada"}, ada={"caller"}, bea=MUSIC)

`wait` returns once everybody has heard exactly that for a quarter of a second, and says who heard what otherwise.
"""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import numpy as np

from tests.support.audio import Samples, level, tone, tone_level
from tests.support.ivr_caller import RATE, IvrCaller

LOOK_S: Final = 0.25
HEARD_DB, UNHEARD_DB = -32.0, -50.0  # tones are sent at -12 dBFS; between the two nothing may lie for long
QUIET_DB: Final = -55.0


class Music:
    """What one hears who is on hold: sound, and nobody's tone."""


MUSIC: Final = Music()
Wanted = set[str] | Music


@dataclass(frozen=True)
class Voice:
    """One party: the tone it sends, and what it heard in the last seconds (8 kHz)."""

    name: str
    hz: float
    ear: Callable[[float], Samples]


class Floor:
    """All parties whose tones may be heard."""

    def __init__(self, *voices: Voice) -> None:
        self.voices = {voice.name: voice for voice in voices}

    def add(self, voice: Voice) -> None:
        """One more party."""
        self.voices[voice.name] = voice

    def heard_by(self, name: str) -> dict[str, float]:
        """The level (dBFS) of each party's tone in what this one heard lately."""
        samples = self.voices[name].ear(LOOK_S)
        return {other.name: round(tone_level(samples, other.hz, RATE), 1) for other in self.voices.values()}

    def wait(self, timeout: float = 5.0, **wanted: Wanted) -> None:
        """Until each of those named hears exactly these; AssertionError with what each heard instead."""
        self.wait_all(wanted, timeout)

    def wait_all(self, wanted: Mapping[str, Wanted], timeout: float = 5.0) -> None:
        """As `wait`, of parties by name."""
        until = time.monotonic() + timeout
        pause = threading.Event()
        left = dict(wanted)
        while left:
            left = {name: what for name, what in wanted.items() if not self._hears(name, what)}
            if left and time.monotonic() > until:
                told = {name: (self.heard_by(name), self._level(name)) for name in left}
                raise AssertionError(f"wanted {left}, but heard (dBFS by tone, in all): {told}")
            if left:
                pause.wait(0.05)

    def stays(self, seconds: float = 0.4, **wanted: Wanted) -> None:
        """It is so, and nobody else is heard for this long. (A late frame splatters, and is no voice.)"""
        self.wait_all(wanted)
        until = time.monotonic() + seconds
        pause = threading.Event()
        while time.monotonic() < until:
            for name, what in wanted.items():
                meant = set() if isinstance(what, Music) else what
                others = {other: db for other, db in self.heard_by(name).items() if other not in meant}
                assert max(others.values()) < HEARD_DB, f"{name} wanted {what}, but then heard {others}"
            pause.wait(0.05)

    def _level(self, name: str) -> float:
        return round(level(self.voices[name].ear(LOOK_S)), 1)

    def _hears(self, name: str, wanted: Wanted) -> bool:
        if len(self.voices[name].ear(LOOK_S)) < LOOK_S * RATE * 0.9:
            return wanted == set()  # who is out of the call hears not even silence
        levels = self.heard_by(name)
        if isinstance(wanted, Music):
            return self._level(name) > QUIET_DB + 10 and max(levels.values()) < HEARD_DB
        if not wanted and self._level(name) > QUIET_DB:
            return False
        return all((db >= HEARD_DB) if other in wanted else (db <= UNHEARD_DB) for other, db in levels.items())


class LiveCaller(IvrCaller):
    """A caller who answers the other side's requests by itself, speaks a tone without end, and can be listened to."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._taking = threading.Lock()
        self._pumping = threading.Thread(target=self._pump_on, daemon=True)
        self._pumping.start()

    def call(self, number: str, hz: float, *, answered: bool = True) -> None:
        """Calls, and from the answer on sends the tone, if any (`answered` False: does not wait for the answer)."""
        self.invite(number)
        if hz:
            self.hum(hz)
        if answered:
            self.wait_for(200)

    def hum(self, hz: float, seconds: float = 120.0) -> None:
        """Sends this tone from now on."""
        self.speak(tone(hz, seconds, RATE), wait=False)

    def hang_up(self) -> None:
        """By BYE or CANCEL, whichever it takes; nothing when the call is over."""
        if not self.number or any(one.method == "BYE" for one in self.messages):
            return
        answered = any(one.status >= 200 and one.method == "INVITE" for one in self.received())
        self.bye() if answered else self.cancel()

    def ear(self, last_s: float) -> Samples:
        """What came in the last seconds."""
        heard = self.heard()
        return heard[-round(last_s * RATE) :] if len(heard) else np.zeros(0)

    def _take(self, timeout: float) -> None:
        with self._taking:
            super()._take(min(timeout, 0.02))

    def _pump_on(self) -> None:
        with suppress(OSError, ValueError):  # the socket is closed with the caller
            while not self._over.is_set():
                self.pump(0.02)

"""The ringing tone that callers expect: once we picked up, their own network gives none (ITU-T E.180, supplement 2)."""

from array import array
from functools import lru_cache
from math import pi, sin

from aircall_core.sip.audio import frame_bytes
from aircall_core.sip.prompts import Clip

LEVEL = 0.1 * 32767  # -20 dBFS: as the messages are

# Frequencies in Hz, then seconds on and off in turn.
_EUROPE = ((425,), (1.0, 4.0))
_AMERICA = ((440, 480), (2.0, 4.0))
_BRITAIN = ((400, 450), (0.4, 0.2, 0.4, 2.0))
_OWN = {
    **dict.fromkeys(("US", "CA", "PR", "DO"), _AMERICA),
    **dict.fromkeys(("GB", "IE", "AU", "NZ", "IN", "SG", "HK", "MY", "ZA"), _BRITAIN),
    "FR": ((440,), (1.5, 3.5)),
    "ES": ((425,), (1.5, 3.0)),
}


@lru_cache(maxsize=16)
def ringing(country: str, rate: int) -> Clip:
    """One turn of the ringing tone of a country (ISO 3166), to be repeated."""
    frequencies, cadence = _OWN.get(country, _EUROPE)
    samples = array("h")
    for turn, seconds in enumerate(cadence):
        count = round(seconds * rate)
        samples.extend(_tone(frequencies, count, rate) if turn % 2 == 0 else array("h", bytes(2 * count)))
    data, size = samples.tobytes(), frame_bytes(rate)
    return Clip(tuple(data[start : start + size] for start in range(0, len(data) - size + 1, size)))


def _tone(frequencies: tuple[int, ...], count: int, rate: int) -> "array[int]":
    step = [2 * pi * frequency / rate for frequency in frequencies]
    level = LEVEL / len(step)
    return array("h", [round(level * sum(sin(one * at) for one in step)) for at in range(count)])

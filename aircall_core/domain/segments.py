"""How many SMS a text makes (3GPP TS 23.038 and 23.040): as GSM 7 bit where its alphabet has every character, else as
UCS-2. The same as ui/static/segments.js; both are held against tests/support/segments.json.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("\f^{}\\[~]|€")  # each takes two places: an escape stands before it
_ROOM: Final = {"gsm7": (160, 153), "ucs2": (70, 67)}  # places of one SMS alone, and of each of several

Encoding = Literal["gsm7", "ucs2"]


@dataclass(frozen=True, slots=True)
class Count:
    """``units``: places that the text takes; ``left``: free ones in its last SMS."""

    encoding: Encoding
    units: int
    segments: int
    left: int


def encoding_of(text: str) -> Encoding:
    """The alphabet that the whole text is sent in."""
    return "gsm7" if all(one in _BASIC or one in _EXTENDED for one in text) else "ucs2"


def count(text: str) -> Count:
    """How the text is counted."""
    encoding = encoding_of(text)
    alone, each = _ROOM[encoding]
    units = sum(_cost(one, encoding) for one in text)
    if units <= alone:
        return Count(encoding, units, min(units, 1), alone - units)
    parts = [sum(_cost(one, encoding) for one in part) for part in _packed(text, encoding, each)]
    return Count(encoding, units, len(parts), each - parts[-1])


def split(text: str) -> list[str]:
    """The text as its SMS carry it. No escaped character and no surrogate pair is cut in two."""
    encoding = encoding_of(text)
    alone, each = _ROOM[encoding]
    if sum(_cost(one, encoding) for one in text) <= alone:
        return [text] if text else []
    return list(_packed(text, encoding, each))


def _packed(text: str, encoding: Encoding, each: int) -> Iterator[str]:
    start = used = 0
    for place, one in enumerate(text):
        cost = _cost(one, encoding)
        if used + cost > each:
            yield text[start:place]
            start, used = place, 0
        used += cost
    yield text[start:]


def _cost(character: str, encoding: Encoding) -> int:
    if encoding == "ucs2":
        return 2 if ord(character) > 0xFFFF else 1
    return 2 if character in _EXTENDED else 1

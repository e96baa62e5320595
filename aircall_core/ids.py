"""Identifiers and the machine's clock, in one place so that every process speaks of both in the same way."""

import os
import re
import threading
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u to misread aloud
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


def now_ms() -> int:
    """This machine's wall clock in milliseconds since the epoch (UTC)."""
    return time.time_ns() // 1_000_000


def new_id(at_ms: int | None = None) -> str:
    """A 26 character identifier (ULID layout: 48 bits of time, 80 random bits), so that keys sort by age.

    Those of one process sort in the order they were made, within a millisecond too and when the clock goes back: each
    is more than the one before. One with a time of its own, of history that is written later, is of that time and has
    no place among those of its millisecond.
    """
    global _newest
    if at_ms is not None:
        return _text(_drawn(at_ms))
    with _making:
        _newest = max(_drawn(now_ms()), _newest + 1)
        return _text(_newest)


_making, _newest = threading.Lock(), 0


def _drawn(moment: int) -> int:
    return (moment << 80) | int.from_bytes(os.urandom(10))


def _text(number: int) -> str:
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -5, -5))


def leg_of(peer: str) -> tuple[str, int]:
    """The leg that a browser's peer belongs to, and which of its offers it is: the first is 1 (ui/static/leg.js)."""
    leg, _, number = peer.partition("-again-")
    return leg, int(number) if number.isdecimal() else 1


def is_client_id(text: object) -> bool:
    """Whether a browser or script may use this text as an id of its own (command, peer, tab)."""
    return isinstance(text, str) and _CLIENT_ID.fullmatch(text) is not None

"""A day's opening hours as people write them: "9-12:30, 13-18", "22:00–06:00", "9am-5pm", "closed", "24h". Pure."""

import re

from aircall_core.domain import hours

_SPAN = re.compile(r"\s*(\S+?)\s*(?:-|–|—|to)\s*(\S+?)\s*", re.IGNORECASE)
_CLOCK = re.compile(r"(\d{1,2})(?:[:.h](\d{2})?)?\s*(am|pm)?", re.IGNORECASE)
_CLOSED = frozenset({"", "-", "–", "closed", "off"})
_ALWAYS = frozenset({"24h", "24 h", "24/7", "always", "all day"})


class NotHours(ValueError):
    """What was written is no opening hours; the text is what could not be read."""


def read(text: str) -> list[list[str]]:
    """The spans of a day as schedules keep them. Raises NotHours."""
    plain = " ".join(text.casefold().split())
    if plain in _CLOSED:
        return []
    if plain in _ALWAYS:
        return [["00:00", "24:00"]]
    return [_span(part) for part in re.split(r"[,;]|\band\b", plain) if part.strip()]


def write(spans: list[list[str]]) -> str:
    """The other way."""
    return ", ".join(f"{start}–{end}" for start, end in spans)


def _span(text: str) -> list[str]:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise NotHours(text.strip())
    return [_clock(match[1], text), _clock(match[2], text)]


def _clock(text: str, whole: str) -> str:
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise NotHours(whole.strip())
    hour, minute, half = int(match[1]), int(match[2] or 0), match[3]
    if half and not 1 <= hour <= 12:
        raise NotHours(whole.strip())
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    if minute > 59 or hour * 60 + minute > hours.DAY:
        raise NotHours(whole.strip())
    return hours.clock(hour * 60 + minute)

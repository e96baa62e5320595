"""Opening hours: when a line or a user is open, by weekly hours, public holidays and special days of a time zone.

Hours are wall-clock times. A span belongs to the day it begins on, and may end on the next one ("22:00" to "06:00").
A special day replaces the hours that begin on that day, a public holiday removes them. Where clocks are put forward,
a span that begins or ends in the missing hour does so at the jump; where they are put back, it begins at the first of
the two readings and ends at the last. All moments are milliseconds since the epoch.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Span = tuple[int, int]  # minutes after midnight; the end is after the beginning, and up to a day later
DAY = 24 * 60
MOST_SPANS, MOST_SPECIAL = 6, 366
_TIME = re.compile(r"(?:([01]\d|2[0-3]):([0-5]\d))|(24):(00)")
_HOUR_MS, _DAY_MS = 3_600_000, 86_400_000
_LOOK_AHEAD_MS = 400 * _DAY_MS  # a schedule that stays as it is for longer than a year stays so


class BadSchedule(ValueError):
    """Not a schedule: `field` and `problem` say where and why (docs/settings-pages.md)."""

    def __init__(self, field: str, problem: str, text: str = "") -> None:
        super().__init__(f"{field}: {problem} {text}".strip())
        self.field, self.problem, self.text = field, problem, text


def _never(_year: int) -> Collection[date]:
    return ()


@dataclass(frozen=True, slots=True)
class Schedule:
    """``weekly``: seven days, Monday first. ``holidays``: the public holidays of a year."""

    zone: ZoneInfo
    weekly: tuple[tuple[Span, ...], ...]
    special: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)
    holidays: Callable[[int], Collection[date]] = _never

    def spans(self, day: date) -> tuple[Span, ...]:
        """The hours that begin on a day."""
        if day in self.special:
            return self.special[day]
        return () if day in self.holidays(day.year) else self.weekly[day.weekday()]


# ---- reading


def parse(row: Mapping[str, Any], holidays: Callable[[int], Collection[date]] = _never) -> Schedule:
    """A schedule from the columns of its row (timezone, weekly, special). Raises BadSchedule."""
    weekly = row["weekly"]
    if not isinstance(weekly, list | tuple) or len(weekly) != 7:
        raise BadSchedule("weekly", "seven_days")
    special = row["special"]
    if not isinstance(special, Mapping) or len(special) > MOST_SPECIAL:
        raise BadSchedule("special", "too_many")
    return Schedule(
        zone(str(row["timezone"])),
        tuple(_spans(spans, f"weekly.{index}") for index, spans in enumerate(weekly)),
        {_day(text): _spans(spans, f"special.{text}") for text, spans in special.items()},
        holidays,
    )


def zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name. Raises BadSchedule."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadSchedule("timezone", "unknown", name[:64]) from None


def minutes(text: object) -> int | None:
    """Minutes after midnight of "09:30"; "24:00" is the day's end. None when it is no time."""
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    hour, minute = (match[1], match[2]) if match[1] else (match[3], match[4])
    return int(hour) * 60 + int(minute)


def clock(minute: int) -> str:
    """The other way: 570 is "09:30", and DAY "24:00"."""
    return f"{minute // 60:02}:{minute % 60:02}"


def _day(text: object) -> date:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise BadSchedule("special", "no_date", str(text)[:20]) from None


def _spans(given: object, where: str) -> tuple[Span, ...]:
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) > MOST_SPANS:
        raise BadSchedule(where, "too_many")
    found: list[Span] = []
    for one in given:
        if not isinstance(one, Sequence) or isinstance(one, str) or len(one) != 2:
            raise BadSchedule(where, "no_time")
        start, end = minutes(one[0]), minutes(one[1])
        if start is None or end is None or start == DAY:
            raise BadSchedule(where, "no_time", f"{one[0]}-{one[1]}"[:20])
        if start == end:
            raise BadSchedule(where, "empty", f"{one[0]}-{one[1]}")
        found.append((start, end if end > start else end + DAY))
    found.sort()
    for (_, before), (after, _) in pairwise(found):
        if after < before:
            raise BadSchedule(where, "overlap", f"{clock(after)}")
    return tuple(found)


# ---- asking


def is_open(schedule: Schedule, at_ms: int) -> bool:
    """Whether it is open at a moment."""
    return bool(open_intervals(schedule, at_ms, at_ms + 1))


def open_intervals(schedule: Schedule, from_ms: int, to_ms: int) -> list[tuple[int, int]]:
    """When it is open within [from, to): moments of opening and closing, in order, none touching the next."""
    found: list[tuple[int, int]] = []
    for opens, closes in sorted(_all(schedule, from_ms, to_ms)):
        opens, closes = max(opens, from_ms), min(closes, to_ms)
        if opens >= closes:
            continue
        if found and opens <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], closes))
        else:
            found.append((opens, closes))
    return found


def next_change(schedule: Schedule, at_ms: int) -> int | None:
    """When it opens if it is closed, or closes if it is open; None when that is more than a year away."""
    until, reach = at_ms + _LOOK_AHEAD_MS, 8 * _DAY_MS
    while True:  # mostly within days: look further only when need be
        to_ms = min(at_ms + reach, until)
        found = open_intervals(schedule, at_ms, to_ms)
        if found and found[0][0] > at_ms:
            return found[0][0]
        if found and found[0][1] < to_ms:
            return found[0][1]
        if to_ms == until:
            return None
        reach *= 4


def _all(schedule: Schedule, from_ms: int, to_ms: int) -> Iterator[tuple[int, int]]:
    """The spans of every day that can reach into [from, to): the day before, too, and an hour of slack for offsets."""
    day = _local_day(schedule.zone, from_ms - _HOUR_MS) - timedelta(days=1)
    last = _local_day(schedule.zone, to_ms + _HOUR_MS)
    while day <= last:
        for start, end in schedule.spans(day):
            yield _moment(schedule.zone, day, start, last=False), _moment(schedule.zone, day, end, last=True)
        day += timedelta(days=1)


def _local_day(where: ZoneInfo, at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(where).date()


def _moment(where: ZoneInfo, day: date, minute: int, *, last: bool) -> int:
    """When the clocks of a zone show this time of a day. ``last``: the later of two such moments."""
    local = datetime.combine(day, time()) + timedelta(minutes=minute)
    first, second = (local.replace(tzinfo=where, fold=fold) for fold in (0, 1))
    one, two = round(first.timestamp() * 1000), round(second.timestamp() * 1000)
    if one > two:  # the clocks never show it: the moment of the jump lies between the two readings
        return _jump(where, two, one)
    return two if last else one


def _jump(where: ZoneInfo, before: int, after: int) -> int:
    """The first moment with the later offset, to the second."""

    def offset(at_ms: int) -> timedelta | None:
        return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(where).utcoffset()

    low, high, old = before // 1000, after // 1000, offset(before)
    while high - low > 1:
        middle = (low + high) // 2
        if offset(middle * 1000) == old:
            low = middle
        else:
            high = middle
    return high * 1000

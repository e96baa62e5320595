"""Opening hours: spans, midnight, special days, holidays, and the two days a year on which clocks jump."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircall_core import holidays_of
from aircall_core.domain import hours
from aircall_core.domain.hours import BadSchedule, is_open, next_change, open_intervals

HOUR = 3_600_000
OFFICE = [["09:00", "12:00"], ["13:00", "18:00"]]
ALWAYS: list[Any] = [[["00:00", "24:00"]]] * 7
NEVER: list[Any] = [[]] * 7


def row(weekly: Any = None, **changes: Any) -> dict[str, Any]:
    """A row of schedules: office hours from Monday to Friday in Paris."""
    fresh: dict[str, Any] = {
        "timezone": "Europe/Paris", "weekly": weekly or [*[OFFICE] * 5, [], []], "special": {}, "country": None,
        "subdivision": None,
    }  # fmt: skip
    return fresh | changes


def at(text: str, zone: str = "Europe/Paris", fold: int = 0) -> int:
    """Milliseconds of a wall-clock time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp() * 1000)


def utc(text: str) -> int:
    return at(text, "UTC")


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-23T08:59:59", False),  # a Monday
        ("2026-11-23T09:00", True),
        ("2026-11-23T11:59:59", True),
        ("2026-11-23T12:00", False),
        ("2026-11-23T13:00", True),
        ("2026-11-23T18:00", False),
        ("2026-11-28T10:00", False),  # Saturday
    ],
)
def test_several_spans_a_day(moment: str, expected: bool) -> None:
    assert is_open(hours.parse(row()), at(moment)) is expected


def test_a_span_past_midnight_belongs_to_the_day_it_begins_on() -> None:
    night = hours.parse(row([[], [], [], [], [["22:00", "06:00"]], [], []]))  # Friday night
    assert not is_open(night, at("2026-11-27T05:00"))
    assert is_open(night, at("2026-11-27T23:00"))
    assert is_open(night, at("2026-11-28T05:59"))
    assert not is_open(night, at("2026-11-28T06:00"))
    assert open_intervals(night, at("2026-11-28T01:00"), at("2026-11-29T00:00")) == [
        (at("2026-11-28T01:00"), at("2026-11-28T06:00"))
    ]


def test_a_special_day_replaces_the_week_and_a_holiday_removes_it() -> None:
    special = {"2026-12-24": [["09:00", "12:00"]], "2026-12-31": [], "2026-12-25": [["10:00", "11:00"]]}
    schedule = holidays_of.schedule_of(row(country="FR", special=special))
    assert is_open(schedule, at("2026-12-24T10:00"))
    assert not is_open(schedule, at("2026-12-24T14:00"))
    assert not is_open(schedule, at("2026-12-31T10:00"))
    assert is_open(schedule, at("2026-12-25T10:30")), "Christmas, but it is a special day"
    assert not is_open(schedule, at("2027-01-01T10:00")), "a Friday, but New Year's Day"
    assert is_open(hours.parse(row()), at("2027-01-01T10:00")), "without holidays it is a Friday"


def test_holidays_of_regions() -> None:
    assert date(2027, 1, 6) in holidays_of.days("DE", "BY", 2027)
    assert date(2027, 1, 6) not in holidays_of.days("DE", "BE", 2027)
    assert holidays_of.days("DE", "no such region", 2027) == holidays_of.days("DE", None, 2027)
    assert holidays_of.days("XX", None, 2027) == frozenset()
    named = holidays_of.upcoming("FR", None, date(2026, 12, 25), 2)
    assert named == [(date(2026, 12, 25), "Christmas Day"), (date(2027, 1, 1), "New Year's Day")]


def test_whole_days_touch() -> None:
    schedule = hours.parse(row(ALWAYS))
    first, last = at("2026-11-20T15:00"), at("2026-11-29T15:00")
    assert open_intervals(schedule, first, last) == [(first, last)]
    assert next_change(schedule, first) is None
    closed = hours.parse(row(NEVER))
    assert open_intervals(closed, first, last) == []
    assert next_change(closed, first) is None


def test_the_next_change() -> None:
    schedule = hours.parse(row())
    assert next_change(schedule, at("2026-11-23T10:00")) == at("2026-11-23T12:00")
    assert next_change(schedule, at("2026-11-23T12:30")) == at("2026-11-23T13:00")
    assert next_change(schedule, at("2026-11-27T18:00")) == at("2026-11-30T09:00")
    rare = hours.parse(row(NEVER, special={"2027-06-01": [["09:00", "10:00"]]}))
    assert next_change(rare, at("2026-11-23T10:00")) == at("2027-06-01T09:00")


# ---- the days on which clocks jump: 2027-03-28 and 2026-10-25 in Paris


def test_clocks_put_forward() -> None:
    jump = utc("2027-03-28T01:00")  # 02:00 becomes 03:00
    inside = hours.parse(row(NEVER, special={"2027-03-28": [["02:30", "04:00"]]}))
    assert open_intervals(inside, jump - 6 * HOUR, jump + 6 * HOUR) == [(jump, utc("2027-03-28T02:00"))]
    across = hours.parse(row(NEVER, special={"2027-03-28": [["01:00", "02:30"]]}))
    assert open_intervals(across, jump - 6 * HOUR, jump + 6 * HOUR) == [(utc("2027-03-28T00:00"), jump)]
    lost = hours.parse(row(NEVER, special={"2027-03-28": [["02:10", "02:50"]]}))
    assert open_intervals(lost, jump - 6 * HOUR, jump + 6 * HOUR) == []
    day = hours.parse(row(NEVER, special={"2027-03-28": [["00:00", "24:00"]]}))
    ((opens, closes),) = open_intervals(day, jump - 48 * HOUR, jump + 48 * HOUR)
    assert closes - opens == 23 * HOUR


def test_clocks_put_back() -> None:
    back = utc("2026-10-25T01:00")  # 03:00 becomes 02:00
    twice = hours.parse(row(NEVER, special={"2026-10-25": [["02:15", "02:45"]]}))
    assert open_intervals(twice, back - 6 * HOUR, back + 6 * HOUR) == [
        (at("2026-10-25T02:15", fold=0), at("2026-10-25T02:45", fold=1))
    ]
    night = hours.parse(row(NEVER, special={"2026-10-24": [["22:00", "06:00"]]}))
    ((opens, closes),) = open_intervals(night, back - 48 * HOUR, back + 48 * HOUR)
    assert closes - opens == 9 * HOUR


def test_a_jump_at_midnight() -> None:
    # Cairo puts its clocks forward at midnight: 2027-04-30 begins at 01:00.
    schedule = hours.parse(row(ALWAYS, timezone="Africa/Cairo"))
    first = at("2027-04-28T12:00", "Africa/Cairo")
    assert open_intervals(schedule, first, first + 96 * HOUR) == [(first, first + 96 * HOUR)]


# ---- what is no schedule


@pytest.mark.parametrize(
    ("change", "field", "problem"),
    [
        ({"timezone": "Mars/Base"}, "timezone", "unknown"),
        ({"timezone": "../../etc/passwd"}, "timezone", "unknown"),
        ({"weekly": [[]] * 6}, "weekly", "seven_days"),
        ({"weekly": "always"}, "weekly", "seven_days"),
        ({"weekly": [*[[]] * 6, [["9:00", "10:00"]]]}, "weekly.6", "no_time"),
        ({"weekly": [[["24:00", "10:00"]], *[[]] * 6]}, "weekly.0", "no_time"),
        ({"weekly": [[["09:00", "09:00"]], *[[]] * 6]}, "weekly.0", "empty"),
        ({"weekly": [[["09:00", "12:00"], ["11:00", "13:00"]], *[[]] * 6]}, "weekly.0", "overlap"),
        ({"weekly": [[["09:00", "12:00"], ["22:00", "06:00"], ["23:00", "23:30"]], *[[]] * 6]}, "weekly.0", "overlap"),
        ({"weekly": [[["01:00", "02:00"]] * 7, *[[]] * 6]}, "weekly.0", "too_many"),
        ({"weekly": [["09:00", "10:00"], *[[]] * 6]}, "weekly.0", "no_time"),
        ({"special": {"Christmas": []}}, "special", "no_date"),
        ({"special": {"2026-12-24": [["x", "y"]]}}, "special.2026-12-24", "no_time"),
    ],
)
def test_what_is_no_schedule_says_where(change: dict[str, Any], field: str, problem: str) -> None:
    with pytest.raises(BadSchedule) as bad:
        hours.parse(row() | change)
    assert (bad.value.field, bad.value.problem) == (field, problem)


# ---- properties

SPANS = st.lists(st.integers(0, 1439), min_size=0, max_size=4, unique=True).map(
    lambda found: [
        [hours.clock(a), hours.clock(b)]
        for a, b in zip(sorted(found)[::2], sorted(found)[1::2], strict=False)
    ]
)  # fmt: skip
NIGHT = st.tuples(st.integers(1200, 1439), st.integers(0, 300)).map(
    lambda pair: [[hours.clock(pair[0]), hours.clock(pair[1])]]
)
ZONES = st.sampled_from(
    ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "UTC", "Asia/Kolkata"]
)
SCHEDULES = st.builds(
    lambda weekly, zone: hours.parse(row(weekly, timezone=zone)),
    st.lists(SPANS | NIGHT, min_size=7, max_size=7),
    ZONES,
)
MOMENTS = st.integers(utc("2026-01-01"), utc("2028-12-31"))


@given(SCHEDULES, MOMENTS)
def test_what_the_clock_on_the_wall_says(schedule: hours.Schedule, moment: int) -> None:
    wall = datetime.fromtimestamp(moment / 1000, UTC).astimezone(schedule.zone)
    other = wall.replace(fold=1 - wall.fold)
    if other.utcoffset() != wall.utcoffset():
        return  # a reading that comes twice: tried above
    minute = wall.hour * 60 + wall.minute
    yesterday = wall.date() - timedelta(days=1)
    expected = any(a <= minute < b for a, b in schedule.spans(wall.date()))
    expected |= any(a <= minute + hours.DAY < b for a, b in schedule.spans(yesterday))
    assert is_open(schedule, moment) is expected


@given(SCHEDULES, MOMENTS, st.integers(1, 240 * HOUR))
def test_intervals_are_in_order_and_within(schedule: hours.Schedule, start: int, length: int) -> None:
    found = open_intervals(schedule, start, start + length)
    edges = [edge for interval in found for edge in interval]
    assert edges == sorted(set(edges)), "none is empty, none touches another"
    assert all(start <= edge <= start + length for edge in edges)
    middle = start + length // 2
    halves = open_intervals(schedule, start, middle) + open_intervals(schedule, middle, start + length)
    assert sum(b - a for a, b in halves) == sum(b - a for a, b in found)


@given(SCHEDULES, MOMENTS)
def test_nothing_changes_before_the_next_change(schedule: hours.Schedule, moment: int) -> None:
    change = next_change(schedule, moment)
    now = is_open(schedule, moment)
    if change is None:
        assert not any(schedule.weekly)
        return
    assert change > moment
    assert is_open(schedule, change) is not now
    assert is_open(schedule, change - 1) is now
    assert is_open(schedule, (moment + change) // 2) is now

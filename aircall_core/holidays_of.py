"""Public holidays by country and region, from the `holidays` library; and schedules that close on them.

The library is loaded when the first schedule asks for it: most processes that read the store never do.
"""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache, partial
from typing import Any

from aircall_core.domain import hours
from aircall_core.domain.hours import Schedule


@lru_cache(maxsize=1)
def supported() -> dict[str, list[str]]:
    """Countries (ISO 3166 alpha-2) whose holidays are known, and the codes of their regions."""
    import holidays

    return {code: sorted(found) for code, found in holidays.list_supported_countries().items() if len(code) == 2}


@lru_cache(maxsize=64)
def named(country: str, subdivision: str | None, year: int) -> dict[date, str]:
    """The public holidays of a year, in English where the library has it; none for a country it does not know."""
    known = supported().get(country)
    if known is None:
        return {}
    import holidays

    region = subdivision if subdivision in known else None
    return dict(holidays.country_holidays(country, region, years=year, language="en_US"))


@lru_cache(maxsize=64)
def days(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    """The same without their names."""
    return frozenset(named(country, subdivision, year))


def upcoming(country: str, subdivision: str | None, after: date, count: int) -> list[tuple[date, str]]:
    """The next public holidays, that day included."""
    return [
        found
        for year in (after.year, after.year + 1)
        for found in sorted(named(country, subdivision, year).items())
        if found[0] >= after
    ][:count]


def schedule_of(row: Mapping[str, Any]) -> Schedule:
    """The schedule of a row of `schedules`, closed on its country's holidays. Raises hours.BadSchedule."""
    if not row["country"]:
        return hours.parse(row)
    return hours.parse(row, partial(days, row["country"], row["subdivision"]))

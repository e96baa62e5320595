"""How the console writes names, numbers and times for people."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.languages import get_official_languages

from aircall_core import numbers
from aircall_core.ui.text import t

WORD_JOINER = "\u2060"
MARKDOWN = str.maketrans({c: "\\" + c for c in "\\`*_{}[]()#+-.!|<>~:$"})


def plain(text: str) -> str:
    """Text that a caller or a colleague wrote, safe inside Streamlit's markdown: no markup, and no link made of it."""
    inert = " ".join(text.split())
    for trigger in ("@", "://", "www."):  # what becomes a link by itself; a word joiner is not seen
        inert = inert.replace(trigger, trigger[:-1] + WORD_JOINER + trigger[-1] + WORD_JOINER)
    return inert.translate(MARKDOWN)


@lru_cache(maxsize=4096)
def party(number: str, country: str) -> str:
    """A customer's number as people of the line's country read it."""
    if number in ("", numbers.ANONYMOUS):
        return t("ui.caller.anonymous")
    return numbers.spoken_form(number, country)


@lru_cache(maxsize=4096)
def flag(number: str) -> str:
    """The flag of a number's country, or nothing."""
    return numbers.flag(numbers.country_of(number))


def moment(at_ms: int, timezone: str = "UTC", locale: str = "en") -> str:
    """A date and time in the company's zone, such as `Nov 3, 2026, 2:05 PM`."""
    return format_datetime(_local(at_ms, timezone), "medium", locale=locale)


def day(at_ms: int, timezone: str = "UTC", locale: str = "en") -> str:
    """A date in the company's zone, such as `Nov 3, 2026`."""
    return format_date(_local(at_ms, timezone), "medium", locale=locale)


def time_of_day(at_ms: int, timezone: str = "UTC", locale: str = "en") -> str:
    """A time in the company's zone, such as `2:05 PM`."""
    return format_time(_local(at_ms, timezone), "short", locale=locale)


def _local(at_ms: int, timezone: str) -> datetime:
    try:
        zone: ZoneInfo | None = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = None
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone or UTC)


def language_of(country: str, known: Sequence[str]) -> str:
    """The first official language of a country, if it is one of these; else the first of these."""
    official = get_official_languages(country, de_facto=True) if country else ()
    return official[0] if official and official[0] in known else known[0]


def size(count: int) -> str:
    """Bytes as people say them, such as `1.4 GB`."""
    amount, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.0f} {unit}" if amount >= 100 or unit == "B" else f"{amount:.1f} {unit}"


@lru_cache(maxsize=8)
def countries(locale: str = "en") -> dict[str, str]:
    """Countries that have telephone numbers, by ISO code, in the order of their names."""
    names = Locale.parse(locale).territories
    known = {code: names[code] for code in phonenumbers.SUPPORTED_REGIONS if code in names}
    return dict(sorted(known.items(), key=lambda item: item[1]))

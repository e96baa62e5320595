"""The move of a company to the new call experience: not announced, announced with a date, done."""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

OFF, ANNOUNCED, ON = "off", "announced", "on"
STATES = (OFF, ANNOUNCED, ON)
FRESH: Mapping[str, Any] = {"state": OFF, "date": None}


def moment(of: date, timezone: str) -> int:
    """When an announced day begins in the company's time zone, in ms."""
    return round(datetime.combine(of, time(), ZoneInfo(timezone)).timestamp() * 1000)


def day(stored: Mapping[str, Any]) -> date:
    """The announced day."""
    return date.fromisoformat(stored["date"])


def state(stored: Mapping[str, Any], timezone: str, at: int) -> str:
    """What is so at a moment: an announced day that has come means on, even if nobody has noted it yet."""
    if stored["state"] == ANNOUNCED and at >= moment(day(stored), timezone):
        return ON
    return str(stored["state"])

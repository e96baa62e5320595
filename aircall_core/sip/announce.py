"""What a waiting caller is told: which of the shipped messages, one after another, in the line's language. Pure."""

from collections.abc import Mapping
from typing import Any

LARGEST = 99  # numbers that can be spoken
TWENTIES = {"es"}  # languages in which 21 to 29 are words of their own
SCORES = {"fr": {7: 60, 9: 80}}  # soixante-dix, quatre-vingt-dix: the teens follow 60 and 80
ROUND_BEYOND = 20  # minutes: an estimate is no clock, and in Spanish and French "21 minutes" wants another word


def announcement(
    settings: Mapping[str, Any], language: str, *, position: int, estimate_s: int | None, can_call_back: bool
) -> list[str]:
    """Names of messages for a caller at `position` (1 = next) who waits for about `estimate_s` more seconds (or who
    knows). Empty when the step wants none of it, or there is nothing to tell."""
    names: list[str] = []
    if settings.get("position") and position == 1:
        names.append("queue-next")
    elif settings.get("position") and 1 < position <= LARGEST:
        names += ["queue-position-before", *number(position, language), "queue-position-after"]
    if settings.get("estimate") and estimate_s is not None:
        names += ["estimate-before", *minutes(estimate_s, language)]
    if settings.get("callback") and can_call_back:
        names.append("callback-offer")
    return names


def number(value: int, language: str) -> list[str]:
    """A number from 0 to 99 in words of which there are messages."""
    tens, ones = divmod(value, 10)
    if value <= 20 or (value < 30 and language in TWENTIES):
        return [f"digits/{value}"]
    score = SCORES.get(language, {}).get(tens)
    base, rest = (score, ones + 10) if score else (tens * 10, ones)
    if rest == 0:
        return [f"digits/{base}"]
    joined = language == "es" or (language == "fr" and rest in (1, 11) and base != 80)
    return [f"digits/{base}", *(["digits/and"] if joined else []), f"digits/{rest}"]


def minutes(seconds: int, language: str) -> list[str]:
    """A time in whole minutes, to the nearest; beyond twenty to the nearest five."""
    count = round(seconds / 60)
    if count < 1:
        return ["less-than-a-minute"]
    if count == 1:
        return ["minute"]
    if count > ROUND_BEYOND:
        count = min(round(count / 5) * 5, LARGEST // 5 * 5)
    return [*number(count, language), "minutes"]

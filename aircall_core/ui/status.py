"""How pages show a user's status: a dot in its colour, and words that say the same."""

from aircall_core.domain.availability import BUSY, Status
from aircall_core.ui.text import t

_COLOURS = {
    Status.AVAILABLE: "green",
    **dict.fromkeys(BUSY, "blue"),
    Status.UNAVAILABLE: "orange",
    Status.OUT_OF_HOURS: "orange",
}


def dot(status: str) -> str:
    """The coloured dot, as markdown."""
    return f":{_COLOURS.get(Status(status), 'gray')}[●]"


def words(status: str, reason: str | None = None, for_ms: int | None = None) -> str:
    """The status, why, and for how long."""
    parts = [t(f"availability.{status}")]
    if reason is not None:
        parts.append(t(f"availability.reason_{reason}"))
    if for_ms is not None:
        parts.append(t("availability.since", time=span(for_ms)))
    return " · ".join(parts)


def span(ms: int) -> str:
    """A length of time in the largest units that say enough: 40 s, 12 min, 3 h 05 min, 2 days."""
    seconds = max(0, ms) // 1000
    if seconds < 60:
        return t("availability.seconds", count=seconds)
    minutes = seconds // 60
    if minutes < 60:
        return t("availability.minutes", count=minutes)
    if minutes < 48 * 60:
        return t("availability.hours", hours=minutes // 60, minutes=f"{minutes % 60:02}")
    return t("availability.days", count=minutes // (24 * 60))

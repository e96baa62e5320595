"""How long recordings are kept, and what is kept now, for the settings page."""

from typing import Any, Final

from sqlalchemy import Connection

from aircall_core.store import clock, provisioning, recordings

KEY: Final = "retention"
FRESH: Final = {"recordings_days": 0, "voicemail_days": 0}  # 0: kept until somebody deletes them
OF_KIND: Final = {"call": "recordings_days", "voicemail": "voicemail_days"}
DAY_MS: Final = 86_400_000


def days(conn: Connection) -> dict[str, int]:
    """Days that each is kept; 0 = without end."""
    return {**FRESH, **(provisioning.setting(conn, KEY) or {})}


def kept(conn: Connection) -> dict[str, dict[str, Any]]:
    """What is kept now, by kind: {"call": {count, bytes, oldest_at}, "voicemail": ...}."""
    return {kind: recordings.kept(conn, kind) for kind in OF_KIND}


def too_old(conn: Connection, kind: str, days: int) -> int:
    """How many of this kind would go if they were kept for so many days."""
    if not days:
        return 0
    count: int = recordings.kept(conn, kind, clock.now_ms(conn) - days * DAY_MS)["count"]
    return count

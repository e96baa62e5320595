"""What the company allows to be dialled, as settings pages and the guard read it."""

from typing import Any, Final

from sqlalchemy import Connection, select

from aircall_core.store import provisioning
from aircall_core.store.tables import lines

_KEY: Final = "dialling"
FRESH: Final[dict[str, Any]] = {"countries": None, "user_cap": 200, "line_cap": 1000}


def settings(conn: Connection) -> dict[str, Any]:
    """countries (ISO 3166, or None: the company's own and its lines'), user_cap and line_cap (calls in 24 hours)."""
    return {**FRESH, **(provisioning.setting(conn, _KEY) or {})}


def put(conn: Connection, values: dict[str, Any]) -> None:
    """Store such a record."""
    provisioning.put_setting(conn, _KEY, {name: values[name] for name in FRESH})


def countries(conn: Connection) -> frozenset[str]:
    """The countries (ISO 3166) that may be called."""
    chosen = settings(conn)["countries"]
    return own_countries(conn) if chosen is None else frozenset(chosen)


def home_country(conn: Connection) -> str:
    """The company's country; of a company that has not said, one of its lines'; ''."""
    home: str = (provisioning.setting(conn, "company") or {}).get("country", "")
    return home or min(own_countries(conn), default="")


def own_countries(conn: Connection) -> frozenset[str]:
    """The company's country, and those of its lines: what may be called until somebody chooses."""
    home = (provisioning.setting(conn, "company") or {}).get("country", "")
    return frozenset({*conn.scalars(select(lines.c.country).distinct()), home}) - {""}

"""The company's settings, which lie under a few keys, as one record."""

from typing import Any, Final

from sqlalchemy import Connection

from aircall_core.domain import plan, rollout
from aircall_core.store import provisioning

PROFILE: Final = ("name", "country", "timezone", "language")
PLAN: Final = ("plan", "add_ons", "trial_until", "start_trial")
_FRESH_PROFILE: Final = {"name": "", "country": "", "timezone": "UTC", "language": "en"}
_FRESH_PLAN: Final[dict[str, Any]] = {"plan": plan.DEFAULT_PLAN, "add_ons": [], "trial_until": None}
_AUTO_PAUSE: Final = "auto_pause_after"


def everything(conn: Connection) -> dict[str, Any]:
    """Profile, plan (plan, add_ons, trial_until), rollout (state, date), auto_pause_after (missed calls; 0: off)."""
    return {
        **_FRESH_PROFILE,
        **(provisioning.setting(conn, "company") or {}),
        **_FRESH_PLAN,
        **(provisioning.setting(conn, "plan") or {}),
        "rollout": {**rollout.FRESH, **(provisioning.setting(conn, "rollout") or {})},
        _AUTO_PAUSE: provisioning.setting(conn, _AUTO_PAUSE) or 0,
    }


def put(conn: Connection, values: dict[str, Any]) -> None:
    """Store such a record."""
    provisioning.put_setting(conn, "company", {name: values[name] for name in PROFILE})
    provisioning.put_setting(conn, "plan", {name: values[name] for name in _FRESH_PLAN})
    provisioning.put_setting(conn, "rollout", values["rollout"])
    provisioning.put_setting(conn, _AUTO_PAUSE, int(values[_AUTO_PAUSE]))

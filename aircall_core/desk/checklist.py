"""Steps to the first call (S2) that only a person can tick; all others are read off the store (queries.readiness)."""

from typing import Final

from aircall_core.desk.errors import Invalid
from aircall_core.domain.events import ADMINS, CHECKLIST_CHANGED, Event
from aircall_core.store import Tx, provisioning

_KEY: Final = "checklist"
# Ticked by a person: nothing in the store shows that they heard themselves, or want no trunk yet.
TICKED: Final = ("test_phone_only", "audio_checked")


def tick(tx: Tx, actor: str, item: str, done: bool) -> None:
    """Note (or take back) what only a person can say."""
    if item not in TICKED:
        raise Invalid({"item": f"Choose one of {', '.join(TICKED)}."})
    ticks = provisioning.setting(tx.conn, _KEY) or {}
    provisioning.put_setting(tx.conn, _KEY, {**ticks, item: done})
    tx.append(Event(CHECKLIST_CHANGED, ADMINS, actor, data={"item": item, "done": done}))

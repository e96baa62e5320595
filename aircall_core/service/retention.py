"""How long recordings and voicemails are kept."""

from typing import Any

from pydantic import BaseModel

from aircall_core.config import Settings
from aircall_core.desk import retention
from aircall_core.service.endpoint import Ask
from aircall_core.store import Store, clock
from aircall_core.store.due import Due
from aircall_core.store.queries import retention as stored


class RetentionChange(BaseModel):
    """Days; what is given is changed."""

    recordings_days: int | None = None
    voicemail_days: int | None = None


def read_retention(ask: Ask) -> dict[str, Any]:
    """GET /desk/retention: days of each, and what is kept now."""
    with ask.desk.store.read() as conn:
        return {**stored.days(conn), "kept": stored.kept(conn)}


def change_retention(ask: Ask) -> dict[str, int]:
    """PATCH /desk/retention"""
    given = ask.body.model_dump(exclude_none=True)
    with ask.desk.store.write() as tx:
        retention.change(tx, ask.actor, given)
    return retention.read(ask.desk.store)


def delete_old(store: Store, settings: Settings, _: Due) -> int | None:
    """The due job: what is older than it is kept goes. When to go on (ms), if at once."""
    more = retention.run(store, settings.data_dir)
    if not more:
        return None
    with store.read() as conn:
        return clock.now_ms(conn)

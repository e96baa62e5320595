"""Move events to the time they tell of: for a history that is brought in (the demo), never for one that happens."""

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, update

from aircall_core.store.tables import events


def backdate(conn: Connection, times: Mapping[int, int]) -> None:
    """Set the time (ms) of these events, by their numbers."""
    if times:
        moved = update(events).where(events.c.seq == bindparam("number")).values(at=bindparam("moment"))
        conn.execute(moved, [{"number": seq, "moment": at} for seq, at in times.items()])

"""Move events to the time they tell of: for a history that is brought in (the demo), never for one that happens."""

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, update

from aircall_core.store.tables import conversations, events, messages


def backdate(conn: Connection, times: Mapping[int, int]) -> None:
    """Set the time (ms) of these events, by their numbers."""
    if times:
        moved = update(events).where(events.c.seq == bindparam("number")).values(at=bindparam("moment"))
        conn.execute(moved, [{"number": seq, "moment": at} for seq, at in times.items()])


def message(conn: Connection, message_id: str, at: int) -> None:
    """Set the time (ms) of a text that was sent, and with it that of its conversation, whose newest it is."""
    conn.execute(update(messages).where(messages.c.id == message_id).values(at=at, queued_at=at))
    conn.execute(update(conversations).where(conversations.c.last_message_id == message_id).values(last_at=at))

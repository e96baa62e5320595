"""Keys that an agent pressed in a call and the worker has not sent yet. They may be secret: a row lives for moments."""

from sqlalchemy import Connection, delete, insert, select

from aircall_core.domain.events import CALL_KEYS_WANTED
from aircall_core.store.tables import events, keys


def wanted(conn: Connection, call_id: str, command: str) -> bool:
    """Whether this command was given before: its keys may have been sent and gone since."""
    said = select(events.c.data).where(events.c.call_id == call_id, events.c.kind == CALL_KEYS_WANTED)
    return any(data["command"] == command for data in conn.scalars(said))


def add(conn: Connection, command: str, call_id: str, digits: str, at: int) -> None:
    """The user wants these keys sent."""
    conn.execute(insert(keys), {"id": command, "call_id": call_id, "digits": digits, "at": at})


def claim(conn: Connection, command: str) -> str | None:
    """The keys of a command, which are gone then; None when they were claimed before."""
    return conn.scalar(delete(keys).where(keys.c.id == command).returning(keys.c.digits))


def forget(conn: Connection, call_id: str) -> None:
    """What was never sent is gone with its call."""
    conn.execute(delete(keys).where(keys.c.call_id == call_id))

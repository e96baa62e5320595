"""Keys that an agent pressed in a call and the worker has not sent yet. They may be secret: a row lives for moments."""

from sqlalchemy import Connection, delete, exists, insert, select

from aircall_core.store.tables import keys


def add(conn: Connection, command: str, call_id: str, digits: str, at: int) -> None:
    """The user wants these keys sent; the same command again changes nothing."""
    if not conn.scalar(select(exists().where(keys.c.id == command))):
        conn.execute(insert(keys), {"id": command, "call_id": call_id, "digits": digits, "at": at})


def claim(conn: Connection, command: str) -> str | None:
    """The keys of a command, which are gone then; None when they were claimed before."""
    return conn.scalar(delete(keys).where(keys.c.id == command).returning(keys.c.digits))


def forget(conn: Connection, call_id: str) -> None:
    """What was never sent is gone with its call."""
    conn.execute(delete(keys).where(keys.c.call_id == call_id))

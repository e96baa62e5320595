"""Rows of callers who gave up waiting but keep their place: somebody is to call them."""

from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from aircall_core.store.rows import one
from aircall_core.store.tables import callbacks

_OF_CALL = select(callbacks.c.id).where(callbacks.c.call_id == bindparam("call"))  # built once: asked at calls' ends
WAITING = "waiting"


def add(conn: Connection, **values: Any) -> None:
    """A caller wants to be called."""
    conn.execute(insert(callbacks).values(state=WAITING, **values))


def of_call(conn: Connection, call_id: str) -> str | None:
    """The callback that was asked for in this call."""
    return conn.scalar(_OF_CALL, {"call": call_id})


def get(conn: Connection, callback_id: str) -> dict[str, Any] | None:
    """The callback's row."""
    return one(conn, select(callbacks).where(callbacks.c.id == callback_id))


def settle(conn: Connection, callback_id: str, state: str, user_id: str, at: int) -> bool:
    """Somebody takes or declines a callback that waits; whether it did."""
    done = conn.execute(
        update(callbacks)
        .where(callbacks.c.id == callback_id, callbacks.c.state == WAITING)
        .values(state=state, user_id=user_id, settled_at=at)
    )
    return done.rowcount == 1

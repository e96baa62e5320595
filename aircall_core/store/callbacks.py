"""Rows of callers who gave up waiting but keep their place: somebody is to call them."""

from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from aircall_core.store.rows import one
from aircall_core.store.tables import callbacks

_OF_CALL = select(callbacks.c.id).where(callbacks.c.call_id == bindparam("call"))  # built once: asked at calls' ends
WAITING, CALLING = "waiting", "calling"


def add(conn: Connection, **values: Any) -> None:
    """A caller wants to be called."""
    conn.execute(insert(callbacks).values(state=WAITING, **values))


def of_call(conn: Connection, call_id: str) -> str | None:
    """The callback that was asked for in this call."""
    return conn.scalar(_OF_CALL, {"call": call_id})


def get(conn: Connection, callback_id: str) -> dict[str, Any] | None:
    """The callback's row."""
    return one(conn, select(callbacks).where(callbacks.c.id == callback_id))


def settle(conn: Connection, callback_id: str, state: str, user_id: str | None, at: int) -> bool:
    """Somebody takes, declines or is calling back a callback that waits; whether it did."""
    return _change(conn, callback_id, WAITING, state, user_id, at)


def called(conn: Connection, callback_id: str, state: str, user_id: str | None, at: int | None) -> bool:
    """What came of calling back: it is taken, or waits again in its old place (then ``user_id`` None)."""
    return _change(conn, callback_id, CALLING, state, user_id, at)


def _change(conn: Connection, callback_id: str, was: str, state: str, user_id: str | None, at: int | None) -> bool:
    done = conn.execute(
        update(callbacks)
        .where(callbacks.c.id == callback_id, callbacks.c.state == was)
        .values(state=state, user_id=user_id, settled_at=at)
    )
    return done.rowcount == 1

"""What users have written about calls: one note a user and call, which they go on writing."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, insert, select, update

from aircall_core.store.rows import many, one
from aircall_core.store.tables import notes

_CALL: BindParameter[str] = bindparam("call")
_USER: BindParameter[str] = bindparam("user")
_OF_USER = select(notes).where(notes.c.call_id == _CALL, notes.c.user_id == _USER)  # asked at every save
_CHANGE = (
    update(notes)
    .where(notes.c.id == bindparam("note"))
    .values(text=bindparam("new_text"), updated_at=bindparam("moment"), version=notes.c.version + 1)
)
_OF_CALLS = (
    select(notes.c.id, notes.c.call_id, notes.c.user_id, notes.c.text, notes.c.created_at, notes.c.updated_at)
    .where(notes.c.call_id.in_(bindparam("calls", expanding=True)), notes.c.text != "")
    .order_by(notes.c.created_at, notes.c.id)
)


def of_user(conn: Connection, call_id: str, user_id: str) -> dict[str, Any] | None:
    """The user's note on a call."""
    return one(conn, _OF_USER, {"call": call_id, "user": user_id})


def add(conn: Connection, **values: Any) -> None:
    """A user begins a note."""
    conn.execute(insert(notes), values)


def change(conn: Connection, note_id: str, text: str, at: int) -> None:
    """The note's next version."""
    conn.execute(_CHANGE, {"note": note_id, "new_text": text, "moment": at})


def of_calls(conn: Connection, call_ids: Collection[str]) -> list[dict[str, Any]]:
    """Notes that say something about these calls, oldest first."""
    return many(conn, _OF_CALLS, {"calls": sorted(call_ids)})

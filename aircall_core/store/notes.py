"""What users have written about calls: one note a user and call, which they go on writing."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from aircall_core.store.rows import many, one
from aircall_core.store.tables import notes, users

_CALL: BindParameter[str] = bindparam("call")
_USER: BindParameter[str] = bindparam("user")
_OF_USER = select(notes).where(notes.c.call_id == _CALL, notes.c.user_id == _USER)  # asked at every save
_CHANGE = (
    update(notes)
    .where(notes.c.id == bindparam("note"), notes.c.version == bindparam("known_version"))
    .values(text=bindparam("new_text"), updated_at=bindparam("moment"), version=notes.c.version + 1)
)
_OF_CALLS = (
    select(
        notes.c.id,
        notes.c.call_id,
        notes.c.user_id,
        notes.c.text,
        notes.c.created_at,
        notes.c.updated_at,
        notes.c.version,
    )
    .where(notes.c.call_id.in_(bindparam("calls", expanding=True)), notes.c.text != "")
    .order_by(notes.c.created_at, notes.c.id)
)
_BY_IDS = (
    select(
        notes.c.id, notes.c.user_id, users.c.name, notes.c.text, notes.c.created_at, notes.c.updated_at, notes.c.version
    )
    .outerjoin(users, users.c.id == notes.c.user_id)
    .where(notes.c.id.in_(bindparam("notes", expanding=True)), notes.c.text != "")
)
_ADD = {
    name: dialect.insert(notes).on_conflict_do_nothing().returning(notes.c.id)
    for name, dialect in (("postgresql", postgresql), ("sqlite", sqlite))
}
_GET = select(notes).where(notes.c.id == bindparam("note"))


def get(conn: Connection, note_id: str) -> dict[str, Any] | None:
    """A note's row."""
    return one(conn, _GET, {"note": note_id})


def by_ids(conn: Connection, note_ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """Notes that say something, by id: {id, user_id, by: {id, name}, text, created_at, updated_at, version}."""
    if not note_ids:
        return {}
    found = many(conn, _BY_IDS, {"notes": sorted(note_ids)})
    return {row["id"]: {**row, "by": {"id": row["user_id"], "name": row.pop("name") or ""}} for row in found}


def of_user(conn: Connection, call_id: str, user_id: str) -> dict[str, Any] | None:
    """The user's note on a call."""
    return one(conn, _OF_USER, {"call": call_id, "user": user_id})


def add(conn: Connection, **values: Any) -> bool:
    """A user begins a note; False: it is begun already (same id, or their note on this call)."""
    return conn.execute(_ADD[conn.dialect.name], values).first() is not None


def change(conn: Connection, note_id: str, text: str, at: int, version: int) -> bool:
    """The note's next version after ``version``; False: it is another one by now."""
    new = {"note": note_id, "new_text": text, "moment": at, "known_version": version}
    return conn.execute(_CHANGE, new).rowcount == 1


def of_calls(conn: Connection, call_ids: Collection[str]) -> list[dict[str, Any]]:
    """Notes that say something about these calls, oldest first."""
    return many(conn, _OF_CALLS, {"calls": sorted(call_ids)})

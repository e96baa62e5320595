"""What users have begun to write to customers."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from aircall_core.store.rows import one
from aircall_core.store.tables import drafts

_OWN = (drafts.c.conversation_id == bindparam("conversation"), drafts.c.user_id == bindparam("writer"))
_GET = select(drafts).where(*_OWN)
_NEXT = update(drafts).where(*_OWN, drafts.c.version == bindparam("known_version"))
_CHANGE = _NEXT.values(
    body=bindparam("new_body"),
    attachments=bindparam("new_files", type_=drafts.c.attachments.type),
    updated_at=bindparam("moment"),
    version=drafts.c.version + 1,
)
_CLEAR = (
    update(drafts)
    .where(*_OWN)
    .values(body="", attachments=[], updated_at=bindparam("moment"), version=drafts.c.version + 1)
)
_BEGIN = {
    name: dialect.insert(drafts).on_conflict_do_nothing().returning(drafts.c.version)
    for name, dialect in (("postgresql", postgresql), ("sqlite", sqlite))
}


def get(conn: Connection, conversation_id: str, user_id: str) -> dict[str, Any] | None:
    """The user's draft."""
    return one(conn, _GET, {"conversation": conversation_id, "writer": user_id})


def put(
    conn: Connection, conversation_id: str, user_id: str, body: str, files: Sequence[str], at: int, version: int
) -> bool:
    """The draft's next version after ``version`` (0: it is begun); False: it is another one by now."""
    if version == 0:
        values = {"body": body, "attachments": list(files), "updated_at": at}
        row = {"conversation_id": conversation_id, "user_id": user_id, **values}
        return conn.execute(_BEGIN[conn.dialect.name], row).first() is not None
    new = {"new_body": body, "new_files": list(files), "moment": at, "known_version": version}
    return conn.execute(_CHANGE, {"conversation": conversation_id, "writer": user_id, **new}).rowcount == 1


def clear(conn: Connection, conversation_id: str, user_id: str, at: int) -> None:
    """It was sent: the draft is empty, and a tab that has not heard of that is told when it saves."""
    conn.execute(_CLEAR, {"conversation": conversation_id, "writer": user_id, "moment": at})

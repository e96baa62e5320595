"""What users have begun to write to customers."""

from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from aircall_core.store.rows import one
from aircall_core.store.tables import drafts

_OWN = (drafts.c.conversation_id == bindparam("conversation"), drafts.c.user_id == bindparam("writer"))
_GET = select(drafts).where(*_OWN)
_CHANGE = (
    update(drafts)
    .where(*_OWN)
    .values(
        body=bindparam("new_body"),
        attachments=bindparam("new_files", type_=drafts.c.attachments.type),
        updated_at=bindparam("moment"),
        version=drafts.c.version + 1,
    )
)


def get(conn: Connection, conversation_id: str, user_id: str) -> dict[str, Any] | None:
    """The user's draft."""
    return one(conn, _GET, {"conversation": conversation_id, "writer": user_id})


def put(conn: Connection, conversation_id: str, user_id: str, body: str, files: list[str], at: int) -> None:
    """The draft's next version."""
    new = {"new_body": body, "new_files": files, "moment": at}
    if conn.execute(_CHANGE, {"conversation": conversation_id, "writer": user_id, **new}).rowcount == 0:
        values = {"body": body, "attachments": files, "updated_at": at}
        conn.execute(insert(drafts).values(conversation_id=conversation_id, user_id=user_id, **values))


def clear(conn: Connection, conversation_id: str, user_id: str, at: int) -> None:
    """It was sent: the draft is empty, and a tab that has not heard of that is told when it saves."""
    if get(conn, conversation_id, user_id) is not None:
        put(conn, conversation_id, user_id, "", [], at)

"""Rows of conversations (one for a line and a customer number) and of the contacts behind the numbers."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Update, bindparam, delete, exists, insert, select, update

from aircall_core.store.rows import one
from aircall_core.store.tables import callbacks, calls, contact_phones, contacts, conversation_reads, conversations

# Built once: asked at every call's arrival.
_FIND = select(conversations).where(
    conversations.c.line_id == bindparam("line"), conversations.c.party == bindparam("who")
)
_CALLER = (
    select(contacts.c.id, contacts.c.priority)
    .join(contact_phones, contact_phones.c.contact_id == contacts.c.id)
    .where(contact_phones.c.number == bindparam("phone"))
)
_ADD = insert(conversations)


def find(conn: Connection, line_id: str, party: str) -> dict[str, Any] | None:
    """The conversation of this line with this customer number."""
    return one(conn, _FIND, {"line": line_id, "who": party})


def get(conn: Connection, conversation_id: str) -> dict[str, Any] | None:
    """The conversation's row."""
    query = select(conversations).where(conversations.c.id == conversation_id)
    return one(conn, query)


def add(conn: Connection, **values: Any) -> None:
    """A new conversation."""
    conn.execute(_ADD, values)


def change(conn: Connection, conversation_id: str, **values: Any) -> None:
    """Change the conversation's row."""
    new = {f"new_{name}": value for name, value in values.items()}
    conn.execute(_change(tuple(values)), {"conversation": conversation_id, **new})


@lru_cache(maxsize=32)
def _change(columns: tuple[str, ...]) -> Update:
    new = {name: bindparam(f"new_{name}", type_=conversations.c[name].type) for name in columns}
    return update(conversations).where(conversations.c.id == bindparam("conversation")).values(**new)


def caller(conn: Connection, number: str) -> tuple[str | None, int | None]:
    """The contact that owns an E.164 number, and their priority."""
    row = conn.execute(_CALLER, {"phone": number}).one_or_none()
    return (None, None) if row is None else (row.id, row.priority)


def drop_if_empty(conn: Connection, conversation_id: str) -> None:
    """Remove a conversation in which nothing is left: its only call was led on to another line."""
    conn.execute(
        delete(conversations).where(
            conversations.c.id == conversation_id,
            conversations.c.assigned_to.is_(None),
            ~exists().where(calls.c.conversation_id == conversation_id),
            ~exists().where(callbacks.c.conversation_id == conversation_id),
        )
    )


def mark_read(conn: Connection, conversation_id: str, user_id: str, at: int) -> bool:
    """The user has seen everything up to ``at``; whether that is news."""
    where = (
        conversation_reads.c.conversation_id == conversation_id,
        conversation_reads.c.user_id == user_id,
    )
    before = conn.scalar(select(conversation_reads.c.read_at).where(*where))
    if before is None:
        conn.execute(insert(conversation_reads).values(conversation_id=conversation_id, user_id=user_id, read_at=at))
        return True
    if before >= at:
        return False
    conn.execute(update(conversation_reads).where(*where).values(read_at=at))
    return True


def add_contact(conn: Connection, numbers: Sequence[str], **values: Any) -> None:
    """A new contact with these numbers (E.164), none of which belongs to anybody yet."""
    conn.execute(insert(contacts).values(**values))
    if numbers:
        conn.execute(insert(contact_phones), [{"number": number, "contact_id": values["id"]} for number in numbers])

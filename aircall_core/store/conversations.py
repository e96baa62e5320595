"""Rows of conversations (one for a line and a customer number) and of the contacts behind the numbers."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Update, bindparam, insert, select, update

from aircall_core.store.rows import one
from aircall_core.store.tables import contact_phones, contacts, conversation_reads, conversations

# Built once: asked at every call's arrival.
_FIND = select(conversations).where(
    conversations.c.line_id == bindparam("line"), conversations.c.party == bindparam("who")
)
_CONTACT_OF = select(contact_phones.c.contact_id).where(contact_phones.c.number == bindparam("phone"))


def find(conn: Connection, line_id: str, party: str) -> dict[str, Any] | None:
    """The conversation of this line with this customer number."""
    return one(conn, _FIND, {"line": line_id, "who": party})


def get(conn: Connection, conversation_id: str) -> dict[str, Any] | None:
    """The conversation's row."""
    query = select(conversations).where(conversations.c.id == conversation_id)
    return one(conn, query)


def add(conn: Connection, **values: Any) -> None:
    """A new conversation."""
    conn.execute(insert(conversations).values(**values))


def change(conn: Connection, conversation_id: str, **values: Any) -> None:
    """Change the conversation's row."""
    new = {f"new_{name}": value for name, value in values.items()}
    conn.execute(_change(tuple(values)), {"conversation": conversation_id, **new})


@lru_cache(maxsize=32)
def _change(columns: tuple[str, ...]) -> Update:
    new = {name: bindparam(f"new_{name}", type_=conversations.c[name].type) for name in columns}
    return update(conversations).where(conversations.c.id == bindparam("conversation")).values(**new)


def contact_of(conn: Connection, number: str) -> str | None:
    """The contact that owns an E.164 number."""
    return conn.scalar(_CONTACT_OF, {"phone": number})


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

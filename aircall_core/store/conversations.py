"""Rows of conversations (one for a line and a customer number) and of the contacts behind the numbers."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Update, bindparam, case, delete, exists, func, insert, select, text, update

from aircall_core.store import search, unread
from aircall_core.store.rows import one
from aircall_core.store.tables import (
    callbacks,
    calls,
    contact_phones,
    contacts,
    conversation_reads,
    conversations,
    events,
    lines,
    messages,
    notes,
)

# Built once: asked at every call's arrival.
_FIND = select(conversations).where(
    conversations.c.line_id == bindparam("line"), conversations.c.party == bindparam("who")
)
_FIND_LOCKED = _FIND.with_for_update(key_share=True)
_CALLER = (
    select(contacts.c.id, contacts.c.priority)
    .join(contact_phones, contact_phones.c.contact_id == contacts.c.id)
    .where(contact_phones.c.number == bindparam("phone"))
)
_ADD = insert(conversations)


def find(conn: Connection, line_id: str, party: str, *, lock: bool = False) -> dict[str, Any] | None:
    """The conversation of this line with this customer number; ``lock``: as `get` does."""
    return one(conn, _FIND_LOCKED if lock else _FIND, {"line": line_id, "who": party})


def get(conn: Connection, conversation_id: str, *, lock: bool = False) -> dict[str, Any] | None:
    """The conversation's row; ``lock`` keeps others from changing it before the transaction ends."""
    query = select(conversations).where(conversations.c.id == conversation_id)
    return one(conn, query.with_for_update(key_share=True) if lock else query)


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


def touch(
    conn: Connection,
    conversation_id: str,
    *,
    at: int,
    direction: str,
    call_id: str | None = None,
    message_id: str | None = None,
    missed: bool | None = None,
    **more: Any,
) -> None:
    """Something happened in it at ``at`` (ms), ``direction`` inbound or outbound: it is the newest there is.

    One statement. ``missed``: whether the last call was answered by nobody; None leaves it. ``more``: other columns.
    A time before the last one, as a fact that comes late has it, does not lead back.
    """
    new: dict[str, Any] = {"at": at, "new_direction": direction}
    new |= {f"new_{name}": value for name, value in more.items()}
    if call_id is not None:
        new["new_last_call_id"] = call_id
    if message_id is not None:
        new["new_last_message_id"] = message_id
    if missed is not None:
        new["new_missed"] = missed
    columns = tuple(name.removeprefix("new_") for name in new if name.startswith("new_"))
    conn.execute(_touch(columns), {"conversation": conversation_id, **new})


@lru_cache(maxsize=32)
def _touch(columns: tuple[str, ...]) -> Update:
    at = bindparam("at", type_=conversations.c.last_at.type)
    newest = case((conversations.c.last_at > at, conversations.c.last_at), else_=at)
    return _change(columns).values(last_at=newest)


def drop_if_empty(conn: Connection, conversation_id: str) -> None:
    """Remove a conversation in which nothing is left: its only call was led on to another line."""
    gone = conn.execute(_DROP_EMPTY, {"conversation": conversation_id}).rowcount
    if gone:
        search.drop(conn, search.CONVERSATION, conversation_id)


_DROP_EMPTY = delete(conversations).where(
    conversations.c.id == bindparam("conversation"),
    conversations.c.assigned_to.is_(None),
    *(~exists().where(table.c.conversation_id == conversations.c.id) for table in (calls, callbacks, messages, notes)),
)


_NOW = bindparam("moment", type_=conversations.c.last_at.type)
_NOT_SENT = text("messages.state IN ('queued', 'sending')")  # the very words of ix_messages_unsent
_LATEST = _NOW - lines.c.auto_close_min * 60_000  # what is later than that keeps a conversation open
_CALLED_SINCE = (
    exists()
    .where(calls.c.id == conversations.c.last_call_id, calls.c.arrived_at > messages.c.at)
    .correlate(conversations, messages)  # else any conversation's call would count
)
_QUIET = (
    select(conversations.c.id, conversations.c.last_at)
    .join(lines, lines.c.id == conversations.c.line_id)
    .where(
        lines.c.auto_close_min.is_not(None),
        conversations.c.closed_at.is_(None),
        conversations.c.last_at <= _LATEST,
        func.coalesce(conversations.c.reopened_at, 0) <= _LATEST,
        ~exists().where(notes.c.conversation_id == conversations.c.id, notes.c.created_at > _LATEST),
        ~(conversations.c.missed & (conversations.c.direction == "inbound")),
        conversations.c.id.not_in(select(calls.c.conversation_id).where(calls.c.ended_at.is_(None))),
        conversations.c.id.not_in(select(callbacks.c.conversation_id).where(text("callbacks.state = 'waiting'"))),
        conversations.c.id.not_in(select(messages.c.conversation_id).where(_NOT_SENT)),
        ~exists().where(
            messages.c.id == conversations.c.last_message_id, messages.c.direction == "inbound", ~_CALLED_SINCE
        ),
    )
    .order_by(conversations.c.line_id, conversations.c.last_at)
    .limit(bindparam("most"))
)


def quiet(conn: Connection, now: int, most: int) -> list[tuple[str, int]]:
    """Open conversations in which nothing is left to do, for as long as their lines want (`desk.auto_close`): since
    what came last, since a user reopened it or gave it away, and since a note. With the time of what came last."""
    return [(row.id, row.last_at) for row in conn.execute(_QUIET, {"moment": now, "most": most})]


_READ = select(conversation_reads.c.read_at, conversation_reads.c.read_seq).where(
    conversation_reads.c.conversation_id == bindparam("conversation"), conversation_reads.c.user_id == bindparam("user")
)
_READ_NOW = (
    update(conversation_reads)
    .where(
        conversation_reads.c.conversation_id == bindparam("conversation"),
        conversation_reads.c.user_id == bindparam("user"),
    )
    .values(read_at=bindparam("at"), read_seq=bindparam("newest"))
)
_ADD_READ = insert(conversation_reads)
_NEWEST = (
    select(events.c.seq)
    .where(events.c.conversation_id == bindparam("conversation"))
    .order_by(events.c.seq.desc())
    .limit(1)
)


def mark_read(conn: Connection, conversation_id: str, user_id: str, at: int) -> bool:
    """The user has seen everything up to now, the last of it at ``at`` (ms); whether that is news."""
    marked = unread.seen(conn, conversation_id, user_id)
    who = {"conversation": conversation_id, "user": user_id}
    newest: int = conn.scalar(_NEWEST, who) or 0
    before = conn.execute(_READ, who).one_or_none()
    if before is None:
        row = {"conversation_id": conversation_id, "user_id": user_id, "read_at": at, "read_seq": newest}
        conn.execute(_ADD_READ, row)
        return True
    later = before.read_at < at
    if later or (before.read_seq or 0) < newest:
        read = {"at": max(at, before.read_at), "newest": max(newest, before.read_seq or 0)}
        conn.execute(_READ_NOW, {**who, **read})
    return marked or later


def add_contact(conn: Connection, numbers: Sequence[str], **values: Any) -> None:
    """A new contact with these numbers (E.164), none of which belongs to anybody yet."""
    conn.execute(insert(contacts).values(**values))
    if numbers:
        conn.execute(insert(contact_phones), [{"number": number, "contact_id": values["id"]} for number in numbers])

"""What of each row can be found by its words: the one place that says so, for those who write rows and for rebuilding.

Whoever writes a contact, a conversation, a message or a note calls its function in the same transaction; whoever
removes one calls ``search.drop``.
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from sqlalchemy import (
    BindParameter,
    Connection,
    Select,
    Table,
    bindparam,
    exists,
    literal_column,
    select,
    union_all,
)

from aircall_core import numbers
from aircall_core.domain.contact import Entry, Profile
from aircall_core.domain.words import number_words
from aircall_core.store import search
from aircall_core.store.tables import (
    contact_emails,
    contact_phones,
    contacts,
    conversations,
    lines,
    messages,
    notes,
    search_texts,
)

_ID: BindParameter[str] = bindparam("row")
_CONTACT = select(contacts).where(contacts.c.id == _ID)
_PHONES = select(contact_phones.c.number).where(contact_phones.c.contact_id == _ID)
_EMAILS = select(contact_emails.c.email).where(contact_emails.c.contact_id == _ID)
_CONVERSATION = (
    select(conversations, lines.c.country)
    .join(lines, lines.c.id == conversations.c.line_id)
    .where(conversations.c.id == _ID)
)
_MESSAGE = select(messages).where(messages.c.id == _ID)
_NOTE = (
    select(notes, conversations.c.line_id)
    .join(conversations, conversations.c.id == notes.c.conversation_id)
    .where(notes.c.id == _ID)
)


def contact(conn: Connection, contact_id: str, place: int | None = None) -> None:
    """A contact: by name, company, description, e-mail, custom values and numbers."""
    row = conn.execute(_CONTACT, {"row": contact_id}).mappings().one()
    phones = tuple(Entry(phone) for phone in conn.scalars(_PHONES, {"row": contact_id}))
    emails = tuple(Entry(email) for email in conn.scalars(_EMAILS, {"row": contact_id}))
    known = Profile(row["name"], row["company"], row["description"], phones, emails, row["custom"] or {})
    profile(conn, contact_id, known, row["updated_at"] or row["created_at"], place)


def profile(conn: Connection, contact_id: str, known: Profile, at: int, place: int | None = None) -> None:
    """The same of a contact whose rows were just written, so that they need not be read."""
    values = [str(value) for value in known.custom.values() if value]
    parts = [known.name, known.company, known.description, *(entry.value for entry in known.emails), *values]
    phones = [(entry.value, numbers.country_of(entry.value)) for entry in known.numbers]
    search.put(
        conn, search.CONTACT, contact_id, "\n".join(parts), at, contact_id=contact_id, numbers=_found_by(*phones),
        place=place,
    )  # fmt: skip


def conversation(conn: Connection, conversation_id: str, place: int | None = None) -> None:
    """A conversation: by the customer's number. An anonymous caller's is not found."""
    row = conn.execute(_CONVERSATION, {"row": conversation_id}).mappings().one()
    search.put(
        conn, search.CONVERSATION, conversation_id, "", row["opened_at"],
        conversation_id=conversation_id, line_id=row["line_id"], numbers=_found_by((row["party"], row["country"])),
        place=place,
    )  # fmt: skip


def message(conn: Connection, message_id: str, place: int | None = None) -> None:
    """A text message, by what it says."""
    row = conn.execute(_MESSAGE, {"row": message_id}).mappings().one()
    search.put(
        conn, search.MESSAGE, message_id, row["body"], row["at"],
        conversation_id=row["conversation_id"], line_id=row["line_id"], place=place,
    )  # fmt: skip


def note(conn: Connection, note_id: str, place: int | None = None) -> None:
    """A note, by what it says."""
    row = conn.execute(_NOTE, {"row": note_id}).mappings().one()
    search.put(
        conn, search.NOTE, note_id, row["text"], row["created_at"],
        conversation_id=row["conversation_id"], line_id=row["line_id"], place=place,
    )  # fmt: skip


def _found_by(*phones: tuple[str, str]) -> list[str]:
    forms = [form for phone, home in phones for form in (phone, numbers.spoken_form(phone, home or "US"))]
    return number_words(*forms)


class _Index(Protocol):
    def __call__(self, conn: Connection, row_id: str, /, place: int | None = None) -> None: ...


INDEXED: Final[Mapping[str, tuple[Table, _Index]]] = {
    search.CONTACT: (contacts, contact),
    search.CONVERSATION: (conversations, conversation),
    search.MESSAGE: (messages, message),
    search.NOTE: (notes, note),
}


def _missing() -> Select[Any]:
    """The newest of each kind, merged: ids say when a row was made. Each kind by itself, for its key's order."""
    before: BindParameter[str] = bindparam("before")
    most: BindParameter[int] = bindparam("most")
    parts = []
    for kind, (table, _) in INDEXED.items():
        known = exists().where(search_texts.c.kind == kind, search_texts.c.ref == table.c.id)
        rows = select(literal_column(f"'{kind}'").label("kind"), table.c.id).where(table.c.id < before, ~known)
        parts.append(select(rows.order_by(table.c.id.desc()).limit(most).subquery()))
    merged = union_all(*parts).subquery()
    return select(merged).order_by(merged.c.id.desc(), merged.c.kind).limit(most)


_MISSING = _missing()
_PAST_ALL: Final = "z" * 26  # no id sorts behind it (ids.new_id)


def missing(conn: Connection, before: str | None, most: int) -> list[tuple[str, str]]:
    """Kind and id of rows made before this one (None: of all) of which the index knows nothing, newest first. One
    without words stays unknown."""
    found = conn.execute(_MISSING, {"before": before or _PAST_ALL, "most": most})
    return [(row.kind, row.id) for row in found]


def exists_row(conn: Connection, kind: str, row_id: str) -> bool:
    """Whether the row is still there."""
    table = INDEXED[kind][0]
    return conn.execute(select(table.c.id).where(table.c.id == row_id)).first() is not None

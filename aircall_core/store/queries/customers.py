"""Which conversations are one customer's: those of their contact's numbers, and of the same number on other lines."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, Select, TextClause, bindparam, select
from sqlalchemy import text as sql

from aircall_core import numbers
from aircall_core.store.rows import many, one
from aircall_core.store.tables import contacts, conversations, lines, unread

Conversation = dict[str, Any]

_LINES: BindParameter[Any] = bindparam("lines", expanding=True)
_MOST: BindParameter[int] = bindparam("most")


def _rows(*where: ColumnElement[bool] | TextClause) -> Select[Any]:
    return (
        select(
            conversations.c.id, conversations.c.line_id, conversations.c.party, conversations.c.contact_id,
            conversations.c.opened_at, conversations.c.last_at, conversations.c.direction, conversations.c.missed,
            conversations.c.closed_at, conversations.c.last_call_id, conversations.c.last_message_id,
            lines.c.name.label("line_name"), lines.c.country.label("line_country"),
            contacts.c.name.label("contact_name"), contacts.c.company_key,
        )
        .join(lines, lines.c.id == conversations.c.line_id)
        .outerjoin(contacts, contacts.c.id == conversations.c.contact_id)
        .where(*where)
    )  # fmt: skip


# Built once: a snapshot is read at every look at a conversation.
_HERE = _rows(conversations.c.id == bindparam("conversation"))
_OF_CONTACT = _rows(conversations.c.contact_id == bindparam("contact"))
# Line by line, since a conversation is found by its line and its party.
_OF_PARTY = _rows(conversations.c.line_id.in_(select(lines.c.id)), conversations.c.party == bindparam("who"))
_OF_COMPANY = (
    _rows(
        contacts.c.company_key == bindparam("company"),
        sql("contacts.company_key <> ''"),  # in the words of the index
        contacts.c.id != bindparam("contact"),
    )
    .order_by(conversations.c.last_at.desc(), conversations.c.id)
    .limit(_MOST)
)
_OF_COMPANY_ON = _OF_COMPANY.where(conversations.c.line_id.in_(_LINES))
_UNREAD = select(unread.c.conversation_id).where(
    unread.c.user_id == bindparam("user"), unread.c.conversation_id.in_(bindparam("ids", expanding=True))
)


def here(conn: Connection, conversation_id: str) -> Conversation | None:
    """The conversation with its line and contact."""
    return one(conn, _HERE, {"conversation": conversation_id})


def same_customer(conn: Connection, this: Conversation, allowed: Sequence[str] | None) -> list[Conversation]:
    """This conversation and the customer's others on lines that the viewer sees (None: all), the newest first.

    Callers who hide their number are not one customer: theirs is this conversation alone.
    """
    found = {this["id"]: this}
    if this["contact_id"] is not None:
        found |= {row["id"]: row for row in many(conn, _OF_CONTACT, {"contact": this["contact_id"]})}
    if this["party"] not in ("", numbers.ANONYMOUS):
        found |= {row["id"]: row for row in many(conn, _OF_PARTY, {"who": this["party"]})}
    seen = [row for row in found.values() if row["id"] == this["id"] or allowed is None or row["line_id"] in allowed]
    return sorted(seen, key=lambda row: (-row["last_at"], row["id"]))


def same_company(conn: Connection, this: Conversation, allowed: Sequence[str] | None, most: int) -> list[Conversation]:
    """The newest conversations with others of the customer's company, on lines that the viewer sees (None: all)."""
    if not this["company_key"] or allowed == []:
        return []
    values: dict[str, Any] = {"company": this["company_key"], "contact": this["contact_id"], "most": most}
    if allowed is None:
        return many(conn, _OF_COMPANY, values)
    return many(conn, _OF_COMPANY_ON, {**values, "lines": list(allowed)})


def unread_of(conn: Connection, user_id: str, conversation_ids: Collection[str]) -> set[str]:
    """Those among these conversations that the user has not read."""
    ids = sorted(conversation_ids)
    return set(conn.scalars(_UNREAD, {"user": user_id, "ids": ids})) if ids else set()

"""One conversation: its header, and who may see it."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from aircall_core.store import people
from aircall_core.store.tables import call_legs, calls, contacts, conversations, lines


@dataclass(frozen=True, slots=True)
class Header:
    """Whom the conversation is with, and on which line."""

    id: str
    party: str
    contact_name: str
    contact_company: str
    line_id: str
    line_name: str
    line_number: str
    line_country: str
    assigned_to: str | None
    opened_at: int
    last_at: int


def header(conn: Connection, conversation_id: str) -> Header | None:
    """The conversation's header."""
    query = (
        select(
            conversations.c.id,
            conversations.c.party,
            contacts.c.name.label("contact_name"),
            contacts.c.company.label("contact_company"),
            calls.c.from_display,
            conversations.c.line_id,
            lines.c.name.label("line_name"),
            lines.c.number.label("line_number"),
            lines.c.country.label("line_country"),
            conversations.c.assigned_to,
            conversations.c.opened_at,
            conversations.c.last_at,
        )
        .join(lines, lines.c.id == conversations.c.line_id)
        .outerjoin(contacts, contacts.c.id == conversations.c.contact_id)
        .outerjoin(calls, calls.c.id == conversations.c.last_call_id)
        .where(conversations.c.id == conversation_id)
    )
    row = conn.execute(query).mappings().one_or_none()
    if row is None:
        return None
    values = dict(row)
    display = values.pop("from_display")
    values["contact_name"] = values["contact_name"] or display or ""
    values["contact_company"] = values["contact_company"] or ""
    return Header(**values)


def may_see(conn: Connection, conversation_id: str, user_id: str, role: str) -> bool:
    """Whether the user may see this conversation: by their line, by their role, or because it rings them now."""
    line_id = conn.scalar(select(conversations.c.line_id).where(conversations.c.id == conversation_id))
    if line_id is None:
        return False
    if people.sees_line(conn, user_id, role, line_id):
        return True
    rung = (
        select(call_legs.c.id)
        .join(calls, calls.c.id == call_legs.c.call_id)
        .where(calls.c.conversation_id == conversation_id, calls.c.ended_at.is_(None), call_legs.c.user_id == user_id)
    )
    return conn.execute(rung.limit(1)).first() is not None


def assignable(conn: Connection, line_id: str, assigned_to: str | None) -> dict[str, str]:
    """Names of those whom a conversation of this line can be given to, by id: its users, and whose it is now."""
    known = people.names(conn, [*people.assigned_users(conn, line_id), *([assigned_to] if assigned_to else [])])
    return dict(sorted(known.items(), key=lambda one: (one[1].casefold(), one[0])))

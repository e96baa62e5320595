"""One conversation: its header, who may see it, and which others the same customer has."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, bindparam, or_, select

from aircall_core import numbers
from aircall_core.store import calls as call_rows
from aircall_core.store import people
from aircall_core.store.rows import many
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
    closed_at: int | None
    contact_id: str | None


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
            conversations.c.closed_at,
            conversations.c.contact_id,
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


def shown(conn: Connection, conversation_id: str) -> dict[str, Any] | None:
    """The header as browsers get it: {"id", "name", "company", "contact", "number": E.164 or '', "spoken", "flag",
    "line": {"id", "name"}, "assigned_to", "closed_at", "in_call"}."""
    found = header(conn, conversation_id)
    if found is None:
        return None
    return {
        "id": found.id,
        "name": found.contact_name,
        "company": found.contact_company,
        "contact": found.contact_id,
        "number": found.party if found.party.startswith("+") else "",
        "spoken": numbers.spoken_form(found.party, found.line_country),
        "flag": numbers.flag(numbers.country_of(found.party)),
        "line": {"id": found.line_id, "name": found.line_name},
        "assigned_to": found.assigned_to,
        "closed_at": found.closed_at,
        "in_call": call_rows.lives_in(conn, found.id),
    }


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


MOST_TOGETHER: Final = 100  # conversations of one customer that are read together
_ID: BindParameter[str] = bindparam("conversation")
_THIS = conversations.alias("this")
_SAME = (
    select(
        conversations.c.id,
        conversations.c.party,
        conversations.c.line_id,
        lines.c.name.label("line_name"),
        lines.c.country,
    )
    .join(lines, lines.c.id == conversations.c.line_id)
    .order_by(conversations.c.last_at.desc(), conversations.c.id)
)
_OF_CONTACT = _SAME.join(_THIS, _THIS.c.contact_id == conversations.c.contact_id).where(_THIS.c.id == _ID)
# By the unique index (line, party): one look a line. Who hides the number is nobody's namesake.
_OF_NUMBER = (
    _SAME.join(_THIS, _THIS.c.party == conversations.c.party)
    .where(_THIS.c.id == _ID, or_(_THIS.c.party.startswith("+"), _THIS.c.id == conversations.c.id))
    .where(conversations.c.line_id.in_(bindparam("lines", expanding=True)))
)
_LINES = select(lines.c.id)


def together(conn: Connection, conversation_id: str, lines_seen: Collection[str] | None) -> list[dict[str, Any]]:
    """This conversation, and those of the same customer (by contact, or by number) on lines the viewer sees.

    ``lines_seen``: None means every line. [{"id", "party": E.164 or '', "number": as spoken, "line": {"id", "name"}}],
    this one first.
    """
    everywhere = sorted(lines_seen) if lines_seen is not None else list(conn.scalars(_LINES))
    own = conn.scalar(select(conversations.c.line_id).where(conversations.c.id == conversation_id))
    asked = {"conversation": conversation_id, "lines": sorted({*everywhere, str(own)})}
    rows = {row["id"]: row for query in (_OF_NUMBER, _OF_CONTACT) for row in many(conn, query, asked)}
    seen = [
        row
        for row in rows.values()
        if row["id"] == conversation_id or lines_seen is None or row["line_id"] in lines_seen
    ]
    seen.sort(key=lambda row: row["id"] != conversation_id)
    return [
        {
            "id": row["id"],
            "party": row["party"] if row["party"].startswith("+") else "",
            "number": numbers.spoken_form(row["party"], row["country"]),
            "line": {"id": row["line_id"], "name": row["line_name"]},
        }
        for row in seen[:MOST_TOGETHER]
    ]

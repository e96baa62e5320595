"""What a ringer shows of a call: who calls, from where, on which line. Joined when shown, never kept in the log."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, select

from aircall_core import numbers
from aircall_core.store.tables import calls, contacts, lines

Card = dict[str, Any]


def cards(conn: Connection, call_ids: Iterable[str]) -> dict[str, Card]:
    """The cards of these calls, by call id. An anonymous caller's card has no name and no number."""
    wanted = sorted(set(call_ids))
    if not wanted:
        return {}
    query = (
        select(
            calls.c.id,
            calls.c.from_number,
            calls.c.from_display,
            calls.c.anonymous,
            calls.c.conversation_id,
            calls.c.contact_id,
            contacts.c.name.label("contact_name"),
            lines.c.name.label("line_name"),
            lines.c.number.label("line_number"),
            lines.c.country.label("line_country"),
        )
        .join(lines, lines.c.id == calls.c.line_id)
        .outerjoin(contacts, contacts.c.id == calls.c.contact_id)
        .where(calls.c.id.in_(wanted))
    )
    return {row["id"]: _card(dict(row)) for row in conn.execute(query).mappings()}


def _card(row: dict[str, Any]) -> Card:
    hidden = bool(row["anonymous"])
    home = row["line_country"]
    country = "" if hidden else numbers.country_of(row["from_number"])
    return {
        "caller_name": row["contact_name"] or ("" if hidden else row["from_display"]),
        "number": "" if hidden else numbers.spoken_form(row["from_number"], home),
        "country": country,
        "flag": numbers.flag(country),
        "line_name": row["line_name"],
        "line_number": numbers.spoken_form(row["line_number"], home),
        "anonymous": hidden,
        "contact_id": row["contact_id"],
        "conversation_id": row["conversation_id"],
    }

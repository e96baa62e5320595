"""What a ringer shows of a call: who calls, from where, by which way, on which line, and who else is rung.

Joined when shown, never kept in the log.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, select

from aircall_core import numbers
from aircall_core.store.tables import call_legs, calls, contacts, conversations, lines, users

Card = dict[str, Any]

# Made once: read for every ring.
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_CALLS = (
    select(
        calls.c.id,
        calls.c.from_number,
        calls.c.from_display,
        calls.c.anonymous,
        calls.c.conversation_id,
        calls.c.contact_id,
        calls.c.path,
        calls.c.digits,
        calls.c.queued_at,
        calls.c.priority,
        contacts.c.name.label("contact_name"),
        conversations.c.assigned_to,
        users.c.name.label("assignee"),
        lines.c.name.label("line_name"),
        lines.c.number.label("line_number"),
        lines.c.country.label("line_country"),
    )
    .join(lines, lines.c.id == calls.c.line_id)
    .join(conversations, conversations.c.id == calls.c.conversation_id)
    .outerjoin(contacts, contacts.c.id == calls.c.contact_id)
    .outerjoin(users, users.c.id == conversations.c.assigned_to)
    .where(calls.c.id.in_(_IDS))
)
_RUNG = (
    select(call_legs.c.call_id, users.c.id, users.c.name)
    .join(users, users.c.id == call_legs.c.user_id)
    .where(call_legs.c.call_id.in_(_IDS), call_legs.c.state == "ringing")
)


def cards(conn: Connection, call_ids: Iterable[str]) -> dict[str, Card]:
    """The cards of these calls, by call id. An anonymous caller's card has no name and no number.

    ``people`` names those who are rung now and the conversation's assignee, by their ids.
    """
    wanted = {"ids": sorted(set(call_ids))}
    if not wanted["ids"]:
        return {}
    found = {row["id"]: _card(dict(row)) for row in conn.execute(_CALLS, wanted).mappings()}
    for leg in conn.execute(_RUNG, wanted):
        found[leg.call_id]["people"][leg.id] = leg.name
    return found


def chosen(path: Iterable[Mapping[str, Any]] | None) -> list[str]:
    """What a caller chose in the menus, the last choice last."""
    return [str(one.get("label") or one.get("key") or "") for one in path or ()]


def typed(digits: Iterable[Mapping[str, Any]] | None) -> list[dict[str, str]]:
    """What a caller typed for agents to see."""
    return [{"label": str(one.get("label") or ""), "value": str(one.get("value") or "")} for one in digits or ()]


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
        "path": chosen(row["path"]),
        "digits": typed(row["digits"]),
        "queued_at": row["queued_at"],
        "priority": row["priority"],
        "assigned_to": row["assigned_to"],
        "people": {row["assigned_to"]: row["assignee"]} if row["assigned_to"] else {},
    }

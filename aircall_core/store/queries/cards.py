"""What a ringer shows of a call: who calls, from where, by which way, on which line, and who else is rung.

Joined when shown, never kept in the log.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import BindParameter, Connection, Label, Table, bindparam, case, select

from aircall_core import numbers
from aircall_core.domain.call import Direction
from aircall_core.domain.transfer import kind_of, under_way
from aircall_core.store import insights
from aircall_core.store.tables import call_legs, calls, contacts, conversations, lines, teams, users

Card = dict[str, Any]

# Made once: read for every ring. A colleague who is asked is shown who calls in the call that it is about.
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_ASKED = calls.c.direction == Direction.INTERNAL
_PARENT = calls.alias("parent")


def _shown(column: str) -> Label[Any]:
    return case((_ASKED, _PARENT.c[column]), else_=calls.c[column]).label(column)


_CONTACT = _shown("contact_id")
_CALLS = (
    select(
        calls.c.id,
        calls.c.parent_id,
        calls.c.started_by,
        calls.c.transfer,
        calls.c.conversation_id,
        calls.c.direction.label("own_direction"),
        *(
            _shown(name)
            for name in ("direction", "from_number", "to_number", "from_display", "anonymous", "path", "digits")
        ),
        _shown("queued_at"),
        _shown("priority"),
        _CONTACT,
        contacts.c.name.label("contact_name"),
        conversations.c.assigned_to,
        users.c.name.label("assignee"),
        lines.c.name.label("line_name"),
        lines.c.number.label("line_number"),
        lines.c.country.label("line_country"),
    )
    .join(lines, lines.c.id == calls.c.line_id)
    .join(conversations, conversations.c.id == calls.c.conversation_id)
    .outerjoin(_PARENT, _PARENT.c.id == calls.c.parent_id)
    .outerjoin(contacts, contacts.c.id == _CONTACT.element)
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

    ``insight``: an insight card is likely, so that the ringer keeps room for it.
    ``people`` names those who are rung now and the conversation's assignee, by their ids. ``asked_by`` and ``asks``
    (consult, join): a colleague calls, about this caller; ``target``: whom. ``sent_by``: who has handed the call on.
    """
    wanted = {"ids": sorted(set(call_ids))}
    if not wanted["ids"]:
        return {}
    rows = [dict(row) for row in conn.execute(_CALLS, wanted).mappings()]
    insight = bool(rows) and insights.expected(conn)
    found = {row["id"]: {**_card(row), "insight": insight and not row["anonymous"]} for row in rows}
    for row in rows:
        found[row["id"]] |= _about(conn, row)
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
    home, out = row["line_country"], row["direction"] == Direction.OUTBOUND
    number = row["to_number"] if out else row["from_number"]
    country = "" if hidden else numbers.country_of(number)
    return {
        "direction": row["own_direction"],
        "caller_name": row["contact_name"] or ("" if hidden else row["from_display"]),
        "number": "" if hidden else numbers.spoken_form(number, home),
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


def _about(conn: Connection, row: dict[str, Any]) -> Card:
    """Who is behind a call that did not come from outside by itself."""
    transfer = row["transfer"] or {}
    if row["parent_id"] is None:
        sent = under_way(row)
        return {"sent_by": _named(conn, users, sent["by"])} if sent is not None else {}
    asks = {"asked_by": _named(conn, users, row["started_by"]), "asks": "join" if transfer.get("join") else "consult"}
    kind = kind_of(transfer["target"])
    if kind == "number":
        return {**asks, "target": {"kind": kind, "name": ""}}
    table = {"user": users, "team": teams, "line": lines}[kind]
    return {**asks, "target": {"kind": kind, **_named(conn, table, transfer["target"][kind])}}


def _named(conn: Connection, table: Table, row_id: str) -> dict[str, str]:
    return {"id": row_id, "name": conn.scalar(select(table.c.name).where(table.c.id == row_id)) or ""}

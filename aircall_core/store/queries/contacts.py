"""Contacts as people look at them: numbers as they are read, and what happened with them last."""

import json
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, bindparam, select

from aircall_core import numbers
from aircall_core.domain.words import query as asked_for
from aircall_core.store import contacts as rows
from aircall_core.store import search
from aircall_core.store.queries.inbox import visible_lines
from aircall_core.store.tables import conversations, lines

MOST: Final = 100
LAST: Final = 8
_SHOWN: Final = ("id", "name", "company", "description", "custom", "priority", "created_at", "updated_at", "version")
_CONTACT: BindParameter[str] = bindparam("contact")
_LAST = (
    select(
        conversations.c.id, conversations.c.party, conversations.c.last_at, conversations.c.direction,
        conversations.c.missed, conversations.c.closed_at, conversations.c.line_id, lines.c.name.label("line_name"),
        lines.c.country,
    )
    .join(lines, lines.c.id == conversations.c.line_id)
    .where(conversations.c.contact_id == _CONTACT)
    .order_by(conversations.c.last_at.desc(), conversations.c.id.desc())
    .limit(LAST)
)  # fmt: skip
_LAST_SEEN = _LAST.where(conversations.c.line_id.in_(bindparam("lines", expanding=True)))


def shown(row: Mapping[str, Any], country: str) -> dict[str, Any]:
    """A row with its entries as browsers get it: numbers with "spoken" (as people of ``country`` read it), "flag"."""
    phones = [
        {
            **entry, "spoken": numbers.spoken_form(entry["number"], country),
            "flag": numbers.flag(numbers.country_of(entry["number"])),
        }
        for entry in row["numbers"]
    ]  # fmt: skip
    return {**{name: row[name] for name in _SHOWN}, "numbers": phones, "emails": row["emails"]}


def one(conn: Connection, contact_id: str, country: str) -> dict[str, Any] | None:
    """One contact, with everything that is known of it."""
    found = rows.by_ids(conn, [contact_id])
    return shown(found[0], country) if found else None


def page(conn: Connection, text: str, after: str, limit: int, country: str) -> dict[str, Any]:
    """{"contacts", "after": the cursor of the next page, or None}: all by name, or those that are found, newest first.

    Raises ValueError for a cursor that is none of ours.
    """
    wanted = asked_for(text)
    if text.strip():
        before = _number(after) if after else None
        hits = search.search(conn, wanted, lines=[], kinds=[search.CONTACT], before=before, limit=limit + 1)
        found = rows.by_ids(conn, [hit.ref for hit in hits[:limit]])
        following = str(hits[limit - 1].id) if len(hits) > limit else None
    else:
        found = rows.page(conn, _place(after) if after else None, limit + 1)
        last = found[limit - 1] if len(found) > limit else None
        following = json.dumps([last["name_key"], last["id"]]) if last else None
        found = found[:limit]
    return {"contacts": [shown(row, country) for row in found], "after": following}


def last(conn: Connection, contact_id: str, user_id: str, role: str) -> list[dict[str, Any]]:
    """The contact's last conversations on lines that the user sees, newest first."""
    seen = visible_lines(conn, user_id, role)
    query, values = (_LAST, {}) if seen is None else (_LAST_SEEN, {"lines": list(seen)})
    found = conn.execute(query, {"contact": contact_id, **values}).mappings()
    return [{**dict(row), "spoken": numbers.spoken_form(row["party"], row["country"])} for row in found]


def _place(cursor: str) -> tuple[str, str]:
    match json.loads(cursor):
        case [str(key), str(contact_id)]:
            return key, contact_id
    raise ValueError("a cursor is a name and an id")


def _number(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise ValueError("a cursor of a search is a number")
    return int(cursor)

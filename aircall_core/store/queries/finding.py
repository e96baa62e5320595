"""What a search shows of what it found: the words around it, whose it is, where it leads."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, select

from aircall_core import numbers
from aircall_core.domain.words import Query, excerpt, pieces, spans
from aircall_core.store import search
from aircall_core.store.queries.inbox import visible_lines
from aircall_core.store.search import Hit
from aircall_core.store.tables import (
    contact_emails,
    contact_phones,
    contacts,
    conversations,
    lines,
    messages,
    notes,
    users,
)

MOST = 50

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_CONVERSATIONS = (
    select(
        conversations.c.id,
        conversations.c.party,
        conversations.c.closed_at,
        contacts.c.name.label("contact_name"),
        contacts.c.company,
        lines.c.name.label("line_name"),
        lines.c.country,
    )
    .join(lines, lines.c.id == conversations.c.line_id)
    .outerjoin(contacts, contacts.c.id == conversations.c.contact_id)
    .where(conversations.c.id.in_(_IDS))
)
_CONTACTS = select(contacts.c.id, contacts.c.name, contacts.c.company, contacts.c.description, contacts.c.custom).where(
    contacts.c.id.in_(_IDS)
)
_PHONES = (
    select(contact_phones.c.contact_id, contact_phones.c.number)
    .where(contact_phones.c.contact_id.in_(_IDS))
    .order_by(contact_phones.c.number)
)
_EMAILS = (
    select(contact_emails.c.contact_id, contact_emails.c.email)
    .where(contact_emails.c.contact_id.in_(_IDS))
    .order_by(contact_emails.c.email)
)
_NOTES = (
    select(notes.c.id, notes.c.text, notes.c.call_id, users.c.name)
    .join(users, users.c.id == notes.c.user_id)
    .where(notes.c.id.in_(_IDS))
)
_MESSAGES = (
    select(messages.c.id, messages.c.body.label("text"), messages.c.direction, users.c.name)
    .outerjoin(users, users.c.id == messages.c.user_id)
    .where(messages.c.id.in_(_IDS))
)


def find(
    conn: Connection,
    wanted: Query,
    user_id: str,
    role: str,
    *,
    kinds: Sequence[str] = (),
    line_id: str | None = None,
    before: int | None = None,
    limit: int = 30,
) -> dict[str, Any]:
    """A page of what the user may see of what was found, newest first.

    {"results": [{"kind", "ref", "at", "conversation": {"id", "name", "number", "flag", "line", "closed"} | None,
    "contact": {"id", "name", "company", "numbers"} | None, "by", "direction", "entry": the timeline's entry
    (None: the conversation as a whole), "pieces": [(text, whether it was looked for)]}], "before": the next page's
    cursor, None at the end}.
    """
    lines_seen = visible_lines(conn, user_id, role)
    if line_id is not None:
        lines_seen = [line_id] if lines_seen is None or line_id in lines_seen else []
        kinds = [kind for kind in kinds or search.KINDS if kind != search.CONTACT]
        if not kinds:
            return {"results": [], "before": None}
    limit = max(1, min(limit, MOST))
    found = search.search(conn, wanted, lines=lines_seen, kinds=kinds, before=before, limit=limit + 1)
    page = found[:limit]
    results = _shown(conn, page, wanted)
    return {"results": results, "before": page[-1].id if len(found) > limit else None}


def within(conn: Connection, wanted: Query, conversation_ids: Sequence[str], limit: int = 200) -> list[dict[str, Any]]:
    """Texts and notes of these conversations that hold all that is wanted, newest first: {"entry", "at", "pieces"}."""
    kinds = (search.MESSAGE, search.NOTE)
    hits = search.search(conn, wanted, lines=None, kinds=kinds, conversations=conversation_ids, limit=limit)
    said = {
        **_rows(conn, _NOTES, {hit.ref for hit in hits if hit.kind == search.NOTE}),
        **_rows(conn, _MESSAGES, {hit.ref for hit in hits if hit.kind == search.MESSAGE}),
    }
    found = [(hit, said[hit.ref]) for hit in hits if hit.ref in said]
    return [
        {"entry": row.get("call_id") or hit.ref, "at": hit.at, "pieces": pieces(*excerpt(row["text"], wanted))}
        for hit, row in sorted(found, key=lambda one: -one[0].at)
    ]


def _shown(conn: Connection, page: Sequence[Hit], wanted: Query) -> list[dict[str, Any]]:
    by_kind = {kind: {hit.ref for hit in page if hit.kind == kind} for kind in search.KINDS}
    about = _rows(conn, _CONVERSATIONS, {hit.conversation_id for hit in page if hit.conversation_id})
    people = _rows(conn, _CONTACTS, by_kind[search.CONTACT])
    phones, emails = _several(conn, _PHONES, people), _several(conn, _EMAILS, people)
    said = {
        **_rows(conn, _NOTES, by_kind[search.NOTE]),
        **_rows(conn, _MESSAGES, by_kind[search.MESSAGE]),
    }
    shown = []
    for hit in page:
        one: dict[str, Any] = {"kind": hit.kind, "ref": hit.ref, "at": hit.at, "contact": None, "conversation": None}
        if hit.kind == search.CONTACT:
            person = people.get(hit.ref)
            if person is None:
                continue  # removed since
            spoken = [numbers.spoken_form(phone, numbers.country_of(phone) or "US") for phone in phones[hit.ref]]
            one["contact"] = {"id": hit.ref, "name": person["name"], "company": person["company"], "numbers": spoken}
            values = [str(value) for value in (person["custom"] or {}).values() if value]
            text = _holding([person["company"], person["description"], *emails[hit.ref], *values], wanted)
        else:
            row = said.get(hit.ref, {"text": ""})
            place = about.get(hit.conversation_id or "")
            if place is None:
                continue
            one["conversation"] = _place(place)
            entry = None if hit.kind == search.CONVERSATION else row.get("call_id") or hit.ref
            one |= {"by": row.get("name"), "direction": row.get("direction"), "entry": entry}
            text = row["text"]
        shown.append({**one, "pieces": pieces(*excerpt(text, wanted))})
    return shown


def _holding(texts: Sequence[str], wanted: Query) -> str:
    """The first of these in which something that is looked for stands; else nothing need be shown."""
    return next((text for text in texts if spans(text, wanted)), "")


def _several(conn: Connection, query: Any, contact_ids: Collection[str]) -> dict[str, list[str]]:
    """What contacts have several of, by the contact."""
    found: dict[str, list[str]] = {one: [] for one in contact_ids}
    for contact, value in conn.execute(query, {"ids": sorted(found)}) if found else ():
        found[contact].append(value)
    return found


def _rows(conn: Connection, query: Any, ids: Collection[str]) -> dict[str, dict[str, Any]]:
    if not ids:
        return {}
    return {row["id"]: dict(row) for row in conn.execute(query, {"ids": sorted(ids)}).mappings()}


def _place(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["contact_name"] or "",
        "company": row["company"] or "",
        "number": numbers.spoken_form(row["party"], row["country"]) if row["party"].startswith("+") else row["party"],
        "flag": numbers.flag(numbers.country_of(row["party"])),
        "line": row["line_name"],
        "closed": row["closed_at"] is not None,
    }

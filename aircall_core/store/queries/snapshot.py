"""What stands beside a conversation: who the customer is, what they had with us, what is open, and what is related.

Contacts are the company's; what a customer did is told only of lines that the viewer sees.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, bindparam, func, select
from sqlalchemy import text as sql

from aircall_core import numbers
from aircall_core.store import people
from aircall_core.store.queries import customers
from aircall_core.store.queries.customers import Conversation
from aircall_core.store.rows import many, one
from aircall_core.store.tables import (
    callbacks,
    calls,
    contact_emails,
    contact_fields,
    contact_phones,
    contacts,
    messages,
    notes,
)

LAST: Final = 5  # contacts that are told one by one
RELATED: Final = 6  # conversations of a kind
NOTES: Final = 3
_EXCERPT: Final = 280  # characters

_ONE: BindParameter[str] = bindparam("one")
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)

_CONTACT = select(contacts).where(contacts.c.id == _ONE)
_PHONES = (
    select(contact_phones.c.number, contact_phones.c.label)
    .where(contact_phones.c.contact_id == _ONE)
    .order_by(contact_phones.c.number)
)
_EMAILS = (
    select(contact_emails.c.email, contact_emails.c.label)
    .where(contact_emails.c.contact_id == _ONE)
    .order_by(contact_emails.c.email)
)
_FIELDS = select(contact_fields.c.id, contact_fields.c.name, contact_fields.c.kind, contact_fields.c.choices).order_by(
    contact_fields.c.position, contact_fields.c.name
)
# From the index alone (ix_calls_figures), however many there are; its condition is said in its words.
_FIGURES = (
    select(
        calls.c.direction,
        calls.c.outcome,
        func.count().label("number"),
        func.sum(calls.c.ended_at - calls.c.answered_at).label("talk_ms"),
    )
    .where(calls.c.conversation_id.in_(_IDS), sql("calls.ended_at IS NOT NULL AND calls.parent_id IS NULL"))
    .group_by(calls.c.direction, calls.c.outcome)
)
_TEXTS = select(func.count()).select_from(messages).where(messages.c.conversation_id.in_(_IDS))
_LAST_CALLS = (
    select(
        calls.c.id, calls.c.conversation_id, calls.c.arrived_at.label("at"), calls.c.direction, calls.c.state,
        calls.c.outcome, calls.c.missed_reason, calls.c.answered_at, calls.c.ended_at, calls.c.answered_by,
        calls.c.started_by,
    )
    .where(calls.c.conversation_id == _ONE, calls.c.parent_id.is_(None))
    .order_by(calls.c.arrived_at.desc(), calls.c.id.desc())
    .limit(LAST)
)  # fmt: skip
_LAST_TEXTS = (
    select(
        messages.c.id, messages.c.conversation_id, messages.c.at, messages.c.direction, messages.c.state,
        messages.c.body, messages.c.reason, messages.c.user_id,
    )
    .where(messages.c.conversation_id == _ONE)
    .order_by(messages.c.at.desc(), messages.c.id.desc())
    .limit(LAST)
)  # fmt: skip
_LAST_NOTES = (
    select(notes.c.id, notes.c.conversation_id, notes.c.call_id, notes.c.user_id, notes.c.created_at, notes.c.text)
    .where(notes.c.conversation_id == _ONE, notes.c.text != "")
    .order_by(notes.c.created_at.desc(), notes.c.id.desc())
    .limit(NOTES)
)
# By the partial index of the few that wait, among all customers.
_WAITING = select(callbacks.c.call_id.label("id"), callbacks.c.conversation_id, callbacks.c.requested_at).where(
    sql("callbacks.state = 'waiting'"), callbacks.c.conversation_id.in_(_IDS)
)
_ASKED = select(callbacks.c.call_id).where(callbacks.c.call_id.in_(_IDS))
_CALLS = select(
    calls.c.id, calls.c.conversation_id, calls.c.arrived_at, calls.c.outcome, calls.c.missed_reason, calls.c.ended_at
).where(calls.c.id.in_(_IDS))
_DISPLAY = select(calls.c.from_display).where(calls.c.id == _ONE)
_STUCK = select(messages.c.id, messages.c.conversation_id, messages.c.at, messages.c.state).where(
    messages.c.id.in_(_IDS), messages.c.state.in_(("failed", "unknown"))
)


def snapshot(conn: Connection, conversation_id: str, user_id: str, allowed: Sequence[str] | None) -> dict[str, Any]:
    """All of it but the AI's part. ``allowed``: lines that the viewer sees, None for all; the conversation itself is
    one they may see. A fixed number of queries, whatever the customer's history.

    {"party", "contact": None or all of it, "last_contacts", "figures", "open_points", "related": {"same_customer",
    "same_company"}, "limited": whether it is told of some lines only}; times in ms.
    """
    here = customers.here(conn, conversation_id)
    assert here is not None, "the caller has looked whether it may be seen"
    theirs = customers.same_customer(conn, here, allowed)
    company = customers.same_company(conn, here, allowed, RELATED)
    others = [row for row in theirs if row["id"] != here["id"]]
    unread = customers.unread_of(conn, user_id, [row["id"] for row in (*others[:RELATED], *company)])
    last, open_points = _last_contacts(conn, theirs), _open_points(conn, theirs)
    names = people.names(conn, sorted({row["user_id"] for row in (*last, *open_points) if row["user_id"]}))
    line_of = {row["id"]: row["line_name"] for row in theirs}
    for row in (*last, *open_points):
        who = row.pop("user_id")
        row |= {"line": line_of[row["conversation"]], "by": {"id": who, "name": names.get(who, "")} if who else None}
    return {
        "party": {**_party(here["party"], here["line_country"]), "display": _display(conn, here)},
        "line": {"id": here["line_id"], "name": here["line_name"], "country": here["line_country"]},
        "contact": _contact(conn, here["contact_id"], here["line_country"]),
        "fields": many(conn, _FIELDS),
        "limited": allowed is not None,
        "last_contacts": last,
        "figures": _figures(conn, theirs),
        "open_points": open_points,
        "related": {
            "same_customer": [_related(row, unread) for row in others[:RELATED]],
            "same_company": [_related(row, unread) for row in company],
            "more": max(0, len(others) - RELATED),
        },
    }


def _party(number: str, country: str) -> dict[str, Any]:
    if number in ("", numbers.ANONYMOUS):
        return {"number": "", "spoken": "", "flag": "", "anonymous": True}
    return {
        "number": number,
        "spoken": numbers.spoken_form(number, country),
        "flag": numbers.flag(numbers.country_of(number)),
        "anonymous": False,
    }


def _display(conn: Connection, here: Conversation) -> str:
    """What the network calls them: '' for callers who hide their number, since each is another one."""
    if here["last_call_id"] is None or here["party"] in ("", numbers.ANONYMOUS):
        return ""
    return conn.scalar(_DISPLAY, {"one": here["last_call_id"]}) or ""


def _contact(conn: Connection, contact_id: str | None, country: str) -> dict[str, Any] | None:
    row = one(conn, _CONTACT, {"one": contact_id}) if contact_id else None
    if row is None:
        return None
    phones = many(conn, _PHONES, {"one": contact_id})
    shown = ("id", "name", "company", "description", "priority", "version", "created_at", "updated_at")
    return {
        **{name: row[name] for name in shown},
        "custom": dict(row["custom"] or {}),
        "numbers": [{**_party(phone["number"], country), "label": phone["label"]} for phone in phones],
        "emails": many(conn, _EMAILS, {"one": contact_id}),
    }


def _figures(conn: Connection, theirs: Sequence[Conversation]) -> dict[str, Any]:
    """What was between them and us since the first contact. Calls still in progress are not counted."""
    ids = {"ids": [row["id"] for row in theirs]}
    by_kind = conn.execute(_FIGURES, ids).all()
    calls_in = [row for row in by_kind if row.direction == "inbound"]
    answered = [row for row in by_kind if row.outcome == "answered"]
    return {
        "calls": sum(row.number for row in by_kind),
        "calls_in": sum(row.number for row in calls_in),
        "answered_in": sum(row.number for row in calls_in if row.outcome == "answered"),
        "talk_ms": int(sum(row.talk_ms or 0 for row in answered)),
        "texts": conn.scalar(_TEXTS, ids) or 0,
        "first_at": min(row["opened_at"] for row in theirs),
        "last_at": max(row["last_at"] for row in theirs),
    }


def _last_contacts(conn: Connection, theirs: Sequence[Conversation]) -> list[dict[str, Any]]:
    """The newest calls and texts. They lie in as many conversations at most, of those that had something last."""
    found: list[dict[str, Any]] = []
    for row in theirs[:LAST]:
        found += [_call(call) for call in many(conn, _LAST_CALLS, {"one": row["id"]})]
        found += [_text(text) for text in many(conn, _LAST_TEXTS, {"one": row["id"]})]
    return sorted(found, key=_newest)[:LAST]


def _call(row: Mapping[str, Any]) -> dict[str, Any]:
    talked = row["ended_at"] - row["answered_at"] if row["ended_at"] and row["answered_at"] else None
    told = ("id", "at", "direction", "state", "outcome", "missed_reason")
    return {
        "kind": "call", "conversation": row["conversation_id"], "talk_ms": talked,
        "user_id": row["answered_by"] or row["started_by"], **{name: row[name] for name in told},
    }  # fmt: skip


def _text(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kind": "text", "id": row["id"], "at": row["at"], "conversation": row["conversation_id"],
        "direction": row["direction"], "state": row["state"], "text": row["body"][:_EXCERPT],
        "erased": row["reason"] == "erased",
        "user_id": row["user_id"],
    }  # fmt: skip


def _open_points(conn: Connection, theirs: Sequence[Conversation]) -> list[dict[str, Any]]:
    """What somebody should see to, the newest first: calls nobody answered, callbacks asked for, texts that did not
    arrive; then the newest notes. A conversation that was closed has nothing open."""
    still = [row for row in theirs if row["closed_at"] is None]
    missed = [row["last_call_id"] for row in still if row["missed"] and row["last_call_id"]]
    sent = [row["last_message_id"] for row in still if row["last_message_id"]]
    waiting = _by_ids(conn, _WAITING, [row["id"] for row in theirs])
    points = [_point("callback", row["id"], row["requested_at"], row) for row in waiting]
    asked = {row["call_id"] for row in _by_ids(conn, _ASKED, missed)}  # they wait, or somebody has seen to them
    points += [
        _point("missed", row["id"], row["arrived_at"], row, outcome=row["outcome"], missed_reason=row["missed_reason"])
        for row in _by_ids(conn, _CALLS, missed)
        if row["ended_at"] is not None and row["id"] not in asked
    ]
    points += [_point("text", row["id"], row["at"], row, state=row["state"]) for row in _by_ids(conn, _STUCK, sent)]
    written: list[dict[str, Any]] = []
    for row in theirs[:LAST]:
        written += [
            _point("note", note["id"], note["created_at"], note, text=note["text"][:_EXCERPT], call=note["call_id"])
            for note in many(conn, _LAST_NOTES, {"one": row["id"]})
        ]
    return [*sorted(points, key=_newest), *sorted(written, key=_newest)[:NOTES]]


def _newest(point: Mapping[str, Any]) -> tuple[int, str]:
    return -point["at"], point["id"]


def _point(kind: str, row_id: str, at: int, row: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    where = {"conversation": row["conversation_id"], "user_id": row.get("user_id")}
    return {"kind": kind, "id": row_id, "at": at, **where, **more}


def _by_ids(conn: Connection, query: Any, ids: Iterable[str]) -> list[dict[str, Any]]:
    wanted = sorted(ids)
    return many(conn, query, {"ids": wanted}) if wanted else []


def _related(row: Conversation, unread: set[str]) -> dict[str, Any]:
    return {
        "id": row["id"], "name": row["contact_name"] or "", "line": row["line_name"], "last_at": row["last_at"],
        "closed": row["closed_at"] is not None, "missed": bool(row["missed"]), "unread": row["id"] in unread,
        "direction": row["direction"], **_party(row["party"], row["line_country"]),
    }  # fmt: skip

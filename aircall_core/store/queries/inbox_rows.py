"""What the inbox shows of each conversation or call that it lists."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, Select, and_, bindparam, exists, select

from aircall_core import numbers
from aircall_core.store.messages import is_undelivered
from aircall_core.store.queries.cards import chosen
from aircall_core.store.queries.inbox import CALLS, MESSAGES, UNDELIVERED, Place
from aircall_core.store.tables import (
    attachments,
    call_tags,
    callbacks,
    calls,
    contacts,
    conversations,
    lines,
    messages,
    tags,
    unread,
    users,
)

EXCERPT = 160  # characters of a text

_ME: BindParameter[str] = bindparam("me")
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_ANSWERER = users.alias("answerer")
_CALLER_BACK = users.alias("caller_back")
_DIALLER = users.alias("dialler")
_WRITER = users.alias("writer")
_ASSIGNEE = users.alias("assignee")
_UNREAD = exists().where(unread.c.user_id == _ME, unread.c.conversation_id == conversations.c.id).label("unread")
_ABOUT = (
    conversations.c.id.label("conversation_id"),
    conversations.c.party,
    conversations.c.line_id,
    conversations.c.last_at,
    conversations.c.missed,
    conversations.c.closed_at,
    conversations.c.assigned_to,
    _ASSIGNEE.c.name.label("assignee_name"),
    contacts.c.name.label("contact_name"),
    contacts.c.company,
    lines.c.name.label("line_name"),
    lines.c.country.label("line_country"),
    _UNREAD,
)
_CALL = (
    calls.c.id.label("call_id"),
    calls.c.direction,
    calls.c.state,
    calls.c.progress,
    calls.c.outcome,
    calls.c.arrived_at,
    calls.c.answered_at,
    calls.c.ended_at,
    calls.c.from_display,
    calls.c.missed_reason,
    calls.c.path,
    _ANSWERER.c.name.label("answered_by"),
    _DIALLER.c.name.label("started_by"),
    callbacks.c.id.label("callback_id"),
    callbacks.c.state.label("callback_state"),
    callbacks.c.settled_at.label("callback_at"),
    _CALLER_BACK.c.name.label("callback_by"),
)
_MESSAGE = (
    messages.c.id.label("message_id"),
    messages.c.direction.label("message_direction"),
    messages.c.state.label("message_state"),
    messages.c.body,
    messages.c.at.label("message_at"),
    _WRITER.c.name.label("message_by"),
    exists().where(attachments.c.message_id == messages.c.id).label("message_files"),
)


def _with_people(query: Select[Any]) -> Select[Any]:
    return (
        query.join(lines, lines.c.id == conversations.c.line_id)
        .outerjoin(contacts, contacts.c.id == conversations.c.contact_id)
        .outerjoin(_ASSIGNEE, _ASSIGNEE.c.id == conversations.c.assigned_to)
        .outerjoin(_ANSWERER, _ANSWERER.c.id == calls.c.answered_by)
        .outerjoin(_DIALLER, _DIALLER.c.id == calls.c.started_by)
        .outerjoin(callbacks, callbacks.c.call_id == calls.c.id)
        .outerjoin(_CALLER_BACK, _CALLER_BACK.c.id == callbacks.c.user_id)
    )


def _conversations(message_id: ColumnElement[Any]) -> Select[Any]:
    """Conversations, each with its last call and this text."""
    return _with_people(
        select(conversations.c.id, *_ABOUT, *_CALL, *_MESSAGE)
        .outerjoin(calls, calls.c.id == conversations.c.last_call_id)
        .outerjoin(messages, messages.c.id == message_id)
        .outerjoin(_WRITER, _WRITER.c.id == messages.c.user_id)
        .where(conversations.c.id.in_(_IDS))
    )


_CONVERSATIONS = _conversations(conversations.c.last_message_id)
_LOST = messages.alias("lost")
_WITH_LOST = _conversations(
    select(_LOST.c.id)
    .where(_LOST.c.conversation_id == conversations.c.id, is_undelivered("lost"))
    .order_by(_LOST.c.at.desc(), _LOST.c.id.desc())
    .limit(1)
    .correlate(conversations)
    .scalar_subquery()
)
_CALLS = _with_people(
    select(calls.c.id, *_ABOUT, *_CALL)
    .select_from(calls)
    .join(conversations, conversations.c.id == calls.c.conversation_id)
    .where(calls.c.id.in_(_IDS))
)
_TAGS = (
    select(call_tags.c.call_id, tags.c.name, tags.c.color)
    .join(tags, and_(tags.c.id == call_tags.c.tag_id))
    .where(call_tags.c.call_id.in_(_IDS))
    .order_by(tags.c.name)
)


def shown(
    conn: Connection, user_id: str, view: str, places: Sequence[Place], of_type: str = ""
) -> list[dict[str, Any]]:
    """The rows at these places, in their order; ``order`` is where they stand (see `inbox.Place`).

    {"id", "order", "at", "conversation", "name", "company", "party", "number", "flag", "line", "line_id", "unread",
    "missed", "closed", "assigned", "call", "message", "newest": call or message, "tags"}. Among messages a row shows
    the last text, also when a call came after it: "newest" is message, and "at" the text's time. So it does among
    those of the type undelivered, with the last text that was not delivered.
    """
    if not places:
        return []
    ids = [one for _, one in places]
    lost = of_type == UNDELIVERED
    query = _CALLS if view == CALLS else _WITH_LOST if lost else _CONVERSATIONS
    rows = {row["id"]: row for row in conn.execute(query, {"ids": ids, "me": user_id}).mappings()}
    labels: dict[str, list[dict[str, str]]] = {}
    if view == CALLS:
        for row in conn.execute(_TAGS, {"ids": ids}):
            labels.setdefault(row.call_id, []).append({"name": row.name, "color": row.color})
    return [_row(rows[one], MESSAGES if lost else view, at, labels.get(one, [])) for at, one in places if one in rows]


def _row(row: Any, view: str, order: int, labels: list[dict[str, str]]) -> dict[str, Any]:
    party = row["party"]
    call = _call(row) if row["call_id"] else None
    message = None if view == CALLS or not row["message_id"] else _message(row)
    at = row["arrived_at"] if view == CALLS else row["last_at"]
    # A call is as new as its end.
    newer = message and (call is None or (call["ended_at"] or call["arrived_at"]) <= message["at"])
    if message and view == MESSAGES:
        newer, at = True, message["at"]
    hidden = party in ("", numbers.ANONYMOUS)
    return {
        "id": row["id"],
        "order": order,
        "at": at,
        "conversation": row["conversation_id"],
        "name": row["contact_name"] or row["from_display"] or "",
        "company": row["company"] or "",
        "party": party if party.startswith("+") else "",
        "number": "" if hidden else numbers.spoken_form(party, row["line_country"]),
        "flag": numbers.flag(numbers.country_of(party)),
        "line": row["line_name"],
        "line_id": row["line_id"],
        "unread": bool(row["unread"]),
        "missed": bool(row["missed"]),
        "closed": row["closed_at"] is not None,
        "assigned": {"id": row["assigned_to"], "name": row["assignee_name"] or ""} if row["assigned_to"] else None,
        "call": call,
        "message": message,
        "newest": "message" if newer else "call",
        "tags": labels,
    }


def _call(row: Any) -> dict[str, Any]:
    return {
        "id": row["call_id"],
        "direction": row["direction"],
        "state": row["state"],
        "progress": row["progress"],
        "outcome": row["outcome"],
        "arrived_at": row["arrived_at"],
        "answered_at": row["answered_at"],
        "ended_at": row["ended_at"],
        "answered_by": row["answered_by"],
        "started_by": row["started_by"],
        "missed_reason": row["missed_reason"],
        "branch": (chosen(row["path"]) or [""])[-1],
        "callback": row["callback_state"]
        and {
            "id": row["callback_id"],
            "state": row["callback_state"],
            "by": row["callback_by"],
            "at": row["callback_at"],
        },
    }


def _message(row: Any) -> dict[str, Any]:
    return {
        "id": row["message_id"],
        "direction": row["message_direction"],
        "state": row["message_state"],
        "text": " ".join(row["body"].split())[:EXCERPT],
        "at": row["message_at"],
        "by": row["message_by"],
        "files": bool(row["message_files"]),
    }


def choices(conn: Connection) -> dict[str, list[dict[str, str]]]:
    """Whom and what the inbox can be filtered for: {"users", "tags"}, each {"id", "name"} by name."""
    active = select(users.c.id, users.c.name).where(users.c.state == "active").order_by(users.c.name, users.c.id)
    labels = select(tags.c.id, tags.c.name).where(tags.c.archived.is_(False)).order_by(tags.c.name)
    return {
        name: [{"id": row.id, "name": row.name} for row in conn.execute(query)]
        for name, query in (("users", active), ("tags", labels))
    }

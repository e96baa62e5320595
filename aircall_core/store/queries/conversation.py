"""One conversation: its header, and its timeline page by page, flat in time however long the log is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, bindparam, select

from aircall_core.domain import events as kinds
from aircall_core.store import people
from aircall_core.store.tables import call_legs, calls, contacts, conversations, events, lines, recordings

# What a reader is told; the same list as ui/static/story.js. All else in the log is for machines.
TOLD = (
    kinds.CONVERSATION_OPENED,
    kinds.CALL_ARRIVED,
    kinds.CALL_RING_STOPPED,
    kinds.CALL_ACCEPT_FAILED,
    kinds.CALL_ANSWERED,
    kinds.CALL_AGENT_AWAY,
    kinds.CALL_AGENT_BACK,
    kinds.CALL_RETURNED,
    kinds.CALL_OVERFLOW,
    kinds.CALL_ENDED,
    kinds.CALL_RECORDING,
)
MOST = 200  # entries in one page


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


# Made once: building a statement costs as much as running it, and a timeline is read at every look at a conversation.
_PAGE = (
    select(events.c.seq, events.c.at, events.c.kind, events.c.call_id, events.c.user_id, events.c.data)
    .where(
        events.c.conversation_id == bindparam("conversation"),
        events.c.seq < bindparam("before"),
        events.c.kind.in_(TOLD),
    )
    .order_by(events.c.seq.desc())
    .limit(bindparam("most"))
)
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_SHOWN = ("id", "state", "outcome", "arrived_at", "answered_at", "ended_at", "answered_by", "recording")
_CALLS = select(*(calls.c[name] for name in _SHOWN)).where(calls.c.id.in_(_IDS))
_LEGS = (
    select(call_legs.c.call_id, call_legs.c.user_id)
    .where(call_legs.c.call_id.in_(_IDS))
    .order_by(call_legs.c.call_id, call_legs.c.rang_at, call_legs.c.id)
)
_SOUND = (
    select(recordings.c.call_id, recordings.c.id, recordings.c.duration_ms)
    .where(recordings.c.call_id.in_(_IDS))
    .order_by(recordings.c.created_at, recordings.c.id)
)
_NO_CURSOR = 2**62


def timeline(conn: Connection, conversation_id: str, before: int | None = None, limit: int = 50) -> dict[str, Any]:
    """A page of the timeline: the `limit` newest told events before the cursor, oldest first.

    {"entries": [{"seq", "at", "kind", "call_id", "who": {"id", "name"} | None, "data", "call": only on call.arrived}],
    "before": the next older page's cursor, None at the beginning}. Five queries, however much there is.
    """
    limit = max(1, min(limit, MOST))
    cursor = _NO_CURSOR if before is None else before
    rows = conn.execute(_PAGE, {"conversation": conversation_id, "before": cursor, "most": limit + 1}).all()
    page = rows[:limit]
    found = _calls(conn, [row.call_id for row in page if row.kind == kinds.CALL_ARRIVED])
    wanted = {row.user_id for row in page} | {
        one for call in found.values() for one in (*call["rang"], call["answered_by"])
    }
    names = people.names(conn, sorted(one for one in wanted if one))
    entries = [_entry(row, names, found) for row in reversed(page)]
    return {"entries": entries, "before": page[-1].seq if len(rows) > limit else None}


def _entry(row: Row[Any], names: Mapping[str, str], found: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "seq": row.seq,
        "at": row.at,
        "kind": row.kind,
        "call_id": row.call_id,
        "who": _who(row.user_id, names),
        "data": dict(row.data or {}),
    }
    call = found.get(row.call_id) if row.kind == kinds.CALL_ARRIVED else None
    if call is not None:
        rang = [names.get(one, "") for one in call["rang"]]
        entry["call"] = {**call, "rang": rang, "answered_by": _who(call["answered_by"], names)}
    return entry


def _who(user_id: str | None, names: Mapping[str, str]) -> dict[str, str] | None:
    return {"id": user_id, "name": names.get(user_id, "")} if user_id else None


def _calls(conn: Connection, call_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What bubbles show of these calls, users still as ids."""
    if not call_ids:
        return {}
    asked = {"ids": list(call_ids)}
    found = {row.id: {**row._mapping, "rang": [], "recordings": []} for row in conn.execute(_CALLS, asked)}
    for leg in conn.execute(_LEGS, asked):
        found[leg.call_id]["rang"].append(leg.user_id)
    for sound in conn.execute(_SOUND, asked):
        found[sound.call_id]["recordings"].append({"id": sound.id, "duration_ms": sound.duration_ms})
    return found

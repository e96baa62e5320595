"""One conversation: its header, and its timeline page by page, flat in time however long the log is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from aircall_core.domain import events as kinds
from aircall_core.store import people
from aircall_core.store.rows import many
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


def timeline(conn: Connection, conversation_id: str, before: int | None = None, limit: int = 50) -> dict[str, Any]:
    """A page of the timeline: the `limit` newest told events before the cursor, oldest first.

    {"entries": [{"seq", "at", "kind", "call_id", "who": {"id", "name"} | None, "data", "call": only on call.arrived}],
    "before": the next older page's cursor, None at the beginning}.
    """
    limit = max(1, min(limit, MOST))
    query = select(events).where(events.c.conversation_id == conversation_id, events.c.kind.in_(TOLD))
    if before is not None:
        query = query.where(events.c.seq < before)
    rows = many(conn, query.order_by(events.c.seq.desc()).limit(limit + 1))
    page = rows[:limit]
    names = people.names(conn, sorted({row["user_id"] for row in page if row["user_id"]}))
    arrived = [row["call_id"] for row in page if row["kind"] == kinds.CALL_ARRIVED]
    found = _calls(conn, arrived)
    entries = [_entry(row, names, found) for row in reversed(page)]
    return {"entries": entries, "before": page[-1]["seq"] if len(rows) > limit else None}


def _entry(row: Mapping[str, Any], names: Mapping[str, str], found: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "seq": row["seq"],
        "at": row["at"],
        "kind": row["kind"],
        "call_id": row["call_id"],
        "who": {"id": row["user_id"], "name": names.get(row["user_id"], "")} if row["user_id"] else None,
        "data": dict(row["data"] or {}),
    }
    if row["kind"] == kinds.CALL_ARRIVED and row["call_id"] in found:
        entry["call"] = found[row["call_id"]]
    return entry


def _calls(conn: Connection, call_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What bubbles show of these calls, in three queries however many they are."""
    if not call_ids:
        return {}
    rows = conn.execute(select(calls).where(calls.c.id.in_(call_ids))).mappings().all()
    legs = conn.execute(
        select(call_legs.c.call_id, call_legs.c.user_id)
        .where(call_legs.c.call_id.in_(call_ids))
        .order_by(call_legs.c.call_id, call_legs.c.rang_at)
    ).all()
    sound = conn.execute(
        select(recordings.c.call_id, recordings.c.id, recordings.c.duration_ms)
        .where(recordings.c.call_id.in_(call_ids))
        .order_by(recordings.c.created_at, recordings.c.id)
    ).all()
    ids = {leg.user_id for leg in legs} | {row["answered_by"] for row in rows if row["answered_by"]}
    names = people.names(conn, sorted(ids))
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        by = row["answered_by"]
        found[row["id"]] = {
            "id": row["id"],
            "state": row["state"],
            "outcome": row["outcome"],
            "arrived_at": row["arrived_at"],
            "answered_at": row["answered_at"],
            "ended_at": row["ended_at"],
            "answered_by": {"id": by, "name": names.get(by, "")} if by else None,
            "rang": [names.get(leg.user_id, "") for leg in legs if leg.call_id == row["id"]],
            "recording": row["recording"],
            "recordings": [{"id": one.id, "duration_ms": one.duration_ms} for one in sound if one.call_id == row["id"]],
        }
    return found

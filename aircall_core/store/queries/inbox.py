"""The list of conversations that a user may see, newest first."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, select, true

from aircall_core.store import people
from aircall_core.store.queries.cards import chosen
from aircall_core.store.tables import callbacks, calls, contacts, conversation_reads, conversations, lines, users


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation as the list shows it; `call` is its last call."""

    id: str
    party: str
    contact_name: str
    line_id: str
    line_name: str
    line_country: str
    last_at: int
    unread: bool
    missed: bool
    call: dict[str, Any] | None


def visible_lines(conn: Connection, user_id: str, role: str) -> list[str] | None:
    """Ids of the lines whose conversations the user may see; None means every line."""
    return people.visible_lines(conn, user_id) if role == "agent" else None


UNREAD, MISSED, VOICEMAIL = "unread", "missed", "voicemail"
_ONLY: dict[str, ColumnElement[bool]] = {
    "": true(),
    UNREAD: conversation_reads.c.read_at.is_(None) | (conversation_reads.c.read_at < conversations.c.last_at),
    MISSED: conversations.c.missed.is_(True),
    VOICEMAIL: calls.c.outcome == "voicemail",
}
_caller_back = users.alias("caller_back")
_dialler = users.alias("dialler")


def conversations_of(conn: Connection, user_id: str, role: str, *, limit: int = 50, only: str = "") -> list[Row]:
    """The newest `limit` conversations of the user's lines, with the user's own unread marks.

    ``only``: those the user has not read, those whose last call nobody answered, or those that end with a voicemail.
    """
    seen = and_(conversation_reads.c.conversation_id == conversations.c.id, conversation_reads.c.user_id == user_id)
    allowed = visible_lines(conn, user_id, role)
    query = (
        select(
            conversations.c.id,
            conversations.c.party,
            conversations.c.line_id,
            conversations.c.last_at,
            conversations.c.missed,
            conversation_reads.c.read_at,
            contacts.c.name.label("contact_name"),
            lines.c.name.label("line_name"),
            lines.c.country.label("line_country"),
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
            users.c.name.label("answered_by"),
            callbacks.c.id.label("callback_id"),
            callbacks.c.state.label("callback_state"),
            callbacks.c.settled_at.label("callback_at"),
            _caller_back.c.name.label("callback_by"),
            _dialler.c.name.label("started_by"),
        )
        .join(lines, lines.c.id == conversations.c.line_id)
        .outerjoin(contacts, contacts.c.id == conversations.c.contact_id)
        .outerjoin(calls, calls.c.id == conversations.c.last_call_id)
        .outerjoin(users, users.c.id == calls.c.answered_by)
        .outerjoin(callbacks, callbacks.c.call_id == calls.c.id)
        .outerjoin(_caller_back, _caller_back.c.id == callbacks.c.user_id)
        .outerjoin(_dialler, _dialler.c.id == calls.c.started_by)
        .outerjoin(conversation_reads, seen)
        .where(
            conversations.c.line_id.in_(allowed) if allowed is not None else true(),
            _ONLY[only],
        )
        .order_by(conversations.c.last_at.desc(), conversations.c.id.desc())
        .limit(limit)
    )
    return [_row(one) for one in conn.execute(query).mappings()]


def _row(row: Any) -> Row:
    call = None
    if row["call_id"] is not None:
        call = {
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
    return Row(
        id=row["id"],
        party=row["party"],
        contact_name=row["contact_name"] or row["from_display"] or "",
        line_id=row["line_id"],
        line_name=row["line_name"],
        line_country=row["line_country"],
        last_at=row["last_at"],
        unread=row["read_at"] is None or row["read_at"] < row["last_at"],
        missed=bool(row["missed"]),
        call=call,
    )

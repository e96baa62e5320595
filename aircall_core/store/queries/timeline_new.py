"""What is new in a conversation to one of its readers."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import BindParameter, Connection, and_, bindparam, exists, or_, select

from aircall_core.domain import events as kinds
from aircall_core.store.queries.timeline_pages import seq_of
from aircall_core.store.tables import calls, conversation_reads, events

_USER: BindParameter[str] = bindparam("user")
_UNANSWERED = exists().where(
    calls.c.id == events.c.call_id,
    calls.c.parent_id.is_(None),
    calls.c.direction == "inbound",
    calls.c.answered_at.is_(None),
)
_COLLEAGUES = and_(events.c.data["version"].as_integer() == 1, events.c.actor != "user:" + _USER)
# Made once: asked at every look at a conversation. It stops at the first, and never looks at what was read.
_FIRST = (
    select(events.c.seq, events.c.kind, events.c.call_id)
    .join(conversation_reads, conversation_reads.c.conversation_id == events.c.conversation_id)
    .where(
        events.c.conversation_id == bindparam("conversation"),
        conversation_reads.c.user_id == _USER,
        events.c.seq > conversation_reads.c.read_seq,
        or_(
            events.c.kind == kinds.MESSAGE_RECEIVED,
            and_(events.c.kind == kinds.CONVERSATION_NOTED, _COLLEAGUES),
            and_(events.c.kind == kinds.CALL_ENDED, _UNANSWERED),
        ),
    )
    .order_by(events.c.seq)
    .limit(1)
)


def first_new(conn: Connection, conversation_ids: Collection[str], user_id: str) -> dict[str, int | None]:
    """For each conversation the entry from which on something is new to the user, or None.

    New is what others bring them: texts that came in, calls that nobody answered (from their arrival on, though it was
    read), notes of colleagues; after the newest event they had read. Who has never read a conversation has no place in
    it: nothing of it is new, or all.
    """
    return {one: _first(conn, one, user_id) for one in conversation_ids}


def _first(conn: Connection, conversation_id: str, user_id: str) -> int | None:
    row: Any = conn.execute(_FIRST, {"conversation": conversation_id, "user": user_id}).one_or_none()
    if row is None:
        return None
    return (seq_of(conn, row.call_id) if row.kind == kinds.CALL_ENDED else None) or int(row.seq)

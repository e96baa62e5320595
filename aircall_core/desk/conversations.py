"""What users do with conversations."""

from aircall_core.desk.errors import not_found
from aircall_core.domain.events import CONVERSATION_READ, Event, user_audience
from aircall_core.store import conversations as rows
from aircall_core.store.engine import Tx


def mark_read(tx: Tx, conversation_id: str, user_id: str) -> None:
    """The user has seen all there is. Repeating it changes nothing. Raises DeskError not_found."""
    conversation = rows.get(tx.conn, conversation_id)
    if conversation is None:
        raise not_found("The conversation")
    if rows.mark_read(tx.conn, conversation_id, user_id, conversation["last_at"]):
        tx.append(
            Event(
                kind=CONVERSATION_READ,
                audience=user_audience(user_id),
                actor=f"user:{user_id}",
                conversation_id=conversation_id,
                line_id=conversation["line_id"],
                user_id=user_id,
            )
        )

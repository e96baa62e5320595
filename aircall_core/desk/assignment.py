"""Whose conversation it is: one user at a time, or nobody. Where a line says so, its calls ring them alone first."""

from aircall_core.desk.errors import DeskError, not_found
from aircall_core.domain.events import CONVERSATION_ASSIGNED, Event, line_audience
from aircall_core.store import conversations, people
from aircall_core.store.engine import Tx


def assign(tx: Tx, conversation_id: str, by_user: str, user_id: str | None, *, command: str | None) -> None:
    """Give a conversation to a user, or to nobody (None). Repeatable. Raises DeskError not_found, not_assignable."""
    conversation = conversations.get(tx.conn, conversation_id)
    if conversation is None:
        raise not_found("The conversation")
    user = None if user_id is None else people.user(tx.conn, user_id)
    if user_id is not None and (user is None or user["state"] != "active"):
        raise DeskError("not_assignable", "This user cannot have conversations now.", 422)
    if user is not None and not people.sees_line(tx.conn, user["id"], user["role"], conversation["line_id"]):
        raise DeskError("not_assignable", f"{user['name']} does not work on this line.", 422)
    if conversation["assigned_to"] == user_id:
        return
    # Whoever is given it has time to see to it: it does not close by itself as long as if it had been reopened now.
    wanted = {} if user_id is None else {"reopened_at": tx.now_ms()}
    conversations.change(tx.conn, conversation_id, assigned_to=user_id, **wanted)
    tx.append(
        Event(
            CONVERSATION_ASSIGNED,
            line_audience(conversation["line_id"]),
            f"user:{by_user}",
            conversation_id=conversation_id,
            line_id=conversation["line_id"],
            user_id=user_id,
            data={"to": user_id, "command": command},
        )
    )

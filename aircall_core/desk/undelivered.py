"""Texts that did not arrive, or perhaps did not: their author hears of it, and they are listed until somebody acts."""

from collections.abc import Mapping
from typing import Any, Final

from aircall_core.desk import conversations
from aircall_core.desk.errors import DeskError
from aircall_core.domain import events as kinds
from aircall_core.domain.events import Event, line_audience
from aircall_core.domain.message import State
from aircall_core.store import Tx, people
from aircall_core.store import messages as rows

ENDS: Final = (State.FAILED, State.UNKNOWN)


def ended(tx: Tx, row: Mapping[str, Any], state: State, actor: str) -> None:
    """A text (its row) has come to this state. If it was not delivered, its author finds the conversation unread."""
    author = row["user_id"]
    if state not in ENDS or author is None:
        return
    user = people.user(tx.conn, author)
    if user is None or user["state"] != "active":
        return
    if people.sees_line(tx.conn, author, user["role"], row["line_id"]):
        conversations.mark_unread(tx, row["conversation_id"], author, actor=actor)


def to_send_again(tx: Tx, conversation_id: str) -> list[str]:
    """Ids of the conversation's failed texts, oldest first. Raises DeskError unknown (409) when it is only not known
    whether any arrived: whoever sends such a text again shall have looked at it."""
    found = rows.undelivered(tx.conn, conversation_id)
    failed = [message_id for message_id, state in found if state == State.FAILED]
    if found and not failed:
        raise DeskError("unknown", "This text may have arrived. Open the conversation to send it again.", 409)
    return failed


def put_aside(tx: Tx, conversation_id: str, user_id: str, *, command: str | None = None) -> None:
    """A user has seen what was not delivered in a conversation, and leaves it at that. Repeatable."""
    found = [message_id for message_id, _ in rows.undelivered(tx.conn, conversation_id)]
    if not found:
        return
    rows.put_aside(tx.conn, found, tx.now_ms())
    row = rows.get(tx.conn, found[0])
    assert row is not None
    tx.append(
        Event(
            kinds.MESSAGE_PUT_ASIDE,
            line_audience(row["line_id"]),
            f"user:{user_id}",
            conversation_id=conversation_id,
            line_id=row["line_id"],
            data={"messages": found, "command": command},
        )
    )

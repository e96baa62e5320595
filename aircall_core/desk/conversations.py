"""What becomes of conversations as a whole: read and unread for each user, open and closed for all."""

from collections.abc import Mapping
from typing import Any

from aircall_core.desk import assignment
from aircall_core.desk.errors import DeskError, not_found
from aircall_core.domain import events as kinds
from aircall_core.domain.events import Event, line_audience, user_audience
from aircall_core.store import calls, unread
from aircall_core.store import conversations as rows
from aircall_core.store.engine import Tx


def mark_read(tx: Tx, conversation_id: str, user_id: str) -> None:
    """The user has seen all there is. Repeating it changes nothing. Raises DeskError not_found."""
    conversation = _row(tx, conversation_id)
    if rows.mark_read(tx.conn, conversation_id, user_id, conversation["last_at"]):
        tx.append(_mark(kinds.CONVERSATION_READ, conversation, user_id))


def mark_unread(
    tx: Tx, conversation_id: str, user_id: str, *, command: str | None = None, actor: str | None = None
) -> None:
    """The user wants to see to it later, or (then with an ``actor``) should. Repeatable. Raises DeskError not_found."""
    conversation = rows.get(tx.conn, conversation_id)
    if conversation is None:
        raise not_found("The conversation")
    if unread.mark(tx.conn, conversation_id, user_id, conversation["last_at"]):
        tx.append(_mark(kinds.CONVERSATION_UNREAD, conversation, user_id, actor, command=command))


def close(tx: Tx, conversation_id: str, by_user: str | None, *, command: str | None = None) -> None:
    """Nothing is left to do: it is nobody's from now on, and read. Repeatable. ``by_user`` None: it was time.

    Raises DeskError: not_found, in_call (a call of it lives).
    """
    tx.take_turn()  # no call arrives between looking and closing
    conversation = _row(tx, conversation_id)
    if conversation["closed_at"] is not None:
        return
    if calls.lives_in(tx.conn, conversation_id):
        raise DeskError("in_call", "This conversation has a call. Close it when the call is over.", 409)
    rows.change(tx.conn, conversation_id, closed_at=tx.now_ms(), closed_by=by_user, assigned_to=None)
    unread.done(tx.conn, conversation_id)
    said = {"auto": by_user is None, "assigned_to": conversation["assigned_to"], "command": command}
    actor = f"user:{by_user}" if by_user else "desk"
    tx.append(_event(kinds.CONVERSATION_CLOSED, conversation, actor, **said))


def reopen(
    tx: Tx, conversation_id: str, by_user: str, *, assigned_to: str | None = None, command: str | None = None
) -> None:
    """There is something left to do. ``assigned_to``: whose it was, for whoever takes a closing back. Repeatable.

    Raises DeskError: not_found, and what `assignment.assign` refuses.
    """
    conversation = _row(tx, conversation_id)
    if conversation["closed_at"] is not None:
        rows.change(tx.conn, conversation_id, closed_at=None, closed_by=None, reopened_at=tx.now_ms())
        said = _event(kinds.CONVERSATION_REOPENED, conversation, f"user:{by_user}", why="user", command=command)
        tx.append(said)
    if assigned_to is not None:
        assignment.assign(tx, conversation_id, by_user, assigned_to, command=command)


def reopen_for(tx: Tx, conversation: Mapping[str, Any], why: str, actor: str) -> dict[str, Any]:
    """Something new happens in a conversation: if it was closed, that is over.

    ``conversation``: its row, as it was; ``why``: call or message. The columns that the caller is to write with its
    own (as ``more`` of `store.conversations.touch`), so that an arrival costs no statement more.
    """
    if conversation["closed_at"] is None:
        return {}
    tx.append(_event(kinds.CONVERSATION_REOPENED, conversation, actor, why=why))
    return {"closed_at": None, "closed_by": None}


def _row(tx: Tx, conversation_id: str) -> dict[str, Any]:
    conversation = rows.get(tx.conn, conversation_id, lock=True)
    if conversation is None:
        raise not_found("The conversation")
    return conversation


def _event(kind: str, conversation: Mapping[str, Any], actor: str, **data: Any) -> Event:
    return Event(
        kind=kind,
        audience=line_audience(conversation["line_id"]),
        actor=actor,
        conversation_id=conversation["id"],
        line_id=conversation["line_id"],
        data=data,
    )


def _mark(kind: str, conversation: Mapping[str, Any], user_id: str, actor: str | None = None, /, **data: Any) -> Event:
    return Event(
        kind=kind,
        audience=user_audience(user_id),
        actor=actor or f"user:{user_id}",
        conversation_id=conversation["id"],
        line_id=conversation["line_id"],
        user_id=user_id,
        data=data,
    )

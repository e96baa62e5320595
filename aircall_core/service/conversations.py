"""What users do with conversations."""

from typing import Any

from pydantic import Field

from aircall_core.desk import assignment
from aircall_core.desk import conversations as desk
from aircall_core.desk.errors import not_found
from aircall_core.service.commands import Accepted, Command, accepted
from aircall_core.service.endpoint import Ask
from aircall_core.store.queries import conversation as queries


class Assignment(Command):
    """Whose the conversation shall be; None: nobody's."""

    user_id: str | None = Field(default=None, max_length=64)


def assignees(ask: Ask) -> dict[str, Any]:
    """GET /desk/conversations/{conversation}/assignees: whose it is, and whose it can be, by name."""
    conversation = ask.id("conversation")
    with ask.desk.store.read() as conn:
        header = queries.header(conn, conversation)
        if header is None or not queries.may_see(conn, conversation, ask.who.user_id, ask.who.role):
            raise not_found("The conversation")
        names = queries.assignable(conn, header.line_id, header.assigned_to)
    return {"assigned_to": header.assigned_to, "users": [{"id": one, "name": name} for one, name in names.items()]}


def assign(ask: Ask) -> Accepted:
    """POST /desk/conversations/{conversation}/assign"""
    conversation = _seen(ask)
    with ask.desk.store.write() as tx:
        assignment.assign(tx, conversation, ask.who.user_id, ask.body.user_id, command=ask.body.command)
    return accepted(ask)


class Reopening(Command):
    """``assigned_to``: whose it was, when a closing is taken back."""

    assigned_to: str | None = Field(default=None, max_length=64)


def read(ask: Ask) -> None:
    """POST /desk/conversations/{conversation}/read"""
    conversation = _seen(ask)
    with ask.desk.store.write() as tx:
        desk.mark_read(tx, conversation, ask.who.user_id)


def unread(ask: Ask) -> Accepted:
    """POST /desk/conversations/{conversation}/unread"""
    conversation = _seen(ask)
    with ask.desk.store.write() as tx:
        desk.mark_unread(tx, conversation, ask.who.user_id, command=ask.body.command)
    return accepted(ask)


def close(ask: Ask) -> Accepted:
    """POST /desk/conversations/{conversation}/close: 409 in_call while a call of it lives."""
    conversation = _seen(ask)
    with ask.desk.store.write() as tx:
        desk.close(tx, conversation, ask.who.user_id, command=ask.body.command)
    return accepted(ask)


def reopen(ask: Ask) -> Accepted:
    """POST /desk/conversations/{conversation}/reopen"""
    conversation = _seen(ask)
    with ask.desk.store.write() as tx:
        desk.reopen(tx, conversation, ask.who.user_id, assigned_to=ask.body.assigned_to, command=ask.body.command)
    return accepted(ask)


def _seen(ask: Ask) -> str:
    """The id of the conversation in the path, if it is one that the user may see."""
    conversation = ask.id("conversation")
    with ask.desk.store.read() as conn:
        if not queries.may_see(conn, conversation, ask.who.user_id, ask.who.role):
            raise not_found("The conversation")
    return conversation

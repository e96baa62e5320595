"""Callers who want to be called back, and who does it."""

from typing import Any

from aircall_core.desk import callbacks
from aircall_core.desk.errors import not_found
from aircall_core.service.commands import Accepted, accepted
from aircall_core.service.endpoint import Ask
from aircall_core.store import people
from aircall_core.store.queries import callbacks as queries
from aircall_core.store.queries import library


def listed(ask: Ask) -> dict[str, Any]:
    """GET /desk/callbacks: those of the lines one may see, first whose turn is first."""
    with ask.desk.store.read() as conn:
        return {"callbacks": queries.cards(conn, ask.who.user_id, ask.who.role)}


def take(ask: Ask) -> Accepted:
    """POST /desk/callbacks/{callback}/take: this user calls back; 409 with who has it when somebody was faster."""
    with ask.desk.store.write() as tx:
        callbacks.take(tx, _seen(ask), ask.who.user_id, command=ask.body.command)
    return accepted(ask)


def decline(ask: Ask) -> Accepted:
    """POST /desk/callbacks/{callback}/decline: nobody will call back."""
    with ask.desk.store.write() as tx:
        callbacks.decline(tx, _seen(ask), ask.who.user_id, command=ask.body.command)
    return accepted(ask)


def take_call(ask: Ask) -> Accepted:
    """POST /desk/calls/{call}/call-back: this user calls back who was missed, asked for or not."""
    call = ask.id("call")
    with ask.desk.store.read() as conn:
        line = library.line_of_call(conn, call)
        if line is None or not people.sees_line(conn, ask.who.user_id, ask.who.role, line):
            raise not_found("The call")
    with ask.desk.store.write() as tx:
        callbacks.take_call(tx, call, ask.who.user_id, command=ask.body.command)
    return accepted(ask)


def _seen(ask: Ask) -> str:
    """The callback's id, if it is on a line that the user may see."""
    callback = ask.id("callback")
    with ask.desk.store.read() as conn:
        line = queries.line_of(conn, callback)
        if line is None or not people.sees_line(conn, ask.who.user_id, ask.who.role, line):
            raise not_found("The callback")
    return callback

"""What a user does during a call, and calls out: commands, decided in the store and answered with 202.

Whether a call is theirs, and whether it may be done to it, is the use case's to say; who may call out by a line is said
here.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from aircall_core.desk import dialling, outbound, talk, transfers
from aircall_core.desk.errors import not_found
from aircall_core.domain import transfer as rules
from aircall_core.domain.dialling import LONGEST
from aircall_core.service.commands import Accepted, ClientId, Command, accepted
from aircall_core.service.endpoint import Ask
from aircall_core.store import calls, clock, people
from aircall_core.store.queries import callbacks as callback_queries
from aircall_core.store.queries import targets as queries

LONGEST_SEARCH = 80


class Hold(Command):
    """The wanted state, not a toggle."""

    held: bool


class Pressed(Command):
    """Keys for the far end."""

    digits: str = Field(min_length=1, max_length=64)


class Recording(Command):
    """The wanted state: False is a pause."""

    on: bool


class Target(BaseModel):
    """One of a user, a team, a line (ids) and an outside number as it was typed."""

    model_config = ConfigDict(extra="forbid")

    user: str | None = Field(None, max_length=26)
    team: str | None = Field(None, max_length=26)
    line: str | None = Field(None, max_length=26)
    number: str | None = Field(None, max_length=LONGEST)

    @model_validator(mode="after")
    def _one(self) -> "Target":
        try:
            rules.kind_of(self.chosen)
        except ValueError:
            raise ValueError("Choose one user, team, line or number") from None
        return self

    @property
    def chosen(self) -> rules.Target:
        """The one that was given."""
        return {name: value for name, value in self.model_dump().items() if value is not None}


class Transfer(Command):
    """Hand the call on, without asking first."""

    target: Target


class Consult(Transfer):
    """Call somebody: to talk first, or (``join``) to have them in the call."""

    join: bool = False


class Complete(Command):
    """The call made for this one whose answerer takes it over."""

    via: str = Field(min_length=1, max_length=26)


class DialBody(Command):
    """Call out. ``callback``, ``entry``: what it is for, if anything."""

    line: str = Field(min_length=1, max_length=26)
    number: str = Field(min_length=1, max_length=LONGEST)
    peer: ClientId
    tab: ClientId
    callback: str | None = Field(None, max_length=26)
    entry: str | None = Field(None, max_length=26)


def hold(ask: Ask) -> Accepted:
    """POST /desk/calls/{call}/hold"""
    with ask.desk.store.write() as tx:
        talk.hold(tx, ask.id("call"), ask.who.user_id, command=ask.body.command, held=ask.body.held)
    return accepted(ask)


def talk_to(ask: Ask) -> Accepted:
    """POST /desk/calls/{call}/talk: to this one, with the others on hold."""
    with ask.desk.store.write() as tx:
        talk.talk(tx, ask.id("call"), ask.who.user_id, command=ask.body.command)
    return accepted(ask)


def merge(ask: Ask) -> Accepted:
    """POST /desk/calls/{call}/merge: all who are in it hear each other."""
    with ask.desk.store.write() as tx:
        talk.merge(tx, ask.id("call"), ask.who.user_id, command=ask.body.command)
    return accepted(ask)


def keys(ask: Ask) -> Accepted:
    """POST /desk/calls/{call}/keys"""
    with ask.desk.store.write() as tx:
        talk.press(tx, ask.id("call"), ask.who.user_id, command=ask.body.command, digits=ask.body.digits)
    return accepted(ask)


def record(ask: Ask) -> Accepted:
    """POST /desk/calls/{call}/recording"""
    with ask.desk.store.write() as tx:
        talk.record(tx, ask.id("call"), ask.who.user_id, command=ask.body.command, on=ask.body.on)
    return accepted(ask)


def transfer(ask: Ask) -> Accepted:
    """POST /desk/calls/{call}/transfer: 409 with why when the target cannot be reached; nothing has changed then."""
    call, body = ask.id("call"), ask.body
    with dialling.refusals_noted(ask.desk.store), ask.desk.store.write() as tx:
        transfers.transfer(tx, call, ask.who.user_id, target=body.target.chosen, command=body.command)
    return accepted(ask)


def consult(ask: Ask) -> Accepted:
    """POST /desk/calls/{call}/consult: the new call's id."""
    call, body = ask.id("call"), ask.body
    with dialling.refusals_noted(ask.desk.store), ask.desk.store.write() as tx:
        child = transfers.consult(
            tx, call, ask.who.user_id, target=body.target.chosen, join=body.join, command=body.command
        )
    return 202, {"command": body.command, "call": child}


def complete(ask: Ask) -> Accepted:
    """POST /desk/calls/{call}/complete"""
    with ask.desk.store.write() as tx:
        transfers.complete(tx, ask.id("call"), ask.who.user_id, via=ask.body.via, command=ask.body.command)
    return accepted(ask)


def targets(ask: Ask) -> dict[str, Any]:
    """GET /desk/targets?call=&search=: whom this call can be handed on to; whether outside numbers can be."""
    call_id, search = (ask.request.query_params.get(name, "") for name in ("call", "search"))
    with ask.desk.store.read() as conn:
        found = queries.targets(conn, ask.who.user_id, search[:LONGEST_SEARCH], clock.now_ms(conn))
        call = calls.get(conn, call_id[:26])
        outside = call is not None and dialling.can_call_out(conn, call["line_id"])
    return {**found, "numbers_allowed": outside}


def dial(ask: Ask) -> Accepted:
    """POST /desk/dial: from a line that the user may see; the new call's id."""
    body, user = ask.body, ask.who.user_id
    with ask.desk.store.read() as conn:
        if not people.sees_line(conn, user, ask.who.role, body.line):
            raise not_found("The line")
        if body.callback is not None and callback_queries.line_of(conn, body.callback) != body.line:
            raise not_found("The callback")
    wanted = outbound.Dial(body.line, body.number, body.peer, body.tab, body.callback, body.entry)
    with dialling.refusals_noted(ask.desk.store), ask.desk.store.write() as tx:
        call = outbound.dial(tx, user, wanted, command=body.command)
    return 202, {"command": body.command, "call": call}

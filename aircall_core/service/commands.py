"""Commands of signed-in users for calls and for themselves: each is decided in the store and answered with 202.

What comes of a command is an event; a browser paints nothing before.
"""

from typing import Annotated

from pydantic import AfterValidator, BaseModel

from aircall_core import ids
from aircall_core.desk import availability, calls
from aircall_core.service.endpoint import Ask

Accepted = tuple[int, dict[str, str]]


def _client_id(value: str) -> str:
    if not ids.is_client_id(value):
        raise ValueError("must be an id of 8 to 64 letters, digits, _ or -")
    return value


ClientId = Annotated[str, AfterValidator(_client_id)]


class Command(BaseModel):
    """Every command has an id that its sender made: sent twice, it is done once."""

    command: ClientId


class Duty(Command):
    """The duty switch."""

    on: bool


class Accept(Command):
    """Take a call with the audio of this peer."""

    peer: ClientId
    tab: ClientId


class Mute(Command):
    """The wanted state, not a toggle."""

    muted: bool


def duty(ask: Ask) -> Accepted:
    """POST /desk/duty"""
    with ask.desk.store.write() as tx:
        availability.set_duty(tx, ask.who.user_id, on=ask.body.on, command=ask.body.command)
    return accepted(ask)


def accept(ask: Ask) -> Accepted:
    """POST /desk/calls/{call}/accept: 202 for the winner, 409 with who has it for the others."""
    call, body = ask.id("call"), ask.body
    with ask.desk.store.write() as tx:
        calls.accept(tx, call, ask.who.user_id, command=body.command, peer=body.peer, tab=body.tab)
    return accepted(ask)


def reject(ask: Ask) -> Accepted:
    """POST /desk/calls/{call}/reject"""
    with ask.desk.store.write() as tx:
        calls.reject(tx, ask.id("call"), ask.who.user_id, command=ask.body.command)
    return accepted(ask)


def hang_up(ask: Ask) -> Accepted:
    """POST /desk/calls/{call}/hangup"""
    with ask.desk.store.write() as tx:
        calls.hang_up(tx, ask.id("call"), ask.who.user_id, command=ask.body.command)
    return accepted(ask)


def mute(ask: Ask) -> Accepted:
    """POST /desk/calls/{call}/mute"""
    with ask.desk.store.write() as tx:
        calls.mute(tx, ask.id("call"), ask.who.user_id, command=ask.body.command, muted=ask.body.muted)
    return accepted(ask)


def accepted(ask: Ask) -> Accepted:
    """202 with the command's id: what comes of it is an event."""
    return 202, {"command": ask.body.command}

"""Commands of users about themselves between calls: what they choose, wrap-up, the tags of a call."""

from pydantic import BaseModel, Field

from aircall_core.desk import afterwork, availability, tags
from aircall_core.service.commands import Accepted, Command, accepted
from aircall_core.service.endpoint import Ask


class Choice(Command):
    """Available, auto (working hours), or unavailable for a reason."""

    choice: str = Field(max_length=16)
    reason: str | None = Field(None, max_length=16)


class ChoiceFor(BaseModel):
    """The same for somebody else, whose reason is not ours to give."""

    choice: str = Field(max_length=16)


class Tags(Command):
    """All tags that the call has from now on."""

    tags: list[str] = Field(max_length=100)


def choose(ask: Ask) -> Accepted:
    """POST /desk/availability"""
    body = ask.body
    with ask.desk.store.write() as tx:
        availability.choose(tx, ask.who.user_id, body.choice, body.reason, body.command)
    return accepted(ask)


def choose_for(ask: Ask) -> dict[str, str]:
    """POST /desk/users/{user}/availability"""
    with ask.desk.store.write() as tx:
        availability.choose_for(tx, ask.actor, ask.id("user"), ask.body.choice)
    return {"id": ask.id("user")}


def finish_wrap_up(ask: Ask) -> Accepted:
    """POST /desk/wrap-up/end"""
    with ask.desk.store.write() as tx:
        afterwork.finish(tx, ask.who.user_id, ask.body.command)
    return accepted(ask)


def extend_wrap_up(ask: Ask) -> Accepted:
    """POST /desk/wrap-up/extend"""
    with ask.desk.store.write() as tx:
        afterwork.extend(tx, ask.who.user_id, ask.body.command)
    return accepted(ask)


def tag_call(ask: Ask) -> Accepted:
    """POST /desk/calls/{call}/tags"""
    body, who = ask.body, ask.who
    with ask.desk.store.write() as tx:
        tags.give(tx, ask.id("call"), who.user_id, who.role, body.tags, body.command)
    return accepted(ask)

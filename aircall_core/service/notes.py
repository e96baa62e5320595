"""What agents write about a call while it lasts and after, and which tags it has."""

from typing import Any, Final

from pydantic import Field

from aircall_core.desk import notes, tags
from aircall_core.service.commands import Command
from aircall_core.service.endpoint import Ask

LARGEST: Final = 12 * notes.LONGEST + 1024  # bytes of a note's request: an emoji may come as two escapes of six bytes


class NoteText(Command):
    """The whole text, and the version that it was written from."""

    text: str = Field(max_length=2 * notes.LONGEST)  # the desk says in words what is too long
    version: int = Field(ge=0)


def read_note(ask: Ask) -> dict[str, Any]:
    """GET /desk/calls/{call}/note: the user's own; version 0 is one that is not begun."""
    with ask.desk.store.read() as conn:
        note = notes.read(conn, ask.id("call"), ask.who.user_id, ask.who.role)
    return {"text": note.text, "version": note.version}


def write_note(ask: Ask) -> dict[str, Any]:
    """PUT /desk/calls/{call}/note: 200 once it is in the store; 409 with what another tab has written."""
    body, who = ask.body, ask.who
    with ask.desk.store.write() as tx:
        note = notes.write(tx, ask.id("call"), who.user_id, who.role, body.text, body.version)
    return {"id": note.id, "version": note.version}


def read_tags(ask: Ask) -> dict[str, list[str]]:
    """GET /desk/calls/{call}/tags: ids of the tags that the call has."""
    with ask.desk.store.read() as conn:
        return {"tags": tags.read(conn, ask.id("call"), ask.who.user_id, ask.who.role)}

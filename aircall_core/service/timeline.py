"""A conversation as browsers read it: its timeline, what is found in it, its header; and notes on the customer."""

from typing import Any

from pydantic import Field

from aircall_core.desk import notes
from aircall_core.desk.errors import not_found
from aircall_core.domain import words
from aircall_core.service.answers import Refused
from aircall_core.service.commands import Command
from aircall_core.service.endpoint import Ask
from aircall_core.store import Connection
from aircall_core.store.queries import conversation, finding, inbox, timeline_new
from aircall_core.store.queries import timeline as timelines
from aircall_core.store.queries import timeline_pages as pages

LONGEST_SEARCH = 200


def header(ask: Ask) -> dict[str, Any]:
    """GET /desk/conversations/{conversation}: whom it is with, on which line, whose it is, how it stands."""
    with ask.desk.store.read() as conn:
        found = conversation.shown(conn, _seen(ask, conn))
    assert found is not None, "it was seen a moment ago"
    return found


def timeline(ask: Ask) -> dict[str, Any]:
    """GET /desk/conversations/{conversation}/timeline?before=&after=&around=&limit=&channels=&scope=&line=&from=&to=

    ``before`` and ``after`` are cursors, ``around`` an entry: its number, or the id of a call, text or note. Without
    ``before`` and ``after`` the answer says too what is told together ("together"), and from which entry on something
    is new to the user, for each conversation shown ("new", None: nothing is).
    """
    before, after, limit = _number(ask, "before"), _number(ask, "after"), _number(ask, "limit")
    wanted, who = _filter(ask), ask.who
    with ask.desk.store.read() as conn:
        conversation_id = _seen(ask, conn)
        together = _together(ask, conn, conversation_id)
        scope = [one["id"] for one in _scope(ask, together)]
        place = ask.request.query_params.get("around", "")
        around = pages.seq_of(conn, place[:64]) if place else None
        page = timelines.timeline(
            conn, scope[0] if scope else conversation_id, before, 50 if limit is None else limit, after=after,
            around=around, wanted=wanted, others=scope[1:], viewer=timelines.Viewer(who.user_id, who.role),
        )  # fmt: skip
        if before is None and after is None:
            new = timeline_new.first_new(conn, scope or [conversation_id], who.user_id)
            page |= {"together": together, "new": new, "around": around}
    return page


def find(ask: Ask) -> list[dict[str, Any]]:
    """GET /desk/conversations/{conversation}/find?text=&scope=&line=: texts and notes with these words, newest first:
    [{"entry": for the timeline's `around`, "at", "pieces": [(text, whether it was looked for)]}]."""
    typed = ask.request.query_params.get("text", "")
    if len(typed) > LONGEST_SEARCH:
        raise Refused(422, "too_long", f"Search for at most {LONGEST_SEARCH} characters.")
    with ask.desk.store.read() as conn:
        conversation_id = _seen(ask, conn)
        scope = _scope(ask, _together(ask, conn, conversation_id))
        return finding.within(conn, words.query(typed), [one["id"] for one in scope])


class NewNote(Command):
    """A note on the customer."""

    text: str = Field(max_length=2 * notes.LONGEST)  # the desk says in words what is too long


class NoteChange(Command):
    """What a note says from now on, and the version it was written from."""

    text: str = Field(max_length=2 * notes.LONGEST)
    version: int = Field(ge=1)


def add_note(ask: Ask) -> tuple[int, dict[str, Any]]:
    """POST /desk/conversations/{conversation}/notes: 201; sent again, it is the same note."""
    with ask.desk.store.write() as tx:
        conversation_id = _seen(ask, tx.conn)
        note = notes.add(tx, conversation_id, ask.who.user_id, ask.body.text, command=ask.body.command)
    return 201, {"command": ask.body.command, "id": note.id, "version": note.version}


def change_note(ask: Ask) -> dict[str, Any]:
    """PUT /desk/notes/{note}: one's own; leaders may take away anybody's."""
    with ask.desk.store.write() as tx:
        note = notes.change(tx, ask.id("note"), ask.who.user_id, ask.who.role, ask.body.text, ask.body.version)
    return {"id": note.id, "version": note.version}


def _seen(ask: Ask, conn: Connection) -> str:
    conversation_id = ask.id("conversation")
    if not conversation.may_see(conn, conversation_id, ask.who.user_id, ask.who.role):
        raise not_found("The conversation")
    return conversation_id


def _together(ask: Ask, conn: Connection, conversation_id: str) -> list[dict[str, Any]]:
    return conversation.together(conn, conversation_id, inbox.visible_lines(conn, ask.who.user_id, ask.who.role))


def _scope(ask: Ask, together: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What of the customer's conversations is asked for: this one, all of them, or those of one line."""
    asked = ask.request.query_params
    scope, line = asked.get("scope", "conversation"), asked.get("line", "")
    if scope not in ("conversation", "profile"):
        raise Refused(400, "bad_request", "scope is conversation or profile.")
    if scope == "conversation":
        return together[:1]
    if not line:
        return together
    found = [one for one in together if one["line"]["id"] == line]
    if not found:
        raise Refused(400, "bad_request", "line is none of those the customer was in touch with.")
    return found


def _filter(ask: Ask) -> pages.Filter:
    text = ask.request.query_params.get("channels", "")
    channels = frozenset(text.split(",")) if text else frozenset(pages.CHANNELS)
    if not channels <= frozenset(pages.CHANNELS):
        raise Refused(400, "bad_request", f"channels are some of {','.join(pages.CHANNELS)}.")
    return pages.Filter(channels, _number(ask, "from"), _number(ask, "to"))


def _number(ask: Ask, name: str) -> int | None:
    text = ask.request.query_params.get(name)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Refused(400, "bad_request", f"{name} must be a whole number.")
    return int(text)

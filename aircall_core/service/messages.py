"""Texts: writing to customers from their conversations, drafts, and what the composer needs to know."""

from typing import Any

from pydantic import Field

from aircall_core import numbers
from aircall_core.desk import drafts, messages
from aircall_core.desk.errors import not_found
from aircall_core.domain import text_template
from aircall_core.domain.file_type import TYPES
from aircall_core.domain.message import LARGEST_FILES, LONGEST, MOST_FILES
from aircall_core.service.commands import Command
from aircall_core.service.endpoint import Ask
from aircall_core.store import Connection, conversations, people, provisioning
from aircall_core.store import messages as rows
from aircall_core.store.queries import company
from aircall_core.store.queries import conversation as queries
from aircall_core.store.queries.inbox import visible_lines


class NewText(Command):
    """What is to be sent, and ids of uploaded files."""

    text: str = Field(default="", max_length=2 * drafts.LONGEST_DRAFT)  # the desk says in words what is too long
    attachments: list[str] = Field(default_factory=list, max_length=2 * MOST_FILES)


class FirstText(Command):
    """A text to a number, as typed."""

    to: str = Field(max_length=64)
    text: str = Field(max_length=2 * drafts.LONGEST_DRAFT)


class DraftText(NewText):
    """The whole draft, and the version that it was written from."""

    version: int = Field(ge=0)


def send(ask: Ask) -> tuple[int, dict[str, str]]:
    """POST /desk/conversations/{conversation}/messages: 202 {command, message}."""
    body, who = ask.body, ask.who
    with ask.desk.store.write() as tx:
        written = messages.send(
            tx, ask.id("conversation"), who.user_id, who.role, body.text, body.attachments, body.command
        )
    return _accepted(ask, written)


def lines(ask: Ask) -> dict[str, Any]:
    """GET /desk/text-lines: the lines that this user may begin a text from."""
    with ask.desk.store.read() as conn:
        return {"lines": rows.lines_with_texts(conn, visible_lines(conn, ask.who.user_id, ask.who.role))}


def start(ask: Ask) -> tuple[int, dict[str, str]]:
    """POST /desk/lines/{line}/messages {to, text, command}: 202 {command, message, conversation}."""
    body, who = ask.body, ask.who
    with ask.desk.store.write() as tx:
        written = messages.start(tx, ask.id("line"), body.to, who.user_id, who.role, body.text, body.command)
    return _accepted(ask, written)


def resend(ask: Ask) -> tuple[int, dict[str, str]]:
    """POST /desk/messages/{message}/resend: one that failed, or of which nobody knows."""
    with ask.desk.store.write() as tx:
        written = messages.resend(tx, ask.id("message"), ask.who.user_id, ask.who.role)
    return _accepted(ask, written)


def read_draft(ask: Ask) -> dict[str, Any]:
    """GET /desk/conversations/{conversation}/draft: the user's own; version 0 is one that is not begun."""
    with ask.desk.store.read() as conn:
        return _draft(drafts.read(conn, ask.id("conversation"), ask.who.user_id, ask.who.role))


def write_draft(ask: Ask) -> dict[str, Any]:
    """PUT /desk/conversations/{conversation}/draft: 409 with what another tab has written."""
    body, who = ask.body, ask.who
    with ask.desk.store.write() as tx:
        draft = drafts.write(
            tx, ask.id("conversation"), who.user_id, who.role, body.text, body.attachments, body.version
        )
    return {"version": draft.version}


def composer(ask: Ask) -> dict[str, Any]:
    """GET /desk/conversations/{conversation}/composer: whether one can write here, and with what."""
    conversation_id, who = ask.id("conversation"), ask.who
    with ask.desk.store.read() as conn:
        if not queries.may_see(conn, conversation_id, who.user_id, who.role):
            raise not_found("The conversation")
        conversation = conversations.get(conn, conversation_id)
        assert conversation is not None
        line = provisioning.line(conn, conversation["line_id"])
        assert line is not None
        found = messages.eligibility(conn, line, conversation["party"])
        filled = _templates(conn, line, conversation_id, who.user_id)
        opted_out = rows.is_out(conn, line["id"], conversation["party"])
    kind = found.account["kind"] if found.account else None
    return {
        "eligibility": {"ok": found.ok, "code": found.code or None, "message": found.message or None},
        "kind": kind,
        "mms": kind is not None and messages.takes_files(kind, ask.desk.settings.public_url),
        "opted_out": opted_out,
        "from": numbers.spoken_form(line["number"], line["country"]),
        "templates": filled,
        "limits": {"files": MOST_FILES, "bytes": LARGEST_FILES, "characters": LONGEST, "types": sorted(TYPES)},
    }


def _templates(conn: Connection, line: dict[str, Any], conversation_id: str, user_id: str) -> list[dict[str, Any]]:
    """The line's templates, filled for this customer and user."""
    header = queries.header(conn, conversation_id)
    assert header is not None
    user = people.names(conn, [user_id]).get(user_id, "")
    name = header.contact_name
    values = {
        "contact.name": name,
        "contact.first_name": text_template.first_name(name),
        "contact.last_name": text_template.last_name(name),
        "contact.company": header.contact_company,
        "user.name": user,
        "user.first_name": text_template.first_name(user),
        "line.name": line["name"],
        "line.number": numbers.spoken_form(line["number"], line["country"]),
        "company.name": company.everything(conn)["name"],
    }
    out = []
    for row in rows.templates_for(conn, line["id"]):
        filled = text_template.fill(row["body"], values)
        out.append(
            {
                "id": row["id"],
                "name": row["name"],
                "body": row["body"],
                "filled": filled.text,
                "missing": list(filled.missing),
            }
        )
    return out


def _draft(draft: drafts.Draft) -> dict[str, Any]:
    return {"text": draft.text, "attachments": draft.files, "version": draft.version}


def _accepted(ask: Ask, written: messages.Written) -> tuple[int, dict[str, str]]:
    said = {"command": ask.body.command, "message": written.message, "conversation": written.conversation}
    return 202, said

"""Contacts: everybody sees them, who speaks with customers changes them, leaders erase them."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from aircall_core.desk import contact_fields, contact_merges, contacts, erasure
from aircall_core.desk.errors import not_found
from aircall_core.domain import contact as rules
from aircall_core.service.answers import Refused
from aircall_core.service.endpoint import Ask
from aircall_core.store import contacts as rows
from aircall_core.store.queries import contacts as queries
from aircall_core.store.queries import conversation


class Phone(BaseModel):
    """A number as typed, and what it is."""

    number: str = Field(max_length=80)
    label: str = Field("", max_length=200)


class Mail(BaseModel):
    """An e-mail address as typed, and what it is."""

    email: str = Field(max_length=2 * rules.LONGEST_EMAIL)
    label: str = Field("", max_length=200)


class ContactChange(BaseModel):
    """What is given is changed; lists are given whole. ``version``: the one that was looked at."""

    name: str | None = Field(None, max_length=1_000)
    company: str | None = Field(None, max_length=1_000)
    description: str | None = Field(None, max_length=20_000)
    numbers: list[Phone] | None = Field(None, max_length=100)
    emails: list[Mail] | None = Field(None, max_length=100)
    custom: dict[str, str | int | float | None] | None = Field(None, max_length=100)
    priority: int | None = None
    version: int | None = None


class Confirmed(BaseModel):
    """A number that is this contact's, too."""

    number: str = Field(max_length=80)
    label: str = Field("", max_length=200)


class Denied(BaseModel):
    """A number that looks like one of this contact's."""

    number: str = Field(max_length=80)


class Merge(BaseModel):
    """The contact that goes into this one."""

    with_: str = Field(alias="with", max_length=64)


class Erasure(BaseModel):
    """``confirm``: the contact's name, or the number once more. ``keep_wishes``: not to be called or written to."""

    confirm: str = Field(max_length=1_000)
    keep_wishes: bool = False


class NumberErasure(Erasure):
    """A number that is no contact's."""

    number: str = Field(max_length=80)


class HiddenErasure(BaseModel):
    """``confirm``: the line's name. ``call``: that one alone, else all callers of the line who hid their number."""

    confirm: str = Field(max_length=1_000)
    call: str | None = Field(None, max_length=64)


class FieldChange(BaseModel):
    """A custom field."""

    name: str | None = Field(None, max_length=400)
    kind: Literal["text", "number", "date", "link", "choice"] | None = None
    choices: list[str] | None = Field(None, max_length=1_000)
    position: int | None = None


def list_all(ask: Ask) -> dict[str, Any]:
    """GET /desk/contacts?search=&after=&limit=: {"contacts", "after", "total" (without a search)}"""
    asked = ask.request.query_params
    text, after, limit = asked.get("search", "")[:200], asked.get("after", ""), asked.get("limit", "50")
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit) <= queries.MOST):
        raise Refused(400, "bad_request", f"limit is 1 to {queries.MOST}.")
    with ask.desk.store.read() as conn:
        try:
            found = queries.page(conn, text, after[:600], int(limit), contacts.home(conn))
        except ValueError:
            raise Refused(400, "bad_request", "after is what the page before gave.") from None
        if not text and not after:
            found["total"] = rows.count(conn)
        return found


def read(ask: Ask) -> dict[str, Any]:
    """GET /desk/contacts/{contact}: all of it, its last conversations as far as one sees their lines, its merges."""
    with ask.desk.store.read() as conn:
        contact_id = contacts.found(conn, ask.id("contact"))["id"]
        return {
            **(queries.one(conn, contact_id, contacts.home(conn)) or {}),
            "fields": contact_fields.read(conn),
            "conversations": queries.last(conn, contact_id, ask.who.user_id, ask.who.role),
            "merges": contact_merges.of_contact(conn, contact_id),
        }


def create(ask: Ask) -> tuple[int, dict[str, str]]:
    """POST /desk/contacts"""
    with ask.desk.store.write() as tx:
        return 201, {"id": contacts.create(tx, ask.actor, _given(ask))}


def change(ask: Ask) -> dict[str, Any]:
    """PATCH /desk/contacts/{contact}: {"id", "version"}; 409 "changed" where a colleague was faster."""
    contact_id = ask.id("contact")
    with ask.desk.store.write() as tx:
        return {"id": contact_id, "version": contacts.change(tx, ask.actor, contact_id, _given(ask), ask.body.version)}


def add_number(ask: Ask) -> dict[str, Any]:
    """POST /desk/contacts/{contact}/numbers: the number is this contact's, and so are its conversations."""
    contact_id, body = ask.id("contact"), ask.body
    with ask.desk.store.write() as tx:
        version = contacts.add_number(tx, ask.actor, contact_id, body.number, body.label)
    return {"id": contact_id, "version": version}


def deny(ask: Ask) -> dict[str, str]:
    """POST /desk/contacts/{contact}/denials: nobody is asked again whether the number is this contact's"""
    with ask.desk.store.write() as tx:
        contacts.deny(tx, ask.actor, ask.id("contact"), ask.body.number)
    return {"id": ask.id("contact")}


def allow(ask: Ask) -> dict[str, str]:
    """DELETE /desk/contacts/{contact}/denials: it may be, after all"""
    with ask.desk.store.write() as tx:
        contacts.allow(tx, ask.actor, ask.id("contact"), ask.body.number)
    return {"id": ask.id("contact")}


def maybe(ask: Ask) -> dict[str, Any]:
    """GET /desk/contacts/maybe?number=&name=: contacts that may stand behind a number that is nobody's."""
    asked = ask.request.query_params
    number, names = asked.get("number", "")[:64], [name[:200] for name in asked.getlist("name")[:5]]
    with ask.desk.store.read() as conn:
        country = contacts.home(conn)
        found = contacts.maybe(conn, number, names)
        return {"contacts": [{**queries.shown(row, country), "why": row["why"]} for row in found]}


def merge(ask: Ask) -> dict[str, str]:
    """POST /desk/contacts/{contact}/merge: {"merge"}, by which it is undone"""
    with ask.desk.store.write() as tx:
        return {"merge": contact_merges.merge(tx, ask.actor, ask.id("contact"), ask.body.with_)}


def undo_merge(ask: Ask) -> dict[str, str]:
    """POST /desk/contact-merges/{merge}/undo: {"contact": the one that was gone}"""
    with ask.desk.store.write() as tx:
        return {"contact": contact_merges.undo(tx, ask.actor, ask.id("merge"))}


def erase(ask: Ask) -> tuple[int, dict[str, str]]:
    """DELETE /desk/contacts/{contact}: {"erasure"}; it goes on in the background"""
    body = ask.body
    with ask.desk.store.write() as tx:
        made = erasure.contact(tx, ask.actor, ask.id("contact"), body.confirm, keep_wishes=body.keep_wishes)
    return 202, {"erasure": made}


def erase_number(ask: Ask) -> tuple[int, dict[str, str]]:
    """POST /desk/erasures: all that was exchanged with a number, or an extension, without a contact"""
    body = ask.body
    with ask.desk.store.write() as tx:
        return 202, {"erasure": erasure.number(tx, ask.actor, body.number, body.confirm, keep_wishes=body.keep_wishes)}


def erase_hidden(ask: Ask) -> tuple[int, dict[str, str]]:
    """POST /desk/conversations/{conversation}/erase: callers who hid their number, or one call of theirs"""
    conversation_id, who, body = ask.id("conversation"), ask.who, ask.body
    with ask.desk.store.write() as tx:
        if not conversation.may_see(tx.conn, conversation_id, who.user_id, who.role):
            raise not_found("The conversation")
        return 202, {"erasure": erasure.hidden(tx, ask.actor, conversation_id, body.confirm, body.call)}


def erasures(ask: Ask) -> dict[str, Any]:
    """GET /desk/erasures: those that go on, and how far they are"""
    with ask.desk.store.read() as conn:
        return {"erasures": erasure.under_way(conn)}


def list_fields(ask: Ask) -> dict[str, Any]:
    """GET /desk/contact-fields"""
    with ask.desk.store.read() as conn:
        return {"fields": contact_fields.read(conn)}


def add_field(ask: Ask) -> tuple[int, dict[str, str]]:
    """POST /desk/contact-fields"""
    with ask.desk.store.write() as tx:
        return 201, {"id": contact_fields.create(tx, ask.actor, _given(ask))}


def change_field(ask: Ask) -> dict[str, str]:
    """PATCH /desk/contact-fields/{field}"""
    with ask.desk.store.write() as tx:
        contact_fields.change(tx, ask.actor, ask.id("field"), _given(ask))
    return {"id": ask.id("field")}


def remove_field(ask: Ask) -> None:
    """DELETE /desk/contact-fields/{field}"""
    with ask.desk.store.write() as tx:
        contact_fields.remove(tx, ask.actor, ask.id("field"))


def _given(ask: Ask) -> dict[str, Any]:
    """What the body holds; an explicit null empties a field. Who is served first is for leaders to say."""
    given: dict[str, Any] = ask.body.model_dump(exclude_unset=True)
    given.pop("version", None)
    if "priority" in given and ask.who.role not in ("administrator", "supervisor"):
        raise Refused(403, "forbidden", "Supervisors and administrators say who is served first.")
    return given

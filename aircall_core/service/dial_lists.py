"""Lists of the power dialer: leaders make and fill them, agents dial them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from aircall_core.desk import dial_entries, dial_lists, do_not_call
from aircall_core.desk.errors import not_found
from aircall_core.domain import dial_list as rules
from aircall_core.service.answers import Refused
from aircall_core.service.endpoint import Ask
from aircall_core.store import Connection, people
from aircall_core.store import dial_lists as rows
from aircall_core.store.queries import dial_lists as queries


class NewList(BaseModel):
    """A list to make."""

    name: str = Field(max_length=200)
    line_id: str = Field(max_length=64)
    pause_s: int = rules.DEFAULT_PAUSE_S


class ListChange(BaseModel):
    """What is given is changed."""

    name: str | None = Field(None, max_length=200)
    pause_s: int | None = None
    archived: bool | None = None


class NewEntry(BaseModel):
    """A number as typed."""

    number: str = Field(max_length=80)
    name: str = Field("", max_length=2 * rules.LONGEST_NAME)
    note: str = Field("", max_length=2 * rules.LONGEST_NOTE)


class Skip(BaseModel):
    """Why it is not dialled."""

    reason: str = Field(max_length=16)


class Again(BaseModel):
    """It waits again: where it stood, or behind all others."""

    last: bool = False


class Move(BaseModel):
    """Another place."""

    to: Literal["first", "up", "down", "last"]


class DoNotCall(BaseModel):
    """Nobody is to call this number again."""

    note: Annotated[str, Field(max_length=400)] = ""


def list_all(ask: Ask) -> dict[str, Any]:
    """GET /desk/dial-lists: those of the lines one may see; ?archived=1 with those that are put away."""
    with ask.desk.store.read() as conn:
        dial_lists.require(conn)
        archived = ask.request.query_params.get("archived") == "1"
        return {"lists": queries.lists(conn, ask.who.user_id, ask.who.role, archived=archived)}


def make(ask: Ask) -> tuple[int, dict[str, str]]:
    """POST /desk/dial-lists"""
    with ask.desk.store.write() as tx:
        dial_lists.require(tx.conn)
        return 201, {"id": dial_lists.create(tx, ask.actor, **ask.body.model_dump())}


def change(ask: Ask) -> dict[str, str]:
    """PATCH /desk/dial-lists/{list}"""
    given = {name: value for name, value in ask.body.model_dump(exclude_unset=True).items() if value is not None}
    with ask.desk.store.write() as tx:
        dial_lists.require(tx.conn)
        dial_lists.change(tx, ask.actor, ask.id("list"), given)
    return {"id": ask.id("list")}


def read(ask: Ask) -> dict[str, Any]:
    """GET /desk/dial-lists/{list}: how far it is, who is at it, and the asker's own entry, claimed or being called."""
    with ask.desk.store.read() as conn:
        list_id, user = seen_list(ask, conn), ask.who.user_id
        mine = next((claim["id"] for claim in rows.claims_of(conn, user) if claim["list_id"] == list_id), None)
        calling = queries.calling(conn, list_id, user)
        return {
            "list": {**(queries.one_list(conn, list_id) or {}), "at_work": queries.at_work(conn, list_id)},
            "mine": queries.entry(conn, mine) if mine else None,
            "calling": queries.entry(conn, calling) if calling else None,
        }


def entries(ask: Ask) -> dict[str, Any]:
    """GET /desk/dial-lists/{list}/entries?show=waiting|done|skipped&search=&skip=0&limit=20"""
    asked = ask.request.query_params
    shown, skip, limit = asked.get("show", queries.WAITING), asked.get("skip", "0"), asked.get("limit", "20")
    whole = all(one.isascii() and one.isdigit() and len(one) < 7 for one in (skip, limit))
    if shown not in (queries.WAITING, queries.DONE, queries.SKIPPED) or not whole:
        raise Refused(400, "bad_request", "show is waiting, done or skipped; skip and limit are whole numbers.")
    page = {"skip": int(skip), "limit": min(int(limit), queries.MOST)}
    with ask.desk.store.read() as conn:
        list_id = seen_list(ask, conn)
        found, more = queries.entries(conn, list_id, shown, search=asked.get("search", "")[:80], **page)
    return {"entries": found, "more": more}


def add(ask: Ask) -> tuple[int, dict[str, str]]:
    """POST /desk/dial-lists/{list}/entries"""
    list_id = _list(ask)
    with ask.desk.store.write() as tx:
        return 201, {"id": dial_lists.add_one(tx, ask.actor, list_id, **ask.body.model_dump())}


def claim_next(ask: Ask) -> dict[str, Any]:
    """POST /desk/dial-lists/{list}/next: the entry that this user is to dial, or null when none waits."""
    list_id = _list(ask)
    with ask.desk.store.write() as tx:
        claimed = dial_entries.claim_next(tx, list_id, ask.who.user_id)
    if claimed is None:
        return {"entry": None}
    with ask.desk.store.read() as conn:
        return {"entry": queries.entry(conn, claimed["id"])}


def one(ask: Ask) -> dict[str, Any]:
    """GET /desk/dial-entries/{entry}: with its note and the last calls with this number."""
    with ask.desk.store.read() as conn:
        return {"entry": queries.entry(conn, seen_entry(ask, conn))}


def keep(ask: Ask) -> None:
    """POST /desk/dial-entries/{entry}/keep: the page that has claimed it is still there."""
    entry = _entry(ask)
    with ask.desk.store.write() as tx:
        dial_entries.keep(tx, entry, ask.who.user_id)


def skip(ask: Ask) -> None:
    """POST /desk/dial-entries/{entry}/skip"""
    entry = _entry(ask)
    with ask.desk.store.write() as tx:
        dial_entries.skip(tx, entry, ask.who.user_id, ask.body.reason)


def again(ask: Ask) -> None:
    """POST /desk/dial-entries/{entry}/again: a claim is given back, or a number is to be tried again."""
    entry = _entry(ask)
    with ask.desk.store.write() as tx:
        dial_entries.again(tx, entry, ask.who.user_id, last=ask.body.last)


def forbid(ask: Ask) -> None:
    """POST /desk/dial-entries/{entry}/do-not-call: nobody dials this number again, and it leaves the list's queue."""
    entry = _entry(ask)
    with ask.desk.store.write() as tx:
        do_not_call.add(tx, ask.actor, dial_entries.forbid(tx, entry, ask.who.user_id), ask.body.note)


def move(ask: Ask) -> None:
    """POST /desk/dial-entries/{entry}/move"""
    entry = _entry(ask)
    with ask.desk.store.write() as tx:
        dial_entries.move(tx, ask.actor, entry, ask.body.to)


def remove(ask: Ask) -> None:
    """POST /desk/dial-entries/{entry}/remove"""
    entry = _entry(ask)
    with ask.desk.store.write() as tx:
        dial_entries.remove(tx, ask.actor, entry)


def seen_list(ask: Ask, conn: Connection) -> str:
    """The list's id, if its line is one that the user may see and the plan has the dialer."""
    dial_lists.require(conn)
    list_id = ask.id("list")
    line = queries.line_of(conn, list_id)
    if line is None or not people.sees_line(conn, ask.who.user_id, ask.who.role, line):
        raise not_found("The list")
    return list_id


def seen_entry(ask: Ask, conn: Connection) -> str:
    """The entry's id, with the same conditions on its list."""
    dial_lists.require(conn)
    entry_id = ask.id("entry")
    list_id = queries.list_of_entry(conn, entry_id)
    line = queries.line_of(conn, list_id) if list_id else None
    if line is None or not people.sees_line(conn, ask.who.user_id, ask.who.role, line):
        raise not_found("The entry")
    return entry_id


def _list(ask: Ask) -> str:
    with ask.desk.store.read() as conn:
        return seen_list(ask, conn)


def _entry(ask: Ask) -> str:
    with ask.desk.store.read() as conn:
        return seen_entry(ask, conn)

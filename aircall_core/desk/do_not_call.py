"""Whom nobody calls: numbers that are not dialled by anybody, from wherever, until they are taken off the list."""

from typing import Final

from aircall_core import numbers
from aircall_core.desk import audit
from aircall_core.desk.errors import DeskError, Invalid, not_found
from aircall_core.domain.events import DO_NOT_CALL_CHANGED, STAFF, Event
from aircall_core.store import Tx
from aircall_core.store import dialling as rows
from aircall_core.store.queries.dialling import home_country

MOST: Final = 100_000
_LONGEST_NOTE: Final = 200


def add(tx: Tx, actor: str, number: str, note: str = "", *, country: str = "") -> str:
    """Put a number on the list, written in any way; the number in E.164. One that is on it stays as it is.

    National numbers are those of ``country`` (ISO 3166; '': the company's own). Raises Invalid, DeskError full.
    """
    read = numbers.read(number, country or home_country(tx.conn))
    wrong: dict[str, str] = {}
    if not read.valid:
        wrong["number"] = "Enter a number like +33 1 99 00 12 34."
    note = " ".join(note.split())
    if len(note) > _LONGEST_NOTE:
        wrong["note"] = f"Use at most {_LONGEST_NOTE} characters."
    if wrong:
        raise Invalid(wrong)
    if rows.entry(tx.conn, read.number) is not None:
        return read.number
    if rows.count(tx.conn) >= MOST:
        raise DeskError("full", f"The do-not-call list holds {MOST} numbers.")
    author = actor.removeprefix("user:") if actor.startswith("user:") else None
    rows.add(tx.conn, number=read.number, note=note, created_by=author, created_at=tx.now_ms())
    _changed(tx, actor)
    audit.note(tx, actor, "do_not_call.added", "", read.number, {"note": ("", note)} if note else None)
    return read.number


def remove(tx: Tx, actor: str, number: str) -> None:
    """Take a number (E.164) off the list. Raises DeskError not_found."""
    if not rows.remove(tx.conn, number):
        raise not_found("The number")
    _changed(tx, actor)
    audit.note(tx, actor, "do_not_call.removed", "", number)


def _changed(tx: Tx, actor: str) -> None:
    tx.append(Event(DO_NOT_CALL_CHANGED, STAFF, actor, data={}))

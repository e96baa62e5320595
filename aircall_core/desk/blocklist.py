"""The blocklist: callers who hear a message and ring nobody."""

import re
from typing import Final

from aircall_core import ids, numbers
from aircall_core.desk import audit
from aircall_core.desk.errors import DeskError, Invalid, or_not_found
from aircall_core.domain.events import ADMINS, BLOCKLIST_CHANGED, Event
from aircall_core.store import Tx, provisioning
from aircall_core.store import blocklist as rows

MOST: Final = 10_000
_LONGEST_NOTE: Final = 200
_E164 = re.compile(r"\+[1-9][0-9]{5,14}")
_PREFIX = re.compile(r"\+[1-9][0-9]{0,13}\*")
_INTERNAL = re.compile(r"[0-9]{2,10}")


def add(tx: Tx, actor: str, *, number: str, note: str = "") -> str:
    """Block a number in any spelling, a prefix ending in *, or withheld numbers (``anonymous``); the entry's id."""
    pattern = _pattern(tx, number)
    note = _note(note)
    if rows.count(tx.conn) >= MOST:
        raise DeskError("full", f"The blocklist holds {MOST} entries. Block a prefix, or remove some.")
    entry_id = ids.new_id()
    author = actor.removeprefix("user:") if actor.startswith("user:") else None
    rows.add(tx.conn, id=entry_id, pattern=pattern, note=note, created_at=tx.now_ms(), created_by=author)
    _changed(tx, actor, entry_id)
    audit.note(tx, actor, "blocklist.added", entry_id, pattern, {"note": (None, note)} if note else None)
    return entry_id


def change(tx: Tx, actor: str, entry_id: str, *, note: str) -> None:
    """Change the note of an entry."""
    known = or_not_found(rows.entry(tx.conn, entry_id), "The entry")
    values = {"note": _note(note)}
    changes = audit.differences(known, values)
    if changes:
        rows.change(tx.conn, entry_id, **values)
        _changed(tx, actor, entry_id)
        audit.note(tx, actor, BLOCKLIST_CHANGED, entry_id, known["pattern"], changes)


def remove(tx: Tx, actor: str, entry_id: str) -> None:
    """Let these callers in again."""
    known = or_not_found(rows.entry(tx.conn, entry_id), "The entry")
    rows.remove(tx.conn, entry_id)
    _changed(tx, actor, entry_id)
    audit.note(tx, actor, "blocklist.removed", entry_id, known["pattern"])


def _pattern(tx: Tx, text: str) -> str:
    """The number as calls bring it: E.164, a prefix of it with *, a PBX's extension, or ``anonymous``."""
    text = text.strip()
    country = (provisioning.setting(tx.conn, "company") or {}).get("country", "")
    if text.lower() == numbers.ANONYMOUS:
        pattern = numbers.ANONYMOUS
    elif text.endswith("*"):
        pattern = _prefix(text[:-1], country)
    else:
        plain = re.sub(r"[\s()./-]", "", text)
        full = numbers.normalise(text, country)
        pattern = full if _E164.fullmatch(full) else plain if _INTERNAL.fullmatch(plain) else ""
    if not pattern:
        raise Invalid({"number": "Enter a number like +33 1 99 00 12 34, or a prefix like +33 1 99*."})
    if rows.entry_for(tx.conn, pattern) is not None:
        raise Invalid({"number": "This is blocked already."})
    return pattern


def _prefix(text: str, country: str) -> str:
    plain = re.sub(r"[\s()./-]", "", text)
    if plain.startswith("00"):
        plain = f"+{plain[2:]}"
    if not plain.startswith("+"):
        plain = numbers.international_prefix(plain, country)
    return f"{plain}*" if _PREFIX.fullmatch(f"{plain}*") else ""


def _note(note: str) -> str:
    note = " ".join(note.split())
    if len(note) > _LONGEST_NOTE:
        raise Invalid({"note": f"Use at most {_LONGEST_NOTE} characters."})
    return note


def _changed(tx: Tx, actor: str, entry_id: str) -> None:
    tx.append(Event(BLOCKLIST_CHANGED, ADMINS, actor, data={"id": entry_id}))

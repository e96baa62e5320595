"""Erasing a customer: everything that says who they are goes, and that something happened stays.

Asked for in one transaction, which takes the contact away and its conversations' numbers, so that nobody finds them any
more and the next call of the number begins anew. What they left is then gone through in the background, in short
transactions, since there may be thousands of calls: numbers, names, texts, files, recordings, notes, cards. At the end
SQLite's index of words and its journal are cleared of what was removed. Each step can be repeated; where it has come to
stands in the due row, which is the last to hold the numbers and goes as well.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aircall_core import ids
from aircall_core.desk import attachments, audit, contacts, retention
from aircall_core.desk.errors import DeskError, Invalid, not_found
from aircall_core.domain import contact as rules
from aircall_core.domain.events import (
    CALLBACK_SETTLED,
    CONTACT_CHANGED,
    DIAL_ENTRY_CHANGED,
    STAFF,
    Event,
    line_audience,
)
from aircall_core.logs import get_logger
from aircall_core.numbers import ANONYMOUS, ERASED, normalise
from aircall_core.store import Connection, Store, Tx, clock, due, insights, recordings, search
from aircall_core.store import callbacks as callback_rows
from aircall_core.store import contacts as contact_rows
from aircall_core.store import erasure as rows
from aircall_core.store.due import Due
from aircall_core.store.queries import customers

log = get_logger(__name__)

JOB: Final = "contact.erase"  # the due row's kind
_CHUNK: Final = 100  # rows a transaction
_STRETCH: Final = 2_000  # calls that are looked through at once
_TURN_S: Final = 20.0  # a claim does not last for ever
_LATER_MS: Final = 2_000  # what is in the way is gone by then
_BREATH_S: Final = 0.01  # between two transactions: others write, too
STEPS: Final = ("words", "calls", "texts", "files", "notes", "lists", "elsewhere", "index", "journal")


@dataclass
class _Work:
    """How far an erasure has come: the due row's data."""

    conversations: list[str]
    numbers: list[str]
    contact: str | None
    at: int
    keep_wishes: bool
    of: int
    done: int = 0
    step: str = STEPS[0]
    after: str = ""
    calls: list[str] = field(default_factory=list)  # these alone, of a conversation that many share

    def data(self) -> dict[str, Any]:
        """As it is kept."""
        return dict(vars(self))


def contact(tx: Tx, actor: str, contact_id: str, confirm: str, *, keep_wishes: bool = False) -> str:
    """Erase a contact and all that was ever exchanged with its numbers; the erasure's id.

    ``confirm``: its name as typed, or its first number or e-mail where it has none. ``keep_wishes``: that it wants no
    calls or texts stays known, by its number. Raises Invalid, DeskError: not_found, in_call, being_dialled.
    """
    row = contacts.found(tx.conn, contact_id, lock=True)
    known = contact_rows.profile(tx.conn, row)
    first = next((entry.value for entry in (*known.numbers, *known.emails)), "")
    _confirmed(known.name or known.company or first, confirm)
    theirs = [entry.value for entry in known.numbers]
    erasure = _begin(tx, theirs, contact_id, keep_wishes)
    contacts.drop(tx, contact_id)
    _told(tx, actor, erasure, contact_id)
    return erasure


def number(tx: Tx, actor: str, typed: str, confirm: str, *, keep_wishes: bool = False) -> str:
    """Erase all that was ever exchanged with a number that is no contact's; the erasure's id. Raises as `contact`."""
    found = _party(tx.conn, typed)
    if not found:
        said = (
            "Enter a telephone number, with its country code if it is from abroad, or who calls as it stands in a list."
        )
        raise Invalid({"number": said})
    owner = contact_rows.owners(tx.conn, [found])
    if owner:
        wrong = Invalid({"number": "This is the number of a contact. Erase the contact."})
        wrong.details["contact"] = owner[found]
        raise wrong
    if _party(tx.conn, confirm) != found:
        raise Invalid({"confirm": "Type the number once more."})
    erasure = _begin(tx, [found], None, keep_wishes)
    _told(tx, actor, erasure, None)
    return erasure


def hidden(tx: Tx, actor: str, conversation_id: str, confirm: str, call_id: str | None = None) -> str:
    """Erase what callers of a line left who hid their number, all or one call; the erasure's id.

    ``confirm``: the line's name. Raises Invalid, DeskError: not_found, has_number, in_call.
    """
    here = customers.here(tx.conn, conversation_id)
    if here is None:
        raise not_found("The conversation")
    if here["party"] not in ("", ANONYMOUS):
        raise DeskError("has_number", "This conversation has a number: erase the number, or the contact whose it is.")
    if rules.key(confirm) != rules.key(here["line_name"]):
        raise Invalid({"confirm": "Type the name of the line exactly as it stands above."})
    if call_id is None:
        erasure = _begin(tx, [], None, keep_wishes=True, conversations=[conversation_id])
    else:
        erasure = _begin_call(tx, conversation_id, call_id)
    _told(tx, actor, erasure, None)
    return erasure


def _begin_call(tx: Tx, conversation_id: str, call_id: str) -> str:
    family = rows.family(tx.conn, conversation_id, call_id)
    if not family:
        raise not_found("The call")
    if any(one["ended_at"] is None for one in family):
        raise DeskError("in_call", "This call goes on. Erase it when it is over.")
    theirs = [one["id"] for one in family]
    size = len(theirs) + len(rows.notes_of_calls(tx.conn, theirs))
    return _put(tx, _Work([], [], None, tx.now_ms(), keep_wishes=True, of=size, calls=theirs))


def _party(conn: Connection, typed: str) -> str:
    """The number as it is kept; or an extension, a short code, a name that the trunk gave, if it ever called; else ''.

    Callers who hide their number are many: `hidden` erases them.
    """
    plain = contacts.reader(conn)(typed)
    if plain:
        return plain
    exact = typed.strip()[:64]
    known = contact_rows.parties_among(conn, {exact, normalise(exact, contacts.home(conn))} - {"", ANONYMOUS})
    return next((one for one in sorted(known) if not one.startswith(ERASED)), "")


def under_way(conn: Connection) -> list[dict[str, Any]]:
    """Erasures that are not finished: {"id", "step", "done", "of"}, without a word on whom."""
    return [
        {"id": row.subject, **{name: row.data[name] for name in ("step", "done", "of")}}
        for row in due.of_kind(conn, JOB)
    ]


def _confirmed(wanted: str, typed: str) -> None:
    if rules.key(typed) != rules.key(wanted):
        raise Invalid({"confirm": "Type the name exactly as it stands above."})


def _begin(
    tx: Tx, numbers: Sequence[str], contact_id: str | None, keep_wishes: bool, conversations: Sequence[str] = ()
) -> str:
    tx.take_turn()  # no call arrives between looking and taking the number away
    conversations = [*conversations, *contact_rows.conversations_with(tx.conn, numbers)]
    if rows.is_talking(tx.conn, conversations, numbers):
        raise DeskError("in_call", "A call with this customer goes on. Erase them when it is over.")
    if rows.is_claimed(tx.conn, numbers):
        raise DeskError("being_dialled", "A colleague is about to dial this customer from a list. Try again later.")
    rows.hide_conversations(tx.conn, conversations)
    rows.stop_texts(tx.conn, conversations)
    contact_rows.forget_denials(tx.conn, numbers)
    size = rows.size(tx.conn, conversations)
    return _put(tx, _Work(conversations, list(numbers), contact_id, tx.now_ms(), keep_wishes, of=size))


def _put(tx: Tx, work: _Work) -> str:
    erasure = ids.new_id()
    due.put(tx.conn, JOB, erasure, tx.now_ms(), work.data())
    return erasure


def _told(tx: Tx, actor: str, erasure: str, contact_id: str | None) -> None:
    data = {"contact": contact_id, "what": ERASED, "erasure": erasure}
    tx.append(Event(CONTACT_CHANGED, STAFF, actor, data=data))
    audit.note(tx, actor, "contact.erased", contact_id or erasure)


# ---- the work


def run(store: Store, data_dir: Path, row: Due) -> int | None:
    """Go on with an erasure for a while; when to go on with it (ms), None when it is done."""
    work, until = _Work(**row.data), time.monotonic() + _TURN_S
    while time.monotonic() < until:
        more = _DOES[work.step](store, data_dir, work)
        if more is None:  # something is in the way
            _note(store, row, work)
            with store.read() as conn:
                return clock.now_ms(conn) + _LATER_MS
        if not more:
            place = STEPS.index(work.step) + 1
            if place == len(STEPS):
                log.info("customer_erased", rows=work.done)
                return None
            work.step, work.after = STEPS[place], ""
            if work.step == "index":  # nothing of the person is needed any more
                work.numbers, work.conversations, work.calls = [], [], []
        _note(store, row, work)
        time.sleep(_BREATH_S)  # leaves the store to who waits for it: this is in no hurry
    with store.read() as conn:
        return clock.now_ms(conn)


def _note(store: Store, row: Due, work: _Work) -> None:
    with store.write() as tx:
        due.note(tx.conn, row, work.data())


def _words(store: Store, _: Path, work: _Work) -> bool | None:
    with store.read() as conn:
        if rows.is_sending(conn, work.conversations):
            return None
    with store.write() as tx:
        for note in rows.notes_of_calls(tx.conn, work.calls):
            search.drop(tx.conn, search.NOTE, note)
        return rows.drop_words(tx.conn, work.conversations, _CHUNK) > 0


def _calls(store: Store, data_dir: Path, work: _Work) -> bool:
    with store.read() as conn:
        found = rows.calls_of(conn, work.conversations, work.after, _CHUNK)
        found = found or [one for one in work.calls if one > work.after]  # a call has few parts
    if found:
        _blank_calls(store, data_dir, found, work, theirs=True)
        work.after = found[-1]
        work.done += len(found)
    return bool(found)


def _blank_calls(store: Store, data_dir: Path, found: Sequence[str], work: _Work, *, theirs: bool) -> None:
    with store.write() as tx:
        rows.blank_calls(tx.conn, found, work.numbers, theirs=theirs)
        if theirs:
            for one in rows.callbacks_of(tx.conn, found):
                _settle(tx, one)
            rows.blank_callbacks(tx.conn, found)
        files = rows.recordings_of(tx.conn, found) if theirs else []
        recordings.mark(tx.conn, [one["id"] for one in files], tx.now_ms())  # nobody plays them any more
    gone = [one["id"] for one in files if retention.delete_file(data_dir, one["id"], one["path"])]
    if gone:
        with store.write() as tx:
            recordings.gone(tx.conn, gone)


def _settle(tx: Tx, callback: Mapping[str, Any]) -> None:
    """Nobody calls back who is not known any more."""
    if callback_rows.settle(tx.conn, callback["id"], "declined", None, tx.now_ms()):
        tx.append(
            Event(
                CALLBACK_SETTLED, line_audience(callback["line_id"]), "system", call_id=callback["call_id"],
                conversation_id=callback["conversation_id"], line_id=callback["line_id"],
                data={"callback": callback["id"], "state": "declined", "command": None},
            )
        )  # fmt: skip


def _texts(store: Store, _: Path, work: _Work) -> bool:
    return _blanked(store, work, rows.texts_of, rows.blank_texts)


def _notes(store: Store, _: Path, work: _Work) -> bool:
    if work.calls:
        with store.write() as tx:
            found = rows.notes_of_calls(tx.conn, work.calls)
            rows.blank_notes(tx.conn, found)
        work.done += len(found)
        return False
    return _blanked(store, work, rows.notes_of, rows.blank_notes)


def _blanked(
    store: Store,
    work: _Work,
    find: Callable[[Connection, Collection[str], str, int], list[str]],
    blank: Callable[[Connection, Sequence[str]], None],
) -> bool:
    with store.read() as conn:
        found = find(conn, work.conversations, work.after, _CHUNK)
    if found:
        with store.write() as tx:
            blank(tx.conn, found)
        work.after = found[-1]
        work.done += len(found)
    return bool(found)


def _files(store: Store, data_dir: Path, work: _Work) -> bool:
    with store.read() as conn:
        found = rows.files_of(conn, work.conversations)
    for one in found:  # before the rows: whatever breaks off between is found again
        attachments.forget(data_dir, one["path"])
    if found:
        with store.write() as tx:
            rows.blank_files(tx.conn, [one["id"] for one in found])
    return bool(found)


def _lists(store: Store, _: Path, work: _Work) -> bool:
    with store.write() as tx:
        rows.drop_drafts(tx.conn, work.conversations)
        for one in rows.entries_of(tx.conn, work.numbers):
            rows.blank_entry(tx.conn, one)
            data = {"list": one["list_id"], "entry": one["id"], "state": "removed", "call": None}
            tx.append(
                Event(DIAL_ENTRY_CHANGED, line_audience(one["line_id"]), "system", line_id=one["line_id"], data=data)
            )
        if not work.keep_wishes:
            rows.drop_wishes(tx.conn, work.numbers)
        rows.blank_audit(tx.conn, work.numbers)
        for one_number in work.numbers:
            insights.forget(tx.conn, one_number)
    return False


def _elsewhere(store: Store, data_dir: Path, work: _Work) -> bool:
    """Calls of other customers in which they were asked, added or got the call."""
    if not work.numbers:
        return False
    with store.read() as conn:
        through = rows.stretch(conn, work.after, _STRETCH)
        found = rows.calls_naming(conn, work.numbers, work.after, through, work.at) if through else []
    if found:
        _blank_calls(store, data_dir, found, work, theirs=False)
    work.after = through or ""
    return through is not None


def _index(store: Store, _: Path, work: _Work) -> bool:
    with store.write() as tx:
        more = rows.tidy_index(tx.conn, first=not work.after)
    first, work.after = not work.after, "begun"
    return more or (first and not store.is_postgres)


def _journal(store: Store, _: Path, __: _Work) -> bool | None:
    return False if store.empty_journal() else None


_DOES: Final[Mapping[str, Callable[[Store, Path, _Work], bool | None]]] = {
    "words": _words, "calls": _calls, "texts": _texts, "files": _files, "notes": _notes, "lists": _lists,
    "elsewhere": _elsewhere, "index": _index, "journal": _journal,
}  # fmt: skip

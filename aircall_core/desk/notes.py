"""Notes on calls and on customers. Whoever takes part, took part or may see the line writes one.

A call's is saved as they type: each save is the whole text and the version it was made from. Of two tabs that write
from one version, the second is told what the first has written, and puts both together: nothing is overwritten that its
writer has not seen.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aircall_core.desk.errors import DeskError, Invalid, not_found
from aircall_core.desk.ringing import call_event
from aircall_core.domain.events import CALL_NOTED, CONVERSATION_NOTED, Event, line_audience
from aircall_core.ids import new_id
from aircall_core.store import Connection, calls, conversations, indexing, notes, parties, people
from aircall_core.store.engine import Tx

LONGEST: Final = 20_000  # characters
LEADERS: Final = frozenset({"administrator", "supervisor"})  # who may take away what others have noted


@dataclass(frozen=True, slots=True)
class Note:
    """A user's note on a call as it is now. Version 0: not begun."""

    id: str | None
    version: int
    text: str


def read(conn: Connection, call_id: str, user_id: str, role: str) -> Note:
    """The user's own note on a call. Raises DeskError not_found."""
    return _of_user(conn, _noted_call(conn, call_id, user_id, role), user_id)


def write(tx: Tx, call_id: str, user_id: str, role: str, text: str, version: int) -> Note:
    """The user's note says this from now on; it was written from ``version``. Repeatable: what it says already stays.

    A call that was made for another one is noted with that one. Raises DeskError not_found, or changed (409 with
    ``version`` and ``text``: another tab of the user has written meanwhile), Invalid.
    """
    text = storable(text)
    if len(text) > LONGEST:
        raise Invalid({"text": f"Use at most {LONGEST:,} characters."}, f"A note has at most {LONGEST:,} characters.")
    top = _noted_call(tx.conn, call_id, user_id, role)
    # No lock: every pause in typing of everybody comes here. Of two tabs, one finds the version that it knows.
    known = _of_user(tx.conn, top, user_id)
    if known.version == version and known.text != text:
        if written := _written(tx, top, user_id, known, text):
            return written
        known = _of_user(tx.conn, top, user_id)
    if known.text == text:
        return known
    raise _changed(known)


def _written(tx: Tx, call_id: str, user_id: str, known: Note, text: str) -> Note | None:
    """The note's next version; None: another tab was faster."""
    call = calls.get(tx.conn, call_id)
    assert call is not None
    now, note_id = tx.now_ms(), known.id or new_id()
    if known.id is not None:
        done = notes.change(tx.conn, note_id, text, now, known.version)
    else:
        done = notes.add(
            tx.conn, id=note_id, call_id=call_id, conversation_id=call["conversation_id"], user_id=user_id, text=text,
            created_at=now, updated_at=now, version=1,
        )  # fmt: skip
    if not done:
        return None
    actor = f"user:{user_id}"
    tx.append(call_event(CALL_NOTED, call, actor, user_id=user_id, note=note_id, version=known.version + 1))
    return Note(note_id, known.version + 1, text)


def add(tx: Tx, conversation_id: str, user_id: str, text: str, *, command: str) -> Note:
    """A note on the customer, not on one call. The same command again: the same note. Raises DeskError not_found,
    Invalid."""
    text = _whole(text)
    conversation = conversations.get(tx.conn, conversation_id)
    if conversation is None:
        raise not_found("The conversation")
    note_id, now = _id_of(user_id, command), tx.now_ms()
    if not notes.add(
        tx.conn, id=note_id, call_id=None, conversation_id=conversation_id, user_id=user_id, text=text, created_at=now,
        updated_at=now, version=1,
    ):  # fmt: skip
        return _as_is(tx.conn, note_id)
    indexing.note(tx.conn, note_id)
    tx.append(_noted(conversation, user_id, note_id, 1, command))
    return Note(note_id, 1, text)


def change(tx: Tx, note_id: str, user_id: str, role: str, text: str, version: int) -> Note:
    """The user's own note on a customer says this from now on; '' takes it away. Repeatable.

    Supervisors and administrators may take away anybody's, but put words into nobody's mouth. Raises DeskError
    not_found, or changed (409), Invalid.
    """
    text = _whole(text) if text.strip() else ""
    row = notes.get(tx.conn, note_id)
    if row is None or row["call_id"] is not None or not (row["user_id"] == user_id or (role in LEADERS and not text)):
        raise not_found("The note")
    known = _as_is(tx.conn, note_id)
    if known.version == version and known.text != text:
        if notes.change(tx.conn, note_id, text, tx.now_ms(), version):
            indexing.note(tx.conn, note_id)
            conversation = conversations.get(tx.conn, row["conversation_id"])
            assert conversation is not None, "a note's conversation stays"
            tx.append(_noted(conversation, user_id, note_id, version + 1, None))
            return Note(note_id, version + 1, text)
        known = _as_is(tx.conn, note_id)
    if known.text == text:
        return known
    raise _changed(known)


def _as_is(conn: Connection, note_id: str) -> Note:
    row = notes.get(conn, note_id)
    assert row is not None, "a note that was written stays, if only as an empty one"
    return Note(note_id, row["version"], row["text"])


def _changed(known: Note) -> DeskError:
    newer = {"version": known.version, "text": known.text}
    return DeskError("changed", "This note was changed elsewhere.", 409, newer)


def _id_of(user_id: str, command: str) -> str:
    """What is posted twice, since its answer was lost, is one note."""
    return hashlib.blake2s(f"{user_id}:{command}".encode(), digest_size=13).hexdigest()


def _noted(conversation: Mapping[str, Any], user_id: str, note_id: str, version: int, command: str | None) -> Event:
    return Event(
        CONVERSATION_NOTED,
        audience=line_audience(conversation["line_id"]),
        actor=f"user:{user_id}",
        conversation_id=conversation["id"],
        line_id=conversation["line_id"],
        user_id=user_id,
        data={"note": note_id, "version": version, "command": command},
    )


def _whole(text: str) -> str:
    text = storable(text).strip()
    if not text:
        raise Invalid({"text": "Write something."}, "A note needs a text.")
    if len(text) > LONGEST:
        raise Invalid({"text": f"Use at most {LONGEST:,} characters."}, f"A note has at most {LONGEST:,} characters.")
    return text


def storable(text: str) -> str:
    """Without what no database keeps: the character 0, and halves of surrogate pairs that a cut has left."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode("utf-8")


def _noted_call(conn: Connection, call_id: str, user_id: str, role: str) -> str:
    top = parties.top_of(conn, call_id)
    call = calls.get(conn, top) if top is not None else None
    if call is None or not (
        parties.took_part(conn, call["id"], user_id) or people.sees_line(conn, user_id, role, call["line_id"])
    ):
        raise not_found("The call")
    return str(call["id"])


def _of_user(conn: Connection, call_id: str, user_id: str) -> Note:
    row = notes.of_user(conn, call_id, user_id)
    return Note(None, 0, "") if row is None else Note(row["id"], row["version"], row["text"])

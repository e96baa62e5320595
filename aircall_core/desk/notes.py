"""Notes on calls. Whoever takes part, took part or may see the line writes one; it is saved as they type.

Each save is the whole text and the version it was made from. Of two tabs that write from one version, the second is
told what the first has written, and puts both together: nothing is overwritten that its writer has not seen.
"""

from dataclasses import dataclass
from typing import Final

from aircall_core.desk.errors import DeskError, Invalid, not_found
from aircall_core.desk.ringing import call_event
from aircall_core.domain.events import CALL_NOTED
from aircall_core.ids import new_id
from aircall_core.store import Connection, calls, notes, parties, people
from aircall_core.store.engine import Tx

LONGEST: Final = 20_000  # characters


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
    tx.take_turn()  # two tabs that begin the same note
    top = _noted_call(tx.conn, call_id, user_id, role)
    known = _of_user(tx.conn, top, user_id)
    if known.text == text:
        return known
    if known.version != version:
        newer = {"version": known.version, "text": known.text}
        raise DeskError("changed", "This note was changed elsewhere.", 409, newer)
    call = calls.get(tx.conn, top)
    assert call is not None
    now, note_id = tx.now_ms(), known.id or new_id()
    if known.id is not None:
        notes.change(tx.conn, note_id, text, now)
    else:
        notes.add(
            tx.conn, id=note_id, call_id=top, conversation_id=call["conversation_id"], user_id=user_id, text=text,
            created_at=now, updated_at=now, version=1,
        )  # fmt: skip
    actor = f"user:{user_id}"
    tx.append(call_event(CALL_NOTED, call, actor, user_id=user_id, note=note_id, version=known.version + 1))
    return Note(note_id, known.version + 1, text)


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

"""What a user has begun to write to a customer: saved as typed and, like notes, never overwritten unseen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aircall_core.desk.errors import DeskError, Invalid, not_found
from aircall_core.desk.notes import storable
from aircall_core.domain.message import LONGEST, MOST_FILES
from aircall_core.store import Connection, Tx, drafts, messages
from aircall_core.store.queries import conversation as conversation_queries

LONGEST_DRAFT = 4 * LONGEST  # too long to send is not too long to keep


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as it is now. Version 0: not begun. ``files`` as browsers are told of them."""

    text: str
    files: list[dict[str, Any]]
    version: int

    def says(self, text: str, files: Sequence[str]) -> bool:
        """Whether it is this text with the files of these ids."""
        return self.text == text and [one["id"] for one in self.files] == list(files)


def read(conn: Connection, conversation_id: str, user_id: str, role: str) -> Draft:
    """The user's own draft. Raises DeskError not_found."""
    _must_see(conn, conversation_id, user_id, role)
    return _of_user(conn, conversation_id, user_id)


def write(
    tx: Tx, conversation_id: str, user_id: str, role: str, text: str, files: Sequence[str], version: int
) -> Draft:
    """The draft says this from now on; it was written from ``version``. Repeatable: what it says already stays.

    Raises DeskError not_found, changed (409, with ``version``, ``text``, ``attachments``); Invalid.
    """
    text = storable(text)
    if len(text) > LONGEST_DRAFT:
        raise Invalid({"text": f"Use at most {LONGEST_DRAFT:,} characters."})
    if len(files) > MOST_FILES:
        raise Invalid({"attachments": f"Send at most {MOST_FILES} files."})
    _must_see(tx.conn, conversation_id, user_id, role)
    kept = _own_files(tx.conn, conversation_id, user_id, files)
    ids = [one["id"] for one in kept]
    # No lock: every user's every pause in typing comes here. Of two tabs, one finds the version that it knows.
    known = _of_user(tx.conn, conversation_id, user_id)
    if known.version == version and not known.says(text, ids):
        if drafts.put(tx.conn, conversation_id, user_id, text, ids, tx.now_ms(), version):
            return Draft(text, kept, version + 1)
        known = _of_user(tx.conn, conversation_id, user_id)
    if known.says(text, ids):
        return known
    newer = {"version": known.version, "text": known.text, "attachments": known.files}
    raise DeskError("changed", "This draft was changed elsewhere.", 409, newer)


def _must_see(conn: Connection, conversation_id: str, user_id: str, role: str) -> None:
    if not conversation_queries.may_see(conn, conversation_id, user_id, role):
        raise not_found("The conversation")


def _of_user(conn: Connection, conversation_id: str, user_id: str) -> Draft:
    row = drafts.get(conn, conversation_id, user_id)
    if row is None:
        return Draft("", [], 0)
    return Draft(row["body"], _own_files(conn, conversation_id, user_id, row["attachments"]), row["version"])


def _own_files(conn: Connection, conversation_id: str, user_id: str, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Those of these files that the user has uploaded here and not sent."""
    return [
        messages.shown_file(row)
        for row in messages.files(conn, list(dict.fromkeys(ids)))
        if (row["conversation_id"], row["user_id"], row["message_id"]) == (conversation_id, user_id, None)
    ]

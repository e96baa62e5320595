"""Files of texts, on disk below the data folder: private, under names that nobody chose, and never run by a browser."""

import os
from pathlib import Path
from typing import Any, Final

from aircall_core.desk.errors import DeskError, Invalid, not_found
from aircall_core.domain.file_type import safe_name, sniff
from aircall_core.domain.message import LARGEST_FILES
from aircall_core.store import Connection, Tx
from aircall_core.store import messages as rows
from aircall_core.store.queries import conversation as conversation_queries

FOLDER: Final = "attachments"
LEFT: Final = "attachments.left"  # a due row: see `clear_left`
LEFT_MS: Final = 7 * 24 * 3600 * 1000  # an uploaded file that went with no text is kept so long
HEAD: Final = 64  # bytes that tell what a file is


def path_of(file_id: str) -> str:
    """Where a file lies, relative to the data folder."""
    return f"{FOLDER}/{file_id[-2:]}/{file_id}"


def keep(data_dir: Path, file_id: str, data: bytes) -> str:
    """Write a file; its path relative to the data folder. It is there whole, or not at all."""
    name = path_of(file_id)
    target = data_dir / name
    for folder in (target.parent.parent, target.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(target)
    return name


def inside(data_dir: Path, name: str) -> Path:
    """A file below the data folder. Rows are ours, but a restored backup may be anybody's."""
    path = (data_dir / name).resolve()
    if not path.is_relative_to((data_dir / FOLDER).resolve()):
        raise not_found("The file")
    return path


def forget(data_dir: Path, name: str) -> None:
    """Delete a file, if it is there."""
    if name:
        inside(data_dir, name).unlink(missing_ok=True)


def kind_of(data: bytes) -> str:
    """The media type of an uploaded file. Raises Invalid for one that texts cannot carry."""
    if not data:
        raise Invalid({"file": "The file is empty."})
    if len(data) > LARGEST_FILES:
        raise Invalid({"file": f"Choose a file of at most {LARGEST_FILES // 1_000_000} MB."})
    kind = sniff(data[:HEAD])
    if kind is None:
        raise Invalid({"file": "Choose a picture, a sound, a video, a PDF or a contact card."})
    return kind


def may_attach(conn: Connection, conversation_id: str, user_id: str, role: str) -> None:
    """Raises DeskError not_found unless the user sees the conversation."""
    if not conversation_queries.may_see(conn, conversation_id, user_id, role):
        raise not_found("The conversation")


def add(tx: Tx, file_id: str, conversation_id: str, user_id: str, name: str, kind: str, size: int) -> dict[str, Any]:
    """An uploaded file, which lies there already; as browsers are told of it."""
    row = {
        "id": file_id, "conversation_id": conversation_id, "user_id": user_id, "name": safe_name(name, kind),
        "content_type": kind, "size_bytes": size, "path": path_of(file_id), "created_at": tx.now_ms(),
    }  # fmt: skip
    rows.add_file(tx.conn, **row)
    return rows.shown_file({**row, "reason": None})


def seen(conn: Connection, file_id: str, user_id: str, role: str) -> dict[str, Any]:
    """The row of a file that the user may see. Raises DeskError not_found."""
    row = rows.file(conn, file_id)
    if row is None or not conversation_queries.may_see(conn, row["conversation_id"], user_id, role):
        raise not_found("The file")
    if row["message_id"] is None and row["user_id"] != user_id:  # others' drafts are theirs
        raise not_found("The file")
    return row


def take_back(tx: Tx, file_id: str, user_id: str, role: str) -> str:
    """The user does not send it after all; the path to delete. Raises DeskError not_found, sent (409)."""
    row = seen(tx.conn, file_id, user_id, role)
    if not rows.drop_file(tx.conn, file_id):
        raise DeskError("sent", "This file went with a text.")
    return str(row["path"])


def clear_left(tx: Tx, at: int, most: int = 200) -> list[str]:
    """Forget uploaded files that went with no text for a week; their paths, to delete."""
    left = rows.left_files(tx.conn, at - LEFT_MS, most)
    return [row["path"] for row in left if rows.drop_file(tx.conn, row["id"])]

"""Prompts of the company: what callers hear, made elsewhere (sounds.py) and kept here by name.

A prompt's file never changes, and outlives its row by a day: a call that began with an older flow still plays it.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from aircall_core.desk import audit, flow_uses
from aircall_core.desk.errors import DeskError, Invalid, not_found
from aircall_core.domain.events import PROMPT_CHANGED, STAFF, Event
from aircall_core.store import Connection, Tx, due
from aircall_core.store import prompts as rows

KINDS: Final = ("uploaded", "recorded", "spoken")
FOLDER: Final = "prompts"  # in the data folder
MOST: Final = 500
_LONGEST_NAME = 80
REMOVED: Final = "prompt_removed"  # the due row that ends a file
_KEPT_MS: Final = 86_400_000


def path_of(prompt_id: str) -> str:
    """Where a prompt's file lies, relative to the data folder."""
    return f"{FOLDER}/{prompt_id}.wav"


def add(tx: Tx, actor: str, *, prompt_id: str, name: str, kind: str, duration_ms: int, text: str = "") -> None:
    """A new prompt whose file lies at `path_of` already."""
    name = free_name(tx.conn, name)
    if len(rows.all_prompts(tx.conn)) >= MOST:
        raise DeskError("too_many", f"There are {MOST} prompts already. Remove one that is not used.")
    values: dict[str, Any] = {"name": name, "kind": kind, "text": text, "duration_ms": duration_ms}
    author = actor.removeprefix("user:") if actor.startswith("user:") else None
    rows.add(
        tx.conn, id=prompt_id, path=path_of(prompt_id), created_at=tx.now_ms(), created_by=author, **values
    )  # fmt: skip
    _changed(tx, actor, prompt_id)
    told = audit.differences({"text": ""}, values, ("kind", "text"))
    audit.note(tx, actor, "prompt.created", prompt_id, name, told)


def rename(tx: Tx, actor: str, prompt_id: str, name: str) -> None:
    """Another name; flows refer to prompts by their id."""
    known = _known(tx, prompt_id)
    name = free_name(tx.conn, name, prompt_id)
    if name == known["name"]:
        return
    rows.rename(tx.conn, prompt_id, name)
    _changed(tx, actor, prompt_id)
    audit.note(tx, actor, PROMPT_CHANGED, prompt_id, name, {"name": (known["name"], name)})


def remove(tx: Tx, actor: str, prompt_id: str) -> None:
    """Remove a prompt that no line's flow plays. Its file stays for calls in progress, and is due a day later."""
    known = _known(tx, prompt_id)
    lines = flow_uses.lines_using(tx, flow_uses.PROMPT, prompt_id)
    if lines:
        raise DeskError("in_use", f"{_listed(lines)} plays this prompt. Choose another one in that flow first.")
    rows.remove(tx.conn, prompt_id)
    due.put(tx.conn, REMOVED, prompt_id, tx.now_ms() + _KEPT_MS)
    _changed(tx, actor, prompt_id)
    audit.note(tx, actor, "prompt.removed", prompt_id, known["name"])


def free_name(conn: Connection, name: str, prompt_id: str | None = None) -> str:
    """The name in the form it is kept, if no other prompt has it. Raises Invalid."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= _LONGEST_NAME:
        raise Invalid({"name": f"Enter a name of at most {_LONGEST_NAME} characters, such as Welcome."})
    other = rows.prompt_named(conn, name)
    if other is not None and other["id"] != prompt_id:
        raise Invalid({"name": "Another prompt has this name."})
    return name


def delete_file(data_dir: Path, prompt_id: str) -> None:
    """A removed prompt's day is over: its file goes, and with it what uploads that broke off have left behind.

    Only what a removal names is deleted: a console that was pointed at another store must not lose its sounds.
    """
    folder = data_dir / FOLDER
    (folder / Path(path_of(prompt_id)).name).unlink(missing_ok=True)
    for part in folder.glob("*.part"):
        if part.stat().st_mtime < time.time() - _KEPT_MS / 1000:
            part.unlink(missing_ok=True)


def _known(tx: Tx, prompt_id: str) -> dict[str, Any]:
    found = rows.prompt(tx.conn, prompt_id)
    if found is None:
        raise not_found("The prompt")
    return found


def _listed(lines: Sequence[str]) -> str:
    if len(lines) == 1:
        return f"The line {lines[0]}"
    return f"The line {lines[0]}, and {len(lines) - 1} more," if len(lines) > 2 else f"Each of {' and '.join(lines)}"


def _changed(tx: Tx, actor: str, prompt_id: str) -> None:
    tx.append(Event(PROMPT_CHANGED, STAFF, actor, data={"id": prompt_id}))

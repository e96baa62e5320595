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
from aircall_core.store import Store, Tx
from aircall_core.store import prompts as rows

KINDS: Final = ("uploaded", "recorded", "spoken")
FOLDER: Final = "prompts"  # in the data folder
MOST: Final = 500
_LONGEST_NAME = 80
_GRACE_S: Final = 24 * 3600
_CHUNK = 200


def path_of(prompt_id: str) -> str:
    """Where a prompt's file lies, relative to the data folder."""
    return f"{FOLDER}/{prompt_id}.wav"


def add(tx: Tx, actor: str, *, prompt_id: str, name: str, kind: str, duration_ms: int, text: str = "") -> None:
    """A new prompt whose file lies at `path_of` already."""
    name = free_name(tx, name)
    if len(rows.all_prompts(tx.conn)) >= MOST:
        raise DeskError("too_many", f"There are {MOST} prompts already. Remove one that is not used.")
    values: dict[str, Any] = {"name": name, "kind": kind, "text": text, "duration_ms": duration_ms}
    author = actor.removeprefix("user:") if actor.startswith("user:") else None
    rows.add(
        tx.conn, id=prompt_id, path=path_of(prompt_id), created_at=tx.now_ms(), created_by=author, **values
    )  # fmt: skip
    _changed(tx, actor, prompt_id)
    audit.note(tx, actor, "prompt.created", prompt_id, name, audit.differences({"text": ""}, values))


def rename(tx: Tx, actor: str, prompt_id: str, name: str) -> None:
    """Another name; flows refer to prompts by their id."""
    known = _known(tx, prompt_id)
    name = free_name(tx, name, prompt_id)
    if name == known["name"]:
        return
    rows.rename(tx.conn, prompt_id, name)
    _changed(tx, actor, prompt_id)
    audit.note(tx, actor, PROMPT_CHANGED, prompt_id, name, {"name": (known["name"], name)})


def remove(tx: Tx, actor: str, prompt_id: str) -> None:
    """Remove a prompt that no line's flow plays. Its file stays for calls in progress: `sweep` deletes it."""
    known = _known(tx, prompt_id)
    lines = flow_uses.lines_using(tx, flow_uses.PROMPT, prompt_id)
    if lines:
        raise DeskError("in_use", f"{_listed(lines)} plays this prompt. Choose another one in that flow first.")
    rows.remove(tx.conn, prompt_id)
    _changed(tx, actor, prompt_id)
    audit.note(tx, actor, "prompt.removed", prompt_id, known["name"])


def free_name(tx: Tx, name: str, prompt_id: str | None = None) -> str:
    """The name in the form it is kept, if no other prompt has it. Raises Invalid."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= _LONGEST_NAME:
        raise Invalid({"name": f"Enter a name of at most {_LONGEST_NAME} characters, such as Welcome."})
    other = rows.prompt_named(tx.conn, name)
    if other is not None and other["id"] != prompt_id:
        raise Invalid({"name": "Another prompt has this name."})
    return name


def sweep(store: Store, data_dir: Path, grace_s: float = _GRACE_S) -> int:
    """Delete the files that no prompt is in any more, and what an upload that broke off left behind; how many."""
    before = time.time() - grace_s
    old = [path for path in sorted((data_dir / FOLDER).glob("*.wav*")) if path.stat().st_mtime < before]
    deleted = 0
    for start in range(0, len(old), _CHUNK):
        chunk = old[start : start + _CHUNK]
        with store.read() as conn:
            kept = rows.known_paths(conn, [f"{FOLDER}/{path.name}" for path in chunk])
        for path in chunk:
            if f"{FOLDER}/{path.name}" not in kept:
                path.unlink(missing_ok=True)
                deleted += 1
    return deleted


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

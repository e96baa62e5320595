"""The company's tags: made, renamed, coloured, archived. (Tagging a call: desk/tags.py.)"""

import re
from typing import Any

from aircall_core import ids
from aircall_core.desk import audit
from aircall_core.desk.errors import DeskError, Invalid, or_not_found
from aircall_core.domain.events import STAFF, TAG_CHANGED, Event
from aircall_core.store import Tx
from aircall_core.store import tags as rows

_COLOR = re.compile(r"#[0-9a-f]{6}")
_LONGEST = 40


def create(tx: Tx, actor: str, *, name: str, color: str) -> str:
    """A new tag; its id."""
    values = {"name": _name(tx, name, None), "color": _color(color)}
    tag_id = ids.new_id()
    rows.add(tx.conn, id=tag_id, created_at=tx.now_ms(), **values)
    _changed(tx, actor, tag_id)
    audit.note(tx, actor, "tag.created", tag_id, values["name"], audit.differences(None, values))
    return tag_id


def change(
    tx: Tx, actor: str, tag_id: str, *, name: str | None = None, color: str | None = None, archived: bool | None = None
) -> None:
    """Change what is given. An archived tag stays on its calls and cannot be chosen any more."""
    known = or_not_found(rows.tag(tx.conn, tag_id), "The tag")
    values: dict[str, Any] = {}
    if name is not None:
        values["name"] = _name(tx, name, tag_id)
    if color is not None:
        values["color"] = _color(color)
    if archived is not None:
        values["archived"] = archived
    changes = audit.differences(known, values)
    if not changes:
        return
    rows.change(tx.conn, tag_id, **values)
    _changed(tx, actor, tag_id)
    audit.note(tx, actor, TAG_CHANGED, tag_id, values.get("name", known["name"]), changes)


def remove(tx: Tx, actor: str, tag_id: str) -> None:
    """Remove a tag that no call bears; one that is borne can be archived."""
    known = or_not_found(rows.tag(tx.conn, tag_id), "The tag")
    if rows.is_used(tx.conn, tag_id):
        raise DeskError("in_use", "Calls bear this tag, which stays with them. Archive it instead.")
    rows.remove(tx.conn, tag_id)
    _changed(tx, actor, tag_id)
    audit.note(tx, actor, "tag.removed", tag_id, known["name"])


def _name(tx: Tx, name: str, tag_id: str | None) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= _LONGEST:
        raise Invalid({"name": f"Enter a name of at most {_LONGEST} characters."})
    other = rows.tag_named(tx.conn, name)
    if other is not None and other["id"] != tag_id:
        where = "An archived tag" if other["archived"] else "Another tag"
        raise Invalid({"name": f"{where} has this name."})
    return name


def _color(color: str) -> str:
    color = color.strip().lower()
    if not _COLOR.fullmatch(color):
        raise Invalid({"color": "Choose a colour, such as #2458c5."})
    return color


def _changed(tx: Tx, actor: str, tag_id: str) -> None:
    tx.append(Event(TAG_CHANGED, STAFF, actor, data={"id": tag_id}))

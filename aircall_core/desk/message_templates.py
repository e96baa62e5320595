"""Templates of texts, for every line or for one. What they are filled with: domain/text_template.py."""

from collections.abc import Mapping
from typing import Any, Final

from aircall_core import ids
from aircall_core.desk import audit
from aircall_core.desk.errors import Invalid, or_not_found
from aircall_core.desk.notes import storable
from aircall_core.domain.events import MESSAGING_CHANGED, STAFF, Event
from aircall_core.domain.message import LONGEST
from aircall_core.domain.text_template import VARIABLES, unknown_in
from aircall_core.store import Tx, provisioning
from aircall_core.store import message_settings as rows

_LONGEST_NAME: Final = 80
_COLUMNS: Final = ("name", "body", "line_id")


def create(tx: Tx, actor: str, **wanted: Any) -> str:
    """A new template (name, body, line_id: None for every line); its id."""
    values = _checked(tx, wanted, None)
    template_id = ids.new_id()
    by = actor.removeprefix("user:") if actor.startswith("user:") else None
    rows.add_template(tx.conn, id=template_id, created_by=by, created_at=tx.now_ms(), **values)
    _changed(tx, actor, template_id)
    audit.note(tx, actor, "message_template.created", template_id, values["name"], audit.differences(None, values))
    return template_id


def change(tx: Tx, actor: str, template_id: str, **wanted: Any) -> None:
    """Change what is given."""
    known = or_not_found(rows.template_for_change(tx.conn, template_id), "The template")
    values = _checked(tx, {**{name: known[name] for name in _COLUMNS}, **wanted}, template_id)
    changes = audit.differences(known, values)
    if not changes:
        return
    rows.change_template(tx.conn, template_id, **{name: after for name, (_, after) in changes.items()})
    _changed(tx, actor, template_id)
    audit.note(tx, actor, "message_template.changed", template_id, values["name"], changes)


def remove(tx: Tx, actor: str, template_id: str) -> None:
    """Remove a template; texts made with it stay."""
    known = or_not_found(rows.template_for_change(tx.conn, template_id), "The template")
    rows.remove_template(tx.conn, template_id)
    _changed(tx, actor, template_id)
    audit.note(tx, actor, "message_template.removed", template_id, known["name"])


def _checked(tx: Tx, wanted: Mapping[str, Any], template_id: str | None) -> dict[str, Any]:
    wrong: dict[str, str] = {}
    name = " ".join(str(wanted.get("name") or "").split())
    if not 1 <= len(name) <= _LONGEST_NAME:
        wrong["name"] = f"Enter a name of at most {_LONGEST_NAME} characters, such as Opening hours."
    elif (other := rows.template_named(tx.conn, name)) and other["id"] != template_id:
        wrong["name"] = "Another template has this name."
    body = storable(str(wanted.get("body") or "")).strip()
    if not 1 <= len(body) <= LONGEST:
        wrong["body"] = f"Enter a text of at most {LONGEST} characters."
    elif unknown := unknown_in(body):
        marks = ", ".join(f"{{{{{one}}}}}" for one in VARIABLES)
        wrong["body"] = f"There is no {{{{{unknown[0]}}}}}. Use {marks}."
    line_id = wanted.get("line_id") or None
    if line_id and provisioning.line(tx.conn, line_id) is None:
        wrong["line_id"] = "This line does not exist any more."
    if wrong:
        raise Invalid(wrong)
    return {"name": name, "body": body, "line_id": line_id}


def _changed(tx: Tx, actor: str, template_id: str) -> None:
    tx.append(Event(MESSAGING_CHANGED, STAFF, actor, data={"what": "template", "id": template_id}))

"""Custom fields: what a company wants to know of its contacts beyond name and numbers."""

from collections.abc import Mapping
from typing import Any, Final

from aircall_core import ids
from aircall_core.desk import audit
from aircall_core.desk.errors import Invalid, not_found
from aircall_core.domain import contact as rules
from aircall_core.domain.events import CONTACT_CHANGED, STAFF, Event
from aircall_core.store import Connection, Tx
from aircall_core.store import contacts as rows

MOST: Final = 50
MOST_CHOICES: Final = 100
LONGEST_NAME: Final = 60
_KEPT: Final = ("name", "kind", "choices", "position")


def read(conn: Connection) -> list[dict[str, Any]]:
    """All of them, in their order."""
    return rows.fields(conn)


def create(tx: Tx, actor: str, given: Mapping[str, Any]) -> str:
    """A new field at the end, or at ``position`` (from 0); its id. Raises Invalid."""
    known = rows.fields(tx.conn)
    if len(known) >= MOST:
        raise Invalid({"name": f"There are at most {MOST} fields."})
    after = _checked(known, None, {"kind": "text", "choices": [], "position": len(known), **given})
    field_id = ids.new_id()
    rows.add_field(tx.conn, id=field_id, created_at=tx.now_ms(), **after)
    _arrange(tx, [row["id"] for row in known], field_id, after["position"])
    _told(tx, actor, field_id)
    audit.note(tx, actor, "contact_field.created", field_id, after["name"], audit.differences(None, after, _KEPT))
    return field_id


def change(tx: Tx, actor: str, field_id: str, given: Mapping[str, Any]) -> None:
    """Change what is given; its kind stays what it is, since values are of that kind. Raises Invalid, not_found.

    ``position`` (from 0) is its place among the fields: the others make room.
    """
    known = rows.fields(tx.conn)
    before = next((row for row in known if row["id"] == field_id), None)
    if before is None:
        raise not_found("The field")
    if given.get("kind", before["kind"]) != before["kind"]:
        raise Invalid({"kind": "What contacts hold in it is of this kind. Make another field."})
    after = _checked(known, field_id, {**{name: before[name] for name in _KEPT}, **given})
    changes = audit.differences(before, after, _KEPT)
    if changes:
        rows.change_field(tx.conn, field_id, **{name: pair[1] for name, pair in changes.items()})
        if "position" in changes:
            _arrange(tx, [row["id"] for row in known if row["id"] != field_id], field_id, after["position"])
        _told(tx, actor, field_id)
        audit.note(tx, actor, "contact_field.changed", field_id, after["name"], changes)


def remove(tx: Tx, actor: str, field_id: str) -> None:
    """Remove a field: what contacts hold in it is shown no more. Raises DeskError not_found."""
    known = rows.fields(tx.conn)
    before = next((row for row in known if row["id"] == field_id), None)
    if before is None:
        raise not_found("The field")
    rows.remove_field(tx.conn, field_id)
    for place, row in enumerate(row for row in known if row["id"] != field_id):
        rows.change_field(tx.conn, row["id"], position=place)
    _told(tx, actor, field_id)
    audit.note(tx, actor, "contact_field.removed", field_id, before["name"])


def _checked(known: list[dict[str, Any]], field_id: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    wrong: dict[str, str] = {}
    name = rules.one_line(str(given.get("name") or ""))
    if not 1 <= len(name) <= LONGEST_NAME:
        wrong["name"] = f"Enter a name of at most {LONGEST_NAME} characters."
    elif any(rules.key(row["name"]) == rules.key(name) and row["id"] != field_id for row in known):
        wrong["name"] = "Another field has this name."
    if given["kind"] not in rules.FIELD_KINDS:
        wrong["kind"] = f"Choose {', '.join(rules.FIELD_KINDS)}."
    choices = list(dict.fromkeys(filter(None, (rules.one_line(str(one)) for one in given["choices"] or []))))
    if given["kind"] == "choice" and not choices:
        wrong["choices"] = "Enter at least one choice."
    if len(choices) > MOST_CHOICES or any(len(one) > rules.LONGEST_NAME for one in choices):
        wrong["choices"] = f"Enter at most {MOST_CHOICES} choices of at most {rules.LONGEST_NAME} characters each."
    if wrong:
        raise Invalid(wrong)
    own = choices if given["kind"] == "choice" else []
    last = len(known) if field_id is None else len(known) - 1
    place = last if given["position"] is None else max(0, min(given["position"], last))
    return {"name": name, "kind": given["kind"], "choices": own, "position": place}


def _arrange(tx: Tx, others: list[str], field_id: str, place: int) -> None:
    """Number all fields in their order, this one at its place: there are few, and no two stand at the same."""
    for position, one in enumerate([*others[:place], field_id, *others[place:]]):
        rows.change_field(tx.conn, one, position=position)


def _told(tx: Tx, actor: str, field_id: str) -> None:
    tx.append(Event(CONTACT_CHANGED, STAFF, actor, data={"contact": None, "field": field_id, "what": "field"}))

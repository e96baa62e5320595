"""Opening hours of lines and working hours of users: made, changed and removed."""

from collections.abc import Mapping
from typing import Any, Final

from aircall_core import holidays_of, ids
from aircall_core.desk import audit, availability, flow_uses
from aircall_core.desk.errors import DeskError, Invalid, or_not_found
from aircall_core.domain import hours
from aircall_core.domain.events import SCHEDULE_CHANGED, STAFF, Event
from aircall_core.store import Tx
from aircall_core.store import schedules as rows

open_intervals = rows.open_intervals  # asked as calls arrive: by ids of schedules, within a time

_COLUMNS: Final = ("name", "timezone", "weekly", "country", "subdivision", "special")
_WHY: Final = {
    "no_time": "Write times like 09:00, and 24:00 for the end of the day.",
    "empty": "These hours begin and end at the same time.",
    "overlap": "These hours overlap.",
    "too_many": f"At most {hours.MOST_SPANS} times a day, and {hours.MOST_SPECIAL} special days.",
    "seven_days": "The week has seven days, Monday first.",
    "no_date": "Write dates like 2026-12-24.",
    "unknown": "Choose a time zone, such as Europe/Paris.",
}


def create(tx: Tx, actor: str, wanted: Mapping[str, Any]) -> str:
    """A new schedule; its id. Invalid says which field, day or date is wrong."""
    before: dict[str, Any] = {
        "name": "",
        "timezone": "",
        "weekly": [[]] * 7,
        "country": None,
        "subdivision": None,
        "special": {},
    }
    values = _checked(tx, {**before, **wanted}, None)
    schedule_id = ids.new_id()
    rows.add(tx.conn, id=schedule_id, created_at=tx.now_ms(), **values)
    _changed(tx, actor, schedule_id)
    audit.note(tx, actor, "schedule.created", schedule_id, values["name"], audit.differences(None, values))
    return schedule_id


def change(tx: Tx, actor: str, schedule_id: str, wanted: Mapping[str, Any]) -> None:
    """Change what is given of a schedule: callers and users are judged by it from now on."""
    tx.take_turn()  # who is rung may change with it
    known = or_not_found(rows.schedule(tx.conn, schedule_id), "The hours")
    values = _checked(tx, {**{key: known[key] for key in _COLUMNS}, **wanted}, schedule_id)
    changes = audit.differences(known, values)
    if not changes:
        return
    rows.change(tx.conn, schedule_id, **values)
    _changed(tx, actor, schedule_id)
    availability.hours_changed(tx, schedule_id, actor)
    audit.note(tx, actor, SCHEDULE_CHANGED, schedule_id, values["name"], changes)


def remove(tx: Tx, actor: str, schedule_id: str) -> None:
    """Remove a schedule that no line's flow and no user needs."""
    known = or_not_found(rows.schedule(tx.conn, schedule_id), "The hours")
    users_and_lines = flow_uses.lines_using(tx, flow_uses.SCHEDULE, schedule_id) + rows.users_of(tx.conn, schedule_id)
    if users_and_lines:
        names = ", ".join(users_and_lines[:5])
        raise DeskError("in_use", f"These hours are used by {names}. Choose others there first.")
    rows.remove(tx.conn, schedule_id)
    _changed(tx, actor, schedule_id)
    audit.note(tx, actor, "schedule.removed", schedule_id, known["name"])


def _checked(tx: Tx, wanted: Mapping[str, Any], schedule_id: str | None) -> dict[str, Any]:
    """The schedule's columns in the form they are kept. Invalid says what is wrong with each."""
    wrong: dict[str, str] = {}
    name = " ".join(str(wanted["name"]).split())
    other = rows.schedule_named(tx.conn, name)
    if not 1 <= len(name) <= 80:
        wrong["name"] = "Enter a name of at most 80 characters, such as Office hours."
    elif other is not None and other["id"] != schedule_id:
        wrong["name"] = "Other hours have this name."
    country = str(wanted["country"] or "").strip().upper() or None
    subdivision = str(wanted["subdivision"] or "").strip() or None if country else None
    regions = holidays_of.supported()
    if country is not None and country not in regions:
        wrong["country"] = "The public holidays of this country are not known here. Enter them as special days."
    elif country is not None and subdivision is not None and subdivision not in regions[country]:
        wrong["subdivision"] = "Choose one of the country's regions."
    try:
        hours.parse(wanted)
    except hours.BadSchedule as bad:
        wrong[bad.field] = f"{_WHY[bad.problem]} {bad.text}".strip()
    if wrong:
        raise Invalid(wrong)
    return {
        "name": name,
        "timezone": wanted["timezone"],
        "weekly": [[list(span) for span in day] for day in wanted["weekly"]],
        "country": country,
        "subdivision": subdivision,
        "special": {day: [list(span) for span in spans] for day, spans in sorted(wanted["special"].items())},
    }


def _changed(tx: Tx, actor: str, schedule_id: str) -> None:
    tx.append(Event(SCHEDULE_CHANGED, STAFF, actor, data={"id": schedule_id}))

"""How a user works, as an administrator sets it: after-call work, working hours, call waiting, how much they dial."""

from collections.abc import Mapping
from typing import Any, Final

from aircall_core.desk import audit, availability, dialling
from aircall_core.desk.errors import Invalid, not_found
from aircall_core.domain.events import STAFF, USER_CHANGED, Event
from aircall_core.store import people, schedules, states
from aircall_core.store.engine import Tx

LONGEST_WRAP_UP_S: Final = 900
SETTINGS: Final[tuple[str, ...]] = ("wrap_up_s", "schedule_id", "call_waiting", "dial_cap")


def change(tx: Tx, actor: str, user_id: str, wanted: Mapping[str, Any]) -> None:
    """Set what is given of `SETTINGS`: ``wrap_up_s`` (seconds, 0: none), ``schedule_id`` ('': none), ``call_waiting``,
    ``dial_cap`` (calls out in 24 hours; negative: the company's). Raises Invalid.

    A wrap-up that is running keeps its time.
    """
    tx.take_turn()
    people.hold(tx.conn, [user_id])
    user = people.user(tx.conn, user_id)
    if user is None:
        raise not_found("The user")
    values = {name: wanted[name] for name in SETTINGS if name in wanted}
    wrong: dict[str, str] = {}
    if not 0 <= int(values.get("wrap_up_s", 0)) <= LONGEST_WRAP_UP_S:
        wrong["wrap_up_s"] = f"Use 0 to {LONGEST_WRAP_UP_S} seconds."
    if "schedule_id" in values:
        values["schedule_id"] = values["schedule_id"] or None
        if values["schedule_id"] is not None and schedules.schedule(tx.conn, values["schedule_id"]) is None:
            wrong["schedule_id"] = "These hours do not exist any more."
    if "dial_cap" in values:
        wrong |= dialling.cap_problems(values["dial_cap"])
        values["dial_cap"] = dialling.own_cap(values["dial_cap"])
    if wrong:
        raise Invalid(wrong)
    changes = audit.differences(user, values)
    if not changes:
        return
    states.change(tx.conn, user_id, **values)
    tx.append(Event(USER_CHANGED, STAFF, actor, user_id=user_id, data={"id": user_id}))
    audit.note(tx, actor, USER_CHANGED, user_id, user["name"], changes)
    availability.follow_hours(tx, user_id)
    availability.settle(tx, [user_id], actor)

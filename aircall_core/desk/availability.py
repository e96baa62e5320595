"""Whether a user can be rung: what they choose, their duty switch, the leases of their browser tabs, and the history.

The status itself is never decided here. It is derived from what is so (domain/availability.py); `settle` compares it
with what was last written, and whoever changes a cause calls that in the same transaction.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from aircall_core import holidays_of
from aircall_core.desk.distribution import became_available
from aircall_core.desk.errors import DeskError, Invalid, not_found
from aircall_core.domain import hours
from aircall_core.domain.availability import BY_ADMIN, CHOICES, MISSED_CALLS, REASONS, Status
from aircall_core.domain.events import STAFF, USER_CHOICE, USER_DUTY, USER_STATUS, Event
from aircall_core.store import due, people, provisioning, schedules, states
from aircall_core.store.engine import Tx

TAB_LEASE_MS = 15_000  # a tab that has not beaten for so long is gone
RELOAD_GRACE_MS = 5_000  # a closed socket may be a reload
AUTO_PAUSE = "auto_pause_after"  # settings key: how many missed rings in a row pause a user; 0: never
HOURS = "hours"  # kind of due row: the next beginning or end of the working hours of a user on "auto"


@dataclass(frozen=True, slots=True)
class Beat:
    """What a tab says of itself. ``armed``: its microphone and sound are ready; times in ms."""

    tab_id: str
    user_id: str
    session_id: str
    browser_id: str
    armed: bool
    mic: str
    focused_at: int
    connected_at: int


# ---- the derived status


def settle(
    tx: Tx, user_ids: Collection[str], actor: str, *, talked: bool = True, since: int | None = None
) -> list[str]:
    """Write down what these users' statuses have become; who became available is rung for what waits. Repeatable.

    The idle clock begins anew with it, as after a call, wrap-up, tagging, or being unavailable or away;
    ``talked`` False: they were only trying to take a call. ``since`` (ms) is when it became so, if that was before
    now. Returns the ids of those whose status changed.
    """
    people.hold(tx.conn, user_ids)
    now = tx.now_ms()
    written = states.noted(tx.conn, user_ids)
    changed: list[str] = []
    for one in people.standings_of(tx.conn, user_ids, now):
        before, status = written[one.user_id], one.status
        if one.waiting:  # a second call may ring them
            became_available(tx, one.user_id, actor)
        never_here = before.since is None and not one.active
        if never_here or (status, one.status_reason) == (before.status, before.reason):
            continue
        at = max(before.since or 0, min(now, since or now))
        available = status is Status.AVAILABLE
        states.note(tx.conn, one.user_id, status, one.status_reason, at, since=before.since, idle=available and talked)
        told = {"status": status.value, "reason": one.status_reason, "since": at}
        tx.append(Event(USER_STATUS, STAFF, actor, user_id=one.user_id, data=told))
        changed.append(one.user_id)
        if available:
            became_available(tx, one.user_id, actor)
    return changed


# ---- what the user chooses


def set_duty(tx: Tx, user_id: str, *, on: bool, command: str) -> None:
    """Go on or off duty. Going on, the user is rung at once for what rings on their lines. Repeatable.

    Going off does not take calls away: what rings goes on ringing, a call goes on.
    """
    tx.take_turn()
    _active(tx, user_id)
    if people.set_duty(tx.conn, user_id, on, tx.now_ms()):
        data = {"on": on, "command": command}
        tx.append(Event(USER_DUTY, STAFF, f"user:{user_id}", user_id=user_id, data=data))
    settle(tx, [user_id], f"user:{user_id}")


def choose(tx: Tx, user_id: str, choice: str, reason: str | None, command: str) -> None:
    """The user is available, available in their working hours (auto), or unavailable for a reason. Repeatable.

    Choosing anything but unavailable ends a pause after missed calls. Raises Invalid.
    """
    if choice == "unavailable" and reason not in REASONS:
        raise Invalid({"reason": f"Say why: {', '.join(REASONS)}."})
    if choice != "unavailable" and reason:
        raise Invalid({"reason": "Only who is unavailable gives a reason."})
    _choose(tx, user_id, choice, reason or None, f"user:{user_id}", command)


def choose_for(tx: Tx, actor: str, user_id: str, choice: str) -> None:
    """An administrator or supervisor chooses for somebody, whose reason is not theirs to give. Raises Invalid."""
    _choose(tx, user_id, choice, BY_ADMIN if choice == "unavailable" else None, actor)


def _choose(tx: Tx, user_id: str, choice: str, reason: str | None, actor: str, command: str | None = None) -> None:
    if choice not in CHOICES:
        raise Invalid({"choice": f"Choose one of {', '.join(CHOICES)}."})
    tx.take_turn()
    user = _active(tx, user_id)
    if choice == "auto" and user["schedule_id"] is None:
        none = "You have no working hours to go by. An administrator sets them under Users."
        raise Invalid({"choice": none}, none)
    if choice != "unavailable" and user["missed_in_a_row"]:
        states.change(tx.conn, user_id, missed_in_a_row=0)
    if (choice, reason) != (user["choice"], user["choice_reason"]):
        states.change(tx.conn, user_id, choice=choice, choice_reason=reason)
        data = {"choice": choice, "reason": reason, "command": command}
        tx.append(Event(USER_CHOICE, STAFF, actor, user_id=user_id, data=data))
    follow_hours(tx, user_id)
    settle(tx, [user_id], actor)


def _active(tx: Tx, user_id: str) -> dict[str, Any]:
    people.hold(tx.conn, [user_id])
    user = people.user(tx.conn, user_id)
    if user is None:
        raise not_found("The user")
    if user["state"] != "active":
        raise DeskError("disabled", "This account is not active.", 403)
    return user


# ---- working hours


def follow_hours(tx: Tx, user_id: str) -> None:
    """See to it that somebody looks when the working hours of a user on "auto" next begin or end."""
    user = people.user(tx.conn, user_id)
    by_hours = user is not None and user["choice"] == "auto" and user["schedule_id"] is not None
    schedule = schedules.schedule(tx.conn, user["schedule_id"]) if user is not None and by_hours else None
    change = hours.next_change(holidays_of.schedule_of(schedule), tx.now_ms()) if schedule is not None else None
    if change is None:
        due.drop(tx.conn, HOURS, user_id)
    else:
        due.put(tx.conn, HOURS, user_id, change)


def hours_now(tx: Tx, user_id: str) -> None:
    """The user's working hours have begun or ended."""
    tx.take_turn()
    people.hold(tx.conn, [user_id])
    follow_hours(tx, user_id)
    settle(tx, [user_id], "system")


def hours_changed(tx: Tx, schedule_id: str, actor: str) -> None:
    """A schedule has changed: whoever works by it may have become available, or not."""
    tx.take_turn()
    users = states.on_auto(tx.conn, schedule_id)
    for user_id in users:
        follow_hours(tx, user_id)
    settle(tx, users, actor)


# ---- missed rings


def answered(tx: Tx, user_id: str, actor: str) -> None:
    """The user has taken a call: whatever they missed before is forgotten."""
    people.hold(tx.conn, [user_id])
    states.change(tx.conn, user_id, missed_in_a_row=0)
    settle(tx, [user_id], actor)


def missed(tx: Tx, user_id: str, actor: str) -> None:
    """A call rang for the user for its whole time. After so many in a row they are paused: callers ring others."""
    people.hold(tx.conn, [user_id])
    most = provisioning.setting(tx.conn, AUTO_PAUSE)
    count = states.missed_another(tx.conn, user_id)
    user = people.user(tx.conn, user_id)
    if user is not None and most and count >= most and user["choice"] != "unavailable":
        _choose(tx, user_id, "unavailable", MISSED_CALLS, actor)


# ---- tabs


def beat(tx: Tx, beats: Sequence[Beat]) -> None:
    """Tabs are alive. A user who was offline and on duty is rung for what waits on their lines."""
    at = tx.now_ms()
    back = sorted({one.user_id for one in beats if not people.is_online(tx.conn, one.user_id, at)})
    if back:
        tx.take_turn()
    for user_id in back:  # they may have been gone unnoticed, while calls came in that did not ring them
        settle(tx, [user_id], "system", since=states.last_lease_end(tx.conn, user_id))
    for one in beats:
        people.put_presence(
            tx.conn,
            one.tab_id,
            user_id=one.user_id,
            session_id=one.session_id,
            browser_id=one.browser_id,
            armed=one.armed,
            mic=one.mic[:16],
            focused_at=one.focused_at,
            connected_at=one.connected_at,
            lease_until=at + TAB_LEASE_MS,
        )
    for user_id in back:
        settle(tx, [user_id], f"user:{user_id}")


def tab_closed(tx: Tx, tab_id: str) -> None:
    """The tab's socket closed; it has the time of a reload to come back."""
    people.shorten_presence(tx.conn, tab_id, tx.now_ms() + RELOAD_GRACE_MS)


def time_passed(tx: Tx, user_id: str) -> None:
    """Something about the user may have changed by itself, such as their last tab's lease."""
    tx.take_turn()
    people.hold(tx.conn, [user_id])
    now = people.standing(tx.conn, user_id, tx.now_ms())
    gone = now is not None and now.status is Status.OFFLINE
    settle(tx, [user_id], "system", since=states.last_lease_end(tx.conn, user_id) if gone else None)


def sweep(tx: Tx) -> None:
    """Forget tabs that have been gone for an hour."""
    people.sweep_presence(tx.conn, tx.now_ms() - 3_600_000)

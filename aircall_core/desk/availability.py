"""Whether a user can be rung: their duty switch, and the leases of the browser tabs they have open."""

from collections.abc import Sequence
from dataclasses import dataclass

from aircall_core.desk.errors import DeskError
from aircall_core.desk.ringing import offer_waiting_calls
from aircall_core.domain.events import USER_DUTY, Event
from aircall_core.store import people
from aircall_core.store.engine import Tx

TAB_LEASE_MS = 15_000  # a tab that has not beaten for so long is gone
RELOAD_GRACE_MS = 5_000  # a closed socket may be a reload


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


def set_duty(tx: Tx, user_id: str, *, on: bool, command: str) -> None:
    """Go on or off duty. Going on, the user is rung at once for what rings on their lines. Repeatable.

    Going off does not take calls away: what rings goes on ringing, a call goes on.
    """
    user = people.user(tx.conn, user_id)
    if user is None or user["state"] != "active":
        raise DeskError("disabled", "This account is not active.", 403)
    at = tx.now_ms()
    if people.set_duty(tx.conn, user_id, on, at):
        tx.append(
            Event(
                kind=USER_DUTY,
                audience="staff",
                actor=f"user:{user_id}",
                user_id=user_id,
                data={"on": on, "command": command},
            )
        )
    if on:
        offer_waiting_calls(tx, user_id, at, f"user:{user_id}")


def beat(tx: Tx, beats: Sequence[Beat]) -> None:
    """Tabs are alive. A user who was offline and on duty is rung for what waits on their lines."""
    at = tx.now_ms()
    for one in beats:
        was_online = people.is_online(tx.conn, one.user_id, at)
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
        if not was_online:
            offer_waiting_calls(tx, one.user_id, at, f"user:{one.user_id}")


def tab_closed(tx: Tx, tab_id: str) -> None:
    """The tab's socket closed; it has the time of a reload to come back."""
    people.shorten_presence(tx.conn, tab_id, tx.now_ms() + RELOAD_GRACE_MS)


def sweep(tx: Tx) -> None:
    """Forget tabs that have been gone for an hour."""
    people.sweep_presence(tx.conn, tx.now_ms() - 3_600_000)

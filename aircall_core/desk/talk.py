"""What users want of the calls they talk in: hold, one of several, keys, the recording. Intents, like all wishes.

Who hears whom follows from who is on hold (docs/in-call.md); nothing here says it. What comes along with a wish (the
others go on hold, when one is talked to) is an intent of its own without a command.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from aircall_core.desk.errors import DeskError, Invalid
from aircall_core.desk.wishes import intent, own_call
from aircall_core.domain import events as kinds
from aircall_core.domain.call import TALKING, Direction, State
from aircall_core.domain.events import Event
from aircall_core.store import calls as rows
from aircall_core.store import keys as key_rows
from aircall_core.store.engine import Tx

MOST_KEYS: Final = 32
_KEYS = re.compile(rf"[0-9*#A-D,]{{1,{MOST_KEYS}}}")


def hold(tx: Tx, call_id: str, user_id: str, *, command: str, held: bool) -> None:
    """The user wants a call of theirs, or one that they made for it, on hold (True) or off.

    Off: their other calls go on hold, not those that were made for the same one. Raises as `talking` does.
    """
    call = talking(tx, call_id, user_id)
    if not held:
        _make_room(tx, user_id, top_of(call))
    tx.append(hold_intent(tx, call, user_id, held, command))


def talk(tx: Tx, call_id: str, user_id: str, *, command: str) -> None:
    """The user wants to talk with this one and nobody else: all others of theirs go on hold."""
    call = talking(tx, call_id, user_id)
    top = top_of(call)
    _make_room(tx, user_id, top)
    for other in members(tx, top):
        if other["id"] != call_id and not other["held"]:
            tx.append(hold_intent(tx, other, user_id, True))
    tx.append(hold_intent(tx, call, user_id, False, command))


def merge(tx: Tx, call_id: str, user_id: str, *, command: str) -> None:
    """Everybody in this call, and in those made for it, hears everybody. Raises ``alone`` when there is nobody more."""
    call = talking(tx, call_id, user_id)
    if call["parent_id"] is not None:
        raise DeskError("internal", "Do this from the call that it was made for.")
    others = [one for one in members(tx, call_id) if one["id"] != call_id]
    if not others:
        raise DeskError("alone", "Nobody else is in this call.")
    _make_room(tx, user_id, call_id)
    for other in others:
        if other["held"]:
            tx.append(hold_intent(tx, other, user_id, False))
    tx.append(hold_intent(tx, call, user_id, False, command))


def press(tx: Tx, call_id: str, user_id: str, *, command: str, digits: str) -> None:
    """Keys for the far end: 0-9 * # A-D, a comma is a second's pause. They are in no log. Raises Invalid.

    The command sent again changes nothing, also when its keys were sent long since.
    """
    digits = re.sub(r"[\s\-]", "", digits).upper()
    if not _KEYS.fullmatch(digits):
        raise Invalid({"digits": f"At most {MOST_KEYS} keys of 0-9 * # A-D, and commas for pauses."})
    call = talking(tx, call_id, user_id)
    if call["direction"] == Direction.INTERNAL:
        raise DeskError("internal", "A colleague hears no keys.")
    if key_rows.wanted(tx.conn, call_id, command):
        return
    key_rows.add(tx.conn, command, call_id, digits, tx.now_ms())
    tx.append(intent(tx, kinds.CALL_KEYS_WANTED, call, user_id, command=command))


def record(tx: Tx, call_id: str, user_id: str, *, command: str, on: bool) -> None:
    """The recording pauses, or goes on. Raises ``not_recorded`` when the call is not recorded."""
    call = talking(tx, call_id, user_id)
    if call["parent_id"] is not None or call["recording"] not in ("started", "paused"):
        raise DeskError("not_recorded", "This call is not recorded.")
    tx.append(intent(tx, kinds.CALL_RECORD_WANTED, call, user_id, on=on, command=command))


# ---- whose calls these are


def talking(tx: Tx, call_id: str, user_id: str) -> Mapping[str, Any]:
    """A call that the user talks in, or holds: theirs, or one that they made for it. Raises not_found, over, not_yours,
    not_answered, internal (a colleague asks them by it: it is that colleague's to do this)."""
    call = own_call(tx, call_id, user_id, asks=True)
    if call["parent_id"] is not None and call["started_by"] != user_id:
        raise DeskError("internal", "A colleague asks you: this is theirs to do.")
    if State(call["state"]) not in TALKING:
        raise DeskError("not_answered", "Nobody has answered yet.")
    return call


def top_of(call: Mapping[str, Any]) -> str:
    """The call that a child was made for, or the call itself."""
    top: str = call["parent_id"] or call["id"]
    return top


def members(tx: Tx, top_id: str) -> list[Mapping[str, Any]]:
    """A call and the answered ones that were made for it."""
    top = rows.get(tx.conn, top_id)
    family = [top, *rows.children(tx.conn, top_id)] if top is not None else []
    return [one for one in family if State(one["state"]) in TALKING]


def hold_intent(tx: Tx, call: Mapping[str, Any], user_id: str, held: bool, command: str | None = None) -> Event:
    """The wish that a call goes on hold or off; without a command it comes with another wish."""
    return intent(tx, kinds.CALL_HOLD_WANTED, call, user_id, held=held, command=command)


def _make_room(tx: Tx, user_id: str, top_id: str) -> None:
    """The user's other calls go on hold. One in which a colleague asks them cannot: that comes first."""
    for call in rows.live_of_agent(tx.conn, user_id):
        if call["id"] == top_id:
            continue
        if call["parent_id"] is not None:
            raise DeskError("asked", "A colleague asks you. Hang up there first.")
        hold_all(tx, call["id"], user_id)


def hold_all(tx: Tx, top_id: str, user_id: str) -> None:
    """The user wants a call of theirs on hold, with all that they made for it, since another one comes first."""
    for one in members(tx, top_id):
        if not one["held"] and (one["parent_id"] is None or one["started_by"] == user_id):
            tx.append(hold_intent(tx, one, user_id, True))

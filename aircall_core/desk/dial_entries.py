"""What agents do with the entries of a dial list: claim the next one, dial it, skip it, put it back.

A claim is a lease: the agent's page asks for it again and again, and when the page is gone the entry goes back by
itself. Of two agents who want the same entry one gets it and the other the next.
"""

from collections.abc import Mapping
from typing import Any, Final

from aircall_core.desk.errors import DeskError, Invalid, not_found
from aircall_core.domain import dial_list as rules
from aircall_core.domain.call import State as CallState
from aircall_core.domain.dial_list import State
from aircall_core.domain.events import DIAL_ENTRY_CHANGED, Event, line_audience
from aircall_core.store import Tx, calls, due, people
from aircall_core.store import dial_lists as rows

CLAIM: Final = "dial_claim"  # kind of due row: the claim of an entry has run out


def claim_next(tx: Tx, list_id: str, user_id: str) -> dict[str, Any] | None:
    """The entry that this user is to dial next: the one they have claimed, else the first that waits, else None.

    What they had claimed in other lists goes back. Raises DeskError not_found, archived.
    """
    known = _list(tx, list_id)
    if known["archived"]:
        raise DeskError("archived", "This list is archived.")
    now, actor = tx.now_ms(), f"user:{user_id}"
    mine = None
    for claimed in rows.claims_of(tx.conn, user_id):
        if claimed["list_id"] == list_id and mine is None:
            mine = claimed
        else:
            put_back(tx, claimed, _list(tx, claimed["list_id"]), actor)
    if mine is None:
        for over in rows.claims_in(tx.conn, list_id, over_at=now):
            put_back(tx, over, known, "system")
        mine = rows.claim_next(tx.conn, list_id, user_id, now, now + rules.LEASE_MS)
        if mine is None:
            return None
        _changed(tx, mine, known, actor, State.CLAIMED, user_id)
    else:
        rows.keep(tx.conn, mine["id"], user_id, now + rules.LEASE_MS)
    due.put(tx.conn, CLAIM, mine["id"], now + rules.LEASE_MS)
    return mine


def keep(tx: Tx, entry_id: str, user_id: str) -> None:
    """The agent's page is still there. Raises DeskError not_found, not_claimed."""
    until = tx.now_ms() + rules.LEASE_MS
    if not rows.keep(tx.conn, entry_id, user_id, until):
        raise _not_claimed(tx, _entry(tx, entry_id))
    due.put(tx.conn, CLAIM, entry_id, until)


def began(tx: Tx, entry_id: str, user_id: str, *, call_id: str, line_id: str, number: str) -> None:
    """The entry is dialled in this call, in the transaction that makes the call: if this raises, nothing is dialled.

    Raises DeskError not_found, not_claimed, other_line, other_number.
    """
    entry = _entry(tx, entry_id)
    known = _list(tx, entry["list_id"])
    if known["line_id"] != line_id:
        raise DeskError("other_line", "This list is dialled by another line.")
    if entry["number"] != number:
        raise DeskError("other_number", "This is not the number of the entry.")
    if not rows.dialled(tx.conn, entry_id, user_id, call_id, tx.now_ms()):
        raise _not_claimed(tx, entry)
    due.drop(tx.conn, CLAIM, entry_id)
    _changed(tx, entry, known, f"user:{user_id}", State.DIALLED, user_id, call_id)


def skip(tx: Tx, entry_id: str, user_id: str, reason: str) -> None:
    """The user's claimed entry, or one that waits, is not dialled. Raises DeskError not_found, not_claimed; Invalid."""
    if reason not in rules.SKIP_REASONS:
        raise Invalid({"reason": "Choose a reason."})
    entry = _entry(tx, entry_id)
    if entry["state"] not in (State.WAITING, State.CLAIMED) or entry["user_id"] not in (None, user_id):
        raise _not_claimed(tx, entry)
    _leave(
        tx, entry, _list(tx, entry["list_id"]), f"user:{user_id}", State.SKIPPED,
        user_id=user_id, reason=reason, at=tx.now_ms(),
    )  # fmt: skip


def forbid(tx: Tx, entry_id: str, user_id: str) -> str:
    """Nobody is to dial the entry's number any more: it is skipped, unless it was dialled; the number (E.164)."""
    entry = _entry(tx, entry_id)
    if entry["state"] == State.WAITING or (entry["state"] == State.CLAIMED and entry["user_id"] == user_id):
        skip(tx, entry_id, user_id, rules.DO_NOT_CALL)
    return str(entry["number"])


def again(tx: Tx, entry_id: str, user_id: str, *, last: bool) -> None:
    """The entry waits again, at its place or ``last``: the user's own claim, or one that was dialled or skipped.

    Raises DeskError not_found, not_claimed (somebody else has it), in_call (its call goes on).
    """
    entry = _entry(tx, entry_id)
    known = _list(tx, entry["list_id"])
    if entry["state"] == State.WAITING or (entry["state"] == State.CLAIMED and entry["user_id"] != user_id):
        raise _not_claimed(tx, entry)
    if entry["state"] == State.DIALLED and entry["call_id"]:
        call = calls.get(tx.conn, entry["call_id"])
        if call is not None and call["state"] != CallState.ENDED:
            raise DeskError("in_call", "The call to this number goes on.")
    place = {"position": rows.last_position(tx.conn, entry["list_id"]) + 1} if last else {}
    put_back(tx, entry, known, f"user:{user_id}", **place)


def move(tx: Tx, actor: str, entry_id: str, to: str) -> None:
    """Change the place of an entry that waits: first, up, down, last. Raises DeskError not_found, not_waiting."""
    entry = _entry(tx, entry_id)
    if entry["state"] != State.WAITING:
        raise DeskError("not_waiting", "This entry does not wait any more.")
    if to in ("up", "down"):
        other = rows.neighbour(tx.conn, entry, before=to == "up")
        if other is None:
            return
        rows.swap(tx.conn, entry, other)
    else:
        end = rows.first_position(tx.conn, entry["list_id"]) - 1
        place = end if to == "first" else rows.last_position(tx.conn, entry["list_id"]) + 1
        rows.change(tx.conn, entry_id, [State.WAITING], position=place)
    _changed(tx, entry, _list(tx, entry["list_id"]), actor, State.WAITING)


def remove(tx: Tx, actor: str, entry_id: str) -> None:
    """Take an entry off its list, with its name and note. Raises DeskError not_found, claimed."""
    entry = _entry(tx, entry_id)
    if entry["state"] == State.CLAIMED:
        raise DeskError("claimed", f"{_who(tx, entry)['name']} is about to dial this number.")
    rows.remove(tx.conn, entry_id)
    known = _list(tx, entry["list_id"])
    _tell(tx, entry, known, actor, "removed")


def abandoned(tx: Tx, entry_id: str) -> int | None:
    """A claim may have run out; when it does (ms) if it has not, else None."""
    entry = rows.entry(tx.conn, entry_id, lock=True)
    if entry is None or entry["state"] != State.CLAIMED:
        return None
    if entry["lease_until"] > tx.now_ms():
        return int(entry["lease_until"])
    put_back(tx, entry, _list(tx, entry["list_id"]), "system")
    return None


def put_back(tx: Tx, entry: Mapping[str, Any], known: Mapping[str, Any], actor: str, **place: int) -> None:
    """The entry waits again; what came of its last call stays known by that call."""
    _leave(tx, entry, known, actor, State.WAITING, user_id=None, reason=None, at=None, **place)


def _leave(tx: Tx, entry: Mapping[str, Any], known: Mapping[str, Any], actor: str, state: State, **values: Any) -> None:
    """Out of the state that it was found in; whoever else was faster wins."""
    was = State(entry["state"])
    if not rows.change(tx.conn, entry["id"], [was], state=state.value, lease_until=None, **values):
        raise _not_claimed(tx, _entry(tx, entry["id"]))
    if was is State.CLAIMED:
        due.drop(tx.conn, CLAIM, entry["id"])
    _changed(tx, entry, known, actor, state, values["user_id"])


def _entry(tx: Tx, entry_id: str) -> dict[str, Any]:
    entry = rows.entry(tx.conn, entry_id, lock=True)
    if entry is None:
        raise not_found("The entry")
    return entry


def _list(tx: Tx, list_id: str) -> dict[str, Any]:
    found = rows.dial_list(tx.conn, list_id)
    assert found is not None, "entries go with their list"
    return found


def _not_claimed(tx: Tx, entry: Mapping[str, Any]) -> DeskError:
    if entry["user_id"] and entry["state"] in (State.CLAIMED, State.DIALLED):
        by = _who(tx, entry)
        said = f"{by['name']} has this number." if entry["state"] == State.CLAIMED else f"{by['name']} has dialled it."
        return DeskError("not_claimed", said, 409, {"by": by})
    return DeskError("not_claimed", "This number is not yours to dial any more.")


def _who(tx: Tx, entry: Mapping[str, Any]) -> dict[str, str]:
    user_id = entry["user_id"] or ""
    return {"id": user_id, "name": people.names(tx.conn, [user_id]).get(user_id, "")}


def _changed(
    tx: Tx, entry: Mapping[str, Any], known: Mapping[str, Any], actor: str, state: State,
    user_id: str | None = None, call_id: str | None = None,
) -> None:  # fmt: skip
    _tell(tx, entry, known, actor, state.value, user_id, call_id)


def _tell(
    tx: Tx, entry: Mapping[str, Any], known: Mapping[str, Any], actor: str, state: str,
    user_id: str | None = None, call_id: str | None = None,
) -> None:  # fmt: skip
    line = known["line_id"]
    data = {"list": known["id"], "entry": entry["id"], "state": state, "call": call_id}
    tx.append(Event(DIAL_ENTRY_CHANGED, line_audience(line), actor, line_id=line, user_id=user_id, data=data))

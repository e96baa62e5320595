"""Calls out: an agent dials an outside number with the audio of their browser."""

from dataclasses import dataclass
from typing import Any, Final

from aircall_core.desk import afterwork, arrivals, availability, callbacks, dial_entries, dialling, distribution, talk
from aircall_core.desk.errors import DeskError
from aircall_core.desk.wishes import intent
from aircall_core.domain import events as kinds
from aircall_core.domain.call import TALKING, Direction, State
from aircall_core.domain.view import entered_with
from aircall_core.ids import new_id
from aircall_core.store import calls as rows
from aircall_core.store import conversations, nodes, people, unread
from aircall_core.store.engine import Tx

MOST_CALLS: Final = 2
_LATELY_MS: Final = 600_000  # a command that is sent again is not older


@dataclass(frozen=True, slots=True)
class Dial:
    """Whom a user wants to call. ``number`` as typed; ``callback``, ``entry``: what it is for (ids), if anything."""

    line_id: str
    number: str
    peer: str
    tab: str
    callback: str | None = None
    entry: str | None = None


def dial(tx: Tx, user_id: str, wanted: Dial, *, command: str) -> str:
    """Dial a number from a line; the new call's id. Sent again it changes nothing. A call of theirs goes on hold.

    Raises DeskError: what `dialling.check`, `callbacks.begin` and `dial_entries.began` refuse, tag_due, busy (two
    calls, or one that does not stand yet), no_worker. Let `dialling.refusals_noted` surround the transaction.
    """
    tx.take_turn()
    made = rows.made_by_command(tx.conn, user_id, command, tx.now_ms() - _LATELY_MS)
    if made is not None:
        return str(made["id"])
    people.hold(tx.conn, [user_id])
    checked = dialling.check(tx, wanted.line_id, wanted.number, user_id)
    if not checked.emergency:  # whoever calls for help is kept back by nothing of ours
        afterwork.no_tag_owed(tx, user_id)
        _check_free(tx, user_id)
    worker, now, actor = _worker(tx), tx.now_ms(), f"user:{user_id}"
    call: dict[str, Any] = {
        "id": new_id(),
        "line_id": wanted.line_id,
        "contact_id": conversations.caller(tx.conn, checked.number)[0],
        "direction": Direction.OUTBOUND.value,
        "state": State.DIALLING.value,
        "started_by": user_id,
        "accepted_by": user_id,
        "accept_command": command,
        "audio_peer": wanted.peer,
        "callback_id": wanted.callback,
        "trunk_id": checked.trunk_id,
        "from_number": checked.caller_id,
        "to_number": checked.number,
        "arrived_at": now,
        "owner_node": worker["id"],
        "owner_epoch": worker["epoch"],
    }
    arrivals.file_under(tx, call, checked.number, actor)
    unread.seen(tx.conn, call["conversation_id"], user_id)
    rows.add(tx.conn, **call)
    if wanted.callback is not None:
        callbacks.begin(tx, wanted.callback, user_id, line_id=wanted.line_id, number=checked.number, command=command)
    if wanted.entry is not None:
        dial_entries.began(tx, wanted.entry, user_id, call_id=call["id"], line_id=wanted.line_id, number=checked.number)
    for other in rows.live_of_agent(tx.conn, user_id):
        if other["id"] != call["id"]:
            talk.hold_all(tx, other["id"], user_id)
    rows.point_agent(tx.conn, user_id, call["id"])
    said = {**entered_with(call), "join": False, "peer": wanted.peer, "tab": wanted.tab, "node": worker["id"]}
    tx.append(intent(tx, kinds.CALL_DIAL_WANTED, call, user_id, command=command, **said))
    availability.settle(tx, [user_id], actor)
    distribution.release(tx, user_id, call["id"], actor)
    return str(call["id"])


def _check_free(tx: Tx, user_id: str) -> None:
    live = rows.live_of_agent(tx.conn, user_id)
    if len(live) >= MOST_CALLS:
        raise DeskError("busy", "You have two calls already.", 409, {"call": live[0]["id"]})
    for call in live:
        asks = rows.children(tx.conn, call["id"])
        if asks or call["parent_id"] is not None or State(call["state"]) not in TALKING:
            raise DeskError("busy", "You are in another call.", 409, {"call": call["id"]})


def _worker(tx: Tx) -> dict[str, Any]:
    """The worker that has the most room."""
    taking = nodes.taking(tx.conn, "worker", tx.now_ms())
    if not taking:
        raise DeskError("no_worker", "Calls cannot be made at this moment. Please try again.", 503)
    return max(taking, key=lambda node: node["capacity"] - node["in_use"])

"""Tagging calls. Where a line demands a tag, who talked in the call is not rung again before it has one."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from aircall_core.desk import availability
from aircall_core.desk.errors import DeskError, Invalid, not_found
from aircall_core.desk.ringing import call_event
from aircall_core.domain import events as kinds
from aircall_core.store import Connection, call_tags, parties, people
from aircall_core.store import calls as rows
from aircall_core.store.engine import Tx

MOST: Final = 20  # of one call


def read(conn: Connection, call_id: str, user_id: str, role: str) -> list[str]:
    """Ids of the call's tags, sorted. Raises DeskError not_found."""
    top = parties.top_of(conn, call_id)
    call = None if top is None else rows.get(conn, top)
    if call is None or not _may_see(conn, call, user_id, role):
        raise not_found("The call")
    return call_tags.of_call(conn, call["id"])


def give(tx: Tx, call_id: str, user_id: str, role: str, tag_ids: Collection[str], command: str) -> None:
    """The call has these tags from now on. Who took part in it or may see its line may tag it, except analysts.

    Tags given to a call that was made for another one are that one's. Repeatable.
    Raises DeskError not_found, forbidden; Invalid when a tag is unknown or archived, or when one must stay.
    """
    tx.take_turn()
    call_id = parties.top_of(tx.conn, call_id) or call_id
    owing = call_tags.debtors(tx.conn, call_id)
    people.hold(tx.conn, owing)  # agents before calls, as everywhere
    call = rows.get(tx.conn, call_id, lock=True)
    if call is None or not _may_see(tx.conn, call, user_id, role):
        raise not_found("The call")
    if role == "analyst":
        raise DeskError("forbidden", "Analysts look at calls and do not change them.", 403)
    wanted, known = set(tag_ids), set(call_tags.of_call(tx.conn, call_id))
    if len(wanted) > MOST:
        raise Invalid({"tags": f"Use at most {MOST} tags."})
    if wanted - known - call_tags.usable(tx.conn, wanted - known):
        raise Invalid({"tags": "One of these tags does not exist any more."})
    if not wanted and call["answered_by"] and call_tags.required(tx.conn, call["line_id"]):
        raise Invalid({"tags": "Calls of this line need a tag."})
    if wanted == known and not (wanted and owing):
        return
    call_tags.remove(tx.conn, call_id, known - wanted)
    call_tags.add(tx.conn, call_id, wanted - known, user_id, tx.now_ms())
    if wanted:
        call_tags.forgive(tx.conn, call_id)
    tx.append(
        call_event(kinds.CALL_TAGGED, call, f"user:{user_id}", user_id=user_id, tags=sorted(wanted), command=command)
    )
    availability.settle(tx, owing, f"user:{user_id}")


def _may_see(conn: Connection, call: Mapping[str, Any], user_id: str, role: str) -> bool:
    return parties.took_part(conn, call["id"], user_id) or people.sees_line(conn, user_id, role, call["line_id"])

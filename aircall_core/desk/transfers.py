"""Handing a call on, at once or after talking first, and adding somebody to it: wishes. Their answers: talk_facts."""

from collections.abc import Mapping
from typing import Any, Final

from aircall_core.desk import dialling, talk
from aircall_core.desk.errors import DeskError, Invalid, not_found
from aircall_core.desk.wishes import intent
from aircall_core.domain import events as kinds
from aircall_core.domain import transfer as rules
from aircall_core.domain.availability import BUSY, Status
from aircall_core.domain.call import TALKING, Direction, State
from aircall_core.domain.transfer import Target
from aircall_core.domain.view import entered_with
from aircall_core.ids import new_id
from aircall_core.store import calls as rows
from aircall_core.store import conversations, people, provisioning
from aircall_core.store.engine import Tx

MOST_CHILDREN: Final = 3
_LATELY_MS: Final = 600_000  # a command that is sent again is not older


def transfer(tx: Tx, call_id: str, user_id: str, *, target: Target, command: str) -> None:
    """The user hands their call on without asking first, and is out of it. Sent again it changes nothing.

    Raises DeskError as `talk.talking` and `_checked` do, ``internal`` for a call that was made for another one.
    """
    call = _top_call(tx, call_id, user_id)
    if (call["transfer"] or {}).get("command") == command:
        return
    target = _checked(tx, target, call["line_id"], user_id).target
    wanted = {"target": target, "by": user_id, "at": tx.now_ms(), "from_step": rules.came_by(call), "command": command}
    rows.change(tx.conn, call_id, transfer=wanted)
    tx.append(intent(tx, kinds.CALL_TRANSFER_WANTED, call, user_id, to=rules.kind_of(target), command=command))


def consult(tx: Tx, call_id: str, user_id: str, *, target: Target, join: bool, command: str) -> str:
    """The user calls somebody during a call of theirs; the new call's id.

    ``join`` False: to talk first, while everybody else waits on hold; True: to have them in the call as soon as they
    answer. Raises as `transfer` does, and ``asking`` (one at a time), ``too_many``.
    """
    made = rows.made_by_command(tx.conn, user_id, command, tx.now_ms() - _LATELY_MS)
    if made is not None:
        return str(made["id"])
    call = _top_call(tx, call_id, user_id)
    children = rows.children(tx.conn, call_id)
    if any(State(child["state"]) not in TALKING for child in children):
        raise DeskError("asking", "Wait for the answer of whom you are calling, or hang up there.")
    if len(children) >= MOST_CHILDREN:
        raise DeskError("too_many", f"At most {MOST_CHILDREN} more can be in a call.")
    checked, now = _checked(tx, target, call["line_id"], user_id), tx.now_ms()
    outside = checked.number
    child: dict[str, Any] = {
        "id": new_id(),
        "parent_id": call_id,
        "started_by": user_id,
        "direction": (Direction.OUTBOUND if outside else Direction.INTERNAL).value,
        "state": State.DIALLING.value,
        "transfer": {"target": checked.target, "by": user_id, "at": now, "join": join},
        "accepted_by": user_id if outside else None,
        "accept_command": command,
        "contact_id": conversations.caller(tx.conn, outside.number)[0] if outside else None,
        "to_number": outside.number if outside else "",
        "from_number": outside.caller_id if outside else "",
        "trunk_id": outside.trunk_id if outside else None,
        "arrived_at": now,
        **{name: call[name] for name in ("line_id", "conversation_id", "priority", "owner_node", "owner_epoch")},
    }
    rows.add(tx.conn, **child)
    if not join:
        for one in talk.members(tx, call_id):
            if not one["held"]:
                tx.append(talk.hold_intent(tx, one, user_id, True))
    said = {**entered_with(child), "join": join, "peer": None, "tab": None, "node": call["owner_node"]}
    tx.append(intent(tx, kinds.CALL_DIAL_WANTED, child, user_id, command=command, **said))
    return str(child["id"])


def complete(tx: Tx, call_id: str, user_id: str, *, via: str, command: str) -> None:
    """Whom the user has asked by the child ``via`` takes the call over. Raises ``not_answered``, ``over`` too."""
    call = _top_call(tx, call_id, user_id)
    child = rows.get(tx.conn, via)
    if child is None or child["parent_id"] != call_id:
        raise not_found("The call")
    if child["ended_at"] is not None:
        raise DeskError("over", "They have hung up.")
    if State(child["state"]) not in TALKING:
        raise DeskError("not_answered", "Nobody has answered yet.")
    tx.append(intent(tx, kinds.CALL_COMPLETE_WANTED, call, user_id, via=via, command=command))


def _top_call(tx: Tx, call_id: str, user_id: str) -> Mapping[str, Any]:
    call = talk.talking(tx, call_id, user_id)
    if call["parent_id"] is not None:
        raise DeskError("internal", "Do this from the call that it was made for.")
    return call


class _Checked:
    """A target that exists and can be called now; ``number`` when it is one outside."""

    def __init__(self, target: Target, number: dialling.Checked | None = None) -> None:
        self.target, self.number = target, number


def _checked(tx: Tx, target: Target, line_id: str, user_id: str) -> _Checked:
    """Raises Invalid, not_found, yourself, busy, unavailable (``status`` says how they stand), nobody, line_off, and
    what `dialling.check` refuses."""
    try:
        kind = rules.kind_of(target)
    except ValueError:
        raise Invalid({"target": "Choose one user, team, line or number."}) from None
    match kind:
        case "user":
            _check_user(tx, target["user"], user_id)
        case "team":
            members = people.standings(tx.conn, f"team:{target['team']}", tx.now_ms())
            if not any(one.rings and one.user_id != user_id for one in members):
                raise DeskError("nobody", "Nobody of this team is available.")
        case "line":
            line = provisioning.line(tx.conn, target["line"])
            if line is None:
                raise not_found("The line")
            if not line["enabled"]:
                raise DeskError("line_off", "This line is switched off.")
        case _:
            checked = dialling.check(tx, line_id, target["number"], user_id)
            return _Checked({"number": checked.number}, checked)
    return _Checked({kind: target[kind]})


def _check_user(tx: Tx, asked: str, user_id: str) -> None:
    if asked == user_id:
        raise DeskError("yourself", "That is you.")
    standing = people.standing(tx.conn, asked, tx.now_ms())
    if standing is None or standing.status is Status.DISABLED:
        raise not_found("The user")
    if standing.rings:
        return
    name = people.names(tx.conn, [asked]).get(asked, "")
    said = {"status": standing.status.value, "by": {"id": asked, "name": name}}
    if standing.status in BUSY:
        raise DeskError("busy", f"{name} is busy.", 409, said)
    raise DeskError("unavailable", f"{name} is not available.", 409, said)

"""What one user's browser knows of the calls that concern them, as a fold over the event log.

The law (held by property tests on both databases, and by the browser's own copy in ui/static/view.js):
``apply(snapshot at n, events n+1..m) == snapshot at m``.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from aircall_core.domain import events as kinds
from aircall_core.domain.call import TALKING, State
from aircall_core.domain.events import Event

View = dict[str, Any]


def empty(user_id: str) -> View:
    """The view of a user whom nothing concerns."""
    return {"user": user_id, "duty": False, "calls": {}}


def call_entry(
    call_id: str, line_id: str | None, conversation_id: str | None, arrived_at: object, ringing: Iterable[str]
) -> dict[str, Any]:
    """A call as it enters a view: being rung, taken by nobody."""
    return {
        "id": call_id,
        "line": line_id,
        "conversation": conversation_id,
        "state": State.RINGING.value,
        "arrived_at": arrived_at,
        "ringing": sorted(ringing),
        "by": None,
        "peer": None,
        "answered_at": None,
        "muted": False,
        "away": False,
        "recording": "off",
    }


def concerns(user_id: str, call: Mapping[str, Any]) -> bool:
    """Whether a call belongs into this user's view: they are rung, or the call is theirs."""
    return call["by"] == user_id or user_id in call["ringing"]


def apply(view: View, event: Event) -> View:
    """The view after this event; the one given is left as it was."""
    user: str = view["user"]
    if event.kind == kinds.USER_DUTY and event.user_id == user:
        return {**view, "duty": bool(event.data["on"])}
    call_id = event.call_id
    if call_id is None:
        return view
    call = view["calls"].get(call_id)
    if call is None and event.kind in (kinds.CALL_RINGING, kinds.CALL_RETURNED):
        call = call_entry(call_id, event.line_id, event.conversation_id, event.data["arrived_at"], ())
    if call is None:
        return view
    changed = _changed(call, event)
    calls = {key: value for key, value in view["calls"].items() if key != call_id}
    if changed is not None and concerns(user, changed):
        calls[call_id] = changed
    return {**view, "calls": calls}


def _changed(call: dict[str, Any], event: Event) -> dict[str, Any] | None:
    """The call after an event of its own, or None when it is over."""
    data = event.data
    match event.kind:
        case kinds.CALL_RINGING:
            return {**call, "ringing": list(data["ringing"])}  # type: ignore[call-overload]
        case kinds.CALL_RING_STOPPED:
            return {**call, "ringing": [one for one in call["ringing"] if one != event.user_id]}
        case kinds.CALL_ACCEPTING:
            return {**call, "state": State.ACCEPTING.value, "by": event.user_id, "peer": data["peer"]}
        case kinds.CALL_ACCEPT_FAILED:
            return {**call, "state": State.RINGING.value, "by": None, "peer": None}
        case kinds.CALL_ANSWERED:
            return {
                **call,
                "state": State.ANSWERED.value,
                "by": event.user_id,
                "answered_at": data["answered_at"],
                "ringing": [],
                "muted": False,
                "away": False,
            }
        case kinds.CALL_CONFIRMED:
            return {**call, "state": State.CONFIRMED.value} if call["state"] in TALKING else call
        case kinds.CALL_RETURNED:
            return {
                **call,
                "state": State.RINGING.value,
                "by": None,
                "peer": None,
                "answered_at": data["answered_at"],
                "recording": data["recording"],
                "muted": False,
                "away": False,
                "ringing": list(data["ringing"]),  # type: ignore[call-overload]
            }
        case kinds.CALL_AUDIO:
            return {**call, "peer": data["peer"]}
        case kinds.CALL_AGENT_AWAY:
            return {**call, "away": True}
        case kinds.CALL_AGENT_BACK:
            return {**call, "away": False}
        case kinds.CALL_MUTED:
            return {**call, "muted": bool(data["muted"])}
        case kinds.CALL_RECORDING:
            return {**call, "recording": data["state"]}
        case kinds.CALL_OVERFLOW:
            return {**call, "state": State.OVERFLOW.value, "ringing": [], "by": None, "peer": None}
        case kinds.CALL_ENDED:
            return None
        case _:
            return call

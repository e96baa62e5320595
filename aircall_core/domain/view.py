"""What one user's browser knows of the calls that concern them, as a fold over the event log.

The law (held by property tests on both databases, and by the browser's own copy in ui/static/view.js):
``apply(snapshot at n, events n+1..m) == snapshot at m``.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from aircall_core.domain import events as kinds
from aircall_core.domain.call import State
from aircall_core.domain.events import Event

View = dict[str, Any]


def empty(user_id: str) -> View:
    """The view of a user whom nothing concerns."""
    return {"user": user_id, "duty": False, "me": dict(_ME), "calls": {}}


# How the user stands: their status as the history has it, what they chose, when their wrap-up ends, and the ended
# calls that they owe a tag.
_ME: Mapping[str, Any] = {
    "status": "offline",
    "reason": None,
    "since": None,
    "choice": "available",
    "choice_reason": None,
    "wrap_up_until": None,
    "tags_due": [],
}


def call_entry(
    call_id: str,
    line_id: str | None,
    conversation_id: str | None,
    *,
    arrived_at: object,
    queued_at: object,
    answered_at: object,
    recording: object,
    ringing: Iterable[str],
) -> dict[str, Any]:
    """A call as it enters a view: being rung, taken by nobody, waiting since ``queued_at``.

    ``answered_at`` and ``recording`` are set when it comes back to the ring because an agent's audio was lost.
    """
    return {
        "id": call_id,
        "line": line_id,
        "conversation": conversation_id,
        "state": State.RINGING.value,
        "arrived_at": arrived_at,
        "queued_at": queued_at,
        "ringing": sorted(ringing),
        "by": None,
        "peer": None,
        "answered_at": answered_at,
        "muted": False,
        "away": False,
        "recording": recording,
    }


def concerns(user_id: str, call: Mapping[str, Any]) -> bool:
    """Whether a call belongs into this user's view: they are rung, or the call is theirs."""
    return call["by"] == user_id or user_id in call["ringing"]


def apply(view: View, event: Event) -> View:
    """The view after this event; the one given is left as it was."""
    user: str = view["user"]
    if event.kind == kinds.USER_DUTY and event.user_id == user:
        return {**view, "duty": bool(event.data["on"])}
    news = _about_me(view["me"], event, user)
    if news:
        view = {**view, "me": {**view["me"], **news}}
    call_id = event.call_id
    if call_id is None:
        return view
    call = view["calls"].get(call_id)
    if call is None and event.kind in (kinds.CALL_RINGING, kinds.CALL_RETURNED):
        call = call_entry(
            call_id,
            event.line_id,
            event.conversation_id,
            arrived_at=event.data["arrived_at"],
            queued_at=event.data.get("queued_at"),
            answered_at=event.data["answered_at"],
            recording=event.data["recording"],
            ringing=(),
        )
    if call is None:
        return view
    others = {key: value for key, value in view["calls"].items() if key != call_id}
    if event.kind == kinds.CALL_ENDED:
        return {**view, "calls": others}
    call = {**call, **_patch(call, event)}
    return {**view, "calls": {**others, call_id: call} if concerns(user, call) else others}


def _about_me(me: Mapping[str, Any], event: Event, user: str) -> dict[str, Any]:
    """What an event changes in how the user stands."""
    data: Mapping[str, Any] = event.data
    owed: list[str] = me["tags_due"]
    if event.kind == kinds.CALL_TAGGED and data["tags"] and event.call_id in owed:
        return {"tags_due": [one for one in owed if one != event.call_id]}
    if event.user_id != user:
        return {}
    match event.kind:
        case kinds.USER_STATUS:
            return {"status": data["status"], "reason": data["reason"], "since": data["since"]}
        case kinds.USER_CHOICE:
            return {"choice": data["choice"], "choice_reason": data["reason"]}
        case kinds.USER_WRAP_UP:
            return {"wrap_up_until": data["until"]}
        case kinds.CALL_TAG_DUE:
            return {"tags_due": sorted({*owed, str(event.call_id)})}
        case _:
            return {}


# Who has the call: nobody.
_UNTAKEN = {"by": None, "peer": None}


def _patch(call: Mapping[str, Any], event: Event) -> dict[str, Any]:
    """What an event of a call changes in its entry."""
    data: Mapping[str, Any] = event.data
    match event.kind:
        case kinds.CALL_RINGING:
            return {"ringing": list(data["ringing"])}
        case kinds.CALL_RING_STOPPED:
            return {"ringing": [one for one in call["ringing"] if one != event.user_id]}
        case kinds.CALL_ACCEPTING:
            return {"state": State.ACCEPTING.value, "by": event.user_id, "peer": data["peer"]}
        case kinds.CALL_ACCEPT_FAILED:
            return {"state": State.RINGING.value, **_UNTAKEN}
        case kinds.CALL_ANSWERED:
            taken = {"by": event.user_id, "ringing": [], "answered_at": data["answered_at"]}
            return {"state": State.ANSWERED.value, **taken, "muted": False, "away": False}
        case kinds.CALL_RETURNED:
            again = {"state": State.RINGING.value, "ringing": list(data["ringing"])}
            return {**again, **_UNTAKEN, "muted": False, "away": False}
        case kinds.CALL_OVERFLOW:
            return {"state": State.OVERFLOW.value, "ringing": [], **_UNTAKEN}
        case _:
            return _patch_talk(event.kind, data)


def _patch_talk(kind: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """What an event changes in the entry of a call that somebody has."""
    match kind:
        case kinds.CALL_CONFIRMED:
            return {"state": State.CONFIRMED.value}
        case kinds.CALL_AUDIO:
            return {"peer": data["peer"]}
        case kinds.CALL_AGENT_AWAY | kinds.CALL_AGENT_BACK:
            return {"away": kind == kinds.CALL_AGENT_AWAY}
        case kinds.CALL_MUTED:
            return {"muted": bool(data["muted"])}
        case kinds.CALL_RECORDING:
            return {"recording": data["state"]}
        case _:
            return {}

"""What one user's browser knows of the calls that concern them, as a fold over the event log.

The law (held by property tests on both databases, and by the browser's own copy in ui/static/view.js):
``apply(snapshot at n, events n+1..m) == snapshot at m``.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from aircall_core.domain import events as kinds
from aircall_core.domain.call import Direction, State
from aircall_core.domain.events import Event
from aircall_core.domain.transfer import under_way

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


# Where a call stands that nobody has: it rings, or it does not.
_UNDECIDED = frozenset({State.FLOW, State.QUEUED, State.RINGING, State.VOICEMAIL, State.OVERFLOW})
# Events that bring a call into a view which did not know it.
_ENTERS = frozenset({kinds.CALL_RINGING, kinds.CALL_RETURNED, kinds.CALL_DIAL_WANTED, kinds.CALL_TRANSFERRED})


def call_entry(call_id: str, line_id: str | None, conversation_id: str | None, data: Mapping[str, Any]) -> View:
    """A call as it enters a view: taken by nobody. ``data`` is what the event says that brings it (`entered_with`)."""
    return {
        "id": call_id,
        "line": line_id,
        "conversation": conversation_id,
        "direction": data.get("direction") or Direction.INBOUND.value,
        "started_by": data.get("started_by"),  # who dialled it, or asks somebody for a call of theirs
        "parent": data.get("parent"),  # the call that it was made for
        "state": State.FLOW.value,
        "arrived_at": data.get("arrived_at"),
        "queued_at": data.get("queued_at"),
        "ringing": [],
        "by": None,
        "peer": None,
        "answered_at": data.get("answered_at"),  # set when it comes back to the ring
        "muted": False,
        "away": False,
        "held": False,
        "held_at": None,
        "recording": data.get("recording") or "off",
        "progress": None,
        "transfer": data.get("transfer"),  # {"by", "to"} while it goes on because somebody handed it on
        "forwarded": False,
    }


def entered_with(call: Mapping[str, Any]) -> dict[str, Any]:
    """What an event must say of a call (its row) that may bring it into a view."""
    return {
        "direction": call.get("direction") or Direction.INBOUND.value,
        "started_by": call.get("started_by"),
        "parent": call.get("parent_id"),
        "arrived_at": call["arrived_at"],
        "queued_at": call.get("queued_at"),
        "answered_at": call.get("answered_at"),
        "recording": call.get("recording", "off"),
        "transfer": under_way(call),
    }


def entry_of(call: Mapping[str, Any], ringing: Iterable[str]) -> View:
    """The entry of a call by its row."""
    new = call_entry(call["id"], call["line_id"], call["conversation_id"], entered_with(call))
    return _plain({**new, "ringing": sorted(ringing), **taken_with(call)})


def taken_with(call: Mapping[str, Any]) -> dict[str, Any]:
    """The part of an entry that says who has the call and how, by its row."""
    return {
        "state": str(call["state"]),
        "by": call["accepted_by"],
        "peer": call["audio_peer"],
        "muted": bool(call["muted"]),
        "away": bool(call["agent_away"]),
        "held": bool(call["held"]),
        "held_at": call["held_at"],
        "progress": call["progress"],
        "forwarded": call["state"] == State.FORWARDED,
    }


def _plain(call: View) -> View:
    """Of a call that nobody has it only counts whether it rings: where its flow is meanwhile is no user's matter."""
    if call["by"] is not None or call["state"] not in _UNDECIDED:
        return call
    return {**call, "state": (State.RINGING if call["ringing"] else State.FLOW).value}


def concerns(user_id: str, call: Mapping[str, Any]) -> bool:
    """Whether a call belongs into this user's view: they are rung, it is theirs, or they have somebody asked by it."""
    asks = call["parent"] is not None and call["started_by"] == user_id
    return asks or call["by"] == user_id or user_id in call["ringing"]


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
    if call is None and event.kind in _ENTERS:
        call = call_entry(call_id, event.line_id, event.conversation_id, event.data)
    if call is None:
        return view
    others = {key: value for key, value in view["calls"].items() if key != call_id}
    if event.kind == kinds.CALL_ENDED:
        return {**view, "calls": others}
    call = _plain({**call, **_patch(call, event)})
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
_UNTAKEN = {"by": None, "peer": None, "muted": False, "away": False, "held": False, "held_at": None}
_TAKEN = ("state", "by", "peer", "muted", "away", "held", "held_at", "progress")


def _patch(call: Mapping[str, Any], event: Event) -> dict[str, Any]:
    """What an event of a call changes in its entry."""
    data: Mapping[str, Any] = event.data
    match event.kind:
        case kinds.CALL_RINGING:
            return {"state": State.RINGING.value, "ringing": list(data["ringing"])}
        case kinds.CALL_RING_STOPPED:
            return {"ringing": [one for one in call["ringing"] if one != event.user_id]}
        case kinds.CALL_QUEUED:
            return {"state": State.FLOW.value, "queued_at": data["since"]}
        case kinds.CALL_STEP:
            return {"state": State.FLOW.value}
        case kinds.CALL_ACCEPTING:
            return {"state": State.ACCEPTING.value, "by": event.user_id, "peer": data["peer"]}
        case kinds.CALL_ACCEPT_FAILED:
            return {"state": State.RINGING.value, "by": None, "peer": None}
        case kinds.CALL_ANSWERED:
            taken = {"by": event.user_id, "ringing": [], "answered_at": data["answered_at"]}
            fresh = {"muted": False, "away": False, "held": False, "held_at": None}
            return {"state": State.ANSWERED.value, **taken, **fresh, "progress": None, "transfer": None}
        case kinds.CALL_RETURNED:
            again = {"state": State.RINGING.value, "ringing": list(data["ringing"])}
            return {**again, **_UNTAKEN, "transfer": data.get("transfer")}
        case kinds.CALL_OVERFLOW:
            return {"state": State.OVERFLOW.value, "ringing": [], "by": None, "peer": None}
        case kinds.CALL_DIAL_WANTED | kinds.CALL_TRANSFERRING | kinds.CALL_TRANSFERRED | kinds.CALL_FORWARDED:
            return _patch_passed(event)
        case _:
            return _patch_talk(event.kind, data)


def _patch_passed(event: Event) -> dict[str, Any]:
    """What an event changes by which a call comes into somebody's hands without ringing, or leaves them."""
    data: Mapping[str, Any] = event.data
    match event.kind:
        case kinds.CALL_DIAL_WANTED:
            outside = data["direction"] == Direction.OUTBOUND
            return {"state": State.DIALLING.value, "by": event.user_id if outside else None, "peer": data["peer"]}
        case kinds.CALL_TRANSFERRING:
            return {"state": State.FLOW.value, **_UNTAKEN, "transfer": {"by": event.user_id, "to": data["to"]}}
        case kinds.CALL_TRANSFERRED:
            who = {name: data[name] for name in _TAKEN}
            others = {"started_by": data["started_by"], "recording": data["recording"]}
            others["ringing"] = list(data.get("ringing", []))  # whom they ask besides may still be rung
            return {**who, **others, "transfer": None, "forwarded": data["state"] == State.FORWARDED}
        case _:
            return {"state": State.FORWARDED.value, "ringing": [], **_UNTAKEN, "transfer": None, "forwarded": True}


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
        case kinds.CALL_HELD:
            return {"held": bool(data["held"]), "held_at": data["at"] if data["held"] else None}
        case kinds.CALL_PROGRESS:
            return {"progress": data["state"]}
        case kinds.CALL_RECORDING:
            return {"recording": data["state"]}
        case _:
            return {}

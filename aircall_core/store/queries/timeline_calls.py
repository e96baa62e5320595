"""What a timeline shows of calls: their rows with who was rung, recordings, notes, tags, and what they were for."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, select

from aircall_core import numbers
from aircall_core.store import notes, parties
from aircall_core.store.queries.cards import chosen, typed
from aircall_core.store.tables import call_legs, call_tags, callbacks, calls, lines, recordings, tags

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_SHOWN = (
    "id", "direction", "state", "outcome", "missed_reason", "end_reason", "progress", "arrived_at", "queued_at",
    "answered_at", "ended_at", "answered_by", "started_by", "recording", "path", "digits",
)  # fmt: skip
_MEANT = ("parent_id", "to_number", "forwarded_to", "transfer", "callback_id")  # for words, not for bubbles
# Made once: a timeline is read at every look at a conversation.
_CALLS = (
    select(*(calls.c[name] for name in (*_SHOWN, *_MEANT)), lines.c.country)
    .join(lines, lines.c.id == calls.c.line_id)
    .where(calls.c.id.in_(_IDS))
)
_LEGS = (
    select(call_legs.c.call_id, call_legs.c.user_id)
    .where(call_legs.c.call_id.in_(_IDS))
    .order_by(call_legs.c.call_id, call_legs.c.rang_at, call_legs.c.id)
)
_SOUND = (
    select(recordings.c.call_id, recordings.c.id, recordings.c.duration_ms, recordings.c.kind, recordings.c.deleted_at)
    .where(recordings.c.call_id.in_(_IDS))
    .order_by(recordings.c.created_at, recordings.c.id)
)
_CALLBACKS = select(
    callbacks.c.call_id, callbacks.c.id, callbacks.c.state, callbacks.c.user_id, callbacks.c.settled_at
).where(callbacks.c.call_id.in_(_IDS))
_TAGS = (
    select(call_tags.c.call_id, tags.c.name, tags.c.color)
    .join(tags, tags.c.id == call_tags.c.tag_id)
    .where(call_tags.c.call_id.in_(_IDS))
    .order_by(tags.c.name, tags.c.id)
)

Call = dict[str, Any]


def rows(conn: Connection, call_ids: Collection[str]) -> dict[str, Call]:
    """The calls' rows by id: what bubbles show, and what the words about them need (`_MEANT`)."""
    if not call_ids:
        return {}
    return {row["id"]: dict(row) for row in conn.execute(_CALLS, {"ids": sorted(call_ids)}).mappings()}


def bubbles(conn: Connection, calls_by_id: dict[str, Call], *, listener: str | None = None) -> dict[str, Call]:
    """What bubbles show of these calls, users still as ids. ``listener``: an agent, who may not play every recording
    (`parties.may_hear`); None: somebody who may."""
    if not calls_by_id:
        return {}
    asked = {"ids": sorted(calls_by_id)}
    found: dict[str, Call] = {
        call_id: {
            **{name: row[name] for name in _SHOWN},
            "path": chosen(row["path"]),
            "digits": typed(row["digits"]),
            "calls_back": row["callback_id"] is not None,
            "rang": [],
            "recordings": [],
            "notes": [],
            "tags": [],
            "callback": None,
        }
        for call_id, row in calls_by_id.items()
    }
    for leg in conn.execute(_LEGS, asked):
        found[leg.call_id]["rang"].append(leg.user_id)
    sounds = conn.execute(_SOUND, asked).all()
    own = parties.of_user(conn, {one.call_id for one in sounds}, listener) if listener and sounds else set()
    for sound in sounds:
        gone = sound.deleted_at is not None
        answered = calls_by_id[sound.call_id]["answered_at"] is not None
        may = listener is None or sound.call_id in own or not parties.is_talk(sound.kind, answered)
        one = {"id": sound.id, "duration_ms": sound.duration_ms, "kind": sound.kind, "deleted": gone, "may": may}
        found[sound.call_id]["recordings"].append(one)
    for back in conn.execute(_CALLBACKS, asked):
        found[back.call_id]["callback"] = {
            "id": back.id, "state": back.state, "by": back.user_id, "at": back.settled_at,
        }  # fmt: skip
    for tag in conn.execute(_TAGS, asked):
        found[tag.call_id]["tags"].append({"name": tag.name, "color": tag.color})
    for note in notes.of_calls(conn, asked["ids"]):
        known = ("id", "user_id", "text", "created_at", "updated_at", "version")
        found[note["call_id"]]["notes"].append({name: note[name] for name in known})
    return found


def target_of(call: Call) -> tuple[str, str] | None:
    """Whom a call was made for or is handed on to: kind (user, team, line, number) and id, or the number as spoken."""
    if call["parent_id"] is not None and call["direction"] == "outbound":
        return "number", numbers.spoken_form(call["to_number"], call["country"])
    target = (call["transfer"] or {}).get("target") or {}
    for kind, one in target.items():
        return kind, numbers.spoken_form(one, call["country"]) if kind == "number" else one
    return None


def forwarded_to(call: Call) -> str:
    """The outside number that the far end talks with, as it is spoken."""
    return numbers.spoken_form(call["forwarded_to"], call["country"]) if call["forwarded_to"] else ""

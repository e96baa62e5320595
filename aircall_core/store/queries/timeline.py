"""A conversation's timeline page by page, flat in time however long the log is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, bindparam, select

from aircall_core.domain import events as kinds
from aircall_core.store import people
from aircall_core.store.queries.cards import chosen, typed
from aircall_core.store.tables import call_legs, callbacks, calls, events, lines, recordings, tags

# What a reader is told; the same list as ui/static/story.js. All else in the log is for machines.
TOLD = (
    kinds.CONVERSATION_OPENED,
    kinds.CALL_ARRIVED,
    kinds.CALL_RING_STOPPED,
    kinds.CALL_ACCEPT_FAILED,
    kinds.CALL_ANSWERED,
    kinds.CALL_AGENT_AWAY,
    kinds.CALL_AGENT_BACK,
    kinds.CALL_RETURNED,
    kinds.CALL_OVERFLOW,
    kinds.CALL_ENDED,
    kinds.CALL_RECORDING,
    kinds.CALL_CHOSE,
    kinds.CALL_TYPED,
    kinds.CALL_REDIRECTED,
    kinds.CALL_TAGGED,
    kinds.CONVERSATION_ASSIGNED,
    kinds.CALLBACK_REQUESTED,
    kinds.CALLBACK_SETTLED,
)
# Entries that show what the call's row holds: the bubble, and the way through the line's flow in one line.
_WITH_CALL = frozenset({kinds.CALL_ARRIVED, kinds.CALL_CHOSE, kinds.CALL_TYPED})
# What somebody did: told with who did it, not with whom it concerns.
_DEEDS = frozenset({kinds.CALL_TAGGED, kinds.CONVERSATION_ASSIGNED, kinds.CALLBACK_SETTLED})
MOST = 200  # entries in one page

# Made once: building a statement costs as much as running it, and a timeline is read at every look at a conversation.
_PAGE = (
    select(
        events.c.seq,
        events.c.at,
        events.c.kind,
        events.c.call_id,
        events.c.line_id,
        events.c.user_id,
        events.c.actor,
        events.c.data,
    )
    .where(
        events.c.conversation_id == bindparam("conversation"),
        events.c.seq < bindparam("before"),
        events.c.kind.in_(TOLD),
    )
    .order_by(events.c.seq.desc())
    .limit(bindparam("most"))
)
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_SHOWN = (
    "id", "state", "outcome", "missed_reason", "arrived_at", "queued_at", "answered_at", "ended_at", "answered_by",
    "recording", "path", "digits",
)  # fmt: skip
_CALLS = select(*(calls.c[name] for name in _SHOWN)).where(calls.c.id.in_(_IDS))
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
_LINES = select(lines.c.id, lines.c.name).where(lines.c.id.in_(_IDS))
_TAGS = select(tags.c.id, tags.c.name).where(tags.c.id.in_(_IDS))
_NO_CURSOR = 2**62


def timeline(conn: Connection, conversation_id: str, before: int | None = None, limit: int = 50) -> dict[str, Any]:
    """A page of the timeline: the `limit` newest told events before the cursor, oldest first.

    {"entries": [{"seq", "at", "kind", "call_id", "who": {"id", "name"} | None, "data", "call": the call's row, where
    the entry shows it, "about": names of what the data's ids stand for}], "before": the next older page's cursor, None
    at the beginning}. At most eight queries, however much there is.
    """
    limit = max(1, min(limit, MOST))
    cursor = _NO_CURSOR if before is None else before
    rows = conn.execute(_PAGE, {"conversation": conversation_id, "before": cursor, "most": limit + 1}).all()
    page = rows[:limit]
    found = _calls(conn, sorted({row.call_id for row in page if row.kind in _WITH_CALL}))
    about = _About.read(conn, page, found)
    entries = [_entry(row, about, found) for row in reversed(page)]
    return {"entries": entries, "before": page[-1].seq if len(rows) > limit else None}


def _doer(row: Any) -> str | None:
    """The user an entry tells of."""
    if row.kind in _DEEDS:
        role, _, subject = row.actor.partition(":")
        return subject if role == "user" else None
    user: str | None = row.user_id
    return user


@dataclass(frozen=True, slots=True)
class _About:
    """Names of what a page's ids stand for."""

    users: Mapping[str, str]
    lines: Mapping[str, str]
    tags: Mapping[str, str]

    @classmethod
    def read(cls, conn: Connection, page: Sequence[Any], found: Mapping[str, dict[str, Any]]) -> "_About":
        """All names in at most three queries."""
        users = {_doer(row) for row in page} | {row.data.get("to") for row in page if row.data}
        for call in found.values():
            users |= {*call["rang"], call["answered_by"], call["callback"] and call["callback"]["by"]}
        moved = [row for row in page if row.kind == kinds.CALL_REDIRECTED]
        on_lines = {row.line_id for row in moved} | {row.data.get("from_line") for row in moved}
        with_tags = {tag for row in page if row.kind == kinds.CALL_TAGGED for tag in row.data.get("tags", ())}
        return cls(
            people.names(conn, sorted(one for one in users if one)), _names(conn, _LINES, on_lines),
            _names(conn, _TAGS, with_tags),
        )  # fmt: skip

    def who(self, user_id: str | None) -> dict[str, str] | None:
        """A user as browsers get them."""
        return {"id": user_id, "name": self.users.get(user_id, "")} if user_id else None

    def of(self, row: Any) -> dict[str, Any] | None:
        """What an entry's ids stand for."""
        data = row.data or {}
        match row.kind:
            case kinds.CALL_REDIRECTED:
                return {"from": self.lines.get(str(data.get("from_line")), ""), "line": self.lines.get(row.line_id, "")}
            case kinds.CONVERSATION_ASSIGNED:
                return {"to": self.who(data.get("to"))}
            case kinds.CALL_TAGGED:
                return {"tags": [self.tags[tag] for tag in data.get("tags", ()) if tag in self.tags]}
            case _:
                return None


def _names(conn: Connection, query: Select[Any], ids: Iterable[str | None]) -> dict[str, str]:
    wanted = sorted(one for one in ids if one)
    return {row.id: row.name for row in conn.execute(query, {"ids": wanted})} if wanted else {}


def _entry(row: Any, about: _About, found: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "seq": row.seq,
        "at": row.at,
        "kind": row.kind,
        "call_id": row.call_id,
        "who": about.who(_doer(row)),
        "data": dict(row.data or {}),
    }
    names = about.of(row)
    if names is not None:
        entry["about"] = names
    call = found.get(row.call_id) if row.kind in _WITH_CALL else None
    if call is not None:
        back = call["callback"]
        entry["call"] = {
            **call,
            "rang": [about.users.get(one, "") for one in call["rang"]],
            "answered_by": about.who(call["answered_by"]),
            "callback": back and {**back, "by": about.who(back["by"])},
        }
    return entry


def _calls(conn: Connection, call_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What bubbles show of these calls, users still as ids."""
    if not call_ids:
        return {}
    asked = {"ids": list(call_ids)}
    found: dict[str, dict[str, Any]] = {
        row.id: {
            **row._mapping,
            "path": chosen(row.path),
            "digits": typed(row.digits),
            "rang": [],
            "recordings": [],
            "callback": None,
        }
        for row in conn.execute(_CALLS, asked)
    }
    for leg in conn.execute(_LEGS, asked):
        found[leg.call_id]["rang"].append(leg.user_id)
    for sound in conn.execute(_SOUND, asked):
        gone = sound.deleted_at is not None
        one = {"id": sound.id, "duration_ms": sound.duration_ms, "kind": sound.kind, "deleted": gone}
        found[sound.call_id]["recordings"].append(one)
    for back in conn.execute(_CALLBACKS, asked):
        found[back.call_id]["callback"] = {
            "id": back.id, "state": back.state, "by": back.user_id, "at": back.settled_at,
        }  # fmt: skip
    return found

"""A conversation's timeline page by page, flat in time however long the log is."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, bindparam, select

from aircall_core.domain import events as kinds
from aircall_core.domain.transfer import BACK
from aircall_core.store import messages, notes, people
from aircall_core.store.queries import timeline_calls
from aircall_core.store.queries import timeline_pages as pages
from aircall_core.store.queries.timeline_calls import Call
from aircall_core.store.queries.timeline_pages import EVERYTHING, Filter
from aircall_core.store.tables import lines, tags, teams

# Entries that show what the call's row holds: the bubble, and the way through the line's flow in one line.
_WITH_CALL = frozenset({kinds.CALL_ARRIVED, kinds.CALL_DIAL_WANTED, kinds.CALL_CHOSE, kinds.CALL_TYPED})
# What somebody did: told with who did it, not with whom it concerns.
_DEEDS = frozenset(
    {
        kinds.CALL_TAGGED, kinds.CONVERSATION_ASSIGNED, kinds.CONVERSATION_CLOSED, kinds.CONVERSATION_REOPENED,
        kinds.CALLBACK_SETTLED, kinds.DIAL_ENTRY_CHANGED,
    }
)  # fmt: skip
_WITH_TEXT = frozenset({kinds.MESSAGE_RECEIVED, kinds.MESSAGE_WRITTEN})
MOST = 200  # entries in one page

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_LINES = select(lines.c.id, lines.c.name).where(lines.c.id.in_(_IDS))
_TEAMS = select(teams.c.id, teams.c.name).where(teams.c.id.in_(_IDS))
_TAGS = select(tags.c.id, tags.c.name).where(tags.c.id.in_(_IDS))
_NO_CURSOR = 2**62


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who reads: it decides which recordings they may play."""

    user_id: str
    role: str


def timeline(
    conn: Connection,
    conversation_id: str,
    before: int | None = None,
    limit: int = 50,
    *,
    after: int | None = None,
    around: int | None = None,
    wanted: Filter = EVERYTHING,
    others: Collection[str] = (),
    viewer: Viewer | None = None,
) -> dict[str, Any]:
    """A page of the timeline, oldest first: the `limit` newest told entries, or those before, after or around a place.

    {"entries": [{"seq", "at", "kind", "conversation_id", "call_id", "who": {"id", "name"} | None, "data", "way":
    direction of its call, "child": whether that was made for another one, "call": the call's row, where the entry shows
    it, "message" or "note": likewise, "about": names of what the data's ids stand for}], "before": cursor of older
    ones, "after": of newer ones, None at the ends}. ``others``: conversations told together with this one. Without a
    viewer every recording may be played. At most a dozen queries a conversation, however much there is.
    """
    limit = max(1, min(limit, MOST))
    ids = [conversation_id, *(one for one in others if one != conversation_id)]

    def read(cursor: int, forward: bool, most: int) -> tuple[list[Any], bool]:
        found = pages.page(conn, ids, wanted, cursor=cursor, forward=forward, limit=most + 1)
        return found[:most], len(found) > most

    if around is not None:
        newer, more_after = read(around - 1, True, limit - limit // 2)
        older, more_before = read(around, False, limit // 2)
        if limit == 1:
            more_before = True
    elif after is not None:
        newer, more_after = read(after, True, limit)
        older, more_before = [], True
    else:
        newer, more_after = [], before is not None
        older, more_before = read(_NO_CURSOR if before is None else before, False, limit)
    page = [*reversed(older), *newer]
    entries = _entries(conn, page, viewer)
    first, last = (page[0].seq, page[-1].seq) if page else (before or around, after or around)
    return {"entries": entries, "before": first if more_before else None, "after": last if more_after else None}


def _entries(conn: Connection, page: Sequence[Any], viewer: Viewer | None) -> list[dict[str, Any]]:
    calls = timeline_calls.rows(conn, {row.call_id for row in page if row.call_id})
    shown = {row.call_id for row in page if row.kind in _WITH_CALL}
    tops = {one: call for one, call in calls.items() if one in shown and call["parent_id"] is None}
    bubbles = timeline_calls.bubbles(conn, tops, listener=viewer.user_id if viewer and viewer.role == "agent" else None)
    about = _About.read(conn, page, calls, bubbles)
    texts = messages.shown(conn, {row.data["message"] for row in page if row.kind in _WITH_TEXT})
    written = notes.by_ids(conn, {row.data["note"] for row in page if row.kind == kinds.CONVERSATION_NOTED})
    entries = []
    for row in page:
        entry = _entry(row, about, calls.get(row.call_id), bubbles)
        if row.kind in _WITH_TEXT:
            entry["message"] = texts.get(row.data["message"])
        elif row.kind == kinds.CONVERSATION_NOTED:
            entry["note"] = written.get(row.data["note"])
        entries.append(entry)
    return entries


def _doer(row: Any) -> str | None:
    """The user an entry tells of."""
    role, _, subject = row.actor.partition(":")
    user: str | None = row.user_id
    if row.kind in _DEEDS and (role == "user" or row.kind != kinds.CALLBACK_SETTLED):
        return subject if role == "user" else None
    return user


@dataclass(frozen=True, slots=True)
class _About:
    """Names of what a page's ids stand for."""

    users: Mapping[str, str]
    teams: Mapping[str, str]
    lines: Mapping[str, str]
    tags: Mapping[str, str]

    @classmethod
    def read(
        cls, conn: Connection, page: Sequence[Any], calls: Mapping[str, Call], bubbles: Mapping[str, Call]
    ) -> "_About":
        """All names in at most four queries."""
        users = {_doer(row) for row in page}
        users |= {row.data.get("to") for row in page if row.kind == kinds.CONVERSATION_ASSIGNED}
        for call in bubbles.values():
            users |= {*call["rang"], call["answered_by"], call["started_by"]}
            users |= {note["user_id"] for note in call["notes"]}
            users.add(call["callback"] and call["callback"]["by"])
        users |= {(call["transfer"] or {}).get("by") for call in calls.values()}
        moved = [row for row in page if row.kind == kinds.CALL_REDIRECTED]
        targets = {timeline_calls.target_of(call) for call in calls.values()}
        targets |= {(row.data["to"], row.data.get("id")) for row in page if row.kind == kinds.CALL_TRANSFERRING}
        ids: dict[str, set[str | None]] = {kind: set() for kind in ("user", "team", "line", "number")}
        for kind, one in filter(None, targets):
            ids[kind].add(one)
        on_lines = {row.line_id for row in moved} | {row.data.get("from_line") for row in moved} | ids["line"]
        with_tags = {tag for row in page if row.kind == kinds.CALL_TAGGED for tag in row.data.get("tags", ())}
        return cls(
            people.names(conn, sorted(one for one in users | ids["user"] if one)), _names(conn, _TEAMS, ids["team"]),
            _names(conn, _LINES, on_lines), _names(conn, _TAGS, with_tags),
        )  # fmt: skip

    def who(self, user_id: str | None) -> dict[str, str] | None:
        """A user as browsers get them."""
        return {"id": user_id, "name": self.users.get(user_id, "")} if user_id else None

    def named(self, target: tuple[str, str | None] | None) -> dict[str, str] | None:
        """Whom a call was made for, or handed on to, in words."""
        kind, one = target or ("", None)
        if one is None:
            return None
        names = {"user": self.users, "team": self.teams, "line": self.lines}.get(kind)
        return {"kind": kind, "name": one if names is None else names.get(one, "")}

    def of(self, row: Any, call: Call | None) -> dict[str, Any] | None:
        """What an entry's ids stand for."""
        data = row.data or {}
        match row.kind:
            case kinds.CALL_REDIRECTED:
                return {"from": self.lines.get(str(data.get("from_line")), ""), "line": self.lines.get(row.line_id, "")}
            case kinds.CONVERSATION_ASSIGNED:
                return {"to": self.who(data.get("to"))}
            case kinds.CALL_TAGGED:
                return {"tags": [self.tags[tag] for tag in data.get("tags", ()) if tag in self.tags]}
        if call is None:
            return None
        if call["parent_id"] is not None:
            return {"to": self.named(timeline_calls.target_of(call))}
        return self._moved(row.kind, data, call)

    def _moved(self, kind: str, data: Mapping[str, Any], call: Call) -> dict[str, Any] | None:
        """Where a call was handed on to, as far as its row still says so: of several numbers it knows the last."""
        outside = {"kind": "number", "name": timeline_calls.forwarded_to(call)}
        match kind:
            case kinds.CALL_TRANSFERRING if data["to"] == "number":
                target = timeline_calls.target_of(call)
                return {"to": self.named(target) if target and target[0] == "number" else outside}
            case kinds.CALL_TRANSFERRING:
                return {"to": self.named((data["to"], data.get("id")))}
            case kinds.CALL_QUEUED if data.get("step") == BACK:
                return {"to": {"kind": "user", "name": self.users.get((call["transfer"] or {}).get("by", ""), "")}}
            case kinds.CALL_FORWARDED:
                return {"to": outside}
            case kinds.CALL_TRANSFERRED if data.get("to") == "number":
                return {"to": outside}
            case _:
                return None


def _names(conn: Connection, query: Select[Any], ids: Iterable[str | None]) -> dict[str, str]:
    wanted = sorted(one for one in ids if one)
    return {row.id: row.name for row in conn.execute(query, {"ids": wanted})} if wanted else {}


def _entry(row: Any, about: _About, call: Call | None, bubbles: Mapping[str, Call]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "seq": row.seq,
        "at": row.at,
        "kind": row.kind,
        "conversation_id": row.conversation_id,
        "call_id": row.call_id,
        "who": about.who(_doer(row)),
        "data": dict(row.data or {}),
    }
    if call is not None:
        entry |= {"way": call["direction"], "child": call["parent_id"] is not None}
    names = about.of(row, call)
    if names is not None:
        entry["about"] = names
    shown = bubbles.get(row.call_id) if row.kind in _WITH_CALL else None
    if shown is not None:
        entry["call"] = _bubble(shown, about)
    return entry


def _bubble(call: Call, about: _About) -> dict[str, Any]:
    """A call as its bubble shows it, users by name."""
    back = call["callback"]
    return {
        **call,
        "rang": [about.users.get(one, "") for one in call["rang"]],
        "answered_by": about.who(call["answered_by"]),
        "started_by": about.who(call["started_by"]),
        "notes": [{**note, "by": about.who(note["user_id"])} for note in call["notes"]],
        "callback": back and {**back, "by": about.who(back["by"])},
    }

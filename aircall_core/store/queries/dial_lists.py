"""Lists of the power dialer as agents see them: how far each is, who has which number, what came of the calls."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, select, text, true

from aircall_core import numbers
from aircall_core.domain.dial_list import State
from aircall_core.store.queries.inbox import visible_lines
from aircall_core.store.rows import many
from aircall_core.store.tables import (
    call_tags,
    calls,
    contact_phones,
    contacts,
    conversations,
    dial_entries,
    dial_lists,
    lines,
    tags,
    users,
)

MOST: Final = 500  # entries an answer
TRIES: Final = 5  # calls with a number that are shown before the next one
WAITING, DONE, SKIPPED = "waiting", "done", "skipped"
_SHOWN: Final[Mapping[str, Sequence[State]]] = {
    WAITING: (State.CLAIMED, State.WAITING),
    DONE: (State.DIALLED,),
    SKIPPED: (State.SKIPPED,),
}


def lists(conn: Connection, user_id: str, role: str, *, archived: bool = False) -> list[dict[str, Any]]:
    """The lists of the lines that a user may see, by name, with their line and `progress_of`."""
    allowed = visible_lines(conn, user_id, role)
    query = _LISTS.where(
        dial_lists.c.line_id.in_(allowed) if allowed is not None else true(),
        true() if archived else dial_lists.c.archived.is_(False),
    )
    found = many(conn, query)
    progress = _progress(conn, [one["id"] for one in found])
    return [{**one, **progress[one["id"]]} for one in found]


def one_list(conn: Connection, list_id: str) -> dict[str, Any] | None:
    """A list with its line and `progress_of`."""
    found = many(conn, _LISTS.where(dial_lists.c.id == list_id))
    return {**found[0], **_progress(conn, [list_id])[list_id]} if found else None


_LISTS: Select[Any] = (
    select(
        dial_lists.c.id,
        dial_lists.c.name,
        dial_lists.c.pause_s,
        dial_lists.c.archived,
        dial_lists.c.created_at,
        dial_lists.c.line_id,
        lines.c.name.label("line_name"),
        lines.c.country,
        lines.c.enabled.label("line_enabled"),
        lines.c.outbound_trunk_id.isnot(None).label("line_dials"),
    )
    .join(lines, lines.c.id == dial_lists.c.line_id)
    .order_by(dial_lists.c.archived, func.lower(dial_lists.c.name), dial_lists.c.id)
)


def _progress(conn: Connection, list_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """How far each list is: total, waiting, left (waiting or claimed), done (dialled or skipped), skipped, reached."""
    counts = {one: dict.fromkeys((*State, "reached"), 0) for one in list_ids}
    query = select(dial_entries.c.list_id, dial_entries.c.state, func.count())
    for list_id, state, count in conn.execute(
        query.where(dial_entries.c.list_id.in_(list_ids)).group_by(dial_entries.c.list_id, dial_entries.c.state)
    ):
        counts[list_id][State(state)] = count
    reached = (
        select(dial_entries.c.list_id, func.count())
        .join(calls, calls.c.id == dial_entries.c.call_id)
        .where(
            dial_entries.c.list_id.in_(list_ids),
            dial_entries.c.state == State.DIALLED.value,
            calls.c.answered_at.isnot(None),
        )
        .group_by(dial_entries.c.list_id)
    )
    for list_id, count in conn.execute(reached):
        counts[list_id]["reached"] = count
    return {
        list_id: {
            "total": sum(one[state] for state in State),
            "waiting": one[State.WAITING],
            "left": one[State.WAITING] + one[State.CLAIMED],
            "done": one[State.DIALLED] + one[State.SKIPPED],
            "skipped": one[State.SKIPPED],
            "reached": one["reached"],
        }
        for list_id, one in counts.items()
    }


def at_work(conn: Connection, list_id: str) -> list[dict[str, Any]]:
    """Who has claimed an entry of the list, or whose call to one goes on: id, name, and the call or None; by name."""
    query = (
        select(users.c.id, users.c.name, calls.c.id.label("call"))
        .select_from(dial_entries)
        .join(users, users.c.id == dial_entries.c.user_id)
        .outerjoin(calls, calls.c.id == dial_entries.c.call_id)
        .where(dial_entries.c.list_id == list_id)
    )
    claims = many(conn, query.where(dial_entries.c.state == State.CLAIMED.value))
    busy = many(conn, query.where(dial_entries.c.state == State.DIALLED.value, calls.c.ended_at.is_(None)))
    found = [*({**one, "call": None} for one in claims), *busy]
    return sorted(found, key=lambda one: (one["name"].casefold(), one["id"]))


def calling(conn: Connection, list_id: str, user_id: str) -> str | None:
    """The entry of the list whose call, made by this user and still theirs (not handed on), goes on."""
    query = (
        select(dial_entries.c.id)
        .join(calls, calls.c.id == dial_entries.c.call_id)
        .where(
            text("calls.direction = 'outbound'"),  # as the partial index has it, word by word
            calls.c.started_by == user_id,
            calls.c.accepted_by == user_id,
            calls.c.ended_at.is_(None),
            dial_entries.c.list_id == list_id,
        )
    )
    return conn.scalar(query.order_by(calls.c.id.desc()).limit(1))


def line_of(conn: Connection, list_id: str) -> str | None:
    """The line of a list; None when there is no such list."""
    return conn.scalar(select(dial_lists.c.line_id).where(dial_lists.c.id == list_id))


def list_of_entry(conn: Connection, entry_id: str) -> str | None:
    """The list of an entry; None when there is no such entry."""
    return conn.scalar(select(dial_entries.c.list_id).where(dial_entries.c.id == entry_id))


def has_lists(conn: Connection, line_id: str) -> bool:
    """Whether any list is dialled by this line."""
    return bool(conn.scalar(select(exists().where(dial_lists.c.line_id == line_id))))


def entries(
    conn: Connection, list_id: str, shown: str, *, search: str = "", skip: int = 0, limit: int = 20
) -> tuple[list[dict[str, Any]], bool]:
    """Entries of a list and whether there are more.

    ``shown``: waiting (in the order in which they are dialled, those that somebody has first), done or skipped (the
    newest first). ``search`` is in the name, or in the number in any spelling.
    """
    states = [state.value for state in _SHOWN[shown]]
    order = (
        [dial_entries.c.state, dial_entries.c.position, dial_entries.c.id]  # "claimed" stands before "waiting"
        if shown == WAITING
        else [dial_entries.c.at.desc(), dial_entries.c.id.desc()]
    )
    query = (
        _entries(dial_entries.c.list_id == list_id, dial_entries.c.state.in_(states), _found(search))
        .order_by(*order)
        .offset(skip)
        .limit(min(limit, MOST) + 1)
    )
    rows = _shown(conn, query)
    return rows[:limit], len(rows) > limit


def entry(conn: Connection, entry_id: str) -> dict[str, Any] | None:
    """One entry as `entries` has it, with `note`, `conversation_id` (or None) and `tries`: the last calls with it."""
    rows = _shown(conn, _entries(dial_entries.c.id == entry_id))
    if not rows:
        return None
    row = rows[0]
    conversation = conn.scalar(
        select(conversations.c.id).where(
            conversations.c.line_id == row["line_id"], conversations.c.party == row["number"]
        )
    )
    return {**row, "conversation_id": conversation, "tries": _tries(conn, conversation) if conversation else []}


def _entries(*where: ColumnElement[bool]) -> Select[Any]:
    contact = contact_phones.alias("phone")
    return (
        select(
            dial_entries.c.id,
            dial_entries.c.list_id,
            dial_entries.c.number,
            dial_entries.c.name,
            dial_entries.c.note,
            dial_entries.c.state,
            dial_entries.c.reason,
            dial_entries.c.user_id,
            dial_entries.c.at,
            dial_entries.c.tries.label("dialled"),
            dial_lists.c.line_id,
            lines.c.country,
            users.c.name.label("user_name"),
            contacts.c.name.label("contact_name"),
            *_OUTCOME,
        )
        .join(dial_lists, dial_lists.c.id == dial_entries.c.list_id)
        .join(lines, lines.c.id == dial_lists.c.line_id)
        .outerjoin(users, users.c.id == dial_entries.c.user_id)
        .outerjoin(calls, calls.c.id == dial_entries.c.call_id)
        .outerjoin(contact, contact.c.number == dial_entries.c.number)
        .outerjoin(contacts, contacts.c.id == contact.c.contact_id)
        .where(and_(*where))
    )


_OUTCOME: Final = (
    calls.c.id.label("call_id"),
    calls.c.direction,
    calls.c.state.label("call_state"),
    calls.c.outcome,
    calls.c.end_reason,
    calls.c.arrived_at,
    calls.c.answered_at,
    calls.c.ended_at,
)


def _found(search: str) -> ColumnElement[bool]:
    wanted = search.strip()
    if not wanted:
        return true()
    by_name = dial_entries.c.name.icontains(wanted, autoescape=True)
    digits = "".join(filter(str.isdigit, wanted)).lstrip("0")
    return by_name | dial_entries.c.number.contains(digits) if digits else by_name


def _shown(conn: Connection, query: Select[Any]) -> list[dict[str, Any]]:
    rows = many(conn, query)
    tagged = _tags(conn, [row["call_id"] for row in rows if row["call_id"]])
    return [
        {
            **{name: row[name] for name in _KEPT},
            "name": row["name"] or row["contact_name"] or "",
            "spoken": numbers.spoken_form(row["number"], row["country"]),
            "flag": numbers.flag(numbers.country_of(row["number"])),
            "by": {"id": row["user_id"], "name": row["user_name"] or ""} if row["user_id"] else None,
            "call": _call(row, tagged) if row["call_id"] else None,
        }
        for row in rows
    ]


_KEPT: Final = ("id", "list_id", "line_id", "number", "note", "state", "reason", "at", "dialled")


def _call(row: Mapping[str, Any], tagged: Mapping[str, list[dict[str, str]]]) -> dict[str, Any]:
    return {
        "id": row["call_id"],
        "direction": row["direction"],
        "state": row["call_state"],
        "outcome": row["outcome"],
        "reason": row["end_reason"],
        "at": row["arrived_at"],
        "answered_at": row["answered_at"],
        "ended_at": row["ended_at"],
        "tags": tagged.get(row["call_id"], []),
    }


def _tries(conn: Connection, conversation_id: str) -> list[dict[str, Any]]:
    """The last calls of a conversation, both ways, the newest first, each with `by`: who talked or dialled."""
    query = (
        select(*_OUTCOME, users.c.name.label("user_name"))
        .outerjoin(users, users.c.id == func.coalesce(calls.c.answered_by, calls.c.started_by))
        .where(calls.c.conversation_id == conversation_id, calls.c.parent_id.is_(None))
        .order_by(calls.c.arrived_at.desc(), calls.c.id.desc())
        .limit(TRIES)
    )
    rows = many(conn, query)
    tagged = _tags(conn, [row["call_id"] for row in rows])
    return [{**_call(row, tagged), "by": row["user_name"]} for row in rows]


def _tags(conn: Connection, call_ids: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    """The tags of calls: id, name and colour, by name."""
    query = (
        select(call_tags.c.call_id, tags.c.id, tags.c.name, tags.c.color)
        .join(tags, tags.c.id == call_tags.c.tag_id)
        .where(call_tags.c.call_id.in_(sorted(call_ids)))
        .order_by(func.lower(tags.c.name))
    )
    found: dict[str, list[dict[str, str]]] = {}
    for row in conn.execute(query):
        found.setdefault(row.call_id, []).append({"id": row.id, "name": row.name, "color": row.color})
    return found

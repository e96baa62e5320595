"""Which conversations and calls the inbox lists, page by page, and how many there are in each of its categories.

Only ids and places in the order: what is shown of them is in ``inbox_rows``. Each list walks an index that holds all
that its category asks for (the table's ``ix_conversations_...``); what no index knows is looked up for a bounded number
of candidates, so that no filter can make a page slow: such a page may be short, and its cursor leads on.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    select,
    true,
    tuple_,
    union_all,
)

from aircall_core.domain.call import Direction
from aircall_core.domain.words import Query
from aircall_core.store import people, search
from aircall_core.store.messages import is_undelivered
from aircall_core.store.tables import call_tags, calls, conversations, messages, unread

CONVERSATIONS, MESSAGES, CALLS = VIEWS = ("conversations", "messages", "calls")
UNREAD, OPEN, MINE, UNASSIGNED, OUTBOUND, CLOSED, ALL = CATEGORIES = (
    "unread", "open", "mine", "unassigned", "outbound", "closed", "all",
)  # fmt: skip
MISSED, VOICEMAIL, UNDELIVERED = "missed", "voicemail", "undelivered"
TYPES: Final = {
    CONVERSATIONS: (MISSED, VOICEMAIL, UNDELIVERED),
    MESSAGES: (UNDELIVERED,),
    CALLS: ("inbound", "outbound", "answered", MISSED, VOICEMAIL, "callback"),
}

MOST_COUNTED: Final = 999  # beyond it, it is only known that there are more
MOST_LOOKED_AT: Final = 1_500  # candidates of a page that are looked up
_CHUNK: Final = 500
_FEW: Final = 1_000  # undelivered texts; when there are more of them, conversations are looked up for theirs
_FOUND_MOST: Final = 200  # of each kind that a search finds at once
_SEARCHES: Final = 5  # so often it goes on to older hits for a page
_LINES_APART: Final = 8  # so many lines are walked each by itself, and their newest merged

Place = tuple[int, str]
"""Where a row stands: its time in ms, and its id. The cursor of the page after it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a user asks their inbox for. ``lines``: those they may see and want (None: every line). Times in ms.

    ``only``: among these conversations (ids). ``type``, ``user``, ``tag``: as the view has them.
    """

    user_id: str
    lines: Sequence[str] | None = None
    view: str = CONVERSATIONS
    category: str = OPEN
    since: int | None = None
    until: int | None = None
    type: str = ""
    by_user: str = ""
    tag: str = ""
    only: Collection[str] | None = None
    oldest_first: bool = False


def visible_lines(conn: Connection, user_id: str, role: str) -> list[str] | None:
    """Ids of the lines whose conversations the user may see; None means every line."""
    return people.visible_lines(conn, user_id) if role == "agent" else None


def page(conn: Connection, wanted: Wanted, after: Place | None, limit: int) -> tuple[list[Place], Place | None]:
    """The places of a page's rows, in their order, and the cursor of the next page (None: this was the last)."""
    if wanted.lines is not None and not wanted.lines:
        return [], None
    if wanted.type == UNDELIVERED:
        wanted = _of_few(conn, wanted)
    looks = wanted.view == CALLS or bool(wanted.type)
    size = _CHUNK if looks else limit + 1
    found: list[Place] = []
    looked = 0
    while True:
        walked = _walk(conn, wanted, after, size)
        for at, one, kept in walked:
            if not kept:
                continue
            if len(found) == limit:
                return found, found[-1]
            found.append((at, one))
        if len(walked) < size:
            return found, None
        after, looked = walked[-1][:2], looked + size
        if looked >= MOST_LOOKED_AT:
            return found, after


def _of_few(conn: Connection, wanted: Wanted) -> Wanted:
    """The same list, among the conversations that have undelivered texts, if those are few: no page is short then."""
    ids = set(conn.scalars(_WITH_UNDELIVERED, {"most": _FEW + 1}))
    if len(ids) > _FEW:
        return wanted
    return replace(wanted, type="", only=ids if wanted.only is None else ids & set(wanted.only))


def found_page(
    conn: Connection, query: Query, wanted: Wanted, after: Place | None, limit: int
) -> tuple[list[Place], Place | None, bool]:
    """As `page`, among what a search finds; and whether there are older hits that were not looked at.

    Some hundred hits are looked at, and more of them while the page is not full: what one looks for may be older than
    many others that do not belong into the list.
    """
    among, found, before = wanted.only, set[str](), None
    for _ in range(_SEARCHES):
        new, before = find(conn, query, wanted.lines, before)
        found |= new
        wanted = replace(wanted, only=found if among is None else found & set(among))
        places, after_that = page(conn, wanted, after, limit)
        if before is None or after_that is not None or len(places) == limit:
            break
    return places, after_that, before is not None


def find(
    conn: Connection, query: Query, lines: Collection[str] | None, before: int | None = None
) -> tuple[set[str], int | None]:
    """Ids of conversations that a search finds: by name, company, number, text or note; the newest few hundred, and the
    cursor of older ones (None: these were all)."""
    said = (search.CONVERSATION, search.MESSAGE, search.NOTE)
    hits = search.search(conn, query, lines=lines, kinds=said, before=before, limit=_FOUND_MOST)
    found = {hit.conversation_id for hit in hits if hit.conversation_id}
    older = hits[-1].id if len(hits) == _FOUND_MOST else None
    if before is not None:
        return found, older
    known = search.search(conn, query, lines=lines, kinds=(search.CONTACT,), limit=_FOUND_MOST)
    if known:
        theirs = conn.scalars(_OF_CONTACTS, {"contacts": [hit.ref for hit in known]})
        found.update(theirs)
    return found, older


def counts(conn: Connection, user_id: str, lines: Sequence[str] | None, view: str = CONVERSATIONS) -> dict[str, int]:
    """How many conversations each category has, at most MOST_COUNTED + 1."""
    if lines is not None and not lines:
        return dict.fromkeys(CATEGORIES[:-1], 0)
    values: dict[str, Any] = {"me": user_id}
    if lines is not None:
        values["lines"] = list(lines)
    row = conn.execute(_counting(lines is not None, view == MESSAGES), values).mappings().one()
    return dict(row)


# ---- statements, each made once

_ME: BindParameter[str] = bindparam("me")
_LINES: BindParameter[Any] = bindparam("lines", expanding=True)
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_OF_CONTACTS = select(conversations.c.id).where(conversations.c.contact_id.in_(bindparam("contacts", expanding=True)))
_IS_OPEN = conversations.c.closed_at.is_(None)
_OF_CATEGORY: Final[dict[str, Sequence[ColumnElement[bool]]]] = {
    OPEN: (_IS_OPEN,),
    MINE: (_IS_OPEN, conversations.c.assigned_to == _ME),
    UNASSIGNED: (_IS_OPEN, conversations.c.assigned_to.is_(None)),
    OUTBOUND: (_IS_OPEN, conversations.c.direction == Direction.OUTBOUND.value),
    CLOSED: (conversations.c.closed_at.is_not(None),),
    ALL: (),
    UNREAD: (unread.c.user_id == _ME,),
}
_WITH_UNDELIVERED = select(messages.c.conversation_id).where(is_undelivered()).distinct().limit(bindparam("most"))
_HAS_TEXTS = conversations.c.last_message_id.is_not(None)


def _listed(category: str, texts: bool) -> tuple[Any, Any, Any, list[ColumnElement[bool]]]:
    """Where a category's conversations are walked: from, the order's time and id, and the conditions."""
    where = [*_OF_CATEGORY[category], *([_HAS_TEXTS] if texts else [])]
    if category == UNREAD:
        source = unread.join(conversations, conversations.c.id == unread.c.conversation_id)
        return source, unread.c.since, unread.c.conversation_id, where
    return conversations, conversations.c.last_at, conversations.c.id, where


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a list's statement depends on. ``apart``: so many lines, each walked by itself; ``narrowed``: to some lines,
    all at once."""

    view: str
    category: str
    type: str
    by_user: bool
    tag: bool
    apart: int
    narrowed: bool
    only: bool
    oldest_first: bool
    cursor: bool
    since: bool
    until: bool


@lru_cache(maxsize=512)
def _statement(shape: _Shape) -> Select[Any]:
    """The next candidates in their order, and whether each is wanted."""
    source: Any
    where: list[ColumnElement[bool]] = []
    if shape.view == CALLS:
        source, at, one = calls, calls.c.arrived_at, calls.c.id
        line, conversation = calls.c.line_id, calls.c.conversation_id
    else:
        source, at, one, where = _listed(shape.category, shape.view == MESSAGES)
        line, conversation = conversations.c.line_id, one
    if shape.only:
        where.append(conversation.in_(_IDS))
    if shape.narrowed:
        where.append(line.in_(_LINES))
    if shape.since:
        where.append(at >= bindparam("since"))
    if shape.until:
        where.append(at < bindparam("until"))
    if shape.cursor:
        place, last = tuple_(at, one), tuple_(bindparam("at", type_=at.type), bindparam("id", type_=one.type))
        where.append(place > last if shape.oldest_first else place < last)
    most: BindParameter[int] = bindparam("most")

    def ordered(query: Select[Any], at: Any, one: Any) -> Select[Any]:
        order = (at, one) if shape.oldest_first else (at.desc(), one.desc())
        return query.order_by(*order).limit(most)

    def walk(*more: ColumnElement[bool]) -> Select[Any]:
        return ordered(select(at.label("at"), one.label("id")).select_from(source).where(*where, *more), at, one)

    if shape.apart:
        each = (walk(line == bindparam(f"line{n}")).subquery() for n in range(shape.apart))
        merged = union_all(*(select(part.c.at, part.c.id) for part in each)).subquery()
        walked = ordered(select(merged.c.at, merged.c.id), merged.c.at, merged.c.id)
    else:
        walked = walk()
    return _looked_up(walked, shape)


def _looked_up(walked: Select[Any], shape: _Shape) -> Select[Any]:
    if shape.view != CALLS and not shape.type:
        return walked.add_columns(true().label("kept"))
    found = walked.subquery("walked")
    kept: list[ColumnElement[bool]]
    if shape.view == CALLS:
        query = select(found.c.at, found.c.id).join(calls, calls.c.id == found.c.id)
        kept = [calls.c.parent_id.is_(None), *_CALLS_OF_CATEGORY[shape.category], *_CALLS_OF_TYPE[shape.type]]
        if shape.by_user:
            kept.append((calls.c.answered_by == _BY) | (calls.c.started_by == _BY))
        if shape.tag:
            kept.append(exists().where(call_tags.c.call_id == calls.c.id, call_tags.c.tag_id == bindparam("tag")))
        if shape.category in (OPEN, MINE, UNASSIGNED, CLOSED):
            query = query.join(conversations, conversations.c.id == calls.c.conversation_id)
    else:
        query = select(found.c.at, found.c.id).join(conversations, conversations.c.id == found.c.id)
        kept = [_CONVERSATIONS_OF_TYPE[shape.type]]
    order = (found.c.at, found.c.id) if shape.oldest_first else (found.c.at.desc(), found.c.id.desc())
    return query.add_columns(case((and_(*kept), 1), else_=0).label("kept")).order_by(*order)


def _walk(conn: Connection, wanted: Wanted, after: Place | None, most: int) -> list[tuple[int, str, bool]]:
    lines, only = wanted.lines, wanted.only
    if only is not None and not only:
        return []
    by_line = wanted.view == CALLS or wanted.category != UNREAD
    apart = len(lines) if lines is not None and by_line and only is None and len(lines) <= _LINES_APART else 0
    narrowed = lines is not None and not apart
    shape = _Shape(
        wanted.view, wanted.category, wanted.type, bool(wanted.by_user), bool(wanted.tag), apart, narrowed,
        only is not None, wanted.oldest_first, after is not None, wanted.since is not None, wanted.until is not None,
    )  # fmt: skip
    values: dict[str, Any] = {
        "me": wanted.user_id, "most": most, "since": wanted.since, "until": wanted.until, "by": wanted.by_user,
        "tag": wanted.tag,
    }  # fmt: skip
    if after is not None:
        values |= {"at": after[0], "id": after[1]}
    if narrowed:
        values["lines"] = list(lines or ())
    if apart:
        values |= {f"line{n}": line for n, line in enumerate(lines or ())}
    if only is not None:
        values["ids"] = sorted(only)
    return [(row.at, row.id, bool(row.kept)) for row in conn.execute(_statement(shape), values)]


_MINE_UNREAD = exists().where(unread.c.user_id == _ME, unread.c.conversation_id == calls.c.conversation_id)
_CALLS_OF_CATEGORY: Final[dict[str, Sequence[ColumnElement[bool]]]] = {
    **{name: where for name, where in _OF_CATEGORY.items() if name not in (UNREAD, OUTBOUND)},
    UNREAD: (_MINE_UNREAD,),
    OUTBOUND: (calls.c.direction == Direction.OUTBOUND.value,),
}
_UNANSWERED = (calls.c.ended_at.is_not(None), calls.c.answered_at.is_(None))
_CALLS_OF_TYPE: Final[dict[str, Sequence[ColumnElement[bool]]]] = {
    "": (),
    "inbound": (calls.c.direction == Direction.INBOUND.value,),
    "outbound": (calls.c.direction == Direction.OUTBOUND.value,),
    "answered": (calls.c.answered_at.is_not(None),),
    MISSED: (calls.c.direction == Direction.INBOUND.value, *_UNANSWERED),
    VOICEMAIL: (calls.c.outcome == "voicemail",),
    "callback": (calls.c.outcome == "callback",),
}
_BY: BindParameter[str] = bindparam("by")
_CONVERSATIONS_OF_TYPE: Final[dict[str, ColumnElement[bool]]] = {
    MISSED: conversations.c.missed.is_(True),
    VOICEMAIL: exists().where(calls.c.id == conversations.c.last_call_id, calls.c.outcome == "voicemail"),
    UNDELIVERED: exists().where(messages.c.conversation_id == conversations.c.id, is_undelivered()),
}


@lru_cache(maxsize=4)
def _counting(narrowed: bool, texts: bool) -> Select[Any]:
    def count(category: str) -> Any:
        source, _, _, where = _listed(category, texts)
        if narrowed:
            where.append(conversations.c.line_id.in_(_LINES))
        some = select(literal(1)).select_from(source).where(*where).limit(MOST_COUNTED + 1).subquery()
        return select(func.count()).select_from(some).scalar_subquery().label(category)

    return select(*(count(category) for category in CATEGORIES if category != ALL))

"""The search index: one row a text, newer ones with higher numbers, on SQLite's FTS5 and on PostgreSQL's tsvector.

Whoever writes a text gives it the next number. Filling the index with what was there before goes the other way: from
the newest text to the oldest, each below all that are known. So the order holds while both happen at once.

The words are made by domain/words.py, the same for both. Beside them stand words that say what kind of text it is, and
whose: so what a user may not see is left out by the index itself, and not after thousands of rows were read.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    any_,
    bindparam,
    cast,
    column,
    delete,
    func,
    literal_column,
    select,
    table,
    union_all,
)
from sqlalchemy.dialects import postgresql, sqlite

from aircall_core.domain.words import Query, words
from aircall_core.store.tables import search_texts

CONTACT: Final = "contact"
CONVERSATION: Final = "conversation"
MESSAGE: Final = "message"
NOTE: Final = "note"
KINDS: Final = (CONTACT, CONVERSATION, MESSAGE, NOTE)
_OPEN_TO_ALL: Final = "lall"  # in place of a line: contacts are the whole company's


@dataclass(frozen=True, slots=True)
class Hit:
    """A text that was found: which row it stands for, and where that belongs. ``id`` is the cursor for older ones."""

    id: int
    kind: str
    ref: str
    conversation_id: str | None
    contact_id: str | None
    line_id: str | None
    at: int


_KEPT = ("conversation_id", "contact_id", "line_id", "at", "words", "scope")
_PUT = {
    dialect.__name__.rsplit(".", 1)[-1]: (made := dialect.insert(search_texts)).on_conflict_do_update(
        index_elements=["kind", "ref"], set_={name: made.excluded[name] for name in _KEPT}
    )
    for dialect in (sqlite, postgresql)
}
_DROP = delete(search_texts).where(search_texts.c.kind == bindparam("what"), search_texts.c.ref == bindparam("row"))
_HIT = tuple(search_texts.c[name] for name in Hit.__slots__)
_INDEX = table("search_index", column("search_index"), column("rowid"))
_WANTED: BindParameter[str] = bindparam("wanted")
_LINED = literal_column("' '").concat(search_texts.c.words).concat(" ")  # what a phrase is looked for in
_BEFORE, _MOST = bindparam("before", type_=search_texts.c.id.type), bindparam("most", type_=search_texts.c.id.type)
_SQLITE = (
    select(*_HIT)
    .join(_INDEX, _INDEX.c.rowid == search_texts.c.id)
    .where(_INDEX.c.search_index.op("MATCH")(_WANTED), _INDEX.c.rowid < _BEFORE)
    .order_by(_INDEX.c.rowid.desc())
    .limit(_MOST)
)
# PostgreSQL's index knows no order: it would gather each of a million texts with a common word and sort them then. So
# the newest texts are looked through first, which is enough for common words; rare words are then few in the index.
_WORDS: ColumnElement[Any] = column("search_index_words", postgresql.TSVECTOR)  # migration 0004
_AFTER: BindParameter[int] = bindparam("after", type_=search_texts.c.id.type)
_POSTGRES = (
    select(*_HIT)
    .where(_WORDS.op("@@")(cast(_WANTED, postgresql.TSQUERY)))
    .order_by(search_texts.c.id.desc())
    .limit(_MOST)
)
_IN_TIME = (search_texts.c.id < _BEFORE) & (search_texts.c.id > _AFTER)
_IN_TIME_BY_NO_INDEX = search_texts.c.id + 0 < _BEFORE  # else the index of ids would be asked as well
_LOOKED_THROUGH, _LOOKED_THROUGH_AT_MOST = 5_000, 40_000
_DEPTH = bindparam("depth", type_=search_texts.c.id.type)
_REACH = select(search_texts.c.id).where(search_texts.c.id < _BEFORE).order_by(search_texts.c.id.desc()).limit(1)
_LINES = bindparam("lines", type_=postgresql.ARRAY(search_texts.c.line_id.type))
_OF_LINES = func.unnest(_LINES).table_valued("line").render_derived()
_IN_SOME = search_texts.c.line_id == any_(_LINES)
_LINES_APART: Final = 8  # so many lines are walked each by itself, and their newest merged
_REACH_OF_SOME = select(
    func.max(
        _REACH.where(search_texts.c.line_id == _OF_LINES.c.line).offset(_DEPTH).correlate(_OF_LINES).scalar_subquery()
    )
).select_from(_OF_LINES)
_IN_ALL, _OF_NO_LINE = search_texts.c.line_id.is_not(None), search_texts.c.line_id.is_(None)
_REACH_OF_ALL = _REACH.where(_IN_ALL).offset(_DEPTH)
_ID: Final = re.compile(r"[0-9A-Za-z]+")  # one word in the index, and never an operator of a query
_NO_CURSOR, _NO_END = 2**62, -(2**62)
_LOWEST = select(func.coalesce(func.min(search_texts.c.id), 1))
_FILL_LOCK: Final = 0x66696C6C  # "fill"


def put(
    conn: Connection,
    kind: str,
    ref: str,
    content: str,
    at: int,
    *,
    conversation_id: str | None = None,
    contact_id: str | None = None,
    line_id: str | None = None,
    numbers: Iterable[str] = (),
    place: int | None = None,
) -> None:
    """Have a text found, or found by its new words. ``ref`` is the id of the row that holds it, ``at`` its time in ms;
    ``numbers``: words by which telephone numbers are found (domain/words.number_words). ``place``: its number in the
    order, if it is not the newest (places_below); one that is known keeps its own. A text without words is not kept."""
    found = [*words(content), *numbers]
    if not found:
        drop(conn, kind, ref)
        return
    scope = [f"k{kind}", f"l{line_id}" if line_id else _OPEN_TO_ALL]
    if conversation_id:
        scope.append(f"c{conversation_id}")
    values: dict[str, Any] = {
        "kind": kind,
        "ref": ref,
        "conversation_id": conversation_id,
        "contact_id": contact_id,
        "line_id": line_id,
        "at": at,
        "words": " ".join(found),
        "scope": " ".join(scope),
    }
    if place is not None:
        values["id"] = place
    conn.execute(_PUT[conn.dialect.name], values)


def places_below(conn: Connection, count: int) -> range:
    """Numbers for so many texts that are older than all that can be found, in order. Until the transaction ends nobody
    else is given any."""
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_FILL_LOCK})")
    lowest = min(0, conn.scalars(_LOWEST).one() - 1)
    return range(lowest - count + 1, lowest + 1)


def drop(conn: Connection, kind: str, ref: str) -> None:
    """Have a text found no more."""
    conn.execute(_DROP, {"what": kind, "row": ref})


def search(
    conn: Connection,
    wanted: Query,
    *,
    lines: Collection[str] | None,
    kinds: Sequence[str] = (),
    conversations: Collection[str] = (),
    before: int | None = None,
    limit: int = 50,
) -> list[Hit]:
    """The newest texts that hold all that is wanted, newest first.

    ``lines``: those that the viewer sees (None: every one; contacts are found whatever they are). ``kinds``,
    ``conversations``: only these; what cannot be an id stands for none. ``before``: the id of the last hit of the page
    before.
    """
    if not wanted:
        return []
    if lines is not None:
        lines = [line for line in lines if _ID.fullmatch(line)]
    if conversations and not (conversations := [one for one in conversations if _ID.fullmatch(one)]):
        return []
    scope = [[f"k{kind}" for kind in kinds], [f"c{one}" for one in conversations]]
    if lines is not None:
        scope.append([_OPEN_TO_ALL, *(f"l{line}" for line in sorted(lines))])
    groups = [group for group in scope if group]
    values: dict[str, Any] = {"before": _NO_CURSOR if before is None else before, "most": limit}
    if conn.dialect.name == "sqlite":
        found = conn.execute(_with_phrases(_SQLITE, wanted), {**values, "wanted": _match(wanted, groups)})
        return [Hit(*row) for row in found]
    statement, values["wanted"] = _with_phrases(_POSTGRES, wanted), _tsquery(wanted, groups)
    if conversations:
        return _rare(conn, statement, values)
    hits = [] if kinds and CONTACT not in kinds else _rare(conn, statement, values, _OF_NO_LINE)
    if lines is None:
        hits += _newest(conn, statement, values)
    elif lines:
        each = {f"line{n}": line for n, line in enumerate(lines)}
        hits += _newest(conn, statement, {**values, **each, "lines": list(lines)})
    return sorted(hits, key=lambda hit: -hit.id)[:limit]


def _newest(conn: Connection, statement: Select[Any], values: dict[str, Any]) -> list[Hit]:
    """The newest of the texts of some lines, or of all."""
    lines, most, depth = values.get("lines"), values["most"], _LOOKED_THROUGH
    reach, looked = _REACH_OF_ALL if lines is None else _REACH_OF_SOME, _of_each(statement, lines)
    while depth <= _LOOKED_THROUGH_AT_MOST:
        reached = conn.scalar(reach, {**values, "depth": depth // len(lines or [None])})
        with _without(conn, "enable_bitmapscan"):
            newest = {**values, "after": _NO_END if reached is None else reached}
            hits = [Hit(*row) for row in conn.execute(looked, newest)]
        if reached is None or len(hits) == most:
            return hits
        if not hits:
            break
        depth = max(2 * depth, depth * most * 3 // (2 * len(hits)))  # half as far again as should be enough
    return _rare(conn, statement, values)


def _of_each(statement: Select[Any], lines: Sequence[str] | None) -> Select[Any]:
    """The newest in time of some lines, each walked by itself and no further than needed, or of all."""
    if lines is None:
        return statement.where(_IN_ALL, _IN_TIME)
    if len(lines) > _LINES_APART:
        return statement.where(_IN_SOME, _IN_TIME)
    each = (statement.where(search_texts.c.line_id == bindparam(f"line{n}"), _IN_TIME) for n in range(len(lines)))
    merged = union_all(*(select(part.subquery()) for part in each)).subquery()
    return select(merged).order_by(merged.c.id.desc()).limit(_MOST)


def _rare(
    conn: Connection, statement: Select[Any], values: dict[str, Any], where: ColumnElement[bool] = _IN_ALL
) -> list[Hit]:
    """The newest of few."""
    with _without(conn, "enable_indexscan", "enable_seqscan"):
        return [Hit(*row) for row in conn.execute(statement.where(where, _IN_TIME_BY_NO_INDEX), values)]


def _with_phrases(statement: Select[Any], wanted: Query) -> Select[Any]:
    for phrase in wanted.phrases:
        statement = statement.where(_LINED.contains(f" {phrase} "))
    return statement


@contextmanager
def _without(conn: Connection, *ways: str) -> Iterator[None]:
    """PostgreSQL guesses badly how common a beginning of a word is: the way that is right here is the only one left."""
    for name in ways:
        conn.exec_driver_sql(f"SET LOCAL {name} = off")
    yield
    for name in ways:
        conn.exec_driver_sql(f"SET LOCAL {name} = on")


def _match(wanted: Query, groups: Sequence[Sequence[str]]) -> str:
    """FTS5's way to say it. Words are letters and digits only, so that none of them can be an operator."""
    all_words = [f'"{word}"' for word in wanted.words] + ([f'"{wanted.begun}" *'] if wanted.begun else [])
    parts = [f"words : ({' AND '.join(all_words)})"]
    parts += [f"scope : ({' OR '.join(chr(34) + one + chr(34) for one in group)})" for group in groups]
    return " AND ".join(parts)


def _tsquery(wanted: Query, groups: Sequence[Sequence[str]]) -> str:
    """PostgreSQL's way to say it."""
    parts = [f"'{word}'" for word in wanted.words] + ([f"'{wanted.begun}':*"] if wanted.begun else [])
    parts += [f"({' | '.join(chr(39) + one + chr(39) for one in group)})" for group in groups]
    return " & ".join(parts)


def forget(conn: Connection, most: int) -> int:
    """Take so many texts out of the index; how many there were."""
    some = select(search_texts.c.id).order_by(search_texts.c.id).limit(most).scalar_subquery()
    return conn.execute(delete(search_texts).where(search_texts.c.id.in_(some))).rowcount


def of_conversation(conn: Connection, conversation_id: str) -> list[Hit]:
    """Everything of a conversation that can be found, for whoever removes it."""
    return [Hit(*row) for row in conn.execute(select(*_HIT).where(search_texts.c.conversation_id == conversation_id))]

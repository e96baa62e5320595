"""Which entries of the log make a page of a timeline: of one conversation or of several, both ways, filtered."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import merge
from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, Connection, Select, and_, bindparam, exists, or_, select

from aircall_core.domain import events as kinds
from aircall_core.domain.transfer import BACK
from aircall_core.store.tables import calls, events, messages, notes

CALL, TEXT, NOTE, LOG = CHANNELS = ("call", "text", "note", "log")
_CALLS: Final = (kinds.CALL_ARRIVED, kinds.CALL_DIAL_WANTED)
_FLOW: Final = (kinds.CALL_CHOSE, kinds.CALL_TYPED)
_TEXTS: Final = (kinds.MESSAGE_RECEIVED, kinds.MESSAGE_WRITTEN)
# What a reader is told; the same list as ui/static/story.js. All else in the log is for machines.
_BY_CHANNEL: Final[dict[str, tuple[str, ...]]] = {
    CALL: (*_CALLS, *_FLOW),
    TEXT: _TEXTS,
    NOTE: (kinds.CONVERSATION_NOTED,),
    LOG: (
        kinds.CONVERSATION_OPENED,
        kinds.CALL_RING_STOPPED,
        kinds.CALL_ACCEPT_FAILED,
        kinds.CALL_ANSWERED,
        kinds.CALL_AGENT_AWAY,
        kinds.CALL_AGENT_BACK,
        kinds.CALL_RETURNED,
        kinds.CALL_HELD,
        kinds.CALL_KEYS_SENT,
        kinds.CALL_TRANSFERRING,
        kinds.CALL_QUEUED,
        kinds.CALL_TRANSFERRED,
        kinds.CALL_FORWARDED,
        kinds.CALL_OVERFLOW,
        kinds.CALL_ENDED,
        kinds.CALL_RECORDING,
        kinds.CALL_REDIRECTED,
        kinds.CALL_TAGGED,
        kinds.CONVERSATION_ASSIGNED,
        kinds.CONVERSATION_CLOSED,
        kinds.CONVERSATION_REOPENED,
        kinds.CALLBACK_REQUESTED,
        kinds.CALLBACK_SETTLED,
        kinds.DIAL_ENTRY_CHANGED,  # only that a number was put on a list belongs to a conversation
    ),
}
TOLD: Final = tuple(kind for channel in CHANNELS for kind in _BY_CHANNEL[channel])
_COLUMNS = tuple(
    events.c[name]
    for name in ("seq", "at", "kind", "call_id", "conversation_id", "line_id", "user_id", "actor", "data")
)


@dataclass(frozen=True, slots=True)
class Filter:
    """What of a timeline is wanted: channels, and a span of time (ms, the end not included)."""

    channels: frozenset[str] = frozenset(CHANNELS)
    since: int | None = None
    until: int | None = None


EVERYTHING: Final = Filter()


def page(
    conn: Connection, conversation_ids: Collection[str], wanted: Filter, *, cursor: int, forward: bool, limit: int
) -> list[Any]:
    """The `limit` entries next to the cursor, nearest first: older ones, or newer ones (``forward``).

    Each conversation is read by its own index, and the pages are merged: as fast in a long log as in a short one.
    """
    statement = _statement(forward, wanted)
    found = [
        conn.execute(statement, {"conversation": one, "cursor": cursor, "most": limit, **_span(wanted)}).all()
        for one in conversation_ids
    ]
    if len(found) == 1:
        return list(found[0])
    way = 1 if forward else -1
    return list(merge(*found, key=lambda row: way * row.seq))[:limit]


def _span(wanted: Filter) -> dict[str, int]:
    return {name: at for name, at in (("since", wanted.since), ("until", wanted.until)) if at is not None}


@lru_cache(maxsize=128)  # building a statement costs as much as running it; a span's times are parameters
def _made(forward: bool, channels: frozenset[str], since: bool, until: bool) -> Select[Any]:
    wanted: list[ColumnElement[bool]] = [
        events.c.kind.in_([kind for channel in CHANNELS if channel in channels for kind in _BY_CHANNEL[channel]])
    ]
    if NOTE in channels and CALL not in channels:  # a note on a call hangs on its bubble
        written = exists().where(notes.c.call_id == events.c.call_id, notes.c.text != "")
        wanted.append(and_(events.c.kind.in_(_CALLS), written))
    before = events.alias("before")
    earlier = exists().where(
        before.c.call_id == events.c.call_id, before.c.seq < events.c.seq, before.c.kind.in_(_FLOW)
    )
    rules: list[ColumnElement[bool]] = [
        events.c.conversation_id == bindparam("conversation"),
        events.c.seq > bindparam("cursor") if forward else events.c.seq < bindparam("cursor"),
        or_(*wanted),
        # A call waits anew at every ring step: told is only that one came back to who had handed it on.
        (events.c.kind != kinds.CALL_QUEUED) | (events.c.data["step"].as_string() == BACK),
        # The steps of a call's flow are one line, where the first of them was.
        events.c.kind.not_in(_FLOW) | ~earlier,
        # A note stands where it was begun, whatever was changed in it since.
        (events.c.kind != kinds.CONVERSATION_NOTED) | (events.c.data["version"].as_integer() == 1),
    ]
    if since:
        rules.append(events.c.at >= bindparam("since"))
    if until:
        rules.append(events.c.at < bindparam("until"))
    order = events.c.seq.asc() if forward else events.c.seq.desc()
    return select(*_COLUMNS).where(*rules).order_by(order).limit(bindparam("most"))


def _statement(forward: bool, wanted: Filter) -> Select[Any]:
    return _made(forward, wanted.channels, wanted.since is not None, wanted.until is not None)


# ---- an entry by what it is about

_ROW: BindParameter[str] = bindparam("row")
_CONVERSATION: BindParameter[str] = bindparam("conversation")
_TOP = select(calls.c.id, calls.c.parent_id).where(calls.c.id == _ROW)
_OF_CALL = select(events.c.seq).where(events.c.call_id == _ROW, events.c.kind.in_(_CALLS)).order_by(events.c.seq)
_NOTE = select(notes.c.call_id, notes.c.conversation_id).where(notes.c.id == _ROW)
_MESSAGE = select(messages.c.conversation_id).where(messages.c.id == _ROW)


def _of_data(name: str, told: Sequence[str], *rules: ColumnElement[bool]) -> Select[Any]:
    # The newest first: what is asked for at every new state of a text is nearly always the last there is.
    return (
        select(events.c.seq)
        .where(events.c.conversation_id == _CONVERSATION, events.c.kind.in_(told), *rules)
        .where(events.c.data[name].as_string() == _ROW)
        .order_by(events.c.seq.desc())
        .limit(1)
    )


_OF_MESSAGE = _of_data("message", _TEXTS)
_OF_NOTE = _of_data("note", _BY_CHANNEL[NOTE], events.c.data["version"].as_integer() == 1)


def seq_of(conn: Connection, entry: str) -> int | None:
    """The place in the log of an entry: its number, or that of the call, text or note with this id."""
    if entry.isascii() and entry.isdigit() and len(entry) <= 18:
        return int(entry)
    looked: tuple[Callable[[Connection, str], int | None], ...] = (_seq_of_call, _seq_of_message, _seq_of_note)
    return next((seq for look in looked if (seq := look(conn, entry)) is not None), None)


def _seq_of_call(conn: Connection, call_id: str) -> int | None:
    row = conn.execute(_TOP, {"row": call_id}).one_or_none()
    if row is None:
        return None
    seq: int | None = conn.scalar(_OF_CALL, {"row": row.parent_id or row.id})
    return seq


def _seq_of_message(conn: Connection, message_id: str) -> int | None:
    conversation = conn.scalar(_MESSAGE, {"row": message_id})
    return conversation and conn.scalar(_OF_MESSAGE, {"row": message_id, "conversation": conversation})


def _seq_of_note(conn: Connection, note_id: str) -> int | None:
    note = conn.execute(_NOTE, {"row": note_id}).one_or_none()
    if note is None:
        return None
    if note.call_id is not None:
        return _seq_of_call(conn, note.call_id)
    seq: int | None = conn.scalar(_OF_NOTE, {"row": note_id, "conversation": note.conversation_id})
    return seq

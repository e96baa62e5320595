"""What a customer has left in the store, taken out row by row: the rows stay, so that figures and the log keep their
shape; what they said of the person goes.

All of it is found by the conversations of the numbers; only what hangs on no conversation of theirs is looked for in
all calls, a stretch at a time.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    Connection,
    Text,
    bindparam,
    case,
    cast,
    delete,
    false,
    func,
    null,
    or_,
    select,
    true,
    update,
)

from aircall_core.numbers import ERASED
from aircall_core.store.rows import many
from aircall_core.store.tables import (
    attachments,
    audit,
    blocked_numbers,
    callbacks,
    calls,
    conversations,
    dial_entries,
    dial_lists,
    do_not_call,
    drafts,
    insight_cards,
    keys,
    lines,
    messages,
    notes,
    opt_outs,
    recordings,
    search_texts,
)

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_NUMBERS: BindParameter[Any] = bindparam("numbers", expanding=True)
_AFTER: BindParameter[str] = bindparam("after")
_MOST: BindParameter[int] = bindparam("most")
_LIVE = calls.c.ended_at.is_(None)
_WHO = (calls.c.from_number, calls.c.to_number, calls.c.forwarded_to)

_TALKING = (
    select(calls.c.id)
    .where(_LIVE, or_(calls.c.conversation_id.in_(_IDS), *(column.in_(_NUMBERS) for column in _WHO)))
    .limit(1)
)
_CLAIMED = select(dial_entries.c.id).where(
    dial_entries.c.state == "claimed",
    dial_entries.c.list_id.in_(select(dial_lists.c.id)),
    dial_entries.c.number.in_(_NUMBERS),
)
_CALLS_OF = (
    select(calls.c.id).where(calls.c.conversation_id.in_(_IDS), calls.c.id > _AFTER).order_by(calls.c.id).limit(_MOST)
)
_TEXTS_OF = (
    select(messages.c.id)
    .where(messages.c.conversation_id.in_(_IDS), messages.c.id > _AFTER)
    .order_by(messages.c.id)
    .limit(_MOST)
)
_NOTES_OF = (
    select(notes.c.id).where(notes.c.conversation_id.in_(_IDS), notes.c.id > _AFTER).order_by(notes.c.id).limit(_MOST)
)


def is_talking(conn: Connection, ids: Collection[str], numbers: Collection[str]) -> bool:
    """Whether a call with any of them goes on."""
    return conn.execute(_TALKING, {"ids": list(ids), "numbers": list(numbers)}).first() is not None


def is_claimed(conn: Connection, numbers: Collection[str]) -> bool:
    """Whether somebody is about to dial one of them from a list."""
    return conn.execute(_CLAIMED, {"numbers": list(numbers)}).first() is not None


def is_sending(conn: Connection, ids: Collection[str]) -> bool:
    """Whether a text to them is just being sent: what comes of it would be written into an erased row."""
    query = select(messages.c.id).where(messages.c.conversation_id.in_(_IDS), messages.c.state == "sending")
    return conn.execute(query.limit(1), {"ids": list(ids)}).first() is not None


def size(conn: Connection, ids: Collection[str]) -> int:
    """How many calls, texts and notes there are to go through."""
    return sum(
        conn.scalar(select(func.count()).where(table.c.conversation_id.in_(_IDS)), {"ids": list(ids)}) or 0
        for table in (calls, messages, notes)
    )


def hide_conversations(conn: Connection, ids: Collection[str]) -> None:
    """They are nobody's from now on: the next call of the number begins a conversation of its own."""
    if ids:
        new = (ERASED + "-" + conversations.c.id).label("party")
        statement = update(conversations).where(conversations.c.id.in_(_IDS)).values(party=new, contact_id=None)
        conn.execute(statement, {"ids": list(ids)})


def drop_words(conn: Connection, ids: Collection[str], most: int) -> int:
    """Take so many texts of these conversations out of what is found; how many there were."""
    query = select(search_texts.c.id).where(search_texts.c.conversation_id.in_(_IDS)).limit(most)
    found = list(conn.scalars(query, {"ids": list(ids)}))
    if found:
        conn.execute(delete(search_texts).where(search_texts.c.id.in_(found)))
    return len(found)


# ---- calls


def calls_of(conn: Connection, ids: Collection[str], after: str, most: int) -> list[str]:
    """Ids of their calls after this one, oldest first."""
    return list(conn.scalars(_CALLS_OF, {"ids": list(ids), "after": after, "most": most}))


def family(conn: Connection, conversation_id: str, call_id: str) -> list[dict[str, Any]]:
    """A call of this conversation with those it was made of: id and ended_at; [] where it is none of them."""
    mine = (calls.c.conversation_id == conversation_id, or_(calls.c.id == call_id, calls.c.parent_id == call_id))
    found = many(conn, select(calls.c.id, calls.c.ended_at).where(*mine).order_by(calls.c.id))
    return found if any(one["id"] == call_id for one in found) else []


def notes_of_calls(conn: Connection, ids: Collection[str]) -> list[str]:
    """Ids of what colleagues wrote at these calls."""
    return list(
        conn.scalars(select(notes.c.id).where(notes.c.call_id.in_(_IDS)).order_by(notes.c.id), {"ids": list(ids)})
    )


def stretch(conn: Connection, after: str, most: int) -> str | None:
    """The last of so many calls after this one, of whomever; None at the end."""
    query = select(calls.c.id).where(calls.c.id > after).order_by(calls.c.id).limit(most).subquery()
    found: str | None = conn.scalar(select(func.max(query.c.id)))
    return found


def calls_naming(conn: Connection, numbers: Sequence[str], after: str, through: str, before: int) -> list[str]:
    """Ids of calls of this stretch, from before a time (ms), that were from, to, or handed on to one of the numbers."""
    names = [cast(calls.c.transfer, Text).contains(number, autoescape=True) for number in numbers]
    asked = or_(false(), *(column.in_(_NUMBERS) for column in _WHO), *names)
    query = select(calls.c.id).where(calls.c.id > after, calls.c.id <= through, calls.c.arrived_at <= before, asked)
    return list(conn.scalars(query, {"numbers": list(numbers)}))


def blank_calls(conn: Connection, ids: Sequence[str], numbers: Collection[str], *, theirs: bool) -> None:
    """No number, name, typed digits or address is left in these calls. ``theirs``: they are of this customer.

    Of calls of others, only the numbers and whom they were handed on to; numbers of our lines stay.
    """

    their_numbers = list(numbers)
    involved = or_(false(), *(column.in_(their_numbers) for column in _WHO))
    named = or_(false(), *(cast(calls.c.transfer, Text).contains(one, autoescape=True) for one in their_numbers))
    these, values = calls.c.id.in_(_IDS), {"ids": list(ids)}

    def erased(column: Any, direction: str) -> Any:
        whose = column.in_(their_numbers)
        if theirs:
            whose = or_(whose, (calls.c.direction == direction) & calls.c.parent_id.is_(None))
        return case((whose, ERASED), else_=column)

    # Addresses of the network name the number, too. Before the numbers go, by which they are known.
    conn.execute(
        update(calls).where(these, true() if theirs else involved).values(dialog=null(), sip_call_id=""), values
    )
    conn.execute(update(calls).where(these, named).values(transfer=null()), values)
    new: dict[str, Any] = {
        "from_number": erased(calls.c.from_number, "inbound"),
        "to_number": erased(calls.c.to_number, "outbound"),
        "forwarded_to": case((calls.c.forwarded_to.in_(their_numbers), ERASED), else_=calls.c.forwarded_to),
    }
    if theirs:
        new |= {"from_display": "", "digits": null(), "contact_id": None}
    conn.execute(update(calls).where(these).values(**new), values)
    conn.execute(delete(keys).where(keys.c.call_id.in_(_IDS)), values)
    conn.execute(delete(insight_cards).where(insight_cards.c.call_id.in_(_IDS)), values)


def recordings_of(conn: Connection, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Recordings and voicemails of these calls whose files may be there: id and path."""
    query = select(recordings.c.id, recordings.c.path).where(recordings.c.call_id.in_(_IDS), recordings.c.path != "")
    return many(conn, query, {"ids": list(ids)})


def callbacks_of(conn: Connection, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Callbacks that were asked for in these calls."""
    return many(conn, select(callbacks).where(callbacks.c.call_id.in_(_IDS)), {"ids": list(ids)})


def blank_callbacks(conn: Connection, ids: Sequence[str]) -> None:
    """Their numbers go."""
    conn.execute(update(callbacks).where(callbacks.c.call_id.in_(_IDS)).values(number=ERASED), {"ids": list(ids)})


# ---- texts and notes


def texts_of(conn: Connection, ids: Collection[str], after: str, most: int) -> list[str]:
    """Ids of their texts after this one, oldest first."""
    return list(conn.scalars(_TEXTS_OF, {"ids": list(ids), "after": after, "most": most}))


def stop_texts(conn: Connection, ids: Collection[str]) -> None:
    """What was to be sent to them is not sent any more."""
    where = (messages.c.conversation_id.in_(_IDS), messages.c.state == "queued")
    conn.execute(update(messages).where(*where).values(state="failed", reason=ERASED), {"ids": list(ids)})


def blank_texts(conn: Connection, ids: Sequence[str]) -> None:
    """What they said, to whom, and what gateways know of them goes; that there was a text stays."""
    values = {"body": "", "party": ERASED, "reason": ERASED, "remote_id": None, "remote_code": None}
    new = {**values, "version": messages.c.version + 1}
    conn.execute(update(messages).where(messages.c.id.in_(_IDS)).values(**new), {"ids": list(ids)})


def files_of(conn: Connection, ids: Collection[str]) -> list[dict[str, Any]]:
    """Pictures and files of these conversations, also of texts that were never sent: id and path."""
    query = select(attachments.c.id, attachments.c.path).where(
        attachments.c.conversation_id.in_(_IDS), attachments.c.reason.is_distinct_from(ERASED)
    )
    return many(conn, query.order_by(attachments.c.id).limit(200), {"ids": list(ids)})


def blank_files(conn: Connection, ids: Sequence[str]) -> None:
    """Their files are gone; that there were some stays."""
    values = {"name": "", "path": "", "source": None, "reason": ERASED, "size_bytes": 0}
    conn.execute(update(attachments).where(attachments.c.id.in_(_IDS)).values(**values), {"ids": list(ids)})


def notes_of(conn: Connection, ids: Collection[str], after: str, most: int) -> list[str]:
    """Ids of what colleagues wrote about them, after this one."""
    return list(conn.scalars(_NOTES_OF, {"ids": list(ids), "after": after, "most": most}))


def blank_notes(conn: Connection, ids: Sequence[str]) -> None:
    """Empty notes are shown nowhere."""
    conn.execute(
        update(notes).where(notes.c.id.in_(_IDS)).values(text="", version=notes.c.version + 1), {"ids": list(ids)}
    )


# ---- what hangs on the numbers alone

_LISTED = dial_entries.c.list_id.in_(select(dial_lists.c.id)) & dial_entries.c.number.in_(_NUMBERS)


def entries_of(conn: Connection, numbers: Collection[str]) -> list[dict[str, Any]]:
    """Entries of dial lists with these numbers, with their lists' lines."""
    query = (
        select(dial_entries.c.id, dial_entries.c.list_id, dial_entries.c.state, dial_lists.c.line_id)
        .join(dial_lists, dial_lists.c.id == dial_entries.c.list_id)
        .where(_LISTED)
    )
    return many(conn, query, {"numbers": list(numbers)})


def blank_entry(conn: Connection, entry: Mapping[str, Any]) -> None:
    """One that nobody has dialled goes; of the others stays what came of it."""
    mine = dial_entries.c.id == entry["id"]
    if entry["state"] == "waiting":
        conn.execute(delete(dial_entries).where(mine))
    else:
        number = f"{ERASED}-{entry['id'][-24:]}"  # a list has a number once
        conn.execute(update(dial_entries).where(mine).values(number=number, name="", note=""))


def drop_drafts(conn: Connection, ids: Collection[str]) -> None:
    """What colleagues had begun to write to them."""
    conn.execute(delete(drafts).where(drafts.c.conversation_id.in_(_IDS)), {"ids": list(ids)})


def drop_wishes(conn: Connection, numbers: Collection[str]) -> None:
    """That they do not want to be called or written to, and that nobody wants to be called by them."""
    values = {"numbers": list(numbers)}
    conn.execute(delete(do_not_call).where(do_not_call.c.number.in_(_NUMBERS)), values)
    conn.execute(
        delete(opt_outs).where(opt_outs.c.line_id.in_(select(lines.c.id)), opt_outs.c.number.in_(_NUMBERS)), values
    )
    conn.execute(delete(blocked_numbers).where(blocked_numbers.c.pattern.in_(_NUMBERS)), values)


def blank_audit(conn: Connection, numbers: Collection[str]) -> None:
    """Entries of the audit log about these numbers, such as a blocked one, say that there was one."""
    statement = update(audit).where(audit.c.subject_name.in_(_NUMBERS)).values(subject_name=ERASED, changes={})
    conn.execute(statement, {"numbers": list(numbers)})


# ---- what is left in the file

_PAGES: Final = 50  # of the index that one step writes: a few milliseconds


def tidy_index(conn: Connection, *, first: bool) -> bool:
    """One bounded step towards an index in which removed words stand no more (SQLite); whether there is more to do.

    FTS5 writes a removal beside what it removes, and drops both when it merges them. The first step begins a merge of
    everything, the others go on with it.
    """
    if conn.dialect.name != "sqlite":
        return False
    raw: Any = conn.connection.driver_connection
    before = raw.total_changes
    pages = -_PAGES if first else _PAGES
    conn.exec_driver_sql("INSERT INTO search_index(search_index, rank) VALUES ('merge', ?)", (pages,))
    return bool(raw.total_changes - before >= 2)

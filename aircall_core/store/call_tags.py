"""The tags of a call, and who owes it one."""

from collections.abc import Collection

from sqlalchemy import Connection, bindparam, delete, exists, insert, select

from aircall_core.store.tables import call_tags, calls, lines, tags, tags_due

_HAS_TAG = exists().where(call_tags.c.call_id == calls.c.id)
# Nobody can be made to choose from nothing.
_ANY_TAG = exists().where(tags.c.archived.is_(False))
_MUST = (
    select(calls.c.id)
    .join(lines, lines.c.id == calls.c.line_id)
    .where(
        calls.c.id == bindparam("call"),
        calls.c.parent_id.is_(None),
        lines.c.tags_required,
        ~_HAS_TAG,
        _ANY_TAG,
        ~exists().where(tags_due.c.call_id == calls.c.id, tags_due.c.user_id == bindparam("user")),
    )
)  # built once: asked at the end of every answered call
_OWES_ANOTHER = (
    select(tags_due.c.call_id)
    .join(calls, calls.c.id == tags_due.c.call_id)
    .join(lines, lines.c.id == calls.c.line_id)
    .where(
        tags_due.c.user_id == bindparam("user"), tags_due.c.call_id != bindparam("call"), lines.c.tags_required,
        _ANY_TAG,
    )
    .limit(1)
)  # fmt: skip
_DEBTORS = select(tags_due.c.user_id).where(tags_due.c.call_id == bindparam("call")).order_by(tags_due.c.user_id)
_FORGIVE = delete(tags_due).where(tags_due.c.call_id == bindparam("call"))


def must_be_tagged(conn: Connection, call_id: str, user_id: str) -> bool:
    """Whether the call's line demands a tag, it has none, and this user does not owe it one yet."""
    return conn.scalar(_MUST, {"call": call_id, "user": user_id}) is not None


def required(conn: Connection, line_id: str) -> bool:
    """Whether the calls of a line must be tagged."""
    return bool(conn.scalar(select(lines.c.tags_required).where(lines.c.id == line_id)))


def owe(conn: Connection, call_id: str, user_id: str) -> None:
    """The user owes this call a tag from now on."""
    conn.execute(insert(tags_due), {"call_id": call_id, "user_id": user_id})


def debtors(conn: Connection, call_id: str) -> list[str]:
    """Ids of the users who owe this call a tag, sorted."""
    return list(conn.scalars(_DEBTORS, {"call": call_id}))


def forgive(conn: Connection, call_id: str) -> None:
    """Nobody owes this call a tag any more."""
    conn.execute(_FORGIVE, {"call": call_id})


def owes_another(conn: Connection, user_id: str, but: str) -> str | None:
    """A call that the user must tag now, other than ``but``; None when there is none.

    What is owed to a line that demands no tags any more does not count, nor anything while there is no tag to give.
    """
    return conn.scalar(_OWES_ANOTHER, {"user": user_id, "call": but})


def of_call(conn: Connection, call_id: str) -> list[str]:
    """Ids of the call's tags, sorted."""
    return sorted(conn.scalars(select(call_tags.c.tag_id).where(call_tags.c.call_id == call_id)))


def usable(conn: Connection, tag_ids: Collection[str]) -> set[str]:
    """Which of these ids are tags that may be given to a call now."""
    query = select(tags.c.id).where(tags.c.id.in_(sorted(tag_ids)), tags.c.archived.is_(False))
    return set(conn.scalars(query))


def add(conn: Connection, call_id: str, tag_ids: Collection[str], user_id: str, at: int) -> None:
    """The user gives these tags to the call."""
    if tag_ids:
        rows = [{"call_id": call_id, "tag_id": tag, "user_id": user_id, "at": at} for tag in sorted(tag_ids)]
        conn.execute(insert(call_tags), rows)


def remove(conn: Connection, call_id: str, tag_ids: Collection[str]) -> None:
    """Take these tags from the call."""
    conn.execute(delete(call_tags).where(call_tags.c.call_id == call_id, call_tags.c.tag_id.in_(sorted(tag_ids))))

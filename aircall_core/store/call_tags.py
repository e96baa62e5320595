"""The tags of a call, and whether its agent owes it one."""

from collections.abc import Collection

from sqlalchemy import Connection, bindparam, delete, exists, insert, select, update

from aircall_core.store.tables import call_tags, calls, lines, tags

_HAS_TAG = exists().where(call_tags.c.call_id == calls.c.id)
# Nobody can be made to choose from nothing.
_ANY_TAG = exists().where(tags.c.archived.is_(False))
_MUST = (
    select(calls.c.id)
    .join(lines, lines.c.id == calls.c.line_id)
    .where(calls.c.id == bindparam("call"), calls.c.tag_due.is_(False), lines.c.tags_required, ~_HAS_TAG, _ANY_TAG)
)  # built once: asked at the end of every answered call


def must_be_tagged(conn: Connection, call_id: str) -> bool:
    """Whether the call's line demands a tag, it has none, and nobody owes it one yet."""
    return conn.scalar(_MUST, {"call": call_id}) is not None


def required(conn: Connection, line_id: str) -> bool:
    """Whether the calls of a line must be tagged."""
    return bool(conn.scalar(select(lines.c.tags_required).where(lines.c.id == line_id)))


def set_due(conn: Connection, call_id: str, is_due: bool) -> None:
    """The call's agent owes it a tag, or not any more."""
    conn.execute(update(calls).where(calls.c.id == call_id).values(tag_due=is_due, version=calls.c.version + 1))


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

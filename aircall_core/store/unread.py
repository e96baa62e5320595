"""Who has not seen yet what came in: a row for each user and conversation, with the time of the newest of it."""

from typing import Any, Final

from sqlalchemy import BindParameter, Connection, and_, bindparam, delete, exists, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from aircall_core.store.tables import line_teams, line_users, team_members, unread, users

_CONVERSATION: BindParameter[str] = bindparam("conversation", type_=unread.c.conversation_id.type)
_LINE: BindParameter[str] = bindparam("line", type_=line_users.c.line_id.type)
_AT: BindParameter[int] = bindparam("moment", type_=unread.c.since.type)
_BUT: BindParameter[str] = bindparam("but", type_=users.c.id.type)
_ON_LINE = or_(
    exists().where(line_users.c.line_id == _LINE, line_users.c.user_id == users.c.id),
    exists()
    .where(line_teams.c.line_id == _LINE)
    .where(team_members.c.team_id == line_teams.c.team_id, team_members.c.user_id == users.c.id),
)
_COLUMNS = ["user_id", "conversation_id", "since"]
# Whoever sees the line, as people.sees_line has it, but for analysts, who answer nobody.
_WHO = select(users.c.id, _CONVERSATION, _AT).where(
    users.c.state == "active",
    users.c.id != _BUT,
    or_(users.c.role.in_(("administrator", "supervisor")), and_(users.c.role == "agent", _ON_LINE)),
)
_INSERT: Final = {dialect.__name__.rsplit(".", 1)[-1]: dialect.insert for dialect in (sqlite, postgresql)}
_NEWS: Final[dict[str, Any]] = {
    name: (fresh := made(unread).from_select(_COLUMNS, _WHO)).on_conflict_do_update(
        index_elements=["user_id", "conversation_id"], set_={"since": fresh.excluded.since}
    )
    for name, made in _INSERT.items()
}
_MARK: Final[dict[str, Any]] = {
    name: made(unread)
    .values(user_id=bindparam("user"), conversation_id=_CONVERSATION, since=_AT)
    .on_conflict_do_nothing()
    .returning(unread.c.since)
    for name, made in _INSERT.items()
}
_SEEN = delete(unread).where(unread.c.user_id == bindparam("user"), unread.c.conversation_id == _CONVERSATION)
_DONE = delete(unread).where(unread.c.conversation_id == _CONVERSATION)


def news(conn: Connection, conversation_id: str, line_id: str, at: int, *, but: str | None = None) -> None:
    """Something came in at ``at`` (ms): unread for all who see the line and answer customers, except ``but``."""
    values = {"conversation": conversation_id, "line": line_id, "moment": at, "but": but or ""}
    conn.execute(_NEWS[conn.dialect.name], values)


def mark(conn: Connection, conversation_id: str, user_id: str, at: int) -> bool:
    """Unread for one user, who wants it so; whether that is new."""
    values = {"conversation": conversation_id, "user": user_id, "moment": at}
    return conn.execute(_MARK[conn.dialect.name], values).first() is not None


def seen(conn: Connection, conversation_id: str, user_id: str) -> bool:
    """The user has seen it, or has answered; whether there was something unread."""
    return conn.execute(_SEEN, {"conversation": conversation_id, "user": user_id}).rowcount == 1


def done(conn: Connection, conversation_id: str) -> None:
    """Nobody need look at it any more."""
    conn.execute(_DONE, {"conversation": conversation_id})


def is_unread(conn: Connection, conversation_id: str, user_id: str) -> bool:
    """Whether there is something that the user has not seen."""
    query = select(func.count()).where(unread.c.conversation_id == conversation_id, unread.c.user_id == user_id)
    return bool(conn.scalar(query))

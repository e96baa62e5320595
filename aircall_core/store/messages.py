"""Rows of texts and of what hangs on them: files, opt-outs, the accounts they come and go through."""

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    Connection,
    TextClause,
    Update,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects import postgresql, sqlite

from aircall_core.domain.message import State
from aircall_core.store.rows import many, one
from aircall_core.store.tables import (
    attachments,
    conversations,
    lines,
    message_accounts,
    message_templates,
    messages,
    opt_outs,
    users,
)

_ID: BindParameter[str] = bindparam("row")
_AT: BindParameter[int] = bindparam("moment")
_ACCOUNT: BindParameter[str] = bindparam("account")
# In the words of the partial index, so that both databases find the few among millions by it.
_UNSENT = sql("messages.state IN ('queued', 'sending')")

_GET = select(messages).where(messages.c.id == _ID)
_BY_COMMAND = select(messages).where(messages.c.command == bindparam("command_id"))
_BY_REMOTE = select(messages).where(messages.c.account_id == _ACCOUNT, messages.c.remote_id == bindparam("remote"))
_NEWEST = select(func.max(messages.c.at)).where(messages.c.conversation_id == bindparam("conversation"))
_ADD = insert(messages)
_WAITING = (
    select(
        messages.c.id, messages.c.conversation_id, messages.c.line_id, messages.c.account_id, messages.c.state,
        messages.c.user_id, messages.c.at, messages.c.queued_at, messages.c.not_before, messages.c.claimed_by,
        messages.c.claimed_at,
    )
    .where(_UNSENT, func.coalesce(messages.c.account_id, "").not_in(bindparam("but", expanding=True)))
    .order_by(messages.c.at, messages.c.id)
    .limit(bindparam("most"))
)  # fmt: skip
_UNDER_WAY = select(messages.c.state, func.count()).where(_UNSENT).group_by(messages.c.state)
_FAILING = select(func.count()).where(message_accounts.c.enabled.is_(True), message_accounts.c.state == "failing")
_UNSENT_TO = select(messages).where(
    _UNSENT,
    messages.c.state == State.QUEUED.value,
    messages.c.line_id == bindparam("line"),
    messages.c.party == bindparam("who"),
)
_CLAIM = (
    update(messages)
    .where(messages.c.id == _ID, messages.c.state == State.QUEUED.value)
    .values(
        state=State.SENDING.value,
        claimed_by=bindparam("claimer"),
        claimed_at=_AT,
        tries=messages.c.tries + 1,
        version=messages.c.version + 1,
    )
)
_CLAIMED_BY = select(messages).where(
    _UNSENT, func.substr(messages.c.claimed_by, 1, bindparam("letters")) == bindparam("life")
)


def get(conn: Connection, message_id: str) -> dict[str, Any] | None:
    """The text's row."""
    return one(conn, _GET, {"row": message_id})


def by_command(conn: Connection, command: str) -> dict[str, Any] | None:
    """The text that a command has made."""
    return one(conn, _BY_COMMAND, {"command_id": command})


def by_remote_id(conn: Connection, account_id: str, remote_id: str) -> dict[str, Any] | None:
    """The text that a gateway calls so."""
    return one(conn, _BY_REMOTE, {"account": account_id, "remote": remote_id})


def newest_at(conn: Connection, conversation_id: str) -> int | None:
    """When the conversation's newest text was written or received."""
    found: int | None = conn.scalar(_NEWEST, {"conversation": conversation_id})
    return found


def add(conn: Connection, **values: Any) -> None:
    """A new text."""
    conn.execute(_ADD, values)


def claim(conn: Connection, message_id: str, by: str, at: int) -> bool:
    """Take a queued text to send it: whoever wins is the only one who does. Whether it is ours."""
    return conn.execute(_CLAIM, {"row": message_id, "claimer": by, "moment": at}).rowcount == 1


def change(
    conn: Connection, message_id: str, *, states: Collection[str], holder: str | None = None, **values: Any
) -> bool:
    """Change the row while it is in one of these states (and claimed by ``holder``, if given); whether it was."""
    statement = _change(tuple(values), holder is not None)
    new = {f"new_{name}": value for name, value in values.items()}
    found = conn.execute(statement, {"row": message_id, "states": sorted(states), "claimer": holder, **new})
    return found.rowcount == 1


@lru_cache(maxsize=32)
def _change(columns: tuple[str, ...], claimed: bool) -> Update:
    new: dict[str, Any] = {name: bindparam(f"new_{name}", type_=messages.c[name].type) for name in columns}
    statement = update(messages).where(messages.c.id == _ID, messages.c.state.in_(bindparam("states", expanding=True)))
    if claimed:
        statement = statement.where(messages.c.claimed_by == bindparam("claimer"))
    return statement.values(version=messages.c.version + 1, **new)


def waiting(conn: Connection, most: int, but: Collection[str] = ()) -> list[dict[str, Any]]:
    """Texts that are queued or being sent, oldest first; without those of the accounts ``but``."""
    return many(conn, _WAITING, {"most": most, "but": sorted(but)})


def under_way(conn: Connection) -> dict[str, int]:
    """How many texts are queued and being sent, by state."""
    return {str(state): int(count) for state, count in conn.execute(_UNDER_WAY)}


def failing(conn: Connection) -> int:
    """How many accounts in use could not send when they last tried."""
    return int(conn.scalar(_FAILING) or 0)


def queued_for(conn: Connection, line_id: str, party: str) -> list[dict[str, Any]]:
    """Texts of a line to this number that nobody has begun to send."""
    return many(conn, _UNSENT_TO, {"line": line_id, "who": party})


def claimed(conn: Connection, life: str) -> list[dict[str, Any]]:
    """Texts that are being sent by who calls itself so, or begins with that."""
    return many(conn, _CLAIMED_BY, {"life": life, "letters": len(life)})


def is_undelivered(name: str = "messages") -> TextClause:
    """That a text did not arrive, or perhaps did not, and nobody has put it aside: in the words of its partial index.
    ``name``: of the table in the statement."""
    return sql(f"{name}.state IN ('failed', 'unknown') AND {name}.put_aside_at IS NULL")


_UNDELIVERED_OF = (
    select(messages.c.id, messages.c.state)
    .where(is_undelivered(), messages.c.conversation_id == bindparam("conversation"))
    .order_by(messages.c.at, messages.c.id)
)
_PUT_ASIDE = (
    update(messages)
    .where(is_undelivered(), messages.c.id.in_(bindparam("ids", expanding=True)))
    .values(put_aside_at=_AT, version=messages.c.version + 1)
)


def undelivered(conn: Connection, conversation_id: str) -> list[tuple[str, str]]:
    """The conversation's texts that did not arrive, or perhaps did not, and that nobody has put aside: ids and states,
    oldest first."""
    found = conn.execute(_UNDELIVERED_OF, {"conversation": conversation_id})
    return [(row.id, row.state) for row in found]


def put_aside(conn: Connection, message_ids: Collection[str], at: int) -> None:
    """Nobody need look at these undelivered texts any more."""
    conn.execute(_PUT_ASIDE, {"ids": sorted(message_ids), "moment": at})


# ---- as browsers are told of them

_SHOWN = (
    select(
        messages.c.id, messages.c.direction, messages.c.body, messages.c.state, messages.c.reason,
        messages.c.remote_code, messages.c.user_id, users.c.name.label("user_name"), messages.c.at,
        messages.c.sent_at, messages.c.delivered_at,
    )
    .outerjoin(users, users.c.id == messages.c.user_id)
    .where(messages.c.id.in_(bindparam("ids", expanding=True)))
)  # fmt: skip
_FILES = (
    select(attachments)
    .where(attachments.c.message_id.in_(bindparam("ids", expanding=True)))
    .order_by(attachments.c.position, attachments.c.id)
)


def shown(conn: Connection, message_ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """Texts as timelines carry them, by id: {id, direction, body, state, reason, remote_code, user: {id, name} | None,
    files: [{id, name, content_type, size, reason, ready}], at, sent_at, delivered_at}.
    """
    if not message_ids:
        return {}
    ids = {"ids": sorted(message_ids)}
    files: dict[str, list[dict[str, Any]]] = {}
    for row in many(conn, _FILES, ids):
        files.setdefault(row["message_id"], []).append(shown_file(row))
    found: dict[str, dict[str, Any]] = {}
    for row in many(conn, _SHOWN, ids):
        user, name = row.pop("user_id"), row.pop("user_name")
        found[row["id"]] = {
            **row,
            "user": {"id": user, "name": name} if user else None,
            "files": files.get(row["id"], []),
        }
    return found


def shown_file(row: dict[str, Any]) -> dict[str, Any]:
    """A file as browsers are told of it. Neither ``ready`` nor a ``reason``: it is still being fetched."""
    return {
        "id": row["id"],
        "name": row["name"],
        "content_type": row["content_type"],
        "size": row["size_bytes"],
        "reason": row["reason"],
        "ready": bool(row["path"]),
    }


# ---- files

_FILE = select(attachments, conversations.c.line_id).join(conversations).where(attachments.c.id == _ID)
_TAKE_FILE = (
    update(attachments)
    .where(attachments.c.id == _ID, attachments.c.message_id.is_(None))
    .values(message_id=bindparam("message"), position=bindparam("place"))
)


def add_file(conn: Connection, **values: Any) -> None:
    """A file: uploaded (no message yet), or one that came with a text and is to be fetched."""
    conn.execute(insert(attachments), values)


def file(conn: Connection, file_id: str) -> dict[str, Any] | None:
    """The file's row, and the line of its conversation."""
    return one(conn, _FILE, {"row": file_id})


def files(conn: Connection, file_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of these files, in this order; those that are gone are left out."""
    known = {row["id"]: row for row in many(conn, select(attachments).where(attachments.c.id.in_(list(file_ids))))}
    return [known[one] for one in file_ids if one in known]


def files_of(conn: Connection, message_id: str) -> list[dict[str, Any]]:
    """The files of a text, in their order."""
    return many(conn, _FILES, {"ids": [message_id]})


def take_file(conn: Connection, file_id: str, message_id: str, position: int) -> bool:
    """An uploaded file goes with a text; False: it went with another one already."""
    return conn.execute(_TAKE_FILE, {"row": file_id, "message": message_id, "place": position}).rowcount == 1


def change_file(conn: Connection, file_id: str, **values: Any) -> bool:
    """Change the file's row; whether there is one."""
    return conn.execute(update(attachments).where(attachments.c.id == file_id).values(**values)).rowcount == 1


def drop_file(conn: Connection, file_id: str) -> bool:
    """Forget an uploaded file that went with no text; whether there was one."""
    done = conn.execute(delete(attachments).where(attachments.c.id == file_id, attachments.c.message_id.is_(None)))
    return done.rowcount == 1


def left_files(conn: Connection, before: int, most: int) -> list[dict[str, Any]]:
    """Uploaded files older than ``before`` that went with no text."""
    query = select(attachments).where(attachments.c.message_id.is_(None), attachments.c.created_at < before)
    return many(conn, query.order_by(attachments.c.created_at).limit(most))


# ---- opt-outs


_OUT = exists().where(opt_outs.c.line_id == bindparam("line"), opt_outs.c.number == bindparam("who"))
_IS_OUT = select(_OUT)


def is_out(conn: Connection, line_id: str, party: str) -> bool:
    """Whether the customer asked this line for no more texts."""
    return bool(conn.scalar(_IS_OUT, {"line": line_id, "who": party}))


def opt_out(conn: Connection, line_id: str, party: str, at: int) -> bool:
    """The customer wants no more texts from this line; whether that is news."""
    fresh = postgresql.insert(opt_outs) if conn.dialect.name == "postgresql" else sqlite.insert(opt_outs)
    asked = fresh.values(line_id=line_id, number=party, at=at).on_conflict_do_nothing()
    return conn.execute(asked.returning(opt_outs.c.at)).first() is not None


def opt_in(conn: Connection, line_id: str, party: str) -> bool:
    """The customer wants texts again; whether that is news."""
    done = conn.execute(delete(opt_outs).where(opt_outs.c.line_id == line_id, opt_outs.c.number == party))
    return done.rowcount == 1


# ---- accounts

_ACCOUNT_ROW = select(message_accounts).where(message_accounts.c.id == _ID)
_LINE_OF = select(lines).where(
    lines.c.message_account_id == _ACCOUNT, lines.c.number == bindparam("number"), lines.c.enabled.is_(True)
)
_STATE: Final = (
    update(message_accounts)
    .where(message_accounts.c.id == _ID)
    .values(
        state=bindparam("new_state"),
        state_reason=bindparam("new_reason"),
        # Since when, not how often it was found so.
        state_at=case((message_accounts.c.state == bindparam("new_state"), message_accounts.c.state_at), else_=_AT),
    )
)


def account(conn: Connection, account_id: str) -> dict[str, Any] | None:
    """The account's row."""
    return one(conn, _ACCOUNT_ROW, {"row": account_id})


def accounts(conn: Connection) -> list[dict[str, Any]]:
    """Every account."""
    return many(conn, select(message_accounts).order_by(func.lower(message_accounts.c.name), message_accounts.c.id))


def line_of(conn: Connection, account_id: str, number: str) -> dict[str, Any] | None:
    """The line with this number whose texts come through this account."""
    return one(conn, _LINE_OF, {"account": account_id, "number": number})


def lines_with_texts(conn: Connection, allowed: Collection[str] | None) -> list[dict[str, Any]]:
    """Enabled lines whose texts go through an enabled account, of these ids (None: any), by name."""
    query = (
        select(lines.c.id, lines.c.name)
        .join(message_accounts, message_accounts.c.id == lines.c.message_account_id)
        .where(lines.c.enabled.is_(True), message_accounts.c.enabled.is_(True))
        .order_by(func.lower(lines.c.name), lines.c.id)
    )
    return many(conn, query if allowed is None else query.where(lines.c.id.in_(list(allowed))))


def set_account_state(conn: Connection, account_id: str, state: str, reason: str | None, at: int) -> None:
    """What the last sending through the account says of it: ok, failing."""
    conn.execute(_STATE, {"row": account_id, "new_state": state, "new_reason": reason, "moment": at})


_TEMPLATES = (
    select(message_templates.c.id, message_templates.c.name, message_templates.c.body)
    .where(or_(message_templates.c.line_id.is_(None), message_templates.c.line_id == bindparam("line")))
    .order_by(func.lower(message_templates.c.name), message_templates.c.id)
)


def templates_for(conn: Connection, line_id: str) -> list[dict[str, Any]]:
    """Templates that this line's texts can begin with, by name."""
    return many(conn, _TEMPLATES, {"line": line_id})

"""Rows of the accounts that texts come and go through, and of templates, as settings change them."""

from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from aircall_core.store.rows import many, one
from aircall_core.store.tables import lines, message_accounts, message_templates, messages, trunks


def account_for_change(conn: Connection, account_id: str) -> dict[str, Any] | None:
    """The account's row, held until the transaction ends."""
    return one(conn, select(message_accounts).where(message_accounts.c.id == account_id).with_for_update())


def account_named(conn: Connection, name: str) -> dict[str, Any] | None:
    """The account with this name, whatever the case of its letters."""
    return one(conn, select(message_accounts).where(func.lower(message_accounts.c.name) == name.lower()))


def add_account(conn: Connection, **values: Any) -> None:
    """A new account."""
    conn.execute(insert(message_accounts).values(**values))


def change_account(conn: Connection, account_id: str, **values: Any) -> None:
    """Other values of an account."""
    where = message_accounts.c.id == account_id
    conn.execute(update(message_accounts).where(where).values(version=message_accounts.c.version + 1, **values))


def remove_account(conn: Connection, account_id: str) -> None:
    """The account goes; what came through it stays."""
    conn.execute(delete(message_accounts).where(message_accounts.c.id == account_id))


def lines_through(conn: Connection, account_id: str) -> list[str]:
    """Names of the lines whose texts go through it."""
    query = select(lines.c.name).where(lines.c.message_account_id == account_id).order_by(lines.c.name)
    return list(conn.scalars(query))


def has_unsent(conn: Connection, account_id: str) -> bool:
    """Whether texts wait to go through it, or are on their way."""
    unsent = messages.c.state.in_(("queued", "sending"))
    query = select(messages.c.id).where(unsent, messages.c.account_id == account_id).limit(1)
    return conn.execute(query).first() is not None


def accounts_list(conn: Connection) -> list[dict[str, Any]]:
    """Every account by name: `has_secret` instead of the secret, the name of its `trunk`, names of its `lines`."""
    query = (
        select(message_accounts, trunks.c.name.label("trunk"))
        .outerjoin(trunks, trunks.c.id == message_accounts.c.trunk_id)
        .order_by(func.lower(message_accounts.c.name), message_accounts.c.id)
    )
    shown = []
    for row in many(conn, query):
        has_secret = row.pop("secret") is not None
        shown.append({**row, "has_secret": has_secret, "lines": lines_through(conn, row["id"])})
    return shown


def template_for_change(conn: Connection, template_id: str) -> dict[str, Any] | None:
    """The template's row, held until the transaction ends."""
    return one(conn, select(message_templates).where(message_templates.c.id == template_id).with_for_update())


def template_named(conn: Connection, name: str) -> dict[str, Any] | None:
    """The template with this name, whatever the case of its letters."""
    return one(conn, select(message_templates).where(func.lower(message_templates.c.name) == name.lower()))


def templates_list(conn: Connection) -> list[dict[str, Any]]:
    """Every template by name, with the name of its line."""
    query = (
        select(message_templates, lines.c.name.label("line"))
        .outerjoin(lines, lines.c.id == message_templates.c.line_id)
        .order_by(func.lower(message_templates.c.name), message_templates.c.id)
    )
    return many(conn, query)


def add_template(conn: Connection, **values: Any) -> None:
    """A new template."""
    conn.execute(insert(message_templates).values(**values))


def change_template(conn: Connection, template_id: str, **values: Any) -> None:
    """Other values of a template."""
    where = message_templates.c.id == template_id
    conn.execute(update(message_templates).where(where).values(version=message_templates.c.version + 1, **values))


def remove_template(conn: Connection, template_id: str) -> None:
    """The template goes; texts made with it stay."""
    conn.execute(delete(message_templates).where(message_templates.c.id == template_id))

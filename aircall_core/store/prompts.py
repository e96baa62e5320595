"""The company's own prompts: sound files that callers hear."""

from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from aircall_core.store.rows import many, one
from aircall_core.store.tables import prompts, users


def prompt(conn: Connection, prompt_id: str) -> dict[str, Any] | None:
    """The prompt's row."""
    return one(conn, select(prompts).where(prompts.c.id == prompt_id))


def prompt_named(conn: Connection, name: str) -> dict[str, Any] | None:
    """The prompt with this name, whatever its case."""
    found = many(conn, select(prompts).where(func.lower(prompts.c.name) == name.lower()).limit(1))
    return found[0] if found else None


def all_prompts(conn: Connection) -> list[dict[str, Any]]:
    """Every prompt by name, with `author`, the name of who made it."""
    query = (
        select(prompts, users.c.name.label("author"))
        .outerjoin(users, users.c.id == prompts.c.created_by)
        .order_by(func.lower(prompts.c.name), prompts.c.id)
    )
    return many(conn, query)


def add(conn: Connection, **values: Any) -> None:
    """A new prompt."""
    conn.execute(insert(prompts).values(**values))


def rename(conn: Connection, prompt_id: str, name: str) -> None:
    """Another name."""
    conn.execute(update(prompts).where(prompts.c.id == prompt_id).values(name=name))


def remove(conn: Connection, prompt_id: str) -> None:
    """Remove the row."""
    conn.execute(delete(prompts).where(prompts.c.id == prompt_id))

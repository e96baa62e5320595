"""The inbox as a user sees it, for tests."""

from typing import Any

from sqlalchemy import Connection

from aircall_core.store.queries import inbox, inbox_rows


def listed(
    conn: Connection, user_id: str, role: str, *, category: str = inbox.ALL, limit: int = 50, **wanted: Any
) -> list[dict[str, Any]]:
    """The first rows of a list."""
    lines = inbox.visible_lines(conn, user_id, role)
    asked = inbox.Wanted(user_id, lines, category=category, **wanted)
    places, _ = inbox.page(conn, asked, None, limit)
    return inbox_rows.shown(conn, user_id, asked.view, places)

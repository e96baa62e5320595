"""Rows as plain dictionaries, so that nothing outside the store needs to know how they were read."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Select


def one(conn: Connection, query: Select[Any], values: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """The only row, or None."""
    row = conn.execute(query, values).mappings().one_or_none()
    return None if row is None else dict(row)


def many(conn: Connection, query: Select[Any], values: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """All rows."""
    return [dict(row) for row in conn.execute(query, values).mappings()]

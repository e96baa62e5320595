"""Where encrypted secrets lie: one list, so that a new key finds all of them (desk/reseal.py)."""

from typing import Any, Final

from sqlalchemy import Connection, select, update

from aircall_core.store.rows import many
from aircall_core.store.tables import insight_sources, message_accounts, trunks

COLUMNS: Final = {table.name: table.c.secret for table in (trunks, message_accounts, insight_sources)}


def every(conn: Connection, table: str) -> list[dict[str, Any]]:
    """The id, name and sealed secret of each row that has one."""
    column = COLUMNS[table]
    rows = column.table
    return many(conn, select(rows.c.id, rows.c.name, column).where(column.is_not(None)).order_by(rows.c.id))


def put(conn: Connection, table: str, row_id: str, sealed: str) -> None:
    """The same secret, sealed anew."""
    rows = COLUMNS[table].table
    conn.execute(update(rows).where(rows.c.id == row_id).values(secret=sealed))

"""The database's clock: the one that all machines of an installation share."""

from sqlalchemy import Connection, text

from aircall_core import ids

_POSTGRES_NOW = text("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")


def now_ms(conn: Connection) -> int:
    """Milliseconds since the epoch (UTC): PostgreSQL's clock; on SQLite, which has one machine, that machine's."""
    if conn.dialect.name == "postgresql":
        return int(conn.execute(_POSTGRES_NOW).scalar_one())
    return ids.now_ms()

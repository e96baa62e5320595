"""What all machines of an installation share: the database's clock, and the turn of handing out calls."""

from sqlalchemy import Connection, text

from aircall_core import ids

TURN_LOCK = 0x7475726E  # "turn"
_POSTGRES_TURN = text(f"SELECT pg_advisory_xact_lock({TURN_LOCK})")
_POSTGRES_NOW = text("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")


def now_ms(conn: Connection) -> int:
    """Milliseconds since the epoch (UTC): PostgreSQL's clock; on SQLite, which has one machine, that machine's."""
    if conn.dialect.name == "postgresql":
        return int(conn.execute(_POSTGRES_NOW).scalar_one())
    return ids.now_ms()


def take_turn(conn: Connection) -> None:
    """Wait for every other transaction that has the turn, and have it until this one ends. SQLite: nothing to do."""
    if conn.dialect.name == "postgresql":
        conn.execute(_POSTGRES_TURN)

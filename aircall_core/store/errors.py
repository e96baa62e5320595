"""What can go wrong with the store, and how the drivers' errors are told apart."""

import sqlite3

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout


class StoreAway(RuntimeError):
    """The database cannot be reached, or did not let us in for now: nothing is wrong with the request, try
    again.

    ``in_doubt`` is true when the connection broke during the commit, so that the transaction may have
    happened. Compare-and-set and client-made ids make a second attempt safe.
    """

    def __init__(self, message: str, *, in_doubt: bool = False) -> None:
        super().__init__(message)
        self.in_doubt = in_doubt


class LogTruncated(RuntimeError):
    """The cursor is not on this log (too old, or from before a restore): take a fresh snapshot."""

    def __init__(self, after: int, last_seq: int) -> None:
        super().__init__(f"event {after} is not on the log any more; it stands at {last_seq}")
        self.after = after
        self.last_seq = last_seq


# Primary result codes of SQLite that say "not now": a lock that did not come free, a disk that is gone or
# full.
_SQLITE_AWAY = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
    }
)
# SQLSTATE: 53 out of resources, 57P0x shutting down or starting, 58 system error, 08 connection; and those
# where the server rolled back and a retry is the answer: serialization, deadlock, lock or statement timeout.
_POSTGRES_AWAY_CLASSES = ("08", "53", "58")
_POSTGRES_AWAY = frozenset({"57P01", "57P02", "57P03", "57P05", "25P03", "40001", "40P01", "55P03", "57014"})


def is_away(error: BaseException | None) -> bool:
    """Whether a driver's error means that the store is away, and not that the statement was wrong."""
    if isinstance(error, PoolTimeout):
        return True
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or is_away(error.orig)
    if isinstance(error, sqlite3.OperationalError):
        return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _SQLITE_AWAY
    if isinstance(error, psycopg.Error):
        state = error.sqlstate
        if state is None:
            return isinstance(error, psycopg.OperationalError)
        return state in _POSTGRES_AWAY or state.startswith(_POSTGRES_AWAY_CLASSES)
    return False


def away(error: BaseException, *, in_doubt: bool = False) -> StoreAway:
    """A StoreAway for a driver's error, without the statement and its values (they may hold customer content)."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    first_line = str(cause).strip().split("\n", 1)[0]
    return StoreAway(f"the database is away: {first_line}", in_doubt=in_doubt)

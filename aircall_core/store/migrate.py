"""Bringing a store's tables to the version of this code. Migrations expand first and contract a release later."""

import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from aircall_core.store import urls
from aircall_core.store.errors import away, is_away

_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 0x6D696772617465  # "migrate"


class StoreIsNewer(RuntimeError):
    """The store was made by a newer release than this code: old code must not write to it."""


def upgrade(url: str, revision: str = "head") -> str | None:
    """Bring the store's tables up to a revision; creates what does not exist. The revision it has after.

    One transaction: it happens or it does not. Several processes may start at once, one does the work and the
    others wait for it. Raises StoreAway when the database cannot be reached, StoreIsNewer when it knows more
    than we do.
    """
    with alone(url) as conn:
        return upgrade_within(conn, revision)


def upgrade_within(conn: Connection, revision: str = "head") -> str | None:
    """The same in a transaction that ``alone`` began."""
    found = current_within(conn)
    known = {script.revision for script in ScriptDirectory(str(_SCRIPTS)).walk_revisions()}
    for wanted in (found, None if revision == "head" else revision):
        if wanted is not None and wanted not in known:
            raise StoreIsNewer(f"the store is at revision {wanted}, which this release does not know")
    command.upgrade(_config(conn), revision)
    if conn.dialect.name == "sqlite" and conn.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise RuntimeError("the migration would leave rows that refer to nothing; it was rolled back")
    return current_within(conn)


def in_tables(name: str | None, _kind: str, _parents: object) -> bool:
    """Whether tables/ speaks of it: the search index is made by its migration alone, in each database's own words."""
    return name is None or not name.startswith("search_index")


def downgrade(url: str, revision: str) -> None:
    """Take migrations back down to a revision ("base": all of them, with all rows). For developers and tests."""
    with alone(url) as conn:
        command.downgrade(_config(conn), revision)


def current(url: str) -> str | None:
    """The store's revision; None for an empty one."""
    with alone(url) as conn:
        return current_within(conn)


def head() -> str | None:
    """The newest revision that this code knows."""
    return ScriptDirectory(str(_SCRIPTS)).get_current_head()


def write_revision(message: str) -> None:
    """For developers: write what tables.py has and the newest migration has not as a migration, to be read
    and edited.

    ``python -m aircall_core.store.migrate "what and why"``
    """
    number = 1 + sum(1 for _ in ScriptDirectory(str(_SCRIPTS)).walk_revisions())
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/empty.db"
        upgrade(url)
        with alone(url) as conn:
            command.revision(_config(conn), message=message, autogenerate=True, rev_id=f"{number:04}")


def _config(conn: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = conn
    return config


def current_within(conn: Connection) -> str | None:
    """The revision as a connection sees it."""
    return MigrationContext.configure(conn).get_current_revision()


@contextmanager
def alone(url: str) -> Iterator[Connection]:
    """A transaction that no other migration runs beside."""
    parsed = urls.parse(url)
    is_postgres = parsed.drivername.startswith("postgresql")
    if is_postgres:
        engine = create_engine(parsed, poolclass=NullPool, connect_args={"connect_timeout": 2})
    else:
        urls.make_private_file(urls.sqlite_path(parsed))
        # Foreign keys stay off here: SQLite changes a table by building it anew, and dropping the old one.
        engine = create_engine(parsed, poolclass=NullPool, connect_args={"isolation_level": None, "timeout": 60})

        @event.listens_for(engine, "connect")
        def use_wal(connection: sqlite3.Connection, _record: object) -> None:
            connection.execute("PRAGMA journal_mode=WAL")

        @event.listens_for(engine, "begin")
        def begin(conn: Connection) -> None:
            conn.exec_driver_sql("BEGIN IMMEDIATE")

    try:
        with engine.begin() as conn:
            if is_postgres:
                conn.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            yield conn
    except DBAPIError as error:
        if is_away(error):
            raise away(error) from error
        raise


if __name__ == "__main__":
    write_revision(" ".join(sys.argv[1:]))

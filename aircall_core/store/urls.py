"""Database URLs as installers write them, made into what SQLAlchemy wants."""

import os
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from aircall_core.store.errors import StoreAway


def parse(url: str) -> URL:
    """The URL with its driver: ``sqlite:///file`` or ``postgresql://...`` (psycopg 3). ValueError for others."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ValueError("AIRCALL_DATABASE_URL is not a database URL such as sqlite:///aircall.db") from error
    match parsed.drivername:
        case "sqlite" | "sqlite+pysqlite":
            if parsed.database in (None, "", ":memory:") or parsed.query:
                raise ValueError("a SQLite store is a plain file: several processes share it")
            return parsed.set(drivername="sqlite+pysqlite")
        case "postgres" | "postgresql" | "postgresql+psycopg":
            return parsed.set(drivername="postgresql+psycopg")
        case other:
            raise ValueError(f"the store runs on sqlite or postgresql, not on {other}")


def sqlite_path(url: URL) -> Path:
    """The file of a SQLite URL."""
    return Path(url.database or "")


def libpq(url: URL) -> str:
    """The same URL for psycopg itself, and for pg_dump."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def make_private_file(path: Path) -> None:
    """Create the database's file, readable by its owner alone, before SQLite would create it readable by all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreAway(f"the database file cannot be opened: {error.strerror}") from error

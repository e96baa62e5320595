"""What the command groups share: the store, JSON or sentences, and errors in plain words."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from aircall_core.store import Store

ACTOR = "system"  # who did it, in the log: whoever may run commands on this machine

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn the errors that a user can do something about into one sentence and exit status 1."""
    try:
        yield
    except Exception as error:
        words = _plain(error)
        if words is None:
            raise
        print(words, file=sys.stderr)
        raise SystemExit(1) from None


def _plain(error: Exception) -> str | None:
    from aircall_core.backend import BackendError
    from aircall_core.config import ConfigError
    from aircall_core.desk.errors import DeskError, Invalid
    from aircall_core.desk.secrets import SecretKeyError
    from aircall_core.store import StoreAway
    from aircall_core.store.backup import BackupError
    from aircall_core.store.migrate import StoreIsNewer

    if isinstance(error, Invalid):
        fields = error.details.get("fields")
        if isinstance(fields, Mapping):
            return "\n".join(f"{name}: {problem}" for name, problem in fields.items())
    if isinstance(error, DeskError):
        return error.message
    known = (ConfigError, BackendError, SecretKeyError, StoreAway, StoreIsNewer, BackupError)
    return str(error) if isinstance(error, known) else None


@contextmanager
def open_installation() -> Iterator["Store"]:
    """The installation's store, made or brought to this release's tables if need be."""
    from aircall_core.config import get_settings
    from aircall_core.desk import company
    from aircall_core.store import open_store
    from aircall_core.store.migrate import upgrade

    settings = get_settings()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    upgrade(settings.database_url)
    store = open_store(settings.database_url, full_sync=settings.sqlite_full_sync)
    try:
        company.ensure_installation(store)
        yield store
    finally:
        store.close()


def show(as_json: bool, data: Any, text: str) -> None:
    """Print a result, for a script or for a person."""
    typer.echo(json.dumps(data, ensure_ascii=False, default=str) if as_json else text)


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], empty: str) -> str:
    """Rows as aligned columns under their names."""
    if not rows:
        return empty
    cells = [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(len(column), *(len(row[at]) for row in cells)) for at, column in enumerate(columns)]
    lines = [[column.upper() for column in columns], *cells]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def pick(rows: Sequence[Mapping[str, Any]], wanted: str, what: str, *keys: str) -> Mapping[str, Any]:
    """The row that a person means by its id or another key. Raises DeskError when there is none."""
    from aircall_core.desk.errors import not_found

    for row in rows:
        if any(str(row.get(key) or "").casefold() == wanted.strip().casefold() for key in ("id", *keys)):
            return row
    raise not_found(f"{what} {wanted}")

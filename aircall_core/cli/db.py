"""`python -m aircall_core db`"""

from pathlib import Path
from typing import Annotated

import typer

from aircall_core.cli.common import Json, show

app = typer.Typer(
    name="db", no_args_is_help=True, help="The store: upgrade, back up, restore, search index, a new key."
)


@app.command()
def upgrade(as_json: Json = False) -> None:
    """Bring the store's tables to this release. The backend does it by itself when it starts."""
    from aircall_core.config import get_settings
    from aircall_core.store import migrate

    revision = migrate.upgrade(get_settings().database_url)
    show(as_json, {"revision": revision}, f"The store is at revision {revision}.")


@app.command()
def backup(target: Annotated[Path, typer.Argument(help="A new file, or a folder.")], as_json: Json = False) -> None:
    """Back up the store while it is in use. Recordings are files in the data folder: copy them beside it."""
    from aircall_core.config import get_settings
    from aircall_core.store import backup as backups

    done = backups.backup(get_settings().database_url, target)
    data = {
        "file": str(done.path),
        "revision": done.revision,
        "last_seq": done.last_seq,
        "rows": sum(done.rows.values()),
    }
    show(as_json, data, f"Wrote {done.path}: {data['rows']} rows.")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `db backup` wrote.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a store that has content.")] = False,
    as_json: Json = False,
) -> None:
    """Fill the store from a backup. Stop the backend before; everybody signs in anew after."""
    from aircall_core.backend import BackendError, find_backend, left_running
    from aircall_core.config import get_settings
    from aircall_core.store import backup as backups

    settings = get_settings()
    if state := find_backend(settings):
        raise BackendError(
            f"The backend runs (process {state.process.pid}). Stop it first: python -m aircall_core stop"
        )
    if left := left_running(settings):
        raise BackendError(
            f"The backend was killed, and these live on: {', '.join(sorted(left))}. Stop them first: "
            "python -m aircall_core stop"
        )
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    done = backups.restore(file, settings.database_url, force=force)
    show(
        as_json, {"file": str(done.path), "rows": sum(done.rows.values())}, f"Restored {sum(done.rows.values())} rows."
    )


@app.command()
def reseal(as_json: Json = False) -> None:
    """Encrypt all secrets with the first key of AIRCALL_SECRET_KEY=new,old. Exit status 1: some cannot be read."""
    from aircall_core.cli.common import open_installation
    from aircall_core.config import get_settings
    from aircall_core.desk import reseal as resealing
    from aircall_core.desk import secrets

    settings = get_settings()
    box = secrets.open_box(settings.data_dir, settings.secret_key)
    with open_installation() as store, store.write() as tx:
        done = resealing.reseal(tx, box)
    data = {"sealed": done.count, "unreadable": done.unreadable}
    show(as_json, data, f"Sealed {done.count} secrets with the newest key.")
    if done.unreadable:
        typer.echo(f"No key reads these, which must be entered again: {', '.join(done.unreadable)}.", err=True)
        raise typer.Exit(1)


@app.command()
def reindex(as_json: Json = False) -> None:
    """Make the search index anew. Calls go on; older texts are found again as it proceeds."""
    from aircall_core.config import get_settings
    from aircall_core.desk import reindex as index
    from aircall_core.store import open_store

    def told(done: int) -> None:
        if not as_json and done % 5_000 < 50:
            typer.echo(f"{done} texts", err=True)

    with open_store(get_settings().database_url) as store:
        count = index.rebuild(store, told)
    show(as_json, {"texts": count}, f"Indexed {count} texts.")

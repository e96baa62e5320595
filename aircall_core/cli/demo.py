"""The console over a demo workspace."""

import os
import sys

import typer


def demo() -> None:
    """Run the whole system over a demo workspace of its own; prints how its users sign in."""
    os.environ.setdefault("AIRCALL_DATA_DIR", os.path.join("data", "run", "demo"))
    from aircall_core.cli.common import open_installation
    from aircall_core.cli.processes import console
    from aircall_core.config import get_settings
    from aircall_core.desk.demo import fill

    settings = get_settings()

    def progress(done: int, total: int) -> None:
        if sys.stderr.isatty() or done == total:
            typer.echo(f"\rwriting a week of calls: {done} of {total}", nl=done == total, err=True)

    with open_installation() as store:
        signs = fill(store, settings, progress)
    typer.echo("Sign in as one of:")
    for sign in signs:
        typer.echo(f"  {sign.role:<14} {sign.email:<20} {sign.password}")
    typer.echo("")
    console()

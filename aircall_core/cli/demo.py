"""The console over a demo workspace."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

SOMEBODY = "+33 1 99 00 12 34"  # a range that the French regulator keeps for fiction


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

    with _echo() as address:
        with open_installation() as store:
            signs = fill(store, settings, progress, echo=address)
        typer.echo("Sign in as one of:")
        for sign in signs:
            typer.echo(f"  {sign.role:<14} {sign.email:<20} {sign.password}")
        if address:
            typer.echo(f"Calls out reach an echo on this machine: Dial a number, such as {SOMEBODY}, and speak.")
        typer.echo("")
        console()


@contextmanager
def _echo() -> Iterator[str]:
    """Somebody to call, on a port of this machine, as long as the demo runs; its address, '' when it cannot run."""
    command = [sys.executable, "-m", "aircall_core", "phone", "echo"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as phone:
        assert phone.stdout is not None
        said = phone.stdout.readline()
        try:
            yield json.loads(said).get("address", "") if said else ""
        finally:
            phone.terminate()

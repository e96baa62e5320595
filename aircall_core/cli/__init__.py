"""The command line: processes of the system, and what an installer does without a browser.

The modules here import only Typer at their top: `--help` and a worker's restart shall not wait for what they do not
need. A command imports its use cases when it runs.
"""

import sys

import typer

from aircall_core.cli import db, demo, numbers, processes, teams, trunks, users
from aircall_core.cli.common import plain_errors

PHONE_HELP = "A SIP test phone: call a number of this desk, speak, listen, press digits."


def build(arguments: list[str]) -> typer.Typer:
    """The whole command tree for this command line."""
    app = typer.Typer(
        name="aircall_core",
        help="A self-hosted desk for inbound calls. Settings are AIRCALL_... variables: docs/settings.md.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    processes.register(app)
    app.command()(demo.demo)
    for module in (users, teams, numbers, trunks, db):
        app.add_typer(module.app)
    if arguments[:1] == ["phone"]:
        from aircall_core.sip.phone import app as phone
    else:
        phone = typer.Typer()  # only listed: the test phone's own imports take a quarter of a second
        phone.callback()(lambda: None)
    app.add_typer(phone, name="phone", help=PHONE_HELP)
    return app


def main(arguments: list[str] | None = None) -> None:
    """Run a command line; errors that are the user's to solve are printed plainly, with exit status 1."""
    arguments = sys.argv[1:] if arguments is None else arguments
    with plain_errors():
        build(arguments)(args=arguments, prog_name="python -m aircall_core")

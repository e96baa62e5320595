"""`python -m aircall_core trunks`"""

import sys
from typing import Annotated

import typer

from aircall_core.cli.common import ACTOR, Json, open_installation, pick, show, table

app = typer.Typer(name="trunks", no_args_is_help=True, help="Carriers and PBXs whose calls are let in.")

COLUMNS = ("id", "name", "kind", "enabled", "transport", "host", "username", "realm", "cidrs", "state")


@app.command("list")
def list_trunks(as_json: Json = False) -> None:
    """Every trunk. Passwords are never shown."""
    from aircall_core.store import provisioning

    with open_installation() as store, store.read() as conn:
        rows = [{key: row[key] for key in COLUMNS} for row in provisioning.all_trunks(conn)]
    show(as_json, rows, table(rows, COLUMNS, "No trunk yet."))


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Such as the carrier's name.")],
    kind: Annotated[str, typer.Argument(help="register (we sign in), digest (they sign in), or address.")],
    host: Annotated[str, typer.Option(help="register: the registrar, host or host:port.")] = "",
    username: Annotated[str, typer.Option(help="register, digest: the user name.")] = "",
    realm: Annotated[str, typer.Option(help="digest: the realm.")] = "",
    transport: Annotated[str, typer.Option(help="udp, tcp, or tls.")] = "udp",
    cidr: Annotated[list[str] | None, typer.Option(help="address: a network calls come from; repeat it.")] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Add a trunk."""
    from aircall_core.config import get_settings
    from aircall_core.desk import secrets, trunks

    settings = get_settings()
    password = sys.stdin.readline().rstrip("\n") if password_stdin else ""
    with open_installation() as store:
        box = secrets.open_box(settings.data_dir, settings.secret_key)
        with store.write() as tx:
            trunk_id = trunks.create(
                tx, ACTOR, box, password=password, name=name, kind=kind, host=host, username=username, realm=realm,
                transport=transport, cidrs=cidr or [],
            )  # fmt: skip
    show(as_json, {"id": trunk_id}, f"Added {name}.")


@app.command()
def remove(which: Annotated[str, typer.Argument(help="Name or id.")], as_json: Json = False) -> None:
    """Remove a trunk: its next call is a stranger's."""
    from aircall_core.desk import trunks
    from aircall_core.store import provisioning

    with open_installation() as store:
        with store.read() as conn:
            trunk = pick(provisioning.all_trunks(conn), which, "The trunk", "name")
        with store.write() as tx:
            trunks.remove(tx, ACTOR, trunk["id"])
    show(as_json, {"id": trunk["id"]}, "Removed.")

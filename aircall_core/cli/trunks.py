"""`python -m aircall_core trunks`"""

import sys
from typing import Annotated, Any

import typer

from aircall_core.cli.common import ACTOR, Json, open_installation, pick, show, table

app = typer.Typer(name="trunks", no_args_is_help=True, help="Carriers and PBXs whose calls are let in.")

COLUMNS = ("id", "name", "kind", "enabled", "transport", "host", "username", "realm", "cidrs", "state", "outbound_host")


Outbound = Annotated[
    str | None,
    typer.Option("--outbound", help="Where calls out go, host or host:port; register: the registrar unless given."),
]
DialFormat = Annotated[
    str | None, typer.Option(help="e164 (+33199001234), digits (33199001234), national (0199001234).")
]
HoldBy = Annotated[str | None, typer.Option(help="bridge (music from here), reinvite (the carrier is told too).")]
TransferBy = Annotated[str | None, typer.Option(help="bridge (through here), refer (the carrier connects the two).")]


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
    outbound: Outbound = None,
    dial_format: DialFormat = None,
    hold_by: HoldBy = None,
    transfer_by: TransferBy = None,
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
                **_given(outbound_host=outbound, dial_format=dial_format, hold_by=hold_by, transfer_by=transfer_by),
            )  # fmt: skip
    show(as_json, {"id": trunk_id}, f"Added {name}.")


@app.command()
def change(
    which: Annotated[str, typer.Argument(help="Name or id.")],
    enabled: Annotated[bool | None, typer.Option("--on/--off", help="Whether its calls are let in and out.")] = None,
    outbound: Outbound = None,
    dial_format: DialFormat = None,
    hold_by: HoldBy = None,
    transfer_by: TransferBy = None,
    as_json: Json = False,
) -> None:
    """Change how a trunk calls out, holds and transfers."""
    from aircall_core.config import get_settings
    from aircall_core.desk import secrets, trunks
    from aircall_core.store import provisioning

    settings = get_settings()
    wanted = _given(
        enabled=enabled, outbound_host=outbound, dial_format=dial_format, hold_by=hold_by, transfer_by=transfer_by
    )
    with open_installation() as store:
        box = secrets.open_box(settings.data_dir, settings.secret_key)
        with store.read() as conn:
            trunk = pick(provisioning.all_trunks(conn), which, "The trunk", "name")
        with store.write() as tx:
            trunks.change(tx, ACTOR, box, trunk["id"], **wanted)
    show(as_json, {"id": trunk["id"], **wanted}, "Changed.")


def _given(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


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

"""`python -m aircall_core users`"""

import sys
from typing import Annotated, Any

import typer

from aircall_core.cli.common import ACTOR, Json, open_installation, pick, show, table

app = typer.Typer(name="users", no_args_is_help=True, help="People who sign in: list, add, change, links.")

COLUMNS = ("id", "name", "email", "role", "state", "on_duty")


@app.command("list")
def list_users(as_json: Json = False) -> None:
    """Everybody who can sign in, is invited, or was switched off."""
    from aircall_core.store import accounts

    with open_installation() as store, store.read() as conn:
        rows = [{key: row[key] for key in COLUMNS} for row in accounts.all_users(conn)]
    show(as_json, rows, table(rows, COLUMNS, "Nobody yet: `make run` prints a link for the first administrator."))


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="The name that colleagues see.")],
    email: Annotated[str, typer.Argument(help="With this address they sign in.")],
    role: Annotated[str, typer.Option(help="administrator, supervisor, agent, or analyst.")] = "agent",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input instead of inviting them.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Add a user, and print the link by which they choose their password."""
    from aircall_core.config import get_settings
    from aircall_core.desk import links, people

    with open_installation() as store:
        data: dict[str, Any]
        if password_stdin:
            password = sys.stdin.readline().rstrip("\n")
            user_id = people.create(store, name=name, email=email, role=role, password=password)
            show(as_json, {"id": user_id}, f"Added {email}.")
            return
        with store.write() as tx:
            user_id, token = people.invite(tx, ACTOR, name=name, email=email, role=role)
        link = links.address(get_settings(), links.INVITE, token)
        data = {"id": user_id, "link": link}
    show(as_json, data, f"Added {email}. Send them this link, which works once:\n{link}")


@app.command()
def link(who: Annotated[str, typer.Argument(help="E-mail address or id.")], as_json: Json = False) -> None:
    """Print a new link by which a user chooses a password: invitation or reset."""
    from aircall_core.config import get_settings
    from aircall_core.desk import links, people
    from aircall_core.store import accounts

    with open_installation() as store:
        with store.read() as conn:
            user = pick(accounts.all_users(conn), who, "The user", "email")
        with store.write() as tx:
            purpose, token = people.new_link(tx, user["id"])
        address = links.address(get_settings(), purpose, token)
    show(as_json, {"id": user["id"], "purpose": purpose, "link": address}, address)


@app.command()
def change(
    who: Annotated[str, typer.Argument(help="E-mail address or id.")],
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    email: Annotated[str | None, typer.Option(help="Another e-mail address.")] = None,
    role: Annotated[str | None, typer.Option(help="administrator, supervisor, agent, or analyst.")] = None,
    state: Annotated[str | None, typer.Option(help="active or disabled.")] = None,
    as_json: Json = False,
) -> None:
    """Change a user, or switch them off (`--state disabled`)."""
    from aircall_core.desk import people
    from aircall_core.store import accounts

    given = {"name": name, "email": email, "role": role, "state": state}
    wanted = {key: value for key, value in given.items() if value is not None}
    with open_installation() as store:
        with store.read() as conn:
            user = pick(accounts.all_users(conn), who, "The user", "email")
        with store.write() as tx:
            people.change(tx, ACTOR, user["id"], **wanted)
    show(as_json, {"id": user["id"], **wanted}, "Changed.")

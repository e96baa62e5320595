"""`python -m aircall_core teams`"""

from typing import Annotated

import typer

from aircall_core.cli.common import ACTOR, Json, open_installation, pick, show, table

app = typer.Typer(name="teams", no_args_is_help=True, help="Groups of users that are assigned to numbers together.")

COLUMNS = ("id", "name", "users")

Members = Annotated[list[str] | None, typer.Option("--user", help="E-mail address or id of a member; repeat it.")]


@app.command("list")
def list_teams(as_json: Json = False) -> None:
    """Every team and its members."""
    from aircall_core.store import accounts

    with open_installation() as store, store.read() as conn:
        emails = {user["id"]: user["email"] for user in accounts.all_users(conn)}
        rows = [{**team, "users": [emails.get(one, one) for one in team["users"]]} for team in accounts.all_teams(conn)]
    rows = [{key: row[key] for key in COLUMNS} for row in rows]
    show(as_json, rows, table(rows, COLUMNS, "No team yet."))


@app.command()
def add(name: str, user: Members = None, as_json: Json = False) -> None:
    """Add a team with its members."""
    from aircall_core.desk import teams
    from aircall_core.store import accounts

    with open_installation() as store:
        with store.read() as conn:
            people = accounts.all_users(conn)
        members = [str(pick(people, who, "The user", "email")["id"]) for who in user or []]
        with store.write() as tx:
            team_id = teams.create(tx, ACTOR, name=name, users=members)
    show(as_json, {"id": team_id}, f"Added {name}.")


@app.command()
def change(
    team: Annotated[str, typer.Argument(help="Name or id.")],
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    user: Members = None,
    as_json: Json = False,
) -> None:
    """Rename a team, or say anew who is in it (`--user` replaces all members)."""
    from aircall_core.desk import teams
    from aircall_core.store import accounts

    with open_installation() as store:
        with store.read() as conn:
            found = pick(accounts.all_teams(conn), team, "The team", "name")
            people = accounts.all_users(conn)
        members = [str(pick(people, who, "The user", "email")["id"]) for who in user] if user else None
        with store.write() as tx:
            teams.change(tx, ACTOR, found["id"], name=name, users=members)
    show(as_json, {"id": found["id"]}, "Changed.")


@app.command()
def remove(team: Annotated[str, typer.Argument(help="Name or id.")], as_json: Json = False) -> None:
    """Remove a team; its users stay."""
    from aircall_core.desk import teams
    from aircall_core.store import accounts

    with open_installation() as store:
        with store.read() as conn:
            found = pick(accounts.all_teams(conn), team, "The team", "name")
        with store.write() as tx:
            teams.remove(tx, ACTOR, found["id"])
    show(as_json, {"id": found["id"]}, "Removed.")

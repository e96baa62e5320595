"""`python -m aircall_core numbers`"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aircall_core.cli.common import ACTOR, Json, open_installation, pick, show, table

if TYPE_CHECKING:
    from aircall_core.store import Store

app = typer.Typer(name="numbers", no_args_is_help=True, help="Lines: the numbers customers call, and who is rung.")

COLUMNS = (
    "id",
    "name",
    "number",
    "country",
    "ring_s",
    "recording",
    "enabled",
    "users",
    "teams",
    "outbound",
    "caller_id",
)

Users = Annotated[list[str] | None, typer.Option("--user", help="E-mail address or id of a user to ring; repeat it.")]
Teams = Annotated[list[str] | None, typer.Option("--team", help="Name or id of a team to ring; repeat it.")]
RingTime = Annotated[int | None, typer.Option("--ring", help="Seconds to ring, 5 to 300.")]
Recording = Annotated[str | None, typer.Option(help="off, on, or notice (on, with a spoken notice).")]
Outbound = Annotated[str | None, typer.Option("--outbound", help="Name or id of the trunk that calls out; '': none.")]
CallerId = Annotated[str | None, typer.Option(help="The number that is shown; '': the line's own.")]
Emergency = Annotated[str | None, typer.Option(help="Emergency numbers: refuse or dial.")]
Cap = Annotated[int | None, typer.Option("--cap", help="Calls out in 24 hours; -1: the company's.")]
Which = Annotated[str, typer.Argument(help="Number, name or id.")]


@app.command("list")
def list_numbers(as_json: Json = False) -> None:
    """Every line, and who is rung."""
    from aircall_core.store import accounts, provisioning

    with open_installation() as store, store.read() as conn:
        by_user, by_team = accounts.line_assignments(conn)
        emails = {user["id"]: user["email"] for user in accounts.all_users(conn)}
        names = {team["id"]: team["name"] for team in accounts.all_teams(conn)}
        trunks = {trunk["id"]: trunk["name"] for trunk in provisioning.all_trunks(conn)}
        rows = [
            {
                **{key: line[key] for key in COLUMNS if key in line},
                "users": [emails[one] for one in by_user.get(line["id"], ())],
                "teams": [names[one] for one in by_team.get(line["id"], ())],
                "outbound": trunks.get(line["outbound_trunk_id"], ""),
            }
            for line in provisioning.all_lines(conn)
        ]
    show(as_json, rows, table(rows, COLUMNS, "No number yet."))


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Such as Sales.")],
    number: Annotated[str, typer.Argument(help="Such as +33199001234, or the extension that a PBX dials.")],
    country: Annotated[str, typer.Option(help="ISO country of a number without +.")] = "",
    user: Users = None,
    team: Teams = None,
    ring: RingTime = None,
    recording: Recording = None,
    outbound: Outbound = None,
    caller_id: CallerId = None,
    emergency: Emergency = None,
    cap: Cap = None,
    as_json: Json = False,
) -> None:
    """Add a line."""
    from aircall_core.desk import lines

    more = _given(ring_s=ring, recording=recording, caller_id=caller_id, emergency=emergency, dial_cap=cap)
    with open_installation() as store:
        more |= _given(outbound_trunk_id=_trunk(store, outbound))
        users, teams = _assigned(store, user, team)
        with store.write() as tx:
            line_id = lines.create(
                tx, ACTOR, users=users or (), teams=teams or (), name=name, number=number, country=country, **more
            )
    show(as_json, {"id": line_id}, f"Added {name}.")


@app.command()
def change(
    which: Which,
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    number: Annotated[str | None, typer.Option(help="Another number.")] = None,
    user: Users = None,
    team: Teams = None,
    ring: RingTime = None,
    recording: Recording = None,
    enabled: Annotated[bool | None, typer.Option("--on/--off", help="Whether calls to it are taken.")] = None,
    outbound: Outbound = None,
    caller_id: CallerId = None,
    emergency: Emergency = None,
    cap: Cap = None,
    as_json: Json = False,
) -> None:
    """Change a line; `--user` and `--team` replace all users and all teams."""
    from aircall_core.desk import lines

    wanted = _given(name=name, number=number, ring_s=ring, recording=recording, enabled=enabled)
    wanted |= _given(caller_id=caller_id, emergency=emergency, dial_cap=cap)
    with open_installation() as store:
        wanted |= _given(outbound_trunk_id=_trunk(store, outbound))
        line = _line(store, which)
        users, teams = _assigned(store, user, team)
        with store.write() as tx:
            lines.change(tx, ACTOR, line, users=users, teams=teams, **wanted)
    show(as_json, {"id": line, **wanted}, "Changed.")


@app.command()
def remove(which: Which, as_json: Json = False) -> None:
    """Remove a line that has no conversations yet."""
    from aircall_core.desk import lines

    with open_installation() as store:
        line = _line(store, which)
        with store.write() as tx:
            lines.remove(tx, ACTOR, line)
    show(as_json, {"id": line}, "Removed.")


def _line(store: "Store", which: str) -> str:
    from aircall_core.store import provisioning

    with store.read() as conn:
        return str(pick(provisioning.all_lines(conn), which, "The number", "number", "name")["id"])


def _trunk(store: "Store", which: str | None) -> str | None:
    from aircall_core.store import provisioning

    if not which:
        return which
    with store.read() as conn:
        return str(pick(provisioning.all_trunks(conn), which, "The trunk", "name")["id"])


def _assigned(
    store: "Store", users: Sequence[str] | None, teams: Sequence[str] | None
) -> tuple[list[str] | None, list[str] | None]:
    from aircall_core.store import accounts

    with store.read() as conn:
        everybody, groups = accounts.all_users(conn), accounts.all_teams(conn)
    return (
        [str(pick(everybody, who, "The user", "email")["id"]) for who in users] if users else None,
        [str(pick(groups, which, "The team", "name")["id"]) for which in teams] if teams else None,
    )


def _given(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}

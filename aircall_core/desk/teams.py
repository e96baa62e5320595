"""Teams: groups of users that are assigned to lines together."""

from collections.abc import Sequence
from typing import Any

from aircall_core import ids
from aircall_core.desk import audit, flow_uses
from aircall_core.desk.errors import DeskError, Invalid, not_found
from aircall_core.domain.events import STAFF, TEAM_CHANGED, Event
from aircall_core.store import Tx, accounts, people


def create(tx: Tx, actor: str, *, name: str, users: Sequence[str] = ()) -> str:
    """A new team; its id."""
    name = _name(tx, name, None)
    team_id = ids.new_id()
    accounts.add_team(tx.conn, id=team_id, name=name, created_at=tx.now_ms())
    accounts.set_members(tx.conn, team_id, known_users(tx, users))
    _changed(tx, actor, team_id)
    audit.note(tx, actor, "team.created", team_id, name, {"users": ([], user_names(tx, users))} if users else None)
    return team_id


def change(tx: Tx, actor: str, team_id: str, *, name: str | None = None, users: Sequence[str] | None = None) -> None:
    """Rename a team, or say who is in it."""
    before = _known(tx, team_id)
    after = dict(before)
    if name is not None:
        after["name"] = _name(tx, name, team_id)
        accounts.rename_team(tx.conn, team_id, after["name"])
    if users is not None:
        accounts.set_members(tx.conn, team_id, known_users(tx, users))
        after["users"] = user_names(tx, users)
    _changed(tx, actor, team_id)
    audit.note(tx, actor, TEAM_CHANGED, team_id, after["name"], audit.differences(before, after))


def remove(tx: Tx, actor: str, team_id: str) -> None:
    """Remove a team; its users stay."""
    known = _known(tx, team_id)
    if ringing := flow_uses.lines_using(tx, flow_uses.TEAM, team_id):
        raise DeskError("in_use", f"The flow of {', '.join(ringing)} rings this team. Choose others there first.")
    accounts.remove_team(tx.conn, team_id)
    _changed(tx, actor, team_id)
    audit.note(tx, actor, "team.removed", team_id, known["name"])


def user_names(tx: Tx, users: Sequence[str]) -> list[str]:
    """Names of these users in order, for the audit log."""
    return sorted(people.names(tx.conn, list(users)).values())


def team_names(tx: Tx, teams: Sequence[str]) -> list[str]:
    """Names of these teams in order, for the audit log."""
    return sorted(team["name"] for team in accounts.all_teams(tx.conn) if team["id"] in teams)


def known_users(tx: Tx, users: Sequence[str]) -> list[str]:
    """These ids, if all of them are users. Invalid otherwise."""
    if accounts.existing_users(tx.conn, users) != set(users):
        raise Invalid({"users": "One of these users does not exist any more. Please choose again."})
    return list(users)


def known_teams(tx: Tx, teams: Sequence[str]) -> list[str]:
    """These ids, if all of them are teams. Invalid otherwise."""
    if accounts.existing_teams(tx.conn, teams) != set(teams):
        raise Invalid({"teams": "One of these teams does not exist any more. Please choose again."})
    return list(teams)


def _known(tx: Tx, team_id: str) -> dict[str, Any]:
    """The team's name and its members' names."""
    team = accounts.team(tx.conn, team_id)
    if team is None:
        raise not_found("The team")
    members: list[str] = next((one["users"] for one in accounts.all_teams(tx.conn) if one["id"] == team_id), [])
    return {"name": team["name"], "users": user_names(tx, members)}


def _name(tx: Tx, name: str, team_id: str | None) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= 80:
        raise Invalid({"name": "Enter a name of at most 80 characters."})
    other = accounts.team_named(tx.conn, name)
    if other is not None and other["id"] != team_id:
        raise Invalid({"name": "Another team has this name."})
    return name


def _changed(tx: Tx, actor: str, team_id: str) -> None:
    tx.append(Event(TEAM_CHANGED, STAFF, actor, data={"id": team_id}))

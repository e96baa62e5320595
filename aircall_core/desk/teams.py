"""Teams: groups of users that are assigned to lines together."""

from collections.abc import Sequence

from aircall_core import ids
from aircall_core.desk.errors import Invalid, not_found
from aircall_core.domain.events import STAFF, TEAM_CHANGED, Event
from aircall_core.store import Tx, accounts


def create(tx: Tx, actor: str, *, name: str, users: Sequence[str] = ()) -> str:
    """A new team; its id."""
    name = _name(tx, name, None)
    team_id = ids.new_id()
    accounts.add_team(tx.conn, id=team_id, name=name, created_at=tx.now_ms())
    accounts.set_members(tx.conn, team_id, known_users(tx, users))
    _changed(tx, actor, team_id)
    return team_id


def change(tx: Tx, actor: str, team_id: str, *, name: str | None = None, users: Sequence[str] | None = None) -> None:
    """Rename a team, or say who is in it."""
    _must_exist(tx, team_id)
    if name is not None:
        accounts.rename_team(tx.conn, team_id, _name(tx, name, team_id))
    if users is not None:
        accounts.set_members(tx.conn, team_id, known_users(tx, users))
    _changed(tx, actor, team_id)


def remove(tx: Tx, actor: str, team_id: str) -> None:
    """Remove a team; its users stay."""
    _must_exist(tx, team_id)
    accounts.remove_team(tx.conn, team_id)
    _changed(tx, actor, team_id)


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


def _must_exist(tx: Tx, team_id: str) -> None:
    if accounts.team(tx.conn, team_id) is None:
        raise not_found("The team")


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

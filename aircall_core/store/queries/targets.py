"""Whom a call can be handed on to, as a chooser lists them: users as they stand, teams, lines."""

from typing import Any, Final

from sqlalchemy import Connection, select

from aircall_core import numbers
from aircall_core.domain.availability import Status
from aircall_core.store import people
from aircall_core.store.tables import lines, team_members, teams, users

MOST: Final = 100  # of each; whoever has more searches


def targets(conn: Connection, user_id: str, search: str, at: int) -> dict[str, list[dict[str, Any]]]:
    """Users, teams and lines whose name (a line also: whose number) has ``search`` in it; who can be reached first."""
    active = conn.execute(select(users.c.id, users.c.name).where(users.c.state == "active"))
    names = {row.id: row.name for row in active}
    standings = {one.user_id: one for one in people.standings_of(conn, names, at)}
    wanted = search.casefold().strip()
    people_found = [
        {
            "id": user,
            "name": name,
            "status": standings[user].status.value,
            "available": standings[user].rings and user != user_id,
            "you": user == user_id,
        }
        for user, name in names.items()
        if wanted in name.casefold() and standings[user].status is not Status.DISABLED
    ]
    free = {user for user, one in standings.items() if one.rings and user != user_id}
    return {
        "users": _first(people_found),
        "teams": _first([one for one in _teams(conn, set(names), free) if wanted in one["name"].casefold()]),
        "lines": _first([one for one in _lines(conn) if wanted in f"{one['name']} {one['number']}".casefold()]),
    }


def _first(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(found, key=lambda one: (not one.get("available", True), one["name"].casefold(), one["id"]))[:MOST]


def _teams(conn: Connection, active: set[str], free: set[str]) -> list[dict[str, Any]]:
    members: dict[str, list[str]] = {}
    for team, user in conn.execute(select(team_members.c.team_id, team_members.c.user_id)):
        members.setdefault(team, []).append(user)
    return [
        {
            "id": team,
            "name": name,
            "available": sum(user in free for user in members.get(team, ())),
            "members": sum(user in active for user in members.get(team, ())),
        }
        for team, name in conn.execute(select(teams.c.id, teams.c.name))
    ]


def _lines(conn: Connection) -> list[dict[str, Any]]:
    query = select(lines.c.id, lines.c.name, lines.c.number, lines.c.country).where(lines.c.enabled)
    return [
        {"id": row.id, "name": row.name, "number": numbers.spoken_form(row.number, row.country)}
        for row in conn.execute(query)
    ]

"""Rows of users and teams as administrators see them."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from aircall_core.store.rows import many, one
from aircall_core.store.tables import line_teams, line_users, presence, team_members, teams, users


def add_user(conn: Connection, **values: Any) -> None:
    """A new user."""
    conn.execute(insert(users).values(**values))


def user(conn: Connection, user_id: str) -> dict[str, Any] | None:
    """The user's row."""
    return one(conn, select(users).where(users.c.id == user_id))


def by_email(conn: Connection, email: str) -> dict[str, Any] | None:
    """The user with this address (lower case)."""
    return one(conn, select(users).where(users.c.email == email))


def change_user(conn: Connection, user_id: str, **values: Any) -> bool:
    """Change the user's row; whether there is one."""
    done = conn.execute(update(users).where(users.c.id == user_id).values(version=users.c.version + 1, **values))
    return done.rowcount == 1


def all_users(conn: Connection) -> list[dict[str, Any]]:
    """Everybody, by name."""
    return many(conn, select(users).order_by(func.lower(users.c.name), users.c.id))


def active_administrators(conn: Connection, *, lock: bool = False) -> list[str]:
    """Ids of the administrators who can sign in. ``lock`` keeps them as they are until the transaction ends."""
    query = select(users.c.id).where(users.c.role == "administrator", users.c.state == "active")
    return list(conn.scalars(query.with_for_update() if lock else query))


def drop_presence(conn: Connection, user_id: str) -> None:
    """The user has no open tab any more, whatever their browsers say."""
    conn.execute(delete(presence).where(presence.c.user_id == user_id))


def existing_users(conn: Connection, user_ids: Iterable[str]) -> set[str]:
    """Which of these ids belong to users."""
    return set(conn.scalars(select(users.c.id).where(users.c.id.in_(list(user_ids)))))


def existing_teams(conn: Connection, team_ids: Iterable[str]) -> set[str]:
    """Which of these ids belong to teams."""
    return set(conn.scalars(select(teams.c.id).where(teams.c.id.in_(list(team_ids)))))


# ---- teams


def add_team(conn: Connection, **values: Any) -> None:
    """A new team."""
    conn.execute(insert(teams).values(**values))


def team(conn: Connection, team_id: str) -> dict[str, Any] | None:
    """The team's row."""
    return one(conn, select(teams).where(teams.c.id == team_id))


def team_named(conn: Connection, name: str) -> dict[str, Any] | None:
    """The team with this name, whatever its case."""
    query = select(teams).where(func.lower(teams.c.name) == name.lower())
    found = many(conn, query.limit(1))
    return found[0] if found else None


def rename_team(conn: Connection, team_id: str, name: str) -> None:
    """Give the team another name."""
    conn.execute(update(teams).where(teams.c.id == team_id).values(name=name))


def remove_team(conn: Connection, team_id: str) -> None:
    """Remove the team, its memberships and its assignments to lines."""
    conn.execute(delete(teams).where(teams.c.id == team_id))


def set_members(conn: Connection, team_id: str, user_ids: Iterable[str]) -> None:
    """These users, and no others, are in the team."""
    conn.execute(delete(team_members).where(team_members.c.team_id == team_id))
    rows = [{"team_id": team_id, "user_id": one} for one in sorted(set(user_ids))]
    if rows:
        conn.execute(insert(team_members), rows)


def all_teams(conn: Connection) -> list[dict[str, Any]]:
    """Every team with the ids of its members, by name."""
    members: dict[str, list[str]] = {}
    for row in conn.execute(select(team_members).order_by(team_members.c.user_id)):
        members.setdefault(row.team_id, []).append(row.user_id)
    rows = conn.execute(select(teams).order_by(func.lower(teams.c.name))).mappings()
    return [{"id": row["id"], "name": row["name"], "users": members.get(row["id"], [])} for row in rows]


# ---- who answers a line


def set_line_users(conn: Connection, line_id: str, user_ids: Iterable[str]) -> None:
    """These users, and no others, are assigned to the line directly."""
    conn.execute(delete(line_users).where(line_users.c.line_id == line_id))
    rows = [{"line_id": line_id, "user_id": one} for one in sorted(set(user_ids))]
    if rows:
        conn.execute(insert(line_users), rows)


def set_line_teams(conn: Connection, line_id: str, team_ids: Iterable[str]) -> None:
    """These teams, and no others, are assigned to the line."""
    conn.execute(delete(line_teams).where(line_teams.c.line_id == line_id))
    rows = [{"line_id": line_id, "team_id": one} for one in sorted(set(team_ids))]
    if rows:
        conn.execute(insert(line_teams), rows)


def line_assignments(conn: Connection) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Ids of the users and of the teams assigned to each line."""
    by_user: dict[str, list[str]] = {}
    by_team: dict[str, list[str]] = {}
    for row in conn.execute(select(line_users).order_by(line_users.c.user_id)):
        by_user.setdefault(row.line_id, []).append(row.user_id)
    for row in conn.execute(select(line_teams).order_by(line_teams.c.team_id)):
        by_team.setdefault(row.line_id, []).append(row.team_id)
    return by_user, by_team

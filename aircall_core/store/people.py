"""Who may be rung and who may see what: users, their lines and teams, and the tabs they have open."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    RowMapping,
    and_,
    bindparam,
    case,
    delete,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    union,
    update,
)

from aircall_core.domain import hours
from aircall_core.domain.availability import Standing
from aircall_core.domain.call import TALKING
from aircall_core.holidays_of import schedule_of
from aircall_core.store.rows import many, one
from aircall_core.store.tables import (
    calls,
    line_teams,
    line_users,
    lines,
    presence,
    schedules,
    tags,
    tags_due,
    team_members,
    users,
)


def assigned_users(conn: Connection, line_id: str) -> list[str]:
    """Ids of the users assigned to a line, directly or through a team, sorted."""
    direct = select(line_users.c.user_id).where(line_users.c.line_id == line_id)
    by_team = (
        select(team_members.c.user_id)
        .join(line_teams, line_teams.c.team_id == team_members.c.team_id)
        .where(line_teams.c.line_id == line_id)
    )
    return sorted(conn.scalars(union(direct, by_team)))


_LINE: BindParameter[str] = bindparam("line")
_ONLINE = exists().where(presence.c.user_id == users.c.id, presence.c.lease_until > bindparam("moment"))
_ON_LINE = or_(
    exists().where(line_users.c.line_id == _LINE, line_users.c.user_id == users.c.id),
    exists()
    .where(line_teams.c.line_id == _LINE)
    .where(team_members.c.team_id == line_teams.c.team_id, team_members.c.user_id == users.c.id),
)

# ---- how users stand: the statements are built once, since they are asked at every call's arrival and end

_TAG_DUE = exists().where(
    tags_due.c.user_id == users.c.id,
    # It counts for as long as the line demands tags and there are any: nobody is made to choose from nothing.
    exists().where(calls.c.id == tags_due.c.call_id, lines.c.id == calls.c.line_id, lines.c.tags_required),
    exists().where(tags.c.archived.is_(False)),
)
_OWN = calls.alias("own")
_THEIRS = select(func.count()).where(_OWN.c.accepted_by == users.c.id, _OWN.c.ended_at.is_(None)).scalar_subquery()
# In one call and no more, talking, nobody else asked or added, no tag owed: a second call may ring them.
_WAITING = case(
    (
        and_(users.c.call_waiting, users.c.active_call_id.is_not(None)),
        and_(
            _THEIRS == 1,
            exists().where(
                calls.c.id == users.c.active_call_id,
                calls.c.parent_id.is_(None),
                calls.c.state.in_(sorted(TALKING)),
                ~exists().where(_OWN.c.parent_id == calls.c.id, _OWN.c.ended_at.is_(None)),
            ),
        ),
    ),
    else_=false(),
)
_STANDING = (
    select(
        users.c.id,
        users.c.state,
        users.c.on_duty,
        users.c.active_call_id,
        users.c.choice,
        users.c.choice_reason,
        users.c.wrap_up_until,
        users.c.idle_since,
        _ONLINE.label("online"),
        _TAG_DUE.label("tag_due"),
        _WAITING.label("takes_another"),
        schedules.c.timezone,
        schedules.c.weekly,
        schedules.c.country,
        schedules.c.subdivision,
        schedules.c.special,
    )
    .outerjoin(schedules, (schedules.c.id == users.c.schedule_id) & (users.c.choice == "auto"))
    .order_by(users.c.id)
)
_STANDING_OF_LINE = _STANDING.where(_ON_LINE)
_STANDING_OF_TEAM = _STANDING.where(
    exists().where(team_members.c.team_id == bindparam("team"), team_members.c.user_id == users.c.id)
)
_STANDING_OF_USERS = _STANDING.where(users.c.id.in_(bindparam("users", expanding=True)))
_HOLD = (
    select(users.c.id)
    .where(users.c.id.in_(bindparam("users", expanding=True)))
    .order_by(users.c.id)
    .with_for_update(key_share=True)
)


def hold(conn: Connection, user_ids: Collection[str]) -> None:
    """Nobody else changes these users before this transaction ends; ask how they stand only after this.

    A locking select would see the newest row of the user, but presence and calls as they were when it began to wait.
    On SQLite every write transaction holds everything anyway.
    """
    if user_ids and conn.dialect.name == "postgresql":
        conn.execute(_HOLD, {"users": sorted(user_ids)}).all()


def standing(conn: Connection, user_id: str, at: int) -> Standing | None:
    """How one user stands at the moment ``at`` (ms, the database's clock); None for one that does not exist."""
    return next(iter(standings_of(conn, [user_id], at)), None)


def standings(conn: Connection, group: str, at: int) -> list[Standing]:
    """How the users of a group ("line:<id>", "team:<id>", "user:<id>") stand at a moment, in the order of their ids."""
    kind, _, subject = group.partition(":")
    if kind == "line":
        rows = conn.execute(_STANDING_OF_LINE, {"line": subject, "moment": at})
    elif kind == "team":
        rows = conn.execute(_STANDING_OF_TEAM, {"team": subject, "moment": at})
    elif kind == "user":
        return standings_of(conn, [subject], at)
    else:
        raise ValueError(f"no such group: {kind}")
    return [_standing(row, at) for row in rows.mappings()]


def standings_of(conn: Connection, user_ids: Collection[str], at: int) -> list[Standing]:
    """How these users stand at a moment, in the order of their ids."""
    rows = conn.execute(_STANDING_OF_USERS, {"users": sorted(user_ids), "moment": at})
    return [_standing(row, at) for row in rows.mappings()]


def _standing(row: RowMapping, at: int) -> Standing:
    # Only who has chosen "auto" comes with a schedule; without one they have no hours to be outside of.
    closed = row["timezone"] is not None and not hours.is_open(schedule_of(dict(row)), at)
    return Standing(
        user_id=row["id"],
        active=row["state"] == "active",
        on_duty=bool(row["on_duty"]),
        online=bool(row["online"]),
        in_call=row["active_call_id"] is not None,
        takes_another=bool(row["takes_another"]),
        wrapping_up=(row["wrap_up_until"] or 0) > at,
        tag_due=bool(row["tag_due"]),
        choice=row["choice"],
        reason=row["choice_reason"],
        within_hours=not closed,
        idle_since=row["idle_since"] or 0,
    )


def visible_lines(conn: Connection, user_id: str) -> list[str]:
    """Ids of the lines the user is assigned to, directly or through a team, sorted."""
    direct = select(line_users.c.line_id).where(line_users.c.user_id == user_id)
    by_team = (
        select(line_teams.c.line_id)
        .join(team_members, team_members.c.team_id == line_teams.c.team_id)
        .where(team_members.c.user_id == user_id)
    )
    return sorted(conn.scalars(union(direct, by_team)))


_SOME: BindParameter[Any] = bindparam("users", expanding=True)
_LINES_OF_SOME = union(
    select(line_users.c.user_id, line_users.c.line_id).where(line_users.c.user_id.in_(_SOME)),
    select(team_members.c.user_id, line_teams.c.line_id)
    .join(line_teams, line_teams.c.team_id == team_members.c.team_id)
    .where(team_members.c.user_id.in_(_SOME)),
)


def lines_by_user(conn: Connection, user_ids: Collection[str]) -> dict[str, frozenset[str]]:
    """The same of many users, asked for in one question; users without a line are left out."""
    found: dict[str, set[str]] = {}
    if user_ids:
        for row in conn.execute(_LINES_OF_SOME, {"users": sorted(user_ids)}):
            found.setdefault(row.user_id, set()).add(row.line_id)
    return {user_id: frozenset(lines) for user_id, lines in found.items()}


def user(conn: Connection, user_id: str) -> dict[str, Any] | None:
    """The user's row."""
    return one(conn, select(users).where(users.c.id == user_id))


def names(conn: Connection, user_ids: Sequence[str]) -> dict[str, str]:
    """Names by id."""
    if not user_ids:
        return {}
    rows = conn.execute(select(users.c.id, users.c.name).where(users.c.id.in_(user_ids)))
    return {row.id: row.name for row in rows}


def set_duty(conn: Connection, user_id: str, on: bool, at: int) -> bool:
    """Put an active user on or off duty; whether that changed anything."""
    done = conn.execute(
        update(users)
        .where(users.c.id == user_id, users.c.state == "active", users.c.on_duty != on)
        .values(on_duty=on, duty_at=at)
    )
    return done.rowcount == 1


def is_online(conn: Connection, user_id: str, at: int) -> bool:
    """Whether any tab of the user holds a running lease."""
    return bool(conn.scalar(select(exists().where(presence.c.user_id == user_id, presence.c.lease_until > at))))


def put_presence(conn: Connection, tab_id: str, **values: Any) -> None:
    """A tab's lease begins or goes on."""
    done = conn.execute(update(presence).where(presence.c.tab_id == tab_id).values(**values))
    if done.rowcount == 0:
        conn.execute(insert(presence).values(tab_id=tab_id, **values))


def shorten_presence(conn: Connection, tab_id: str, until: int) -> None:
    """The tab's socket closed: its lease ends soon, unless a reload takes it up again."""
    conn.execute(
        update(presence).where(presence.c.tab_id == tab_id, presence.c.lease_until > until).values(lease_until=until)
    )


def sweep_presence(conn: Connection, before: int) -> None:
    """Forget tabs whose lease ended before ``before``."""
    conn.execute(delete(presence).where(presence.c.lease_until < before))


def tabs(conn: Connection, user_id: str, at: int) -> list[dict[str, Any]]:
    """The user's tabs with a running lease."""
    query = select(presence).where(presence.c.user_id == user_id, presence.c.lease_until > at)
    return many(conn, query.order_by(presence.c.tab_id))


def sees_line(conn: Connection, user_id: str, role: str, line_id: str) -> bool:
    """Whether the user may see what happens on a line: by role, or because it is theirs."""
    if role != "agent":
        return True
    through_team = (
        exists()
        .where(line_teams.c.line_id == line_id)
        .where(team_members.c.team_id == line_teams.c.team_id, team_members.c.user_id == user_id)
    )
    direct = exists().where(line_users.c.line_id == line_id, line_users.c.user_id == user_id)
    return bool(conn.scalar(select(or_(direct, through_team))))

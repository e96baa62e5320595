"""What is left to do before the first call (S2), and who can be rung now: both derived, nothing stored twice."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select, union

from aircall_core.store import clock, people, provisioning
from aircall_core.store.tables import line_teams, line_users, team_members

STEPS = ("company", "line", "users", "trunk", "audio", "call")


@dataclass(frozen=True, slots=True)
class LineReadiness:
    """One line and its assigned users: pairs of (name, availability)."""

    id: str
    name: str
    number: str
    country: str
    users: list[tuple[str, str]] = field(default_factory=list)

    @property
    def available(self) -> list[str]:
        """Names of the users who would be rung now."""
        return [name for name, state in self.users if state == "available"]


def steps(conn: Connection) -> dict[str, bool]:
    """The steps to the first call, in order, and whether each is done.

    What cannot be seen in the store (that someone heard themselves, that no trunk is wanted yet) is ticked by a person.
    """
    ticks: dict[str, Any] = provisioning.setting(conn, "checklist") or {}
    company: dict[str, Any] = provisioning.setting(conn, "company") or {}
    lines = [line for line in provisioning.all_lines(conn) if line["enabled"]]
    trunks = [trunk for trunk in provisioning.all_trunks(conn) if trunk["enabled"] and not trunk["built_in"]]
    called = provisioning.any_answered_call(conn)
    return {
        "company": bool(company.get("name")),
        "line": bool(lines),
        "users": not _assigned(conn).keys().isdisjoint(line["id"] for line in lines),
        "trunk": bool(trunks) or bool(ticks.get("test_phone_only")),
        "audio": bool(ticks.get("audio_checked")) or called,
        "call": called,
    }


def who_can_be_rung(conn: Connection, line_ids: list[str] | None = None) -> list[LineReadiness]:
    """Every enabled line (of those given) with the state of each of its users."""
    lines = [
        line for line in provisioning.all_lines(conn)
        if line["enabled"] and (line_ids is None or line["id"] in line_ids)
    ]  # fmt: skip
    assigned = _assigned(conn)
    everybody = sorted({user for line in lines for user in assigned.get(line["id"], ())})
    names = people.names(conn, everybody)
    standings = people.standings_of(conn, everybody, clock.now_ms(conn)) if everybody else []
    states = {one.user_id: one.status.value for one in standings}
    return [
        LineReadiness(
            line["id"], line["name"], line["number"], line["country"],
            sorted((names[user], states[user]) for user in assigned.get(line["id"], ())),
        )
        for line in lines
    ]  # fmt: skip


_DIRECTLY = select(line_users.c.line_id, line_users.c.user_id)
_BY_TEAM = select(line_teams.c.line_id, team_members.c.user_id).join(
    team_members, team_members.c.team_id == line_teams.c.team_id
)
_ASSIGNED = union(_DIRECTLY, _BY_TEAM)


def _assigned(conn: Connection) -> dict[str, list[str]]:
    """Ids of the users of each line that has any, assigned directly or through a team."""
    found: dict[str, list[str]] = {}
    for line, user in conn.execute(_ASSIGNED):
        found.setdefault(line, []).append(user)
    return found

"""What is left to do before the first call (S2), and who can be rung now: both derived, nothing stored twice."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from aircall_core.store import accounts, clock, people, provisioning

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
        "users": any(people.assigned_users(conn, line["id"]) for line in lines),
        "trunk": bool(trunks) or bool(ticks.get("test_phone_only")),
        "audio": bool(ticks.get("audio_checked")) or called,
        "call": called,
    }


def who_can_be_rung(conn: Connection, line_ids: list[str] | None = None) -> list[LineReadiness]:
    """Every enabled line (of those given) with the state of each of its users."""
    at = clock.now_ms(conn)
    found = []
    for line in provisioning.all_lines(conn):
        if not line["enabled"] or (line_ids is not None and line["id"] not in line_ids):
            continue
        standings = people.standings(conn, f"line:{line['id']}", at)
        names = people.names(conn, [one.user_id for one in standings])
        users = sorted((names[one.user_id], one.status.value) for one in standings)
        found.append(LineReadiness(line["id"], line["name"], line["number"], line["country"], users))
    return found


def administrators(conn: Connection) -> int:
    """How many administrators can sign in."""
    return len(accounts.active_administrators(conn))

"""A line's call flow as settings pages show it, and all that its steps may name."""

from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import Connection, select

from aircall_core import numbers
from aircall_core.domain.dialling import Why, verdict
from aircall_core.domain.flow import Flow, default_flow, parse
from aircall_core.domain.flow_check import Known
from aircall_core.store import accounts, flows, provisioning, schedules
from aircall_core.store import dialling as dialling_rows
from aircall_core.store.queries import dialling
from aircall_core.store.rows import many
from aircall_core.store.tables import prompts


def current(conn: Connection, line_id: str, *, version: int | None = None) -> tuple[int, Flow]:
    """The newest version of a line's flow (or the one asked for); version 0 is the default flow."""
    row = flows.newest(conn, line_id) if version is None else flows.version(conn, line_id, version)
    if row is not None:
        return int(row["version"]), parse(row["document"])
    line = provisioning.line(conn, line_id)
    return 0, default_flow(line["ring_s"] if line else 30)


def known_things(conn: Connection, line_id: str) -> Known:
    """The ids that a flow of this line may name."""
    lines = provisioning.all_lines(conn)
    return Known(
        lines=frozenset(line["id"] for line in lines) - {line_id},
        teams=frozenset(team["id"] for team in accounts.all_teams(conn)),
        users=frozenset(user["id"] for user in accounts.all_users(conn)),
        schedules=frozenset(row["id"] for row in schedules.all_schedules(conn)),
        prompts=frozenset(row["id"] for row in prompts_list(conn)),
        not_dialled=_guard(conn, line_id, frozenset(line["number"] for line in lines)),
    )


def _guard(conn: Connection, line_id: str, own: Collection[str]) -> Callable[[str], str | None]:
    """Why the line's flow would not dial a number. Nobody is there to speak: no emergency number is dialled by it."""
    way, allowed = dialling_rows.way_out(conn, line_id), dialling.countries(conn)
    country = way["country"] if way else ""

    def why(typed: str) -> str | None:
        found = verdict(numbers.read(typed, country), allowed=allowed)
        if found.why is None and found.number in own:
            return Why.OWN_NUMBER
        if found.why is None and not dialling_rows.takes_calls_out(way):
            return Why.NO_TRUNK
        return found.why

    return why


def prompts_list(conn: Connection) -> list[dict[str, Any]]:
    """Every prompt of the company, by name."""
    return many(conn, select(prompts).order_by(prompts.c.name, prompts.c.id))

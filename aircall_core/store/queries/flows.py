"""A line's call flow as settings pages show it, and all that its steps may name."""

from typing import Any

from sqlalchemy import Connection, select

from aircall_core.domain.flow import Flow, default_flow, parse
from aircall_core.domain.flow_check import Known
from aircall_core.store import accounts, flows, provisioning, schedules
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
    return Known(
        lines=frozenset(line["id"] for line in provisioning.all_lines(conn)) - {line_id},
        teams=frozenset(team["id"] for team in accounts.all_teams(conn)),
        users=frozenset(user["id"] for user in accounts.all_users(conn)),
        schedules=frozenset(row["id"] for row in schedules.all_schedules(conn)),
        prompts=frozenset(row["id"] for row in prompts_list(conn)),
    )


def prompts_list(conn: Connection) -> list[dict[str, Any]]:
    """Every prompt of the company, by name."""
    return many(conn, select(prompts).order_by(prompts.c.name, prompts.c.id))

"""Lines, who answers them, and trunks, as settings pages list them. No secret leaves the store here."""

from typing import Any

from sqlalchemy import Connection

from aircall_core.store import accounts, flows, provisioning

_TRUNK = (
    "id",
    "name",
    "kind",
    "enabled",
    "transport",
    "host",
    "username",
    "realm",
    "cidrs",
    "outbound_host",
    "dial_format",
    "hold_by",
    "transfer_by",
    "built_in",
    "state",
    "state_code",
    "state_at",
)


def lines_list(conn: Connection) -> list[dict[str, Any]]:
    """Every line by name with the ids of its users and teams, and its flow's version (0: the default flow)."""
    by_user, by_team = accounts.line_assignments(conn)
    newest = flows.all_newest(conn)
    return [
        {
            **row,
            "users": by_user.get(row["id"], []),
            "teams": by_team.get(row["id"], []),
            "flow_version": newest[row["id"]]["version"] if row["id"] in newest else 0,
        }
        for row in provisioning.all_lines(conn)
    ]


def trunks_list(conn: Connection) -> list[dict[str, Any]]:
    """Every trunk, the built-in first; `has_secret` instead of the password, `last_call_at` (ms or None)."""
    last = provisioning.last_calls_by_trunk(conn)
    return [
        {
            **{key: row[key] for key in _TRUNK},
            "has_secret": row["secret"] is not None,
            "last_call_at": last.get(row["id"]),
        }
        for row in provisioning.all_trunks(conn)
    ]

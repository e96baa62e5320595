"""The state of the installation's processes and trunks, for the health page."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from aircall_core.store import clock
from aircall_core.store.tables import calls, nodes


@dataclass(frozen=True, slots=True)
class NodeState:
    """A process as its last beat described it."""

    id: str
    kind: str
    alive: bool
    serving: bool
    draining: bool
    in_use: int
    capacity: int
    version: str
    started_at: int
    info: dict[str, Any]

    @property
    def state(self) -> str:
        """``gone``, ``starting``, ``draining``, or ``alive``: then it takes new work."""
        if not self.alive:
            return "gone"
        if not self.serving:
            return "starting"
        return "draining" if self.draining else "alive"


def node_states(conn: Connection) -> list[NodeState]:
    """Every process that was ever seen and not replaced: workers, gateways, desks."""
    at = clock.now_ms(conn)
    rows = conn.execute(select(nodes).order_by(nodes.c.kind, nodes.c.id)).mappings()
    return [
        NodeState(
            id=row["id"],
            kind=row["kind"],
            alive=row["lease_until"] >= at and not row["lost"],
            serving=bool(row["serving"]),
            draining=bool(row["draining"]),
            in_use=row["in_use"],
            capacity=row["capacity"],
            version=row["version"],
            started_at=row["started_at"],
            info=dict(row["info"] or {}),
        )
        for row in rows
    ]


def live_calls(conn: Connection) -> int:
    """How many calls have not ended."""
    return conn.scalar(select(func.count()).select_from(calls).where(calls.c.ended_at.is_(None))) or 0

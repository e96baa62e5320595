"""Rows of the processes that make up an installation, each holding a lease."""

from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from aircall_core.store.rows import many, one
from aircall_core.store.tables import nodes

# Built once: asked at every call's arrival.
_EPOCH = select(nodes.c.epoch).where(nodes.c.id == bindparam("node")).with_for_update(read=True)


def get(conn: Connection, node_id: str) -> dict[str, Any] | None:
    """The node's row."""
    return one(conn, select(nodes).where(nodes.c.id == node_id))


def is_replaced(conn: Connection, node_id: str, epoch: int) -> bool:
    """Whether a later life of the node has begun; none begins before this transaction ends."""
    newest = conn.scalar(_EPOCH, {"node": node_id})
    return newest is not None and newest > epoch


def put(conn: Connection, node_id: str, **values: Any) -> None:
    """A node begins a life: its row is made or made anew."""
    done = conn.execute(update(nodes).where(nodes.c.id == node_id).values(**values))
    if done.rowcount == 0:
        conn.execute(insert(nodes).values(id=node_id, **values))


def change(conn: Connection, node_id: str, epoch: int, **values: Any) -> bool:
    """Change the row while it is still this life's and its loss was not reported; whether it is."""
    done = conn.execute(
        update(nodes).where(nodes.c.id == node_id, nodes.c.epoch == epoch, nodes.c.lost.is_(False)).values(**values)
    )
    return done.rowcount == 1


def expired(conn: Connection, at: int) -> list[dict[str, Any]]:
    """Nodes whose lease ran out before ``at`` and whose loss nobody has reported."""
    query = select(nodes).where(nodes.c.lease_until < at, nodes.c.lost.is_(False))
    return many(conn, query.order_by(nodes.c.id))


def taking(conn: Connection, kind: str, at: int, host: str | None = None) -> list[dict[str, Any]]:
    """Nodes of a kind that take new work: alive, past their start, and not being emptied."""
    return [node for node in alive(conn, kind, at, host) if node["serving"] and not node["draining"]]


def alive(conn: Connection, kind: str, at: int, host: str | None = None) -> list[dict[str, Any]]:
    """Nodes of a kind whose lease is running, on one host or everywhere."""
    query = select(nodes).where(nodes.c.kind == kind, nodes.c.lease_until >= at, nodes.c.lost.is_(False))
    if host is not None:
        query = query.where(nodes.c.host == host)
    return many(conn, query.order_by(nodes.c.id))

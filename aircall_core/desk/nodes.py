"""The processes of an installation: each holds a lease, and whoever finds one expired reports the loss."""

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from aircall_core import __version__
from aircall_core.desk import endings
from aircall_core.domain.events import NODE_LOST, NODE_STARTED, STAFF, Event
from aircall_core.store import nodes as rows
from aircall_core.store.engine import Tx

LEASE_MS = 6_000
BEAT_S = 2.0


@dataclass(frozen=True, slots=True)
class Node:
    """One life of a process."""

    id: str
    epoch: int
    kind: str
    host: str


def host_name(data_dir: Path) -> str:
    """This installation on this machine: several data folders may share a machine, several machines a store."""
    short = re.sub(r"[^a-z0-9-]", "", socket.gethostname().split(".")[0].lower())[:40] or "host"
    return f"{short}-{sha256(str(data_dir.resolve()).encode()).hexdigest()[:4]}"


def register(
    tx: Tx,
    kind: str,
    index: int,
    host: str,
    *,
    address: str = "",
    capacity: int = 0,
    info: Mapping[str, object] | None = None,
    serving: bool = True,
) -> Node:
    """Begin a life of the node ``kind``-``index`` on ``host``, with the epoch after its last one.

    ``serving`` False: it holds its epoch, and does not listen yet; a beat tells when it does.
    """
    tx.take_turn()  # before the row that calls of an earlier life look at as they arrive
    node_id = f"{kind}-{index}@{host}"
    before = rows.get(tx.conn, node_id)
    epoch = (before["epoch"] if before is not None else 0) + 1
    at = tx.now_ms()
    rows.put(
        tx.conn,
        node_id,
        kind=kind,
        host=host,
        epoch=epoch,
        pid=os.getpid(),
        address=address,
        capacity=capacity,
        in_use=0,
        serving=serving,
        draining=False,
        version=__version__,
        info=dict(info or {}),
        started_at=at,
        lease_until=at + LEASE_MS,
        lost=False,
    )
    tx.append(
        Event(
            kind=NODE_STARTED,
            audience=STAFF,
            actor="system",
            data={"node": node_id, "epoch": epoch, "node_kind": kind},
        )
    )
    return Node(node_id, epoch, kind, host)


def beat(
    tx: Tx,
    node: Node,
    *,
    in_use: int = 0,
    serving: bool = True,
    draining: bool = False,
    info: Mapping[str, object] | None = None,
) -> bool:
    """Renew the lease. False: this life was replaced or reported lost, and must drop what it holds."""
    values: dict[str, object] = {
        "in_use": in_use,
        "serving": serving,
        "draining": draining,
        "lease_until": tx.now_ms() + LEASE_MS,
    }
    if info is not None:
        values["info"] = dict(info)
    return rows.change(tx.conn, node.id, node.epoch, **values)


def leave(tx: Tx, node: Node) -> None:
    """An orderly end: the lease ends now and nobody reports a loss."""
    rows.change(tx.conn, node.id, node.epoch, lease_until=tx.now_ms(), lost=True)


def report_lost(tx: Tx, *, reporter: Node, watching_since: int) -> list[str]:
    """Report nodes whose lease ran out, and close the calls of lost workers; ids of the lost nodes.

    ``watching_since`` (ms, the database's clock) is when the reporter last found the store back: while the store was
    away nobody could renew, so nobody is judged until one lease after that moment.
    """
    at = tx.now_ms()
    if at < watching_since + LEASE_MS:
        return []
    tx.take_turn()
    lost: list[str] = []
    for row in rows.expired(tx.conn, at):
        if not rows.change(tx.conn, row["id"], row["epoch"], lost=True):
            continue
        lost.append(row["id"])
        actor = f"desk:{reporter.id}"
        tx.append(
            Event(
                kind=NODE_LOST,
                audience=STAFF,
                actor=actor,
                data={"node": row["id"], "epoch": row["epoch"], "node_kind": row["kind"]},
            )
        )
        if row["kind"] == "worker":
            endings.close_lost(tx, row["id"], row["epoch"], actor=actor, at=at)
    return lost

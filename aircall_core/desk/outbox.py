"""Texts on their way out: each is claimed before it is sent, and one whose end cannot be known is never repeated.

Whoever sends (the outbox of a desk process, or a SIP worker) claims by compare-and-set, acts outside any transaction,
and settles what came of it. The claim names its holder's life, so that a text whose holder died becomes ``unknown``.
Texts of one conversation go one after the other; see docs/adr on sending.
"""

import random
from collections.abc import Iterable, Mapping
from typing import Any, Final

from aircall_core.desk import undelivered
from aircall_core.desk.messages import event, state_event
from aircall_core.domain.events import MESSAGE_SEND_WANTED
from aircall_core.domain.message import PATIENCE_MS, Outcome, State, Why, pause_s, takes_report
from aircall_core.store import Connection, Tx, nodes
from aircall_core.store import messages as rows

OUTBOX: Final = "outbox:"  # claims of desk processes begin so; those of workers are "node:epoch"
CLAIM_MS: Final = 60_000  # a desk process has given up sending long before
JOURNAL_MS: Final = 30_000  # a worker that starts again may know what became of the texts of its last life
WORKER_MS: Final = 180_000  # a worker that lives has told by now (three parts of 40 s), or never heard of its claim
ASK_MS: Final = 10_000  # a worker claims a text by then, or leaves it
LOOK_AT: Final = 2000  # texts at once: the rest comes when these are gone


def first_of_each(waiting: Iterable[dict[str, Any]], at: int) -> list[dict[str, Any]]:
    """Of these texts, oldest first, those that can be sent at ``at``: the first one of each conversation that is on its
    way, if its time has come.
    """
    busy: set[str] = set()
    out: list[dict[str, Any]] = []
    for row in waiting:
        if row["conversation_id"] in busy:
            continue
        busy.add(row["conversation_id"])
        if row["state"] == State.QUEUED and (row["not_before"] or 0) <= at:
            out.append(row)
    return out


def claim(tx: Tx, message_id: str, by: str, at: int, actor: str) -> dict[str, Any] | None:
    """Take a queued text to send it; its row as it was. None: it is gone, or somebody else's."""
    row = rows.get(tx.conn, message_id)
    if row is None or row["state"] != State.QUEUED or not rows.claim(tx.conn, message_id, by, at):
        return None
    tx.append(state_event(row, State.SENDING, actor))
    return row


def settle(tx: Tx, message_id: str, by: str, outcome: Outcome, at: int, actor: str) -> bool:
    """What came of sending a text that ``by`` has claimed; whether that changed anything. Repeatable, and may be late.

    One that was certainly not taken is queued again after a pause, until one has waited with it for too long.
    """
    row = rows.get(tx.conn, message_id)
    if row is None or row["claimed_by"] != by:
        return False
    remote = _free_remote_id(tx, row, outcome.remote_id)
    again = outcome.again and not _is_old(row, at)
    reason = outcome.reason.value if outcome.reason else None
    values: dict[str, Any] = {"state": outcome.state.value, "reason": reason, "remote_code": _cut(outcome.remote_code)}
    if again:
        pause = outcome.pause_s if outcome.pause_s is not None else pause_s(row["tries"], random.random())
        values |= {"state": State.QUEUED.value, "not_before": at + int(pause * 1000), "claimed_by": None}
    elif outcome.state in (State.SENT, State.DELIVERED):
        values |= {"sent_at": at, "remote_id": remote}
        if outcome.state is State.DELIVERED:
            values["delivered_at"] = at
    if rows.change(tx.conn, message_id, states=(State.SENDING, State.UNKNOWN), holder=by, **values):
        tx.append(state_event(row, State(values["state"]), actor, reason))
        undelivered.ended(tx, row, State(values["state"]), actor)
        return True
    if remote is not None and row["remote_id"] is None:  # a report was here before us
        rows.change(tx.conn, message_id, states=(State.DELIVERED, State.SENT, State.FAILED), remote_id=remote)
    return False


def reported(
    tx: Tx, account_id: str, state: State, at: int, actor: str, *, message_id: str | None = None,
    remote_id: str | None = None, code: str | None = None, tried: int | None = None,
) -> bool:  # fmt: skip
    """A gateway reports of a text, by our id or its own; whether there is such a text.

    ``tried``: of which try. A report of an earlier one than the last says nothing of that.
    """
    row = rows.get(tx.conn, message_id) if message_id else None
    if row is None and remote_id:
        row = rows.by_remote_id(tx.conn, account_id, remote_id)
    if row is None or row["account_id"] != account_id or row["direction"] != "outbound":
        return False
    if (tried is not None and tried != row["tries"]) or not takes_report(row["state"], state):
        return True
    values: dict[str, Any] = {"state": state.value, "reason": None, "remote_code": _cut(code)}
    if row["remote_id"] is None:
        values["remote_id"] = _free_remote_id(tx, row, remote_id)
    if state is State.FAILED:
        values["reason"] = Why.UNDELIVERED.value
    else:
        values["sent_at"] = row["sent_at"] or at
    if state is State.DELIVERED:
        values["delivered_at"] = at
    if rows.change(tx.conn, row["id"], states=(row["state"],), **values):
        tx.append(state_event(row, state, actor, values["reason"]))
        undelivered.ended(tx, row, state, actor)
    return True


def abandon(tx: Tx, node: str, epoch: int, at: int, actor: str) -> list[str]:
    """A worker's life (and those before it) is over: what it was sending is unknown. Ids of those texts."""
    return [
        row["id"]
        for row in rows.claimed(tx.conn, f"{node}:")
        if int(row["claimed_by"].rpartition(":")[2]) <= epoch and _give_up(tx, row, actor)
    ]


def tidy(tx: Tx, at: int, actor: str) -> None:
    """What time has done: holders that died, and texts that nobody should wait with any longer."""
    for row in rows.waiting(tx.conn, LOOK_AT):
        if row["state"] == State.SENDING:
            if _is_dead(tx.conn, row, at):
                _give_up(tx, row, actor)
        elif _is_old(row, at):
            account = rows.account(tx.conn, row["account_id"]) if row["account_id"] else None
            reason = Why.UNREACHABLE if account and account["enabled"] else Why.ACCOUNT_OFF
            if rows.change(tx.conn, row["id"], states=(State.QUEUED,), state=State.FAILED.value, reason=reason.value):
                tx.append(state_event(row, State.FAILED, actor, reason.value))
                undelivered.ended(tx, row, State.FAILED, actor)


def untidy(conn: Connection, waiting: Iterable[Mapping[str, Any]], at: int) -> bool:
    """Whether `tidy` has anything to do: asked of a snapshot, it costs no writer its turn."""
    return any(_is_dead(conn, row, at) if row["state"] == State.SENDING else _is_old(row, at) for row in waiting)


def ask_worker(tx: Tx, message_id: str, at: int, actor: str) -> bool:
    """A SIP worker shall send this text; whether there is one to ask. It is asked again when none has claimed it."""
    row = rows.get(tx.conn, message_id)
    if row is None or row["state"] != State.QUEUED:
        return False
    workers = nodes.taking(tx.conn, "worker", at)
    values: dict[str, Any] = {"not_before": at + ASK_MS // 2, "reason": Why.NO_WORKER.value}
    if workers:
        values = {"not_before": at + ASK_MS + ASK_MS // 2, "reason": None}
    if not rows.change(tx.conn, message_id, states=(State.QUEUED,), **values) or not workers:
        return False
    worker = workers[row["version"] % len(workers)]  # at each asking the next one: who beats may yet be deaf
    tx.append(
        event(
            MESSAGE_SEND_WANTED, row, actor, message=message_id, account=row["account_id"], node=worker["id"],
            epoch=worker["epoch"], deadline=at + ASK_MS,
        )
    )  # fmt: skip
    return True


def _give_up(tx: Tx, row: Mapping[str, Any], actor: str) -> bool:
    """Nobody will know what became of it. Its holder, should it live after all, may still say so."""
    why = Why.INTERRUPTED.value
    if not rows.change(
        tx.conn, row["id"], states=(State.SENDING,), holder=row["claimed_by"], state=State.UNKNOWN.value, reason=why
    ):
        return False
    tx.append(state_event(row, State.UNKNOWN, actor, why))
    undelivered.ended(tx, row, State.UNKNOWN, actor)
    return True


def _is_old(row: Mapping[str, Any], at: int) -> bool:
    """Whether nobody waits with this text any longer."""
    return bool(at - (row["queued_at"] or row["at"]) >= PATIENCE_MS)


def _is_dead(conn: Connection, row: Mapping[str, Any], at: int) -> bool:
    """Whether who was sending this text will not settle it any more."""
    by, since = str(row["claimed_by"]), row["claimed_at"] or 0
    if by.startswith(OUTBOX):
        return bool(at - since > CLAIM_MS)
    name, _, epoch = by.rpartition(":")
    node = nodes.get(conn, name)
    if node is None:
        return bool(at - since > CLAIM_MS)
    if at - since > WORKER_MS:
        return True
    if node["epoch"] > int(epoch):
        return bool(at - max(node["started_at"], since) > JOURNAL_MS)
    return bool(at - max(node["lease_until"], since) > JOURNAL_MS)


def _free_remote_id(tx: Tx, row: Mapping[str, Any], remote_id: str | None) -> str | None:
    """The gateway's id, unless it has given another text the same one."""
    if not remote_id or row["account_id"] is None or len(remote_id) > 128:
        return None
    other = rows.by_remote_id(tx.conn, row["account_id"], remote_id)
    return remote_id if other is None or other["id"] == row["id"] else None


def _cut(code: str | None) -> str | None:
    return code[:64] if code else None

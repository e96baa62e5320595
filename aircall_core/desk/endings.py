"""How a call ends: what it is called, who is free again, and what was made for it ends with it."""

from collections.abc import Mapping, Sequence
from typing import Any

from aircall_core.desk import afterwork, availability, callbacks, distribution
from aircall_core.desk.ringing import call_event
from aircall_core.domain import events as kinds
from aircall_core.domain import missed_reason
from aircall_core.domain.call import TALKING, Direction, Outcome, State, outcome_of, outcome_of_dialled
from aircall_core.domain.flow import BadFlow, Kind, parse
from aircall_core.store import callbacks as callback_rows
from aircall_core.store import calls as rows
from aircall_core.store import conversations, flows, keys, unread
from aircall_core.store.engine import Tx

FAREWELL_MS = 86_400_000  # a call that arrived before is over at its far end, whoever forgot it


def close_lost(tx: Tx, node: str, through_epoch: int, *, actor: str, at: int) -> list[str]:
    """End every live call of a worker's past lives as lost; their ids."""
    closed: list[str] = []
    tx.take_turn()
    for call_id in rows.live_of_owner(tx.conn, node, through_epoch):
        call = rows.get(tx.conn, call_id, lock=True)
        if call is not None and call["ended_at"] is None:
            end(tx, call, actor, by="system", at=at, reason="worker_lost", lost=True)
            closed.append(call_id)
    return closed


def farewells(tx: Tx, node: str, through_epoch: int) -> list[dict[str, Any]]:
    """What the far ends of a worker's lost calls are told goodbye with, each once: `sip.farewell.Dialog` or `Ringing`.

    Whoever closed the calls: a desk process does when the worker stays away for longer than its lease.
    """
    return rows.take_farewells(tx.conn, node, through_epoch, tx.now_ms() - FAREWELL_MS)


def end_children(tx: Tx, call: Mapping[str, Any], actor: str, *, at: int, reason: str, lost: bool = False) -> None:
    """Whatever was made for this call is over."""
    if call["parent_id"] is None:
        for child in rows.children(tx.conn, call["id"]):
            end(tx, child, actor, by="system", at=at, reason=reason, lost=lost)


def end(
    tx: Tx,
    call: Mapping[str, Any],
    actor: str,
    *,
    by: str,
    at: int,
    sip_code: int | None = None,
    reason: str,
    command: str | None = None,
    lost: bool = False,
    message: bool = False,
) -> None:
    """The call is over, and all that was made for it. ``call`` is its row, locked; `desk.facts.ended` has the rest."""
    if call["ended_at"] is not None:
        return
    end_children(tx, call, actor, at=at, reason="parent_over", lost=lost)
    answered = call["answered_at"] is not None
    outcome = _outcome(tx, call, by=by, reason=reason, lost=lost, message=message)
    came = call["direction"] == Direction.INBOUND
    rung = rows.ringing_users(tx.conn, call["id"])
    rows.change(
        tx.conn,
        call["id"],
        state=State.ENDED.value,
        outcome=outcome.value,
        end_reason=reason[:32],
        ended_by=by,
        sip_code=sip_code,
        ended_at=at,
        agent_away=False,
        held=False,
        held_at=None,
        progress=None,
        step=call["step"],
        queue_id=call["queue_id"] if answered else None,
        missed_reason=_missed_reason(tx, call, at) if came and not answered else None,
    )
    rows.stop_legs(tx.conn, call["id"], reason="ended", at=at)
    keys.forget(tx.conn, call["id"])
    freed = rows.free_agents(tx.conn, call["id"])
    if call["parent_id"] is None:
        _note_end(tx, call, at, missed=came and outcome is not Outcome.ANSWERED)
    tx.append(
        call_event(
            kinds.CALL_ENDED,
            call,
            actor,
            user_id=call["accepted_by"],
            outcome=outcome.value,
            by=by,
            reason=reason[:32],
            sip_code=sip_code,
            ended_at=at,
            duration_ms=max(0, at - call["answered_at"]) if call["answered_at"] else 0,
            command=command,
        )
    )
    if call["callback_id"] is not None and not answered:
        callbacks.not_reached(tx, call, actor)
    _leave(tx, call, freed, at, actor)
    distribution.ring_ended(tx, call, rung, actor)


def _note_end(tx: Tx, call: Mapping[str, Any], at: int, *, missed: bool) -> None:
    """What the end is for its conversation. A call that nobody answered is news; whoever answered knows it all."""
    conversation = call["conversation_id"]
    conversations.touch(tx.conn, conversation, at=at, direction=call["direction"], missed=missed)
    if missed:
        unread.news(tx.conn, conversation, call["line_id"], at)
    elif call["answered_by"] is not None:
        unread.seen(tx.conn, conversation, call["answered_by"])


def _leave(tx: Tx, call: Mapping[str, Any], freed: Sequence[str], at: int, actor: str) -> None:
    """Whoever talked in a call that has ended has their time after it; whoever else was in it is free again."""
    talked = call["accepted_by"] if State(call["state"]) in TALKING else None
    if talked is not None:
        afterwork.call_over(tx, talked, call, at, actor)
    asker = [call["started_by"]] if call["parent_id"] is not None else []
    others = {*freed, *asker} - {talked}
    if others:
        availability.settle(tx, sorted(others), actor, talked=call["answered_at"] is not None)


def _outcome(tx: Tx, call: Mapping[str, Any], *, by: str, reason: str, lost: bool, message: bool) -> Outcome:
    answered = call["answered_at"] is not None
    if call["direction"] != Direction.INBOUND:
        return outcome_of_dialled(was_answered=answered, reason=reason, lost=lost)
    return outcome_of(
        State(call["state"]),
        was_answered=answered,
        ended_by=by,
        lost=lost,
        message=message,
        callback=not answered and callback_rows.of_call(tx.conn, call["id"]) is not None,
    )


def _missed_reason(tx: Tx, call: Mapping[str, Any], at: int) -> str:
    """Why nobody has answered: domain/missed_reason.py."""
    return missed_reason.reason(
        ring_steps=call["ring_steps"],
        any_rang=bool(call["ring_steps"]) and rows.has_rung(tx.conn, call["id"]),
        seconds=(at - call["arrived_at"]) / 1000,
        out_of_hours=call["out_of_hours"],
        in_menu=not call["ring_steps"] and not call["out_of_hours"] and _in_menu(tx, call),
    ).value


def _in_menu(tx: Tx, call: Mapping[str, Any]) -> bool:
    """Whether the flow waited for keys. The default flow has no such step."""
    if not call["flow_version"] or not call["step"]:
        return False
    found = flows.version(tx.conn, call["line_id"], call["flow_version"])
    try:
        step = parse(found["document"]).get(call["step"]) if found else None
    except BadFlow:
        return False
    return step is not None and step.kind in (Kind.MENU, Kind.DIGITS)

"""Handing out calls: who is rung when a call begins to wait, when somebody becomes free, and when a ring ends.

Every transaction that does so takes its turn first (``Tx.take_turn``): two of them never give one idle agent two
callers. Each call is rung as far as it goes at that moment, so nothing is left to be found later; `check`, which the
worker asks for while a caller waits, looks once more at what only passing time has changed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aircall_core.desk.ringing import call_event, ring
from aircall_core.domain import events as kinds
from aircall_core.domain.call import WAITING, State
from aircall_core.domain.distribution import (
    ROUND_ROBIN,
    Agent,
    Manner,
    Waiting,
    distribute,
    may_come,
)
from aircall_core.domain.estimate import WINDOW_MS, Answered, estimate_s
from aircall_core.domain.transfer import under_way
from aircall_core.store import calls as rows
from aircall_core.store import people, queues
from aircall_core.store.engine import Tx

RING = ("kind", "target", "strategy", "user_s", "total_s", "if_busy", "if_unavailable")  # kept in calls.ring
# Who missed or rejected a call is never rung again for it, nor an agent who lost it.
_TRIED = frozenset({"rejected", "missed", "timeout"})


@dataclass(frozen=True, slots=True)
class Entered:
    """A call in a ring or queue step, at this moment.

    ``ringing``: users rung now. ``waits``: nobody is, but it makes sense to wait: somebody may become free, or the step
    waits for anybody. ``position``: 1 is served next. ``estimate_s``: seconds until it is answered, None when unknown.
    """

    ringing: tuple[str, ...] = ()
    waits: bool = False
    position: int = 1
    estimate_s: int | None = None


def group_of(target: Mapping[str, Any], line_id: str) -> str:
    """The id of the group that a step's target means."""
    if "team" in target:
        return f"team:{target['team']}"
    if isinstance(target.get("line"), str):  # not the call's own
        return f"line:{target['line']}"
    return f"user:{target['user']}" if "user" in target else f"line:{line_id}"


@dataclass(frozen=True, slots=True)
class Choice:
    """Who of a group would be rung for one call now."""

    users: tuple[str, ...]
    waiting: Waiting
    agents: tuple[Agent, ...]

    @property
    def waits(self) -> bool:
        """Whether it makes sense to wait if nobody is rung."""
        return may_come(self.waiting, self.agents)

    @property
    def reasons(self) -> dict[str, str]:
        """Why the others are not rung."""
        return {
            one.user_id: "tried" if one.user_id in self.waiting.tried else one.status.value
            for one in self.agents
            if one.user_id in self.waiting.tried or not one.free_for(self.waiting.manner)
        }


def _choose(tx: Tx, call: Mapping[str, Any], legs: Sequence[Mapping[str, Any]]) -> Choice:
    group: str = call["queue_id"]
    manner = Manner.of(call["ring"])
    agents = _agents(tx, group, exclusive=manner.exclusive)
    waiting = _waiting(call, legs, frozenset(agent.user_id for agent in agents))
    last = queues.last_user(tx.conn, group) if manner.strategy == ROUND_ROBIN else None
    users = tuple(user for _, user in distribute([waiting], agents, last))
    return Choice(users, waiting, agents)


def choose_new(tx: Tx, call: Mapping[str, Any]) -> Choice:
    """Who is to be rung for a call that has rung nobody yet."""
    return _choose(tx, call, ())


def choose_again(tx: Tx, call: Mapping[str, Any]) -> Choice:
    """Who is to be rung for a call that has rung users before."""
    return _choose(tx, call, queues.legs_of(tx.conn, [call["id"]]).get(call["id"], []))


def ring_chosen(
    tx: Tx, call: Mapping[str, Any], users: Sequence[str], actor: str, at: int, *, first: bool = False
) -> None:
    """Ring these users for a waiting call; round robin remembers the last. ``first``: nobody was ever rung for it."""
    if not users:
        return
    if call["ring"]["strategy"] == ROUND_ROBIN:
        queues.note_last_user(tx.conn, call["queue_id"], users[-1])
    ring(tx, call, users, at, actor, first=first)


def pursue(tx: Tx, call: Mapping[str, Any], actor: str) -> Entered:
    """Ring whoever can be rung now for one waiting call, about which something has changed. ``call``: as it is now."""
    if call["state"] not in WAITING:
        return Entered(tuple(rows.ringing_users(tx.conn, call["id"])))
    choice = choose_again(tx, call)
    ring_chosen(tx, call, choice.users, actor, tx.now_ms())
    ringing = tuple(sorted(choice.waiting.rung_now | set(choice.users)))
    set_state(tx, call, ringing)
    return entered(tx, call, ringing, choice)


def set_state(tx: Tx, call: Mapping[str, Any], ringing: Sequence[str]) -> None:
    """A waiting call is ringing when anybody is rung for it, else queued."""
    state = State.RINGING if ringing else State.QUEUED
    if call["state"] != state:
        rows.change(tx.conn, call["id"], states=WAITING, state=state.value)


def check(tx: Tx, call: Mapping[str, Any], actor: str) -> Entered:
    """Hand out all calls of this call's group as far as they go now, and say how this one stands."""
    if call["state"] not in WAITING:
        return Entered(tuple(rows.ringing_users(tx.conn, call["id"])))
    group: str = call["queue_id"]
    waiting = {row["id"]: row for row in queues.waiting_in(tx.conn, group)}
    legs = queues.legs_in(tx.conn, group)
    agents = _agents(tx, group, exclusive=True)
    members = frozenset(agent.user_id for agent in agents)
    snapshot = {call_id: _waiting(row, legs.get(call_id, []), members) for call_id, row in waiting.items()}
    _hand_out(tx, waiting, snapshot, agents, actor)
    ringing = tuple(rows.ringing_users(tx.conn, call["id"]))
    return entered(tx, waiting[call["id"]], ringing, Choice((), snapshot[call["id"]], agents))


def became_available(tx: Tx, user_id: str, actor: str) -> list[str]:
    """Ring a user for the calls that wait for them, if they can be rung now; the calls' ids.

    To be called by whoever makes a user available, in the same transaction.
    """
    tx.take_turn()
    waiting = {row["id"]: row for row in queues.waiting_for(tx.conn, user_id)}
    if not waiting:
        return []
    standing = people.standing(tx.conn, user_id, tx.now_ms())
    if standing is None or not standing.rings:
        return []
    exclusive = queues.exclusive_rings(tx.conn).get(user_id, frozenset())
    legs = queues.legs_of(tx.conn, waiting)
    snapshot = {call_id: _waiting(row, legs.get(call_id, []), {user_id}) for call_id, row in waiting.items()}
    agent = Agent(user_id, standing.status, standing.idle_since, exclusive, standing.waiting)
    return _hand_out(tx, waiting, snapshot, [agent], actor)


def ring_ended(tx: Tx, call: Mapping[str, Any], users: Iterable[str], actor: str) -> None:
    """These users are not rung any more by a call that had them to itself: the next one may have them."""
    if call["ring"] is not None and Manner.of(call["ring"]).exclusive:
        for user_id in users:
            became_available(tx, user_id, actor)


def release(tx: Tx, user_id: str, call_id: str, actor: str) -> None:
    """The user has taken a call: others that had them to themselves ring somebody else."""
    for call in queues.others_of(tx.conn, user_id, call_id):
        stop_ring(tx, call, user_id, "left", tx.now_ms(), actor)
        pursue(tx, call, actor)


def stop_ring(
    tx: Tx, call: Mapping[str, Any], user_id: str, reason: str, at: int, actor: str, command: str | None = None
) -> bool:
    """One user is not rung any more for a call; whether they were."""
    leg = rows.stop_leg(tx.conn, call["id"], user_id, reason=reason, at=at)
    if leg is None:
        return False
    left = len(rows.ringing_users(tx.conn, call["id"]))
    said = {"leg": leg, "reason": reason, "left": left, **({"command": command} if command else {})}
    tx.append(call_event(kinds.CALL_RING_STOPPED, call, actor, user_id=user_id, **said))
    return True


def _hand_out(
    tx: Tx,
    waiting: Mapping[str, Mapping[str, Any]],
    snapshot: Mapping[str, Waiting],
    agents: Sequence[Agent],
    actor: str,
) -> list[str]:
    last = None
    for row in waiting.values():
        if row["ring"]["strategy"] == ROUND_ROBIN and len(agents) > 1:
            last = queues.last_user(tx.conn, row["queue_id"])
            break
    rung: dict[str, list[str]] = {}
    for call_id, user_id in distribute(snapshot.values(), agents, last):
        rung.setdefault(call_id, []).append(user_id)
    for call_id, users in rung.items():
        ring_chosen(tx, waiting[call_id], users, actor, tx.now_ms())
        set_state(tx, waiting[call_id], users)
    return list(rung)


def _agents(tx: Tx, group: str, *, exclusive: bool) -> tuple[Agent, ...]:
    """The group's users as they stand; whom other calls have to themselves is looked up only if it matters."""
    rings = queues.exclusive_rings(tx.conn) if exclusive else {}
    return tuple(
        Agent(one.user_id, one.status, one.idle_since, rings.get(one.user_id, frozenset()), one.waiting)
        for one in people.standings(tx.conn, group, tx.now_ms())
    )


def _waiting(call: Mapping[str, Any], legs: Iterable[Mapping[str, Any]], targets: Iterable[str]) -> Waiting:
    legs, manner = list(legs), Manner.of(call["ring"])
    return Waiting(
        call["id"],
        call["priority"],
        call["queued_at"],
        manner,
        frozenset(targets),
        _tried(call, legs, manner),
        frozenset(leg["user_id"] for leg in legs if leg["state"] == "ringing"),
    )


def _tried(call: Mapping[str, Any], legs: Iterable[Mapping[str, Any]], manner: Manner) -> frozenset[str]:
    """Who is not rung again: a call that was handed on begins anew, but not with who has handed it on."""
    transfer = call.get("transfer") if under_way(call) else None
    since = transfer["began"] if transfer else 0
    tried = {
        leg["user_id"]
        for leg in legs
        if (leg["state"] == "accepted" or leg["reason"] in _TRIED) and (leg["stopped_at"] or 0) >= since
    }
    return frozenset(tried | {transfer["by"]} if transfer and not manner.bounce else tried)


def entered(tx: Tx, call: Mapping[str, Any], ringing: tuple[str, ...], choice: Choice) -> Entered:
    """How a waiting call stands: its place counts where callers are told of it, or nobody is rung."""
    manner = choice.waiting.manner
    if ringing and not manner.queue:
        return Entered(ringing)
    position = 1 + queues.ahead(tx.conn, call)
    estimate = None
    if manner.queue:
        since = tx.now_ms() - WINDOW_MS
        answers = [Answered(*times) for times in queues.answers(tx.conn, call["queue_id"], since)]
        estimate = estimate_s(position, answers)
    return Entered(ringing, not ringing and choice.waits, position, estimate)

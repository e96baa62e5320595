"""Who is rung for which waiting call: pure, over a snapshot of the calls that wait and of the users they wait for.

A call in a ring step that rings everybody at once rings every available user whom it has not tried, also those whom
another call rings: they see both and take one. Every other call (a queue's, or one that rings one user at a time) has
the user it rings to itself: such calls are handed out in turn, and a user is rung by one of them at a time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from aircall_core.domain.availability import BUSY, Status
from aircall_core.domain.flow import Kind

SIMULTANEOUS, LONGEST_IDLE, RANDOM, ROUND_ROBIN = "simultaneous", "longest_idle", "random", "round_robin"
_LAST = 1_000_000_000  # the priority of a call that has none


@dataclass(frozen=True, slots=True)
class Manner:
    """How a ring or queue step rings. Times in seconds."""

    queue: bool
    strategy: str
    user_s: int
    total_s: int
    if_busy: bool  # waits for users who are busy
    if_unavailable: bool  # waits for anybody
    one_user: bool  # the target is a user, not a team nor a line
    bounce: bool = False  # the call comes back to who has handed it on: whatever they have to do after it can wait

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Manner":
        """From a step's settings with all defaults filled in, and its ``kind``."""
        return cls(
            queue=settings["kind"] == Kind.QUEUE,
            strategy=settings["strategy"],
            user_s=settings["user_s"],
            total_s=settings["total_s"],
            if_busy=settings["if_busy"],
            if_unavailable=settings["if_unavailable"],
            one_user="user" in settings["target"],
            bounce=bool(settings.get("bounce")),
        )

    @property
    def exclusive(self) -> bool:
        """Whether a user whom it rings is rung by no other call of this sort."""
        return self.queue or self.strategy != SIMULTANEOUS

    @property
    def own_s(self) -> int | None:
        """How long each user is rung; None: until the step ends."""
        return self.user_s if self.exclusive else None

    def missed(self, rung_ms: int) -> bool:
        """Whether somebody rung for so long, when the step ended, had their time. A timer may be a little early."""
        return rung_ms >= min(self.user_s, self.total_s) * 1000 - 500


@dataclass(frozen=True, slots=True)
class Waiting:
    """A call in a ring or queue step. ``since``: when it began to wait (ms); ``tried``: who missed or rejected it."""

    call_id: str
    priority: int | None
    since: int
    manner: Manner
    targets: frozenset[str]
    tried: frozenset[str] = frozenset()
    rung_now: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Agent:
    """A user who may be rung. ``exclusive``: calls that ring them now and have them to themselves; times in ms."""

    user_id: str
    status: Status
    idle_since: int = 0
    exclusive: frozenset[str] = frozenset()
    waiting: bool = False  # in a call, but a second one may ring them

    def free_for(self, manner: Manner) -> bool:
        """Whether a call that rings in this manner may ring them."""
        own = manner.bounce and self.status in (Status.WRAP_UP, Status.TAGGING)
        return self.status is Status.AVAILABLE or self.waiting or own


def place(priority: int | None, since: int, call_id: str) -> tuple[int, int, str]:
    """The order in which calls are served: priority 1 first and none last, then who waits longest."""
    return priority or _LAST, since, call_id


def distribute(
    waiting: Iterable[Waiting], agents: Iterable[Agent], last_user_id: str | None = None
) -> list[tuple[str, str]]:
    """Who is rung anew: pairs of call and user, calls in the order in which they are served.

    ``last_user_id`` is who was rung last by a call that goes round robin.
    """
    known = {agent.user_id: agent for agent in agents}
    held = {user for user, agent in known.items() if agent.exclusive}
    rings: list[tuple[str, str]] = []
    for call in sorted(waiting, key=lambda one: place(one.priority, one.since, one.call_id)):
        free = [known[user] for user in sorted(call.targets - call.tried - call.rung_now) if user in known]
        free = [agent for agent in free if agent.free_for(call.manner)]
        if call.manner.exclusive:
            free = [agent for agent in free if agent.user_id not in held]
        if call.manner.strategy != SIMULTANEOUS:
            free = [] if call.rung_now else _one(call, free, last_user_id)
        if call.manner.exclusive:
            held |= {agent.user_id for agent in free}
        if call.manner.strategy == ROUND_ROBIN and free:
            last_user_id = free[0].user_id
        rings += [(call.call_id, agent.user_id) for agent in free]
    return rings


def _one(call: Waiting, free: Sequence[Agent], last_user_id: str | None) -> list[Agent]:
    """The one of the free users (in the order of their ids) whose turn it is."""
    if not free:
        return []
    free = [agent for agent in free if not agent.waiting] or free  # a second call only where nobody has none
    match call.manner.strategy:
        case "random":  # the same for everybody who asks, and another for the next call
            return [min(free, key=lambda one: sha256(f"{call.call_id}:{one.user_id}".encode()).digest())]
        case "round_robin":
            return [next((one for one in free if last_user_id is None or one.user_id > last_user_id), free[0])]
        case _:
            return [min(free, key=lambda one: (one.idle_since, one.user_id))]


def may_come(call: Waiting, agents: Iterable[Agent]) -> bool:
    """Whether it makes sense to wait, when nobody is rung: the step waits for anybody, or somebody may become free.

    Busy users are waited for if the step says so, and also where users of a team are rung one after the other and those
    who were free have not answered. Users who are away are never waited for.
    """
    manner = call.manner
    if manner.if_unavailable:
        return True
    left = [agent for agent in agents if agent.user_id in call.targets - call.tried]
    if manner.exclusive and any(agent.free_for(manner) for agent in left):
        return True  # another call rings them
    in_turn = manner.strategy != SIMULTANEOUS and not manner.one_user and bool(call.tried & call.targets)
    return (manner.if_busy or in_turn) and any(agent.status in BUSY for agent in left)

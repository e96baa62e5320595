"""Where a call goes when its agent hands it on: the steps made for it, in the words of a line's flow. Pure.

A transferred call goes through a flow of its own: the target, then back to who sent it (the bounce), then what the
line does with callers whom nobody has answered (its overflow). So it never just ends.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from aircall_core.domain.flow import WAITS, Flow, Kind, Step

Target = Mapping[str, str]  # one of {"user": id}, {"team": id}, {"line": id}, {"number": E.164}

TARGETS: Final = ("user", "team", "line", "number")
TO, BACK = "transfer.to", "transfer.back"  # ids of the steps made here; no editor of ours makes such
RING_S: Final = 25  # of a user or a number
TEAM_MORE_S: Final = 5
EMPTY: Final = Flow(())


def kind_of(target: Target) -> str:
    """user, team, line or number. Raises ValueError for what is none of them."""
    kinds = list(target)
    if len(kinds) != 1 or kinds[0] not in TARGETS or not isinstance(target[kinds[0]], str) or not target[kinds[0]]:
        raise ValueError("a target is one user, team, line or number")
    return kinds[0]


def overflow_steps(flow: Flow, step_id: str | None) -> tuple[Step, ...]:
    """What the flow does after a step in which nobody has answered.

    When there is no such step: after the first that rings. Empty where nothing follows: the parting message.
    """
    known = step_id is not None and flow.get(step_id) is not None
    start = step_id if known else next((step.id for step in flow if step.kind in WAITS), None)
    return (_after(flow.steps, start) or ()) if start is not None else ()


def _after(steps: Sequence[Step], step_id: str) -> tuple[Step, ...] | None:
    """What follows a step of this list or of its branches, as one list; None when it is not in there."""
    for index, step in enumerate(steps):
        if step.id == step_id:
            return tuple(steps[index + 1 :])
        for branch in step.branches.values():
            inside = _after(branch, step_id)
            if inside is not None:
                return (*inside, *steps[index + 1 :])
    return None


def asked(target: Target, ring_s: int = RING_S) -> Flow:
    """The flow of a call to a colleague or a team who are asked first. A line has its own flow (`aimed_at`)."""
    return Flow([_ring(TO, target, ring_s)])


def handed_on(target: Target, by: str, overflow: Iterable[Step], ring_s: int = RING_S) -> Flow:
    """The flow of a call that user ``by`` has handed on to ``target`` without asking first.

    A line's own flow ends the call by itself; everywhere else the call comes back, and then overflows.
    """
    match kind_of(target):
        case "line":
            return Flow([Step(TO, Kind.REDIRECT, {"line": target["line"]})])
        case "number":
            first = Step(TO, Kind.DIAL, {"number": target["number"], "ring_s": ring_s})
        case _:
            first = _ring(TO, target, ring_s)
    return Flow([first, _ring(BACK, {"user": by}, ring_s), *overflow])


def aimed_at(flow: Flow, line_id: str) -> Flow:
    """A line's flow for a call that belongs to another line: whoever it means by "the line's users" is named."""
    return Flow(_aimed(flow.steps, line_id))


def _aimed(steps: Iterable[Step], line_id: str) -> tuple[Step, ...]:
    return tuple(
        replace(
            step,
            settings={**step.settings, "target": {"line": line_id}} if _rings_line(step) else step.settings,
            branches={name: _aimed(branch, line_id) for name, branch in step.branches.items()},
        )
        for step in steps
    )


def _rings_line(step: Step) -> bool:
    return step.kind in WAITS and step["target"].get("line") is True


def _ring(step_id: str, target: Target, ring_s: int) -> Step:
    team = "team" in target
    how = {"strategy": "longest_idle", "total_s": ring_s + TEAM_MORE_S} if team else {"total_s": ring_s}
    return Step(step_id, Kind.RING, {"target": dict(target), "user_s": ring_s, **how})


def came_by(call: Mapping[str, Any]) -> str | None:
    """The step of its line's flow in which a call was answered, also when it was handed on since."""
    step: str | None = call["step"]
    if step in (TO, BACK):
        return (call["transfer"] or {}).get("from_step")
    return step


def under_way(call: Mapping[str, Any]) -> dict[str, str] | None:
    """Who handed a call on and to what kind of target, while nobody has taken it since; else None."""
    transfer = call.get("transfer")
    if not transfer or not transfer.get("began") or transfer.get("over"):
        return None
    return {"by": transfer["by"], "to": kind_of(transfer["target"])}

"""Changes of a flow's tree of steps. Pure: steps go in, changed steps come out."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from aircall_core.domain.flow import DEFAULTS, ENDS, Kind, Step, walk
from aircall_core.domain.flow_check import branches_of

Steps = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Between two steps: in the flow's own list (no parent) or in a branch, before the step with this index."""

    parent: str | None
    branch: str
    index: int


ROOT = Place(None, "", 0)


def fresh(kind: Kind) -> Step:
    """A new step with the settings that such a step has when nobody says otherwise."""
    settings = {name: value for name, value in DEFAULTS[kind].items() if name != "has_secret"}
    return Step(f"{kind.value}-{secrets.token_hex(3)}", kind, settings)


def get(steps: Iterable[Step], step_id: str) -> Step | None:
    """A step by its id."""
    return next((step for step in walk(steps) if step.id == step_id), None)


def place_of(steps: Steps, step_id: str, parent: str | None = None, branch: str = "") -> Place | None:
    """Where a step stands."""
    for index, step in enumerate(steps):
        if step.id == step_id:
            return Place(parent, branch, index)
        for name, inside in step.branches.items():
            found = place_of(inside, step_id, step.id, name)
            if found is not None:
                return found
    return None


def listed(steps: Steps, parent: str | None, branch: str) -> Steps:
    """The list of steps of a branch, or the flow's own."""
    if parent is None:
        return steps
    step = get(steps, parent)
    return step.branches.get(branch, ()) if step else ()


def with_list(steps: Steps, parent: str | None, branch: str, change: Callable[[Steps], Steps]) -> Steps:
    """The steps with one list of them changed."""
    if parent is None:
        return change(steps)
    return with_step(
        steps,
        parent,
        lambda step: replace(step, branches={**step.branches, branch: change(step.branches.get(branch, ()))}),
    )


def with_step(steps: Steps, step_id: str, change: Callable[[Step], Step]) -> Steps:
    """The steps with one of them changed."""
    return tuple(
        change(step)
        if step.id == step_id
        else replace(
            step, branches={name: with_step(inside, step_id, change) for name, inside in step.branches.items()}
        )
        for step in steps
    )


def insert(steps: Steps, place: Place, step: Step) -> Steps:
    """The steps with another one."""
    return with_list(
        steps, place.parent, place.branch, lambda inside: (*inside[: place.index], step, *inside[place.index :])
    )


def remove(steps: Steps, step_id: str) -> Steps:
    """The steps without one of them and its branches."""
    return tuple(
        replace(step, branches={name: remove(inside, step_id) for name, inside in step.branches.items()})
        for step in steps
        if step.id != step_id
    )


def move(steps: Steps, step_id: str, to: Place) -> Steps:
    """The steps with one of them elsewhere; ``to`` is a place in the tree without it."""
    step = get(steps, step_id)
    return steps if step is None else insert(remove(steps, step_id), to, step)


def up(steps: Steps, step_id: str) -> Place | None:
    """Where a step goes that moves up: before its neighbour, or out of its branch, before the branching step."""
    place = place_of(steps, step_id)
    if place is None or (place.index == 0 and place.parent is None):
        return None
    if place.index > 0:
        return replace(place, index=place.index - 1)
    return place_of(steps, place.parent or "")


def down(steps: Steps, step_id: str) -> Place | None:
    """Where a step goes that moves down: after its neighbour, or out of its branch, after the branching step."""
    place = place_of(steps, step_id)
    if place is None:
        return None
    if place.index + 1 < len(listed(steps, place.parent, place.branch)):
        return replace(place, index=place.index + 1)
    outer = place_of(steps, place.parent) if place.parent is not None else None
    return None if outer is None else replace(outer, index=outer.index + 1)


def into(steps: Steps, step_id: str) -> Iterator[tuple[Step, str, Place]]:
    """The branches that a step can move into: those of every other step that is not inside of it."""
    step = get(steps, step_id)
    if step is None:
        return
    own, here = {one.id for one in walk([step])}, place_of(steps, step_id)
    for other in walk(steps):
        if other.id in own:
            continue
        for branch in branches_of(other):
            if here is not None and (here.parent, here.branch) != (other.id, branch):
                yield other, branch, Place(other.id, branch, end_of(other.branches.get(branch, ())))


def end_of(inside: Steps) -> int:
    """After the last step that does not end the flow."""
    return len(inside) - 1 if inside and inside[-1].kind in ENDS else len(inside)


def size(steps: Iterable[Step]) -> int:
    """How many steps there are, branches included."""
    return sum(1 for _ in walk(steps))


def tidy(steps: Steps) -> Steps:
    """The steps without empty branches, which mean nothing; a lookup's are kept, since their names do."""
    return tuple(replace(step, branches=_tidy_branches(step)) for step in steps)


def _tidy_branches(step: Step) -> Mapping[str, Steps]:
    kept = {name: tidy(inside) for name, inside in step.branches.items()}
    return kept if step.kind is Kind.LOOKUP else {name: inside for name, inside in kept.items() if inside}

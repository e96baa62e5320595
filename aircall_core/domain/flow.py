"""The call flow of a line: a tree of steps that a caller goes through, one after the other.

Steps of a list follow each other. A step with branches leads into one of them; where a branch ends, the caller goes on
with what follows the branching step. Where everything ends, the caller is told that nobody is available. A flow is a
JSON document ``{"steps": [...]}``; `parse` reads it, `problems` says what is wrong with it and where.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Document = Mapping[str, Any]

OPEN, CLOSED = "open", "closed"  # branches of an hours step
NONE = "none"  # the branch of a menu or of digits whose caller entered nothing that counts
KEYS = "0123456789*#"
STRATEGIES = ("simultaneous", "longest_idle", "random", "round_robin")
LONGEST_FLOW, DEEPEST = 200, 12


class Kind(StrEnum):
    """What a step does."""

    HOURS = "hours"  # opening hours: branches open and closed
    MENU = "menu"  # a prompt, then one key: a branch each, and none
    DIGITS = "digits"  # a prompt, then a number; branch none
    RING = "ring"  # rings users for a time
    QUEUE = "queue"  # the caller waits for users, with music and announcements
    LOOKUP = "lookup"  # asks a service over HTTP where to go: branches as it names them
    MESSAGE = "message"
    DIAL = "dial"  # calls an outside number; the caller is out of our hands when it answers
    REDIRECT = "redirect"  # to another line's flow; ends this one
    VOICEMAIL = "voicemail"  # ends
    HANG_UP = "hang_up"  # ends


ENDS = frozenset({Kind.REDIRECT, Kind.VOICEMAIL, Kind.HANG_UP})
WAITS = frozenset({Kind.RING, Kind.QUEUE})  # users are rung in these


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``settings`` are those of its kind: docs/routing.md lists them."""

    id: str
    kind: Kind
    settings: Mapping[str, Any] = field(default_factory=dict)
    branches: Mapping[str, tuple["Step", ...]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        """A setting, or what it is when not set."""
        return self.settings.get(name, DEFAULTS[self.kind].get(name))


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a flow: in which step (its id, '' = the flow), which setting, and a code with its figures.

    ``code`` names a text in ui/words (flow.problem.<code>); ``params`` fill its places.
    """

    step: str
    setting: str
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


class BadFlow(ValueError):
    """The document is not a flow at all: not made by our editor."""


# Each kind's settings and what they are when not set. A target is {"line": true}, {"team": id} or {"user": id}; a
# prompt is {"prompt": id} or {"shipped": name}; times are seconds.
DEFAULTS: Mapping[Kind, Mapping[str, Any]] = {
    Kind.HOURS: {"schedule": None},
    Kind.MENU: {"prompt": None, "options": {}, "tries": 3, "wait_s": 5},
    Kind.DIGITS: {
        "prompt": None, "label": "", "length": None, "end_key": "#", "digit_s": 5, "tries": 3, "shown": True,
    },
    Kind.RING: {
        "target": {"line": True}, "strategy": "simultaneous", "user_s": 25, "total_s": 30, "if_busy": False,
        "if_unavailable": False,
    },
    Kind.QUEUE: {
        "target": {"line": True}, "strategy": "longest_idle", "user_s": 25, "total_s": 600, "if_busy": True,
        "if_unavailable": False, "music": None, "announce_first_s": 30, "announce_s": 60, "position": True,
        "estimate": True, "callback": True,
    },
    Kind.LOOKUP: {"url": "", "timeout_s": 3, "has_secret": False},
    Kind.MESSAGE: {"prompt": None},
    Kind.DIAL: {"number": "", "ring_s": 30},
    Kind.REDIRECT: {"line": None},
    Kind.VOICEMAIL: {"prompt": {"shipped": "voicemail"}, "max_s": 120},
    Kind.HANG_UP: {},
}  # fmt: skip

# Numbers: lowest and highest.
LIMITS: Mapping[tuple[Kind, str], tuple[int, int]] = {
    (Kind.MENU, "tries"): (1, 9),
    (Kind.MENU, "wait_s"): (1, 60),
    (Kind.DIGITS, "tries"): (1, 9),
    (Kind.DIGITS, "digit_s"): (1, 60),
    (Kind.DIGITS, "length"): (1, 32),
    (Kind.RING, "user_s"): (5, 300),
    (Kind.RING, "total_s"): (5, 3600),
    (Kind.QUEUE, "user_s"): (5, 300),
    (Kind.QUEUE, "total_s"): (5, 3600),
    (Kind.QUEUE, "announce_first_s"): (5, 600),
    (Kind.QUEUE, "announce_s"): (15, 600),
    (Kind.LOOKUP, "timeout_s"): (1, 10),
    (Kind.DIAL, "ring_s"): (5, 120),
    (Kind.VOICEMAIL, "max_s"): (5, 600),
}


class Flow:
    """A flow that can be walked through."""

    def __init__(self, steps: Sequence[Step]) -> None:
        """Raises BadFlow when two steps have one id."""
        self.steps = tuple(steps)
        self._place: dict[str, tuple[tuple[Step, ...], int, str | None]] = {}
        self._note(self.steps, None)

    def _note(self, steps: tuple[Step, ...], parent: str | None) -> None:
        for index, step in enumerate(steps):
            if step.id in self._place:
                raise BadFlow(f"two steps are called {step.id}")
            self._place[step.id] = (steps, index, parent)
            for branch in step.branches.values():
                self._note(branch, step.id)

    def __iter__(self) -> Iterator[Step]:
        """All steps, in the order in which they are read."""
        return walk(self.steps)

    def get(self, step_id: str) -> Step | None:
        """A step by its id."""
        place = self._place.get(step_id)
        return place[0][place[1]] if place else None

    def first(self) -> Step | None:
        """Where a caller begins; None in an empty flow."""
        return self.steps[0] if self.steps else None

    def after(self, step_id: str) -> Step | None:
        """What follows a step: the next of its list, else what follows the step that its branch belongs to.

        None where the flow ends, and after a step that ends it.
        """
        step = self.get(step_id)
        if step is None or step.kind in ENDS:
            return None
        return self._following(step_id)

    def _following(self, step_id: str) -> Step | None:
        steps, index, parent = self._place[step_id]
        if index + 1 < len(steps):
            return steps[index + 1]
        return self._following(parent) if parent is not None else None

    def into(self, step_id: str, branch: str) -> Step | None:
        """The first step of a branch; what follows the branching step when the branch is empty or not there."""
        step = self.get(step_id)
        inside = step.branches.get(branch, ()) if step else ()
        return inside[0] if inside else self.after(step_id)


def walk(steps: Iterable[Step]) -> Iterator[Step]:
    """All of these steps and of their branches, in the order in which they are read."""
    for step in steps:
        yield step
        for branch in step.branches.values():
            yield from walk(branch)


def parse(document: Document) -> Flow:
    """A flow from its document. Raises BadFlow for what no editor of ours would send."""
    return Flow(_steps(document.get("steps"), 0, [0]))


def _steps(given: object, depth: int, count: list[int]) -> tuple[Step, ...]:
    if not isinstance(given, list) or depth > DEEPEST:
        raise BadFlow("steps are a list, and not nested without end")
    found = []
    for one in given:
        count[0] += 1
        if not isinstance(one, Mapping) or count[0] > LONGEST_FLOW:
            raise BadFlow(f"a step is an object, and there are at most {LONGEST_FLOW}")
        step_id, kind, branches = one.get("id"), one.get("kind"), one.get("branches", {})
        if not isinstance(step_id, str) or not 1 <= len(step_id) <= 32 or not step_id.isascii():
            raise BadFlow("a step has an id of at most 32 letters")
        if not isinstance(kind, str) or kind not in Kind.__members__.values() or not isinstance(branches, Mapping):
            raise BadFlow(f"step {step_id} is of no known kind")
        settings = {name: one[name] for name in DEFAULTS[Kind(kind)] if name in one}
        inside = {str(name)[:40]: _steps(branch, depth + 1, count) for name, branch in branches.items()}
        found.append(Step(step_id, Kind(kind), settings, inside))
    return tuple(found)


def document_of(steps: Iterable[Step]) -> dict[str, Any]:
    """The document that `parse` reads these steps from."""
    return {"steps": [_json(step) for step in steps]}


def _json(step: Step) -> dict[str, Any]:
    branches = {name: document_of(inside)["steps"] for name, inside in step.branches.items()}
    return {"id": step.id, "kind": step.kind.value, **step.settings, **({"branches": branches} if branches else {})}


def default_flow(ring_s: int) -> Flow:
    """What a line does that nobody has drawn a flow for: ring its users, then voicemail."""
    ring = Step("ring", Kind.RING, {"total_s": ring_s, "user_s": ring_s})
    return Flow([ring, Step("voicemail", Kind.VOICEMAIL)])

"""Where everything stands in a flow's picture: boxes from top to bottom, branches side by side. Pure.

A list of steps is a column. A branching step has its branches below it as columns of their own; those that do not end
the flow meet again above what follows. Units are pixels; ui/static/flow_picture.js draws it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aircall_core.domain.flow import ENDS, Step
from aircall_core.domain.flow_check import PASSED, always_ends, branches_of
from aircall_core.ui.flow_editor import words
from aircall_core.ui.flow_editor.words import Names

WIDE, HIGH = 168, 50  # a box
EMPTY = 112  # a branch without steps
GAP, DROP, LABEL = 16, 26, 22  # between columns; between boxes; a branch's name


@dataclass
class Picture:
    """``boxes``: steps; ``labels``: names of branches; ``lines``: polylines. All as JSON for the browser."""

    names: Names
    width: float = 0
    height: float = 0
    boxes: list[dict[str, Any]] = field(default_factory=list)
    labels: list[dict[str, Any]] = field(default_factory=list)
    lines: list[list[tuple[float, float]]] = field(default_factory=list)

    def column(self, steps: Sequence[Step], middle: float, top: float) -> float | None:
        """Draw a list of steps around ``middle``; where a line leaves it below, None when every caller's way ends."""
        leaves: float | None = top
        for index, step in enumerate(steps):
            if index:
                self.lines.append([(middle, top), (middle, top + DROP)])
                top += DROP
            leaves = self._step(step, middle, top)
            if leaves is None:
                return None
            top = leaves
        return leaves

    def _step(self, step: Step, middle: float, top: float) -> float | None:
        self.boxes.append({
            "id": step.id, "kind": step.kind.value, "x": middle - WIDE / 2, "y": top, "w": WIDE, "h": HIGH,
            "title": words.kind(step.kind), "text": words.summary(step, self.names), "end": step.kind in ENDS,
        })  # fmt: skip
        self.height = max(self.height, top + HIGH)
        below = top + HIGH
        ways = _ways(step)
        if not ways:
            return None if step.kind in ENDS else below
        fork = below + DROP / 2
        self.lines.append([(middle, below), (middle, fork)])
        widths = [width_of(step.branches.get(name, ())) for name in ways]
        left = middle - (sum(widths) + GAP * (len(widths) - 1)) / 2
        ends: list[tuple[float, float]] = []
        for name, width in zip(ways, widths, strict=True):
            centre, inside = left + width / 2, step.branches.get(name, ())
            self.labels.append(
                {"x": centre, "y": fork + DROP / 2 + LABEL / 2, "text": words.branch(step, name), "w": WIDE}
            )
            first = fork + DROP / 2 + LABEL
            self.lines.append([(middle, fork), (centre, fork), (centre, fork + DROP / 2)])
            if inside:
                self.lines.append([(centre, first), (centre, first + DROP / 2)])
            end = self.column(inside, centre, first + (DROP / 2 if inside else 0))
            if end is not None:
                ends.append((centre, end))
            left += width + GAP
        if not ends:
            return None
        meet = max(max(end for _, end in ends), self._bottom(step)) + DROP / 2
        self.lines += [[(centre, end), (centre, meet), (middle, meet)] for centre, end in ends]
        self.height = max(self.height, meet)
        return meet

    def _bottom(self, step: Step) -> float:
        """The lowest edge of what is drawn below a branching step."""
        inside = {one.id for way in step.branches.values() for one in _all(way)}
        return max((box["y"] + box["h"] for box in self.boxes if box["id"] in inside), default=0)


def _ways(step: Step) -> tuple[str, ...]:
    """The branches, and '' where callers may go past them."""
    ways = branches_of(step)
    return (*ways, "") if ways and step.kind in PASSED else ways


def width_of(steps: Sequence[Step]) -> float:
    """How wide a list of steps is drawn."""
    return max((_width(step) for step in steps), default=EMPTY)


def _width(step: Step) -> float:
    ways = _ways(step)
    if not ways:
        return WIDE
    inside = sum(width_of(step.branches.get(name, ())) for name in ways) + GAP * (len(ways) - 1)
    return max(WIDE, inside)


def _all(steps: Sequence[Step]) -> list[Step]:
    return [one for step in steps for one in (step, *_all([two for way in step.branches.values() for two in way]))]


def draw(steps: Sequence[Step], names: Names, *, start: str, end: str) -> dict[str, Any]:
    """The picture of a flow. ``start`` and ``end`` are what stands above and below it."""
    picture = Picture(names)
    width = max(width_of(steps), WIDE) + 2 * GAP
    middle, top = width / 2, float(GAP)
    picture.boxes.append(_mark("start", start, middle, top))
    top += HIGH * 0.6
    if steps:
        picture.lines.append([(middle, top), (middle, top + DROP)])
    last = picture.column(steps, middle, top + DROP)
    if last is not None and not always_ends(steps):
        picture.lines.append([(middle, last), (middle, last + DROP)])
        picture.boxes.append(_mark("finish", end, middle, last + DROP))
        picture.height = max(picture.height, last + DROP + HIGH * 0.6)
    return {
        "width": width, "height": picture.height + GAP, "boxes": picture.boxes, "labels": picture.labels,
        "lines": picture.lines, "middle": middle,
    }  # fmt: skip


def _mark(kind: str, text: str, middle: float, top: float) -> dict[str, Any]:
    return {
        "id": "", "kind": kind, "x": middle - WIDE / 2, "y": top, "w": WIDE, "h": HIGH * 0.6, "title": text, "text": "",
        "end": False,
    }  # fmt: skip

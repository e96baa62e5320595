"""A flow that is being edited: it lives in the session, so that no rerun and no other page loses it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from aircall_core.domain.flow import Flow, Kind, Problem, Step, document_of
from aircall_core.domain.flow_check import Known, problems
from aircall_core.store.queries import flows
from aircall_core.ui import data
from aircall_core.ui.flow_editor import tree
from aircall_core.ui.flow_editor.tree import Place, Steps
from aircall_core.ui.text import t

_DRAFTS = "flow_drafts"


@dataclass
class Draft:
    """``saved`` is what the store had as ``version`` when this began. ``generation`` names the widgets anew."""

    line_id: str
    version: int
    saved: Steps
    steps: Steps
    chosen: str | None = None
    adding: Place | None = None
    secrets: dict[str, str] = field(default_factory=dict)
    generation: int = 0

    @property
    def dirty(self) -> bool:
        """Whether something would be lost."""
        return bool(self.secrets) or document_of(tree.tidy(self.steps)) != document_of(tree.tidy(self.saved))

    @property
    def step(self) -> Step | None:
        """The chosen step."""
        return tree.get(self.steps, self.chosen) if self.chosen else None

    def body(self) -> dict[str, Any]:
        """What the desk is sent to save."""
        return {
            "document": document_of(tree.tidy(self.steps)), "version": self.version, "secrets": dict(self.secrets)
        }  # fmt: skip

    # ---- what the buttons do

    def choose(self, step_id: str | None) -> None:
        """Show the form of a step."""
        self.chosen, self.adding = step_id, None

    def ask_kind(self, place: Place) -> None:
        """Show what can be added there."""
        self.chosen, self.adding = None, place

    def add(self, kind: Kind) -> None:
        """Add a step where it was asked for, and show its form."""
        if self.adding is not None:
            step = tree.fresh(kind)
            self.steps = tree.insert(self.steps, self.adding, step)
            self.choose(step.id)

    def remove(self, step_id: str) -> None:
        """Take a step away, with all that is in its branches."""
        self.steps = tree.remove(self.steps, step_id)
        self.choose(None)

    def move(self, step_id: str, to: Place) -> None:
        """Put a step elsewhere."""
        self.steps = tree.move(self.steps, step_id, to)

    def put(self, step_id: str, **settings: Any) -> None:
        """Set settings of a step."""
        self.steps = tree.with_step(
            self.steps, step_id, lambda step: replace(step, settings={**step.settings, **settings})
        )

    def put_branches(self, step_id: str, branches: Mapping[str, Steps]) -> None:
        """Set the branches of a step."""
        self.steps = tree.with_step(self.steps, step_id, lambda step: replace(step, branches=dict(branches)))

    def load(self, version: int, saved: Steps, steps: Steps | None = None) -> None:
        """Begin again from a version; ``steps``, if given, are to become the next one."""
        self.version, self.saved, self.steps = version, saved, saved if steps is None else steps
        self.secrets.clear()
        self.generation += 1
        self.choose(None)

    def problems(self, known: Known) -> list[Problem]:
        """What is wrong with it."""
        return problems(Flow(tree.tidy(self.steps)), known)


def of_line(line_id: str) -> tuple[Draft, int]:
    """The session's draft of a line's flow, and the newest version that the store has."""
    version, flow = data.read(flows.current, line_id)
    drafts: dict[str, Draft] = st.session_state.setdefault(_DRAFTS, {})
    draft = drafts.get(line_id)
    if draft is None:
        draft = drafts[line_id] = Draft(line_id, version, flow.steps, flow.steps)
    elif not draft.dirty and draft.version != version:
        draft.load(version, flow.steps)
    return draft, version


def unsaved() -> list[str]:
    """Lines whose flow has changes in this session that are not saved."""
    return [line for line, draft in st.session_state.get(_DRAFTS, {}).items() if draft.dirty]


def text_of(problem: Problem) -> str:
    """A problem in words."""
    return t(f"flow.problem_{problem.code}", **problem.params)

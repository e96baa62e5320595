"""The tree: a button for each step, its branches indented below it, and a place to add a step at each end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from aircall_core.domain.flow import Problem, Step
from aircall_core.domain.flow_check import always_ends, branches_of
from aircall_core.ui import format
from aircall_core.ui.flow_editor import draft as drafts
from aircall_core.ui.flow_editor import words
from aircall_core.ui.flow_editor.draft import Draft
from aircall_core.ui.flow_editor.tree import Place, Steps, end_of
from aircall_core.ui.flow_editor.words import Names
from aircall_core.ui.text import t


@dataclass(frozen=True)
class Tree:
    """A draft's tree, with what is wrong with each of its steps."""

    draft: Draft
    names: Names
    problems: Mapping[str, Sequence[Problem]]

    def draw(self) -> None:
        """All of it."""
        with st.container(key="flow_tree", gap="small"):
            st.markdown(f":small[:material/phone_callback: {t('flow.caller')}]")
            self._list(self.draft.steps, None, "", t("flow.add"))

    def _list(self, steps: Steps, parent: str | None, branch: str, add: str) -> None:
        last = end_of(steps)  # a step that ends the flow stays the last
        for step in steps[:last]:
            self._step(step)
        if not always_ends(steps[:last]):
            st.button(
                add, key=f"flow-add-{parent}-{branch}", icon=":material/add:", type="tertiary",
                on_click=self.draft.ask_kind, args=(Place(parent, branch, last),),
            )  # fmt: skip
        for step in steps[last:]:
            self._step(step)

    def _step(self, step: Step) -> None:
        chosen = self.draft.chosen == step.id
        wrong = self.problems.get(step.id, ())
        summary = format.plain(words.summary(step, self.names))
        label = f"**{words.kind(step.kind)}**" + (f" {summary}" if summary else "")
        st.button(
            label, key=f"flow-step-{step.id}", icon=f":material/{words.ICONS[step.kind]}:", width="stretch",
            type="primary" if chosen else "secondary", on_click=self.draft.choose, args=(step.id,),
        )  # fmt: skip
        if wrong and not chosen:
            more = f" (+{len(wrong) - 1})" if len(wrong) > 1 else ""
            st.markdown(f":small[:red[:material/error: {drafts.text_of(wrong[0])}{more}]]")
        ways = branches_of(step)
        for name in (*ways, *(one for one in step.branches if one not in ways)):
            self._branch(step, name)

    def _branch(self, step: Step, name: str) -> None:
        inside = step.branches.get(name, ())
        title = format.plain(words.branch(step, name))
        with st.container(key=f"flow-branch-{step.id}-{name}", gap="small"):
            after = "" if always_ends(inside) else f" :gray[{t('flow.goes_on')}]"
            st.markdown(f":small[**{title}**{after}]")
            self._list(inside, step.id, name, t("flow.add_to", branch=title))

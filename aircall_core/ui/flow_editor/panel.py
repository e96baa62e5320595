"""Beside the tree: the chosen step's form and what can be done with it, or the kinds of steps that can be added."""

import streamlit as st

from aircall_core.domain.flow import Kind, Step
from aircall_core.ui import format
from aircall_core.ui.flow_editor import forms, tree, words
from aircall_core.ui.flow_editor.draft import Draft
from aircall_core.ui.flow_editor.fields import Fields
from aircall_core.ui.text import t

ORDER = (
    Kind.HOURS, Kind.MENU, Kind.DIGITS, Kind.MESSAGE, Kind.RING, Kind.QUEUE, Kind.DIAL, Kind.LOOKUP,
    Kind.REDIRECT, Kind.VOICEMAIL, Kind.HANG_UP,
)  # fmt: skip


def kinds(draft: Draft) -> None:
    """What can be added."""
    _head(draft, t("flow.choose_kind"), t("flow.cancel"))
    for kind in ORDER:
        label = f"**{words.kind(kind)}**  \n:small[{t(f'flow.help_{kind.value}')}]"
        st.button(
            label, key=f"flow-kind-{kind.value}", icon=f":material/{words.ICONS[kind]}:", width="stretch",
            on_click=draft.add, args=(kind,),
        )  # fmt: skip


def step(fields: Fields) -> None:
    """The form of the chosen step."""
    draft, chosen = fields.draft, fields.step
    _head(draft, f":material/{words.ICONS[chosen.kind]}: {words.kind(chosen.kind)}", t("flow.close"))
    forms.draw(fields)
    st.divider()
    _actions(draft, chosen)


def _head(draft: Draft, title: str, close: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"#### {title}", width="stretch")
        st.button(
            close, key="flow-close", icon=":material/close:", type="tertiary", on_click=draft.choose, args=(None,)
        )  # fmt: skip


def _actions(draft: Draft, chosen: Step) -> None:
    place = tree.place_of(draft.steps, chosen.id) or tree.ROOT
    above, below = tree.up(draft.steps, chosen.id), tree.down(draft.steps, chosen.id)
    after = tree.Place(place.parent, place.branch, place.index + 1)
    with st.container(horizontal=True, gap="small"):
        st.button(
            t("flow.up"), icon=":material/arrow_upward:", key="flow-up", disabled=above is None,
            on_click=draft.move, args=(chosen.id, above),
        )  # fmt: skip
        st.button(
            t("flow.down"), icon=":material/arrow_downward:", key="flow-down", disabled=below is None,
            on_click=draft.move, args=(chosen.id, below),
        )  # fmt: skip
        _move_into(draft, chosen)
    with st.container(horizontal=True, gap="small"):
        st.button(
            t("flow.before"), icon=":material/add:", key="flow-before", on_click=draft.ask_kind, args=(place,)
        )  # fmt: skip
        st.button(t("flow.after"), icon=":material/add:", key="flow-after", on_click=draft.ask_kind, args=(after,))
        _remove(draft, chosen)


def _move_into(draft: Draft, chosen: Step) -> None:
    with st.popover(t("flow.move"), icon=":material/subdirectory_arrow_right:"):
        found = list(tree.into(draft.steps, chosen.id))
        if not found:
            st.caption(t("flow.move_none"))
        for other, branch, place in found:
            title = f"{words.kind(other.kind)}: {format.plain(words.branch(other, branch))}"
            st.button(
                title, key=f"flow-into-{other.id}-{branch}", width="stretch", on_click=draft.move,
                args=(chosen.id, place),
            )  # fmt: skip


def _remove(draft: Draft, chosen: Step) -> None:
    inside = sum(tree.size(steps) for steps in chosen.branches.values())
    if not inside:
        st.button(
            t("flow.remove"), icon=":material/delete:", key="flow-remove", on_click=draft.remove, args=(chosen.id,)
        )  # fmt: skip
        return
    with st.popover(t("flow.remove"), icon=":material/delete:"):
        st.write(t("flow.remove_question", count=inside))
        st.button(
            t("flow.remove_yes"), type="primary", key="flow-remove-yes", on_click=draft.remove, args=(chosen.id,)
        )  # fmt: skip

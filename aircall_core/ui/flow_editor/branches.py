"""The branches that an author makes: a menu's keys, and the names that a lookup's service may answer."""

from collections.abc import Sequence

import streamlit as st

from aircall_core.domain.flow_check import LONGEST_LABEL, MOST_BRANCHES
from aircall_core.ui.flow_editor import tree
from aircall_core.ui.flow_editor.fields import Fields
from aircall_core.ui.text import t


def options(fields: Fields, keys: Sequence[str]) -> None:
    """A menu's keys, what each is for, and a place for another."""
    step = fields.step
    known = {str(key): str(label) for key, label in step["options"].items()}
    st.markdown(f"**{t('flow.choices')}**")
    for key in sorted(known, key="".join(keys).find):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"`{key}`", width="content")
            st.text_input(
                t("flow.choice_label", key=key), known[key], key=fields.key(f"option-{key}"), max_chars=LONGEST_LABEL,
                label_visibility="collapsed", placeholder=t("flow.choice_example"),
                on_change=_label, args=(fields, key),
            )  # fmt: skip
            _remove(fields, key, t("flow.choice_remove", key=key))
        fields.wrong(f"options.{key}")
    free = [key for key in keys if key not in known]
    if free:
        key_widget = fields.key("option-new")
        st.selectbox(
            t("flow.choice_add"), free, index=None, key=key_widget, on_change=_add, args=(fields, key_widget),
            placeholder=t("flow.choice_add"), label_visibility="collapsed",
        )  # fmt: skip
    fields.wrong("options")


def _label(fields: Fields, key: str) -> None:
    typed = st.session_state[fields.key(f"option-{key}")].strip()
    fields.draft.put(fields.step.id, options={**fields.now["options"], key: typed})


def _add(fields: Fields, widget: str) -> None:
    key = st.session_state[widget]
    if key:
        fields.draft.put(fields.step.id, options={**fields.now["options"], key: ""})
        st.session_state[widget] = None


def _drop(fields: Fields, branch: str) -> None:
    left = {name: inside for name, inside in fields.now.branches.items() if name != branch}
    fields.draft.put_branches(fields.step.id, left)
    if branch in (fields.now["options"] or {}):
        kept = {key: label for key, label in fields.now["options"].items() if key != branch}
        fields.draft.put(fields.step.id, options=kept)


def _remove(fields: Fields, branch: str, name: str) -> None:
    """Removes a branch; asks when there are steps in it."""
    count = tree.size(fields.step.branches.get(branch, ()))
    key = fields.key(f"drop-{branch}")
    if not count:
        st.button(
            name, icon=":material/close:", key=key, on_click=_drop, args=(fields, branch), type="tertiary", help=name,
        )  # fmt: skip
        return
    with st.popover(name, icon=":material/close:", key=f"{key}-ask"):
        st.write(t("flow.choice_remove_question", key=branch, count=count))
        st.button(t("flow.remove_yes"), key=key, type="primary", on_click=_drop, args=(fields, branch))


def named(fields: Fields) -> None:
    """A lookup's branches by name, and a place for another."""
    st.markdown(f"**{t('flow.lookup_branches')}**")
    for branch in fields.step.branches:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"`{branch}`", width="stretch")
            _remove(fields, branch, t("flow.lookup_branch_remove", branch=branch))
    if len(fields.step.branches) < MOST_BRANCHES:
        key = fields.key("branch-new")

        def add() -> None:
            name = st.session_state[key].strip()
            if name:
                known = fields.now.branches
                fields.draft.put_branches(fields.step.id, {**known, name: known.get(name, ())})
                st.session_state[key] = ""

        st.text_input(
            t("flow.lookup_branch_name"), key=key, max_chars=32, placeholder=t("flow.lookup_branch_add"),
            label_visibility="collapsed", on_change=add,
        )  # fmt: skip
    st.caption(t("flow.lookup_fallback"))

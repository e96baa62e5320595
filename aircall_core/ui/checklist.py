"""The way to the first call (S2): what is done, what is next, and where each is done."""

import streamlit as st

from aircall_core.ui.text import t

PAGES = {
    "company": "setup.py",
    "line": "setup.py",
    "users": "setup.py",
    "trunk": "setup.py",
    "audio": "audio_check.py",
    "call": "setup.py",
}


def card(steps: dict[str, bool]) -> None:
    """The checklist on the home page: it stays until every step is done."""
    with st.container(border=True):
        done = sum(steps.values())
        st.subheader(t("setup.title"))
        st.progress(done / len(steps), text=t("setup.progress", done=done, all=len(steps)))
        upcoming = next((step for step, is_done in steps.items() if not is_done), None)
        for step, is_done in steps.items():
            row(step, is_done=is_done, is_next=step == upcoming)


def row(step: str, *, is_done: bool, is_next: bool) -> None:
    """One step: its state in words too, since colour alone tells nothing."""
    mark = ":green[:material/check_circle:]" if is_done else ":gray[:material/radio_button_unchecked:]"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        state = t("setup.done" if is_done else "setup.todo")
        name = t(f"setup.{step}")
        st.markdown(f"{mark} {name} :small[:gray[{state}]]" if is_done else f"{mark} **{name}** :small[:gray[{state}]]")
        if is_next:
            st.page_link(PAGES[step], label=t(f"setup.{step}_go"), icon=":material/arrow_forward:")

"""Lists of settings: one bordered row a thing, its actions at the end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

from aircall_core.ui.text import t


def heading(title: str, intro: str, add: str, on_add: Callable[[], None]) -> None:
    """A page's title with its one main action."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(title, anchor=False, width="stretch")
        if st.button(add, type="primary", icon=":material/add:"):
            on_add()
    st.caption(intro)


@contextmanager
def row(title: str, details: list[str]) -> Iterator[None]:
    """A row; the block adds its actions."""
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        lines = "  \n".join([f"**{title}**", *(f":small[{one}]" for one in details if one)])
        st.markdown(lines, width="stretch")
        yield


def edit(key: str) -> bool:
    """The edit button of a row."""
    return st.button(t("page.edit"), key=key, icon=":material/edit:")

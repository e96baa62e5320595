"""Who looks at this page: asked at every run, so that a revoked session stops at the next click."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st

from aircall_core.store.queries import people
from aircall_core.store.queries.people import Identity
from aircall_core.ui import data
from aircall_core.ui.text import t


def current() -> Identity:
    """The signed-in user. Stops the page with a notice when the session has ended or the store is away."""
    user: dict[str, Any] = dict(st.user.to_dict())
    try:
        who = data.read(people.identity_of_session, str(user.get("session", "")))
    except data.NotReady:
        say_away("retry-identity")
        st.stop()
    if who is None:
        st.info(t("page.signed_out"), icon=":material/lock:")
        st.html(f'<a href="/" target="_self">{t("ui.gone.again")}</a>')
        st.stop()
    return who


def say_away(key: str) -> None:
    """The notice that the store is away, with the one thing that helps."""
    st.warning(t("page.store_away"), icon=":material/database_off:")
    st.button(t("ui.retry"), key=key)


@contextmanager
def store_may_be_away(key: str) -> Iterator[None]:
    """Says so where the store goes away while a page, or a fragment of it, is being made."""
    try:
        yield
    except data.NotReady:
        say_away(key)


def remember_page(page: str, **query: str) -> None:
    """Go to a page at the next run; for callbacks, where a page cannot be left."""
    st.session_state["goto"] = (page, query)


def follow() -> None:
    """Go where a callback wanted to go."""
    wanted = st.session_state.pop("goto", None)
    if wanted is not None:
        page, query = wanted
        st.switch_page(page, query_params=query)

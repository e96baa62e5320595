"""Forms whose mistakes are shown at the field where they were made, and which lose nothing when something is wrong."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aircall_core.ui import client
from aircall_core.ui.text import t


class Form:
    """Collects the fields of one st.form and the places for what is wrong with them."""

    def __init__(self) -> None:
        self._slots: dict[str, DeltaGenerator] = {}
        self._general = st.empty()

    def field(self, name: str, value: Any) -> Any:
        """Put a place for the field's mistake under the widget that was just drawn; the widget's value."""
        self._slots[name] = st.empty()
        return value

    def send(self, deed: Callable[[], Any]) -> bool:
        """Do it; whether the desk agreed. Mistakes are shown where they belong."""
        try:
            deed()
        except client.Refused as refused:
            shown = False
            for name, message in refused.fields.items():
                slot = self._slots.get(name)
                if slot is not None:
                    slot.markdown(f":red[:material/error: {message}]")
                    shown = True
            if not shown:
                self._general.error(refused.message)
            return False
        return True


@contextmanager
def form(key: str) -> Iterator[Form]:
    """An st.form without a border of its own."""
    with st.form(key, border=False, enter_to_submit=True):
        yield Form()


def act(deed: Callable[[], Any], done: str) -> bool:
    """A single click that changes something: a toast when it is done, the reason when it is not."""
    try:
        deed()
    except client.Refused as refused:
        st.error(refused.message)
        return False
    st.toast(done, icon=":material/check:")
    return True


def confirm(key: str, question: str, deed: Callable[[], Any]) -> None:
    """A deed that cannot be undone: asked twice."""
    with st.popover(t("page.remove"), icon=":material/delete:"):
        st.write(question)
        if st.button(t("page.remove_yes"), key=key, type="primary"):
            try:
                deed()
            except client.Refused as refused:
                st.error(refused.message)
            else:
                st.rerun()

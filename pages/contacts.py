"""Contacts: the list with the one that is open; for leaders, bringing them from a file."""

import streamlit as st

from aircall_core.store import contacts
from aircall_core.ui import components, data, navigation, session
from aircall_core.ui.editors import contact_import
from aircall_core.ui.text import t

who = session.current()
leads = who.role in ("administrator", "supervisor")
BRINGING = "contacts-bringing"


def chosen() -> None:
    """Which contact is open stands in the address, so that it can be sent to a colleague."""
    found = st.session_state["contacts"].get("chosen")
    if found:
        st.query_params["id"] = str(found)
    else:
        st.query_params.pop("id", None)


def bring() -> None:
    """A file in place of the list: a dialog would be too small, and under the dock."""
    contact_import.forget()
    st.session_state[BRINGING] = True


if leads and st.session_state.get(BRINGING):
    st.title(t("contacts.import_title"), anchor=False)
    if st.button(t("contacts.back"), icon=":material/arrow_back:") or contact_import.import_form(
        data.read(contacts.fields)
    ):
        st.session_state[BRINGING] = False
        st.rerun()
else:
    st.title(t("nav.contacts"), anchor=False)
    components.contacts(
        who, str(st.query_params.get("id", ""))[:64], on_open_change=navigation.opener("contacts"),
        on_chosen_change=chosen, on_bring_change=bring,
    )  # fmt: skip

"""Search: what customers and colleagues wrote, and who they are."""

import streamlit as st

from aircall_core.store.queries import inbox, lines
from aircall_core.ui import components, data, navigation, session
from aircall_core.ui.text import t

who = session.current()


def open_found() -> None:
    """A conversation among the results was chosen."""
    chosen = st.session_state["search"].get("open")
    if chosen:
        session.remember_page(navigation.CONVERSATION, id=str(chosen["id"]), entry=str(chosen["entry"]))


def open_contact() -> None:
    """A contact was chosen."""
    chosen = st.session_state["search"].get("contact")
    if chosen:
        session.remember_page(navigation.CONTACTS, id=str(chosen))


st.title(t("nav.search"), anchor=False)
seen = data.read(inbox.visible_lines, who.user_id, who.role)
shown = [
    {"id": line["id"], "name": line["name"]}
    for line in data.read(lines.lines_list)
    if seen is None or line["id"] in seen
]
components.search(
    who, shown, st.query_params.get("text", ""), on_open_change=open_found, on_contact_change=open_contact
)

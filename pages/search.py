"""Search: what customers and colleagues wrote, and who they are."""

import streamlit as st

from aircall_core.store.queries import inbox, lines
from aircall_core.ui import components, data, navigation, session
from aircall_core.ui.text import t

who = session.current()


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
asked = {name: str(st.query_params.get(name, ""))[:200] for name in ("text", "kind", "line")}
components.search(who, shown, asked, on_open_change=navigation.opener("search"), on_contact_change=open_contact)

"""One conversation: whom it is with, and its timeline."""

import streamlit as st

from aircall_core.store.queries import conversation
from aircall_core.ui import client, components, data, format, forms, session
from aircall_core.ui.text import t

who = session.current()
conversation_id = st.query_params.get("id", "")
header = None
if conversation_id and data.read(conversation.may_see, conversation_id, who.user_id, who.role):
    header = data.read(conversation.header, conversation_id)
if header is None:
    st.title(t("nav.conversation"))
    st.info(t("conversation.none"), icon=":material/forum:")
    st.page_link("inbox.py", label=t("conversation.back"), icon=":material/arrow_back:")
    st.stop()

number = format.party(header.party, header.line_country)
may_assign = who.role != "analyst"


def assign(shown: str, before: str | None) -> None:
    """Whose the conversation is has been chosen."""
    chosen = st.session_state["assignee"] or None
    if chosen != before:
        path = f"/desk/conversations/{shown}/assign"
        forms.act(lambda: client.command(path, {"user_id": chosen}), t("page.saved"))


st.page_link("inbox.py", label=t("nav.inbox"), icon=":material/arrow_back:")
title, deeds, owner = st.columns([3, 3, 2], vertical_alignment="bottom")
title.title(format.plain(header.contact_name or number), anchor=False)
details = [
    f"{format.flag(header.party)} {format.plain(number)}" if header.contact_name else format.flag(header.party),
    format.plain(header.contact_company),
    t("conversation.line", line=format.plain(header.line_name)),
]
title.caption(" · ".join(part.strip() for part in details if part.strip()))
users = {"": t("conversation.nobody"), **data.read(conversation.assignable, header.line_id, header.assigned_to)}
st.session_state["assignee"] = header.assigned_to or ""
owner.selectbox(
    t("conversation.assignee"), list(users), format_func=users.__getitem__, key="assignee", on_change=assign,
    args=(header.id, header.assigned_to), disabled=not may_assign,
)  # fmt: skip
dial = header.party if header.party.startswith("+") else ""
party = {"name": header.contact_name, "spoken": number, "number": dial, "line": header.line_id}
with deeds:
    components.call_button(who, header.id, party)
components.call_details(who, header.id)
components.timeline(who, header.id, party, on_refresh_change=lambda: None)

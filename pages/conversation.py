"""One conversation: whom it is with, and its timeline."""

import streamlit as st

from aircall_core.store.queries import conversation
from aircall_core.ui import components, data, format, session
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
st.page_link("inbox.py", label=t("nav.inbox"), icon=":material/arrow_back:")
st.title(format.plain(header.contact_name or number), anchor=False)
details = [
    f"{format.flag(header.party)} {format.plain(number)}" if header.contact_name else format.flag(header.party),
    format.plain(header.contact_company),
    t("conversation.line", line=format.plain(header.line_name)),
]
st.caption(" · ".join(part.strip() for part in details if part.strip()))
dial = header.party if header.party.startswith("+") else ""
components.timeline(who, header.id, {"name": header.contact_name, "spoken": number, "dial": dial})

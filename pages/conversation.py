"""One conversation: whom it is with, its timeline over the composer, and beside them who the customer is."""

from functools import partial

import streamlit as st

from aircall_core.store.queries import conversation
from aircall_core.ui import components, data, format, navigation, session
from aircall_core.ui.text import t

who = session.current()
conversation_id = st.query_params.get("id", "")
header = None
if conversation_id and data.read(conversation.may_see, conversation_id, who.user_id, who.role):
    header = data.read(conversation.shown, conversation_id)
if header is None:
    st.title(t("nav.conversation"))
    st.info(t("conversation.none"), icon=":material/forum:")
    st.page_link("inbox.py", label=t("conversation.back"), icon=":material/arrow_back:")
    st.stop()

spoken = header["spoken"] if header["number"] else format.party(header["spoken"], "")
party = {"name": header["name"], "spoken": spoken, "number": header["number"], "line": header["line"]["id"]}


def follow(part: str) -> None:
    """The panel leads to another conversation, and there perhaps to an entry; both lead to where something is set."""
    state = st.session_state[f"{part}-{conversation_id}"]
    if opened := state.get("open"):
        other, _, entry = str(opened).partition(":")
        session.remember_page(navigation.CONVERSATION, id=other, **({"entry": entry} if entry else {}))
    elif (wanted := state.get("go")) and (file := navigation.file_of(who.role, str(wanted))):
        session.remember_page(file)


st.page_link("inbox.py", label=t("nav.inbox"), icon=":material/arrow_back:")
components.header(who, header)
components.call_details(who, conversation_id)
story, customer = st.columns([5, 3], gap="medium")
with story:
    components.timeline(who, conversation_id, party, st.query_params.get("entry", "")[:64])
    if who.role != "analyst":
        components.composer(who, conversation_id, on_go_change=partial(follow, "composer"))
with customer:
    lead = partial(follow, "snapshot")
    components.snapshot(who, conversation_id, on_open_change=lead, on_go_change=lead)

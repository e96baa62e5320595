"""The company: its name, country and time zone."""

import streamlit as st

from aircall_core.store.queries import company, people
from aircall_core.ui import data, session
from aircall_core.ui.editors.company import company_form, pause_form
from aircall_core.ui.text import t

who = session.current()
st.title(t("nav.company"), anchor=False)
st.caption(t("company.intro"))
with st.container(border=True):
    if company_form("company", data.read(people.company)):
        st.toast(t("page.saved"), icon=":material/check:")
st.subheader(t("availability.pause_title"), anchor=False)
with st.container(border=True):
    if pause_form("pause", data.read(company.everything)["auto_pause_after"]):
        st.toast(t("page.saved"), icon=":material/check:")

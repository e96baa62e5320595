"""The notice of the move to the new call experience (S1), on every page while it is announced."""

import streamlit as st
from babel.dates import format_date

from aircall_core.domain import rollout
from aircall_core.ids import now_ms
from aircall_core.store.queries.company import everything
from aircall_core.store.queries.people import Identity
from aircall_core.ui import data
from aircall_core.ui.text import t


def banner(who: Identity) -> None:
    """Says when it comes; administrators are led to where it is set."""
    company = data.read(everything)
    told = company["rollout"]
    if rollout.state(told, company["timezone"], now_ms()) != rollout.ANNOUNCED:
        return
    day = format_date(rollout.day(told), "long", locale="en")
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="rollout_notice"):
        st.markdown(f":blue[:material/campaign:] {t('rollout.notice', day=day)}", width="stretch")
        if who.role == "administrator":
            st.page_link("settings/plan.py", label=t("rollout.change"), icon=":material/settings:")

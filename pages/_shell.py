"""What every page stands in: identity, the live parts, and navigation by role."""

from pathlib import Path

import streamlit as st

from aircall_core.ui import components, navigation, session
from aircall_core.ui.text import t

st.set_page_config(page_title=t("page.product"), page_icon=":material/call:", layout="wide")
st.html(Path(components.__file__).parent / "static" / "shell.css")
who = session.current()

# Keyed, at the root of the main area and of the sidebar, before the page: one DOM node through every page change.
components.link(who)
components.ringer(who, on_open=navigation.opener("ringer"))
with st.sidebar:
    components.toolbar(who, on_open=navigation.opener("toolbar"))
    components.duty(who)
page = st.navigation(navigation.pages(who.role))
navigation.account(who)
session.follow()
page.run()

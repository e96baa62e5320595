"""What every page stands in: identity, the live parts, and navigation by role."""

import streamlit as st

from aircall_core.ui import assets, components, navigation, rollout, session
from aircall_core.ui.text import t

ICON = str(assets.FOLDER / "icon.png")
st.set_page_config(page_title=t("page.product"), page_icon=ICON, layout="wide")
st.logo(ICON, size="medium")
who = session.current()

# Keyed, at the root of the main area and of the sidebar, before the page: one DOM node through every page change.
components.link(who)
components.ringer(who, on_open=navigation.opener("ringer"))
with st.sidebar:
    components.toolbar(who, on_open=navigation.opener("toolbar"))
    components.duty(who)
page = st.navigation(navigation.pages(who.role), expanded=True)
navigation.account(who)
session.follow()
with session.store_may_be_away("retry-page"):
    rollout.banner(who)
    page.run()

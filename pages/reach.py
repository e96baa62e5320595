"""Use beyond this machine: what this browser can reach now, and what to set up for others."""

from pathlib import Path

import streamlit as st

from aircall_core.config import get_settings
from aircall_core.ui import components, format, session
from aircall_core.ui.text import t

who = session.current()
settings = get_settings()
st.title(t("nav.reach"), anchor=False)
st.caption(t("reach.intro"))
st.subheader(t("reach.tests"))
components.reach(who)

st.subheader(t("reach.now"))
if settings.loopback_only:
    st.warning(t("reach.loopback"), icon=":material/lan:")
first, last = settings.rtp_port_range
st.table(
    {
        t("reach.console"): settings.console_address,
        t("reach.sip"): settings.sip_address,
        t("reach.rtp"): f"UDP {first}-{last}",
        t("reach.public"): settings.public_address or t("reach.unset"),
        t("reach.ice"): ", ".join(url for one in settings.ice_server_list for url in one["urls"]) or t("reach.unset"),
    },
    border="horizontal",
)

for name in ("https", "proxy", "address", "rtp", "ice"):
    with st.expander(t(f"reach.{name}_title")):
        st.markdown(t(f"reach.{name}_text"))
        if name == "proxy":
            for title, file in (("Caddy", "Caddyfile"), ("nginx", "nginx.conf")):
                path = Path(__file__).resolve().parents[1] / "deploy" / file
                if path.is_file():
                    st.caption(f"{title} · {format.plain('deploy/' + file)}")
                    st.code(path.read_text("utf-8"), language=None)

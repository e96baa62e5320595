"""Audio check: hear yourself through the server (streamlit-webrtc), and choose the devices that calls use."""

import streamlit as st

from aircall_core.config import get_settings
from aircall_core.store.queries import readiness
from aircall_core.ui import audio_check, client, components, data, forms, session
from aircall_core.ui.text import t

who = session.current()
st.title(t("nav.audio_check"), anchor=False)
st.caption(t("audio.intro"))
echo = audio_check.echo()
playing = audio_check.streamer(echo, get_settings().ice_server_list)


@st.fragment
def level() -> None:
    """What the server hears, while it listens."""
    now = echo.level() if playing else audio_check.SILENT
    st.progress(now.share, text=t(f"audio.level_{now.verdict}" if playing else "audio.level_off"))
    if playing:
        components.pulse(who, every_s=0.3)


level()
if who.role == "administrator" and st.button(t("audio.good"), icon=":material/check:"):
    heard = forms.act(
        lambda: client.send("POST", "/desk/checklist", {"item": "audio_checked", "done": True}), t("page.saved")
    )
    if heard and not all(data.read(readiness.steps).values()):
        st.switch_page("setup.py")
st.subheader(t("audio.devices"), anchor=False)
components.devices(who)
with st.expander(t("audio.help_title")):
    st.markdown(t("audio.help"))

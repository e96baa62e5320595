"""Who can be rung now, line by line."""

import streamlit as st

from aircall_core.store.queries.readiness import LineReadiness
from aircall_core.ui import format, status
from aircall_core.ui.text import t


def summary(lines: list[LineReadiness], nothing: str) -> None:
    """One quiet line for each line; the reasons open beneath it."""
    if not lines:
        st.info(nothing, icon=":material/call:")
        return
    for line in lines:
        ready = len(line.available)
        mark = ":green[:material/check_circle:]" if ready else ":orange[:material/warning:]"
        names = ", ".join(format.plain(name) for name in line.available[:4]) or t("rung.nobody")
        label = f"{mark} **{format.plain(line.name)}** · {t('rung.count', ready=ready, all=len(line.users))} · {names}"
        with st.expander(label):
            st.caption(f"{format.flag(line.number)} {format.plain(format.party(line.number, line.country))}")
            if not line.users:
                st.markdown(t("rung.unassigned"))
            for name, state in line.users:
                st.markdown(f"{status.dot(state)} {format.plain(name)} · {status.words(state)}")

"""Retention: how long recordings and voicemails are kept."""

from typing import Any

import streamlit as st

from aircall_core.store.queries import people, retention
from aircall_core.ui import client, data, format, forms, session
from aircall_core.ui.text import t

LONGEST_DAYS = 3650
session.current()
st.title(t("nav.retention"), anchor=False)
st.caption(t("retention.intro"))
zone = data.read(people.company)["timezone"]
now, kept = data.read(retention.days), data.read(retention.kept)


def summary(kind: str) -> None:
    """How many there are of a kind."""
    one: dict[str, Any] = kept[kind]
    with st.container(border=True):
        st.metric(t(f"retention.now_{kind}"), f"{one['count']:,}")
        told = t("retention.nothing")
        if one["count"]:
            told = t("retention.size", size=format.size(one["bytes"]), date=format.day(one["oldest_at"], zone))
        st.caption(told)


def going(wanted: dict[str, int]) -> list[str]:
    """What would be deleted at once, in words."""
    told = []
    for kind, name in retention.OF_KIND.items():
        shorter = wanted[name] and (not now[name] or wanted[name] < now[name])
        count = data.read(retention.too_old, kind, wanted[name]) if shorter else 0
        if count:
            word = "voicemail" if kind == "voicemail" else "recordings"
            told.append(t(f"retention.{word}_{'one' if count == 1 else 'many'}", count=f"{count:,}"))
    return told


left, right = st.columns(2)
with left:
    summary("call")
with right:
    summary("voicemail")
with st.container(border=True):
    fields = forms.Form()
    wanted = {}
    for place, name in zip(st.columns(2), retention.FRESH, strict=True):
        with place:
            days = st.number_input(
                t(f"retention.{name}"), 0, LONGEST_DAYS, now[name], step=30, key=name, help=t("retention.days_help")
            )
            wanted[name] = int(fields.field(name, days))
    lost = going(wanted)
    sure = True
    if lost:
        st.warning(t("retention.will_go", what=", ".join(lost)), icon=":material/delete_forever:")
        sure = st.checkbox(t("retention.confirm"))
    elif not any(wanted.values()):
        st.caption(t("retention.forever"))
    if st.button(t("page.save"), type="primary", disabled=wanted == now):
        if not sure:
            st.error(t("retention.confirm_first"))
        elif fields.send(lambda: client.send("PATCH", "/desk/retention", wanted)):
            st.session_state["retention-saved"] = True
            st.rerun()
if st.session_state.pop("retention-saved", False):
    st.toast(t("page.saved"), icon=":material/check:")
st.caption(t("retention.advice"))

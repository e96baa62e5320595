"""Trunks: the carriers and PBXs that may bring calls."""

from typing import Any

import streamlit as st

from aircall_core.config import get_settings
from aircall_core.store.queries import lines, people
from aircall_core.ui import client, data, format, forms, rows, search, session, trunk_state
from aircall_core.ui.editors.trunk import FRESH, trunk_form
from aircall_core.ui.text import t

session.current()
zone = data.read(people.company)["timezone"]


@st.dialog(t("trunks.edit_title"), width="medium")
def edit(trunk: dict[str, Any] | None = None) -> None:
    """Make or change a trunk."""
    if trunk_form(f"trunk-{trunk['id'] if trunk else 'new'}", trunk or FRESH):
        st.rerun()
    if trunk:
        forms.confirm(
            f"remove-{trunk['id']}",
            t("trunks.remove_question", name=format.plain(trunk["name"])),
            lambda: client.send("DELETE", f"/desk/trunks/{trunk['id']}"),
        )


@st.dialog(t("trunks.test_title"))
def test(trunk: dict[str, Any]) -> None:
    """Ask the registrar now; beside it what the worker says of its registration."""
    st.markdown(f"**{format.plain(trunk['name'])}** · {format.plain(trunk['host'])}")
    try:
        with st.spinner(t("trunks.testing")):
            answer = client.send("POST", f"/desk/trunks/{trunk['id']}/test")
    except client.Refused as refused:
        st.error(refused.message)
        return
    if answer["problem"]:
        st.error(t(f"trunks.test_{answer['problem']}"), icon=":material/error:")
    else:
        told = f"{answer['code']} {format.plain(answer['reason'])}"
        st.success(t("trunks.test_answered", answer=told, ms=answer["ms"]), icon=":material/check_circle:")
    st.markdown(trunk_state.in_words(trunk))
    if trunk["state_at"]:
        st.caption(t("trunks.state_since", when=format.moment(trunk["state_at"], zone)))


rows.heading(
    t("nav.trunks"), t("trunks.intro", address=format.plain(get_settings().sip_address)), t("trunks.add"), edit
)
for trunk in search.chosen(
    "trunks",
    t("trunks.search"),
    data.read(lines.trunks_list),
    lambda one: (one["name"], one["host"], one["username"], *(one["cidrs"] or [])),
):
    where = trunk["host"] or ", ".join(trunk["cidrs"] or []) or trunk["username"] or ""
    if trunk["built_in"]:
        where = t("trunks.this_machine")
    kind = t(f"trunks.kind_{trunk['kind']}")
    called = trunk["last_call_at"]
    last = t("trunks.last_call", when=format.moment(called, zone)) if called else t("trunks.no_call")
    out = f" · {t('trunks.takes_out')}" if trunk["outbound_host"] or trunk["host"] else ""
    details = [
        f"{kind} · {format.plain(where)} · {trunk['transport'].upper()}{out}",
        f"{trunk_state.in_words(trunk)} · {last}",
    ]
    with rows.row(format.plain(trunk["name"]), details):
        if trunk["host"] and st.button(t("trunks.test"), key=f"test-{trunk['id']}", icon=":material/network_check:"):
            test(trunk)
        if trunk["built_in"]:
            st.badge(t("trunks.built_in"), color="gray")
        elif rows.edit(f"edit-{trunk['id']}"):
            edit(trunk)

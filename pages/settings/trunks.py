"""Trunks: the carriers and PBXs that may bring calls."""

from typing import Any

import streamlit as st

from aircall_core.config import get_settings
from aircall_core.store.queries import lines
from aircall_core.ui import client, data, format, forms, rows, session
from aircall_core.ui.editors.trunk import FRESH, trunk_form
from aircall_core.ui.text import t

session.current()


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


rows.heading(
    t("nav.trunks"), t("trunks.intro", address=format.plain(get_settings().sip_address)), t("trunks.add"), edit
)
for trunk in data.read(lines.trunks_list):
    state = t("trunks.off") if not trunk["enabled"] else t(f"trunks.state_{trunk['state'] or 'listening'}")
    if trunk["enabled"] and trunk["state"] == "failed":
        state = f":red[:material/error: {state} {trunk['state_code'] or ''}]"
    where = trunk["host"] or ", ".join(trunk["cidrs"] or []) or trunk["username"] or ""
    kind = t(f"trunks.kind_{trunk['kind']}")
    with rows.row(
        format.plain(trunk["name"]), [f"{kind} · {format.plain(where)} · {trunk['transport'].upper()} · {state}"]
    ):
        if trunk["built_in"]:
            st.badge(t("trunks.built_in"), color="gray")
        elif rows.edit(f"edit-{trunk['id']}"):
            edit(trunk)

"""The power dialer: which list, and for leaders its making and filling. What agents do with it is the component's."""

from typing import Any

import streamlit as st

from aircall_core.domain.plan import Feature, gate
from aircall_core.ids import now_ms
from aircall_core.store.queries import company, dial_lists, lines
from aircall_core.ui import client, components, data, format, forms, navigation, session
from aircall_core.ui.editors import dial_import
from aircall_core.ui.editors.dial_list import FRESH, list_form
from aircall_core.ui.text import t

who = session.current()
leads = who.role in ("administrator", "supervisor")
CHOSEN, MADE, BRINGING = "dialer-list", "dialer-made", "dialer-bringing"


def stop_if_off() -> None:
    """What is off says why, and where to turn it on."""
    found = gate(Feature.POWER_DIALER, data.read(company.everything), now_ms())
    if found.on:
        return
    st.title(t("nav.dialer"), anchor=False)
    why = t(f"plan.why_{found.why}", needs=t(f"plan.name_{found.needs}") if found.needs else "")
    st.info(t("dialer.off", why=why), icon=":material/lock:")
    if who.role == "administrator":
        st.page_link("settings/plan.py", label=t("dialer.off_admin"), icon=":material/deployed_code:")
    else:
        st.caption(t("dialer.off_agent"))
    st.stop()


@st.dialog(t("dialer.new"))
def new() -> None:
    """Make a list."""
    found = [line for line in data.read(lines.lines_list) if line["enabled"]]
    if not found:
        st.info(t("dialer.no_line"), icon=":material/call:")
        return
    made = list_form(FRESH, found)
    if made:
        st.session_state[MADE] = made
        st.rerun()


@st.dialog(t("dialer.edit"))
def edit(known: dict[str, Any]) -> None:
    """Another name or pause; away with it, or back."""
    if list_form(known, []):
        st.rerun()
    archived = known["archived"]
    word, icon = ("restore", "unarchive") if archived else ("archive", "archive")
    if st.button(t(f"dialer.{word}"), icon=f":material/{icon}:", help=t("dialer.archive_help")) and forms.act(
        lambda: client.send("PATCH", f"/desk/dial-lists/{known['id']}", {"archived": not archived}), t("page.saved")
    ):
        st.rerun()


def bring(known: dict[str, Any]) -> None:
    """Import a file of numbers, in place of the list: a dialog would be too small, and under the dock."""
    if st.button(t("dialer.back"), icon=":material/arrow_back:"):
        st.session_state[BRINGING] = None
        st.rerun()
    st.subheader(t("dialer.import_into", name=format.plain(known["name"])), anchor=False)
    if dial_import.import_form(known["id"]):
        st.session_state[BRINGING] = None
        st.rerun()


def name_of(one: dict[str, Any]) -> str:
    """A list in the choice of lists. How many are left is live, and therefore the component's to say."""
    return t("dialer.list_archived", name=one["name"]) if one["archived"] else str(one["name"])


def choose(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The list that the page shows: the one chosen last, also after a reload."""
    by_id = {one["id"]: one for one in found}
    wanted = st.session_state.pop(MADE, None) or st.session_state.get(CHOSEN) or st.query_params.get("list")
    if wanted not in by_id:
        wanted = next((one["id"] for one in found if one["left"]), found[0]["id"])
    st.session_state[CHOSEN] = wanted
    chosen: str = st.selectbox(
        t("dialer.list"), list(by_id), format_func=lambda one: name_of(by_id[one]), key=CHOSEN,
        label_visibility="collapsed",
    )  # fmt: skip
    st.query_params["list"] = chosen
    return by_id[chosen]


stop_if_off()
with st.container(horizontal=True, vertical_alignment="center"):
    st.title(t("nav.dialer"), anchor=False, width="stretch")
    if leads and st.button(t("dialer.new"), icon=":material/add:"):
        new()
archived = leads and st.session_state.get("dialer-archived", False)
found = data.read(dial_lists.lists, who.user_id, who.role, archived=archived)
bringing = next((one for one in found if leads and one["id"] == st.session_state.get(BRINGING)), None)
if bringing:
    bring(bringing)
elif found:
    with st.container(horizontal=True, vertical_alignment="center"):
        shown = choose(found)
        if leads:
            if st.button(t("dialer.import"), icon=":material/upload_file:", disabled=shown["archived"]):
                dial_import.forget(shown["id"])
                st.session_state[BRINGING] = shown["id"]
                st.rerun()
            if st.button(t("dialer.edit"), icon=":material/edit:"):
                edit(shown)
    if shown["archived"]:
        st.info(t("dialer.archived"), icon=":material/archive:")
    else:
        st.caption(f"{t('dialer.line')}: {format.plain(shown['line_name'])}")
    components.dialer(
        who, shown["id"], leads,
        on_open_change=navigation.opener(f"dialer-{shown['id']}"), on_refresh_change=lambda: None,
    )  # fmt: skip
else:
    st.caption(t("dialer.intro"))
    st.info(t("dialer.none_leader" if leads else "dialer.none_agent"), icon=":material/dialer_sip:")
if leads and not bringing:
    st.toggle(t("dialer.show_archived"), key="dialer-archived")

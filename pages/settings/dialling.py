"""Calling out: what may be called, whom nobody calls, and what was refused lately."""

from typing import Any

import streamlit as st

from aircall_core.store import dialling as rows_of
from aircall_core.store.queries import dialling, people
from aircall_core.ui import client, data, format, forms, rows, search, session
from aircall_core.ui.editors.dialling import number_form, rules_form
from aircall_core.ui.text import t

MOST = 100
who = session.current()
company = data.read(people.company)
may_change = who.role == "administrator"


@st.dialog(t("dialling.add_title"))
def add() -> None:
    """Put a number on the do-not-call list."""
    if number_form("do-not-call"):
        st.rerun()


def shown(number: str) -> str:
    """A number with its flag, as people of the company's country read it."""
    return f"{format.flag(number)} {format.plain(format.party(number, company['country']))}".strip()


def rules() -> None:
    """Countries and caps."""
    known = data.read(dialling.settings)
    if rules_form("dialling", known, sorted(data.read(dialling.own_countries))):
        st.session_state["dialling-saved"] = True
        st.rerun()
    if st.session_state.pop("dialling-saved", False):
        st.toast(t("page.saved"), icon=":material/check:")
    st.caption(t("dialling.always_refused"))
    st.page_link("settings/lines.py", label=t("dialling.go_lines"), icon=":material/call:")


def do_not_call() -> None:
    """The list, searched in the store: it may be long."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":small[{t('dialling.list_intro')}]", width="stretch")
        if st.button(t("dialling.add"), icon=":material/add:", type="primary"):
            add()
    count = data.read(rows_of.count)
    if not count:
        st.info(t("dialling.list_none"), icon=":material/phone_disabled:")
        return
    wanted = search.box("do-not-call", t("dialling.search"))
    found = data.read(rows_of.entries, search=wanted, limit=MOST)
    if not found:
        st.info(t("search.none"), icon=":material/search_off:")
    for entry in found:
        forbidden(entry)
    if len(found) == MOST and count > MOST:
        st.caption(t("dialling.more", count=f"{count:,}"))


def forbidden(entry: dict[str, Any]) -> None:
    """One number that nobody calls."""
    author = format.plain(entry["author"] or t("audit.system"))
    told = t("dialling.added_by", who=author, when=format.day(entry["created_at"], company["timezone"]))
    with rows.row(shown(entry["number"]), [format.plain(entry["note"]), told]):
        forms.confirm(
            f"allow-{entry['number']}",
            t("dialling.remove_question", number=shown(entry["number"])),
            lambda: client.send("DELETE", f"/desk/do-not-call/{entry['number'].removeprefix('+')}"),
        )


def refused() -> None:
    """The last numbers that were not dialled."""
    found = data.read(rows_of.refusals)
    st.markdown(f":small[{t('dialling.refused_intro')}]")
    if not found:
        st.info(t("dialling.refused_none"), icon=":material/verified_user:")
    for row in found:
        why = str(row["changes"].get("why", ("", ""))[-1])
        by = format.plain(row["actor_name"] or t("dialling.by_flow"))
        told = f"{by} · {format.plain(row['line_name'] or '')} · {format.moment(row['at'], company['timezone'])}"
        with rows.row(shown(row["subject_name"]), [told]):
            st.badge(t(f"dialling.why_{why}"), color="red" if why == "emergency" else "orange")


st.title(t("nav.dialling"), anchor=False)
st.caption(t("dialling.intro"))
parts = {"rules": rules, "list": do_not_call, "refused": refused} if may_change else {"list": do_not_call}
for tab, draw in zip(st.tabs([t(f"dialling.tab_{name}") for name in parts]), parts.values(), strict=True):
    with tab:
        draw()

"""Users: invite, change, switch off, give a new link, sign out."""

from typing import Any

import streamlit as st

from aircall_core.store.queries import people
from aircall_core.ui import client, data, format, forms, rows, session
from aircall_core.ui.editors.people import user_form
from aircall_core.ui.text import t

who = session.current()


def show_link(link: str) -> None:
    """A one-time link, which is shown this once."""
    st.markdown(t("users.link_ready"))
    st.code(link, language=None, wrap_lines=True)
    st.caption(t("users.link_once"))


@st.dialog(t("users.invite_title"))
def invite() -> None:
    """Invite somebody and show their link."""
    answer = user_form("invite", None)
    if answer:
        show_link(answer["link"])


@st.dialog(t("users.edit_title"))
def edit(user: dict[str, Any]) -> None:
    """Change somebody; switch them off or on; a new link."""
    if user_form(f"user-{user['id']}", user) is not None:
        st.rerun()
    st.divider()
    with st.container(horizontal=True):
        if user["state"] != "disabled" and st.button(
            t("users.link"), icon=":material/link:", help=t("users.link_help")
        ):
            try:
                show_link(client.send("POST", f"/desk/users/{user['id']}/link")["link"])
            except client.Refused as refused:
                st.error(refused.message)
        enable = user["state"] == "disabled"
        if st.button(t("users.enable" if enable else "users.disable"), icon=":material/person_off:"):
            state = {"state": "active" if enable else "disabled"}
            if forms.act(lambda: client.send("PATCH", f"/desk/users/{user['id']}", state), t("page.saved")):
                st.rerun()


rows.heading(t("nav.users"), t("users.intro"), t("users.invite"), invite)
for user in data.read(people.users_list):
    state = t(f"users.state_{user['state']}") if user["state"] != "active" else t(f"availability.{user['now']}")
    me = f" · {t('users.you')}" if user["id"] == who.user_id else ""
    with rows.row(
        format.plain(user["name"]), [f"{t('role.' + user['role'])} · {format.plain(user['email'])} · {state}{me}"]
    ):
        if rows.edit(f"edit-{user['id']}"):
            edit(user)

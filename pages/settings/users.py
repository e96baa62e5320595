"""Users: invite, change, how they work, whether they can be rung; switch off, give a new link."""

from typing import Any

import streamlit as st

from aircall_core.store.queries import people
from aircall_core.ui import client, data, format, forms, rows, search, session, status
from aircall_core.ui.editors.people import availability_switch, today, user_form
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
    if user["state"] == "active":
        st.divider()
        if availability_switch(user):
            st.rerun()
        today(user, data.read(people.company)["timezone"])
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
users = data.read(people.users_list)
st.button(t("health.refresh"), icon=":material/refresh:", type="tertiary")
for user in search.chosen("users", t("users.search"), users, lambda one: (one["name"], one["email"])):
    active = user["state"] == "active"
    now = status.words(user["now"], user["reason"], user["for_ms"]) if active else t(f"users.state_{user['state']}")
    details = [f"{t('role.' + user['role'])} · {format.plain(user['email'])}"]
    if user["id"] == who.user_id:
        details[0] += f" · {t('users.you')}"
    with rows.row(format.plain(user["name"]), [*details, f"{status.dot(user['now'])} {now}"]):
        if rows.edit(f"edit-{user['id']}"):
            edit(user)

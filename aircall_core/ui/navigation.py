"""Which pages a role has, and how components lead to one."""

from collections.abc import Callable
from typing import Any

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from aircall_core.config import get_settings
from aircall_core.store.queries.people import Identity
from aircall_core.ui import session
from aircall_core.ui.gate import desk_address
from aircall_core.ui.text import t

CONVERSATION = "conversation.py"


def pages(role: str) -> dict[str, list[StreamlitPage]]:
    """The pages of a role by section, in the order of the sidebar."""

    def page(file: str, name: str, icon: str, **more: Any) -> StreamlitPage:
        return st.Page(file, title=t(f"nav.{name}"), icon=f":material/{icon}:", url_path=more.pop("path", name), **more)

    work = [
        page("inbox.py", "inbox", "inbox", default=True),
        page(CONVERSATION, "conversation", "forum", visibility="hidden"),
        page("audio_check.py", "audio_check", "graphic_eq"),
    ]
    if role != "administrator":
        return {"": work}
    return {
        "": work,
        t("nav.settings"): [
            page("setup.py", "setup", "checklist"),
            page("settings/company.py", "company", "domain"),
            page("settings/users.py", "users", "person"),
            page("settings/teams.py", "teams", "group"),
            page("settings/lines.py", "lines", "call"),
            page("settings/trunks.py", "trunks", "cable"),
        ],
        t("nav.system"): [
            page("health.py", "health", "monitor_heart"),
            page("reach.py", "reach", "public"),
        ],
    }


def opener(key: str) -> Callable[[], None]:
    """A callback for a component whose trigger `open` holds a conversation's id."""

    def go() -> None:
        conversation = st.session_state[key].get("open")
        if conversation:
            session.remember_page(CONVERSATION, id=str(conversation))

    return go


def account(who: Identity) -> None:
    """Who is signed in, and the way out."""
    settings = get_settings()
    host = st.context.headers.get("host", f"127.0.0.1:{settings.http_port}")
    scheme = "https" if settings.console_url.startswith("https:") else "http"
    logout = f"{desk_address(settings, scheme, host)}/session/logout"
    with st.sidebar.popover(who.name, icon=":material/account_circle:", width="stretch"):
        st.caption(t(f"role.{who.role}"))
        # A form of the browser, since only the desk may end the session and clear its cookie.
        st.html(
            f'<form method="post" action="{logout}" class="sign-out">'
            f'<button type="submit">{t("page.sign_out")}</button></form>'
        )

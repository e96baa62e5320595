"""Which pages a role has, and how components lead to one."""

from collections.abc import Callable, Mapping
from html import escape

import streamlit as st
from starlette.requests import Request
from starlette.responses import RedirectResponse
from streamlit.navigation.page import StreamlitPage

from aircall_core.config import get_settings
from aircall_core.store.queries.people import Identity
from aircall_core.ui import components, format, session
from aircall_core.ui.gate import desk_address
from aircall_core.ui.text import t

CONVERSATION = "conversation.py"
CONTACTS = "contacts.py"
DIALER = "dialer.py"  # for who speaks with customers


# Section -> pages as (file, name, icon), in the order of the sidebar. The first is home.
_WORK = (
    ("inbox.py", "inbox", "inbox"),
    (CONVERSATION, "conversation", "forum"),
    ("search.py", "search", "search"),
    (CONTACTS, "contacts", "contacts"),
    (DIALER, "dialer", "dialer_sip"),
    ("audio_check.py", "audio_check", "graphic_eq"),
)
_DIALLING = ("settings/dialling.py", "dialling", "phone_forwarded")
_TEXTS = ("settings/messaging.py", "messaging", "sms")
_LEADER = {"calls": (_DIALLING, _TEXTS)}
_ADMIN = {
    "organisation": (
        ("setup.py", "setup", "checklist"),
        ("settings/company.py", "company", "domain"),
        ("settings/users.py", "users", "person"),
        ("settings/teams.py", "teams", "group"),
        ("settings/tags.py", "tags", "sell"),
        ("settings/contact_fields.py", "contact_fields", "list_alt"),
        ("settings/plan.py", "plan", "deployed_code"),
    ),
    "calls": (
        ("settings/lines.py", "lines", "call"),
        _DIALLING,
        ("settings/flows.py", "flows", "account_tree"),
        ("settings/hours.py", "hours", "schedule"),
        ("settings/prompts.py", "prompts", "campaign"),
        ("settings/blocklist.py", "blocklist", "block"),
        ("settings/trunks.py", "trunks", "cable"),
        _TEXTS,
        ("settings/insights.py", "insights", "badge"),
    ),
    "system": (
        ("health.py", "health", "monitor_heart"),
        ("reach.py", "reach", "public"),
        ("settings/retention.py", "retention", "auto_delete"),
        ("settings/audit.py", "audit", "history"),
    ),
}


def outline(role: str) -> dict[str, tuple[tuple[str, str, str], ...]]:
    """The pages of a role by section."""
    more = _ADMIN if role == "administrator" else _LEADER if role == "supervisor" else {}
    work = tuple(page for page in _WORK if page[0] != DIALER or role != "analyst")
    return {"": work, **more}


def pages(role: str) -> dict[str, list[StreamlitPage]]:
    """The pages of a role as Streamlit wants them; a conversation has no entry of its own in the sidebar."""
    return {
        t(f"nav.{section}") if section else "": [
            st.Page(
                file,
                title=t(f"nav.{name}"),
                icon=f":material/{icon}:",
                url_path=name,
                default=name == "inbox",
                visibility="hidden" if file == CONVERSATION else "visible",
            )
            for file, name, icon in entries
        ]
        for section, entries in outline(role).items()
    }


def file_of(role: str, name: str) -> str | None:
    """The file of a page by its name in addresses, if the role has it."""
    return next((file for entries in outline(role).values() for file, known, _ in entries if known == name), None)


async def home(_: Request) -> RedirectResponse:
    """The home page's name typed as an address: Streamlit knows it as / alone."""
    return RedirectResponse("/")


def opener(key: str) -> Callable[[], None]:
    """A callback for a component whose trigger `open` holds a conversation's id, or {"id", "entry"}: a place in it."""

    def go() -> None:
        wanted = st.session_state[key].get("open")
        if isinstance(wanted, Mapping):
            session.remember_page(CONVERSATION, id=str(wanted["id"]), entry=str(wanted["entry"]))
        elif wanted:
            session.remember_page(CONVERSATION, id=str(wanted))

    return go


def account(who: Identity) -> None:
    """Who is signed in, and the way out."""
    settings = get_settings()
    host = st.context.headers.get("host", f"127.0.0.1:{settings.http_port}")
    scheme = "https" if settings.console_url.startswith("https:") else "http"
    logout = f"{desk_address(settings, scheme, host)}/session/logout"
    with st.sidebar.popover(format.plain(who.name), icon=":material/account_circle:", width="stretch"):
        st.caption(t(f"role.{who.role}"))
        components.notifications(who)
        components.keys(who)
        # A form of the browser, since only the desk may end the session and clear its cookie.
        st.html(
            f'<form method="post" action="{escape(logout)}" class="sign-out">'
            f'<button type="submit">{t("page.sign_out")}</button></form>'
        )

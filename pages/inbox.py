"""Home: what is left before the first call, who can be rung now, and the conversations, newest first."""

from typing import Any

import streamlit as st

from aircall_core.store.queries import callbacks, inbox, readiness
from aircall_core.ui import checklist, client, components, data, format, forms, navigation, rung, session
from aircall_core.ui.text import t

who = session.current()
PAGE = 50
FILTERS = {"all": "", "unread": inbox.UNREAD, "missed": inbox.MISSED, "voicemail": inbox.VOICEMAIL}
CALLBACKS = "callbacks"

head, action = st.columns([3, 1], vertical_alignment="center")
head.title(t("nav.inbox"))


def wants_more() -> None:
    """The list's button "Show older"."""
    st.session_state["inbox_rows"] = st.session_state.get("inbox_rows", PAGE) + PAGE


def shown(row: inbox.Row) -> dict[str, Any]:
    """A row as the component draws it."""
    number = format.party(row.party, row.line_country)
    return {
        "id": row.id,
        "title": row.contact_name or number,
        "named": bool(row.contact_name),
        "number": number,
        "flag": format.flag(row.party),
        "dial": row.party if row.party.startswith("+") else "",
        "line": row.line_name,
        "line_id": row.line_id,
        "last_at": row.last_at,
        "unread": row.unread,
        "call": row.call,
    }


def conversations(choice: str) -> None:
    """The list, as far as it was asked for."""
    limit = st.session_state.get("inbox_rows", PAGE)
    rows = data.read(inbox.conversations_of, who.user_id, who.role, limit=limit + 1, only=FILTERS[choice])
    hint = t("inbox.hint" if choice == "all" else f"inbox.hint_{choice}")
    components.inbox(
        who, [shown(row) for row in rows[:limit]], len(rows) > limit, hint,
        on_open_change=navigation.opener("inbox"), on_more_change=wants_more, on_refresh_change=lambda: None,
    )  # fmt: skip


@st.fragment
@session.store_may_be_away("retry-inbox")
def live() -> None:
    """Everything that calls change; events rerun this part alone."""
    steps = data.read(readiness.steps) if who.role == "administrator" else {}
    if not all(steps.values()):
        checklist.card(steps)
    own_lines = data.read(inbox.visible_lines, who.user_id, who.role)
    lines = data.read(readiness.who_can_be_rung, own_lines)
    if all(steps.values()):
        rung.summary(lines, t("inbox.no_line"))
    waiting = data.read(callbacks.waiting, who.user_id, who.role)
    labels = {one: t(f"inbox.{one}") for one in (*FILTERS, CALLBACKS)}
    labels[CALLBACKS] += f" ({waiting})" if waiting else ""
    choice = st.segmented_control(
        t("inbox.filter"), list(labels), default="all", format_func=labels.__getitem__,
        label_visibility="collapsed", key="inbox_filter",
    )  # fmt: skip
    if choice == CALLBACKS:
        cards = data.read(callbacks.cards, who.user_id, who.role)
        components.callbacks(who, cards, on_open_change=navigation.opener("callbacks"), on_refresh_change=lambda: None)
    else:
        conversations(choice or "all")
    if "goto" in st.session_state:
        st.rerun()


def test_call() -> None:
    """The test phone calls the first line that somebody answers."""
    lines = data.read(readiness.who_can_be_rung)
    line = next((one for one in lines if one.available), lines[0] if lines else None)
    if line is None:
        st.error(t("inbox.test_no_line"))
    elif not line.available:
        st.warning(t("inbox.test_nobody", line=format.plain(line.name)))
    else:
        forms.act(lambda: client.send("POST", "/desk/testcall", {"line_id": line.id}), t("inbox.test_placed"))


if who.role == "administrator" and action.button(
    t("inbox.test"), icon=":material/phone_forwarded:", width="stretch", help=t("inbox.test_help")
):
    test_call()
live()

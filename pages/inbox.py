"""Home: what is left before the first call, who can be rung now, and the inbox."""

import streamlit as st

from aircall_core.store.queries import inbox, inbox_rows, readiness
from aircall_core.ui import checklist, client, components, data, format, forms, navigation, rung, session
from aircall_core.ui.text import t

who = session.current()

head, action = st.columns([3, 1], vertical_alignment="center")
head.title(t("nav.inbox"))


@st.fragment
@session.store_may_be_away("retry-inbox")
def live() -> None:
    """Everything that calls change; events rerun this part alone. The list itself reads from the desk."""
    steps = data.read(readiness.steps) if who.role == "administrator" else {}
    if not all(steps.values()):
        checklist.card(steps)
    own_lines = data.read(inbox.visible_lines, who.user_id, who.role)
    ready = data.read(readiness.who_can_be_rung, own_lines)
    if all(steps.values()):
        rung.summary(ready, t("inbox.no_line"))
    components.inbox(
        who,
        [{"id": one.id, "name": one.name} for one in ready],
        data.read(inbox_rows.choices),
        checklist=not all(steps.values()),
        on_open_change=navigation.opener("inbox"), on_refresh_change=lambda: None,
    )  # fmt: skip
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

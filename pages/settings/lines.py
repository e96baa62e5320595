"""Lines: the numbers that customers call."""

from typing import Any

import streamlit as st

from aircall_core.store.queries import lines, people, readiness
from aircall_core.ui import client, data, format, forms, rows, session
from aircall_core.ui.editors.line import FRESH, line_form
from aircall_core.ui.text import t

session.current()
users, teams = data.read(people.users_list), data.read(people.teams_list)
home = data.read(people.company)["country"]


@st.dialog(t("lines.edit_title"), width="medium")
def edit(line: dict[str, Any] | None = None) -> None:
    """Make or change a line."""
    if line_form(f"line-{line['id'] if line else 'new'}", line or FRESH, users, teams, home=home):
        st.rerun()
    if line:
        forms.confirm(
            f"remove-{line['id']}",
            t("lines.remove_question", name=format.plain(line["name"])),
            lambda: client.send("DELETE", f"/desk/lines/{line['id']}"),
        )


rows.heading(t("nav.lines"), t("lines.intro"), t("lines.add"), edit)
found = data.read(lines.lines_list)
ready = {one.id: one for one in data.read(readiness.who_can_be_rung)}
if not found:
    st.info(t("lines.none"), icon=":material/call:")
for line in found:
    state = ready.get(line["id"])
    who = t("rung.count", ready=len(state.available), all=len(state.users)) if state else t("lines.off")
    number = f"{format.flag(line['number'])} {format.plain(format.party(line['number'], line['country']))}"
    details = [f"{number} · {who} · {t('lines.recording_short_' + line['recording'])}"]
    if state and not state.users:
        details.append(f":orange[:material/warning: {t('rung.unassigned')}]")
    with rows.row(format.plain(line["name"]), details):
        if rows.edit(f"edit-{line['id']}"):
            edit(line)

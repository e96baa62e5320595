"""Lines: the numbers that customers call."""

from typing import Any

import streamlit as st

from aircall_core.store import message_settings
from aircall_core.store.queries import lines, people, readiness
from aircall_core.ui import client, data, format, forms, rows, search, session
from aircall_core.ui.editors.line import FRESH, line_form
from aircall_core.ui.text import t

session.current()
users, teams = data.read(people.users_list), data.read(people.teams_list)
home = data.read(people.company)["country"]
trunks = data.read(lines.trunks_list)
accounts = data.read(message_settings.accounts_list)


@st.dialog(t("lines.edit_title"), width="medium")
def edit(line: dict[str, Any] | None = None) -> None:
    """Make or change a line."""
    key = f"line-{line['id'] if line else 'new'}"
    if line_form(key, line or FRESH, users, teams, home=home, trunks=trunks, accounts=accounts):
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
names = {one["id"]: one["name"] for one in [*users, *teams, *trunks]}


def texts(line: dict[str, Any]) -> list[str]:
    """What a line is found by."""
    national = format.party(line["number"], line["country"])
    return [line["name"], line["number"], national, *(names.get(one, "") for one in line["users"] + line["teams"])]


for line in search.chosen("lines", t("lines.search"), found, texts):
    state = ready.get(line["id"])
    who = t("rung.count", ready=len(state.available), all=len(state.users)) if state else t("lines.off")
    number = f"{format.flag(line['number'])} {format.plain(format.party(line['number'], line['country']))}"
    flow = t("lines.flow", version=line["flow_version"]) if line["flow_version"] else t("lines.flow_default")
    extras = [flow, t(f"lines.recording_short_{line['recording']}")]
    if line["priority"]:
        extras.append(t("lines.priority_short", priority=line["priority"]))
    if line["tags_required"]:
        extras.append(t("lines.tags_short"))
    way = names.get(line["outbound_trunk_id"])
    extras.append(t("lines.out_short", trunk=format.plain(way)) if way else t("lines.out_none"))
    details = [f"{number} · {who}", " · ".join(extras)]
    if state and not state.users:
        details.append(f":orange[:material/warning: {t('rung.unassigned')}]")
    with rows.row(format.plain(line["name"]), details):
        st.page_link(
            "settings/flows.py", label=t("lines.go_flow"), icon=":material/account_tree:",
            query_params={"line": line["id"]},
        )  # fmt: skip
        if rows.edit(f"edit-{line['id']}"):
            edit(line)

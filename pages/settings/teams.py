"""Teams: groups of users that answer lines together."""

from typing import Any

import streamlit as st

from aircall_core.store.queries import people
from aircall_core.ui import client, data, format, forms, rows, search, session
from aircall_core.ui.editors.people import team_form
from aircall_core.ui.text import t

session.current()
users = data.read(people.users_list)
names = {user["id"]: user["name"] for user in users}


@st.dialog(t("teams.edit_title"))
def edit(team: dict[str, Any] | None = None) -> None:
    """Make or change a team."""
    if team_form(f"team-{team['id'] if team else 'new'}", team, users):
        st.rerun()
    if team:
        forms.confirm(
            f"remove-{team['id']}",
            t("teams.remove_question", name=format.plain(team["name"])),
            lambda: client.send("DELETE", f"/desk/teams/{team['id']}"),
        )


rows.heading(t("nav.teams"), t("teams.intro"), t("teams.add"), edit)
teams = data.read(people.teams_list)
if not teams:
    st.info(t("teams.none"), icon=":material/group:")
for team in search.chosen(
    "teams", t("teams.search"), teams, lambda one: (one["name"], *(names.get(user, "") for user in one["users"]))
):
    members = ", ".join(format.plain(names.get(one, "")) for one in team["users"]) or t("teams.empty")
    with rows.row(format.plain(team["name"]), [members]):
        if rows.edit(f"edit-{team['id']}"):
            edit(team)

"""The forms of users and teams."""

from typing import Any

import streamlit as st

from aircall_core.ui import client
from aircall_core.ui.forms import form
from aircall_core.ui.text import t

ROLES = ("administrator", "supervisor", "agent", "analyst")


def user_form(key: str, user: dict[str, Any] | None) -> dict[str, Any] | None:
    """Invite somebody, or change who they are; the desk's answer once it is saved."""
    known = user or {"name": "", "email": "", "role": "agent"}
    answer: dict[str, Any] = {}
    with form(key) as fields:
        name = fields.field("name", st.text_input(t("users.name"), known["name"], max_chars=80, autocomplete="off"))
        email = fields.field(
            "email", st.text_input(t("users.email"), known["email"], max_chars=254, autocomplete="off")
        )
        role = fields.field(
            "role",
            st.radio(
                t("users.role"),
                ROLES,
                index=ROLES.index(known["role"]),
                format_func=lambda one: t(f"role.{one}"),
                captions=[t(f"users.role_{one}") for one in ROLES],
            ),
        )
        if not st.form_submit_button(t("page.save" if user else "users.invite"), type="primary"):
            return None
        body = {"name": name, "email": email, "role": role}

        def save() -> None:
            if user:
                answer.update(client.send("PATCH", f"/desk/users/{user['id']}", body))
            else:
                answer.update(client.send("POST", "/desk/users", body))

        return answer if fields.send(save) else None


def team_form(key: str, team: dict[str, Any] | None, users: list[dict[str, Any]]) -> bool:
    """A team's name and members."""
    known = team or {"name": "", "users": []}
    names = {one["id"]: one["name"] for one in users if one["state"] != "disabled" or one["id"] in known["users"]}
    with form(key) as fields:
        name = fields.field("name", st.text_input(t("teams.name"), known["name"], max_chars=80))
        members = fields.field(
            "users", st.multiselect(t("teams.users"), list(names), known["users"], format_func=lambda one: names[one])
        )
        if not st.form_submit_button(t("page.save"), type="primary"):
            return False
        body = {"name": name, "users": members}
        if team:
            return fields.send(lambda: client.send("PATCH", f"/desk/teams/{team['id']}", body))
        return fields.send(lambda: client.send("POST", "/desk/teams", body))

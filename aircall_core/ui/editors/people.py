"""The forms of users and teams."""

import functools
from typing import Any

import streamlit as st

from aircall_core.domain.availability import CHOICES
from aircall_core.store.queries import people
from aircall_core.store.schedules import all_schedules
from aircall_core.ui import client, data, format, forms, status
from aircall_core.ui.forms import form
from aircall_core.ui.text import t

HIGHEST_CAP = 100_000
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
        work: dict[str, Any] = {}
        if user:
            hours = {row["id"]: row["name"] for row in data.read(all_schedules)}
            wrap_up, schedule = st.columns(2)
            with wrap_up:
                seconds = st.number_input(
                    t("availability.wrap_up_s"), 0, 900, user["wrap_up_s"], 5, help=t("availability.wrap_up_help")
                )
                work["wrap_up_s"] = fields.field("wrap_up_s", seconds)
            with schedule:
                options = ["", *hours]
                chosen = st.selectbox(
                    t("availability.schedule"),
                    options,
                    index=options.index(user["schedule_id"]) if user["schedule_id"] in hours else 0,
                    format_func=lambda one: hours.get(one) or t("availability.schedule_none"),
                    help=t("availability.schedule_help"),
                )
                work["schedule_id"] = fields.field("schedule_id", chosen)
            with wrap_up:
                cap = st.number_input(
                    t("users.dial_cap"), 0, HIGHEST_CAP, user["dial_cap"], 10, help=t("lines.dial_cap_help"),
                    placeholder=t("lines.dial_cap_company"),
                )  # fmt: skip
                work["dial_cap"] = -1 if fields.field("dial_cap", cap) is None else int(cap or 0)
            work["call_waiting"] = st.toggle(
                t("users.call_waiting"), user["call_waiting"], help=t("users.call_waiting_help")
            )
        if not st.form_submit_button(t("page.save" if user else "users.invite"), type="primary"):
            return None
        body = {"name": name, "email": email, "role": role, **work}

        def save() -> None:
            if user:
                answer.update(client.send("PATCH", f"/desk/users/{user['id']}", body))
            else:
                answer.update(client.send("POST", "/desk/users", body))

        return answer if fields.send(save) else None


def availability_switch(user: dict[str, Any]) -> bool:
    """Make somebody available or unavailable, at once; whether that was done."""
    now = f"{status.dot(user['now'])} {status.words(user['now'], user['reason'], user['for_ms'])}"
    st.markdown(f"**{t('availability.choice')}** · {now}")
    path, done = f"/desk/users/{user['id']}/availability", False
    with st.container(horizontal=True):
        for choice in CHOICES:
            label, key = t(f"availability.choice_{choice}"), f"choose-{choice}-{user['id']}"
            if st.button(label, key=key, disabled=choice == user["choice"]):
                done = forms.act(functools.partial(client.send, "POST", path, {"choice": choice}), t("page.saved"))
    st.caption(t("availability.choice_help"))
    return done


def today(user: dict[str, Any], timezone: str) -> None:
    """The user's statuses since midnight in the company's zone, newest first."""
    with st.expander(t("availability.history")):
        rows = data.read(people.statuses_of_today, user["id"], timezone)
        lines = [
            f"{status.dot(row['status'])} {format.time_of_day(row['since'], timezone)} · "
            f"{status.words(row['status'], row['reason'], row['for_ms'])}"
            for row in rows
        ]
        st.markdown("  \n".join(lines) or t("availability.history_none"))


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

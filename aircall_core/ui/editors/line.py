"""A line's form."""

from typing import Any

import streamlit as st

from aircall_core.ui import client, format
from aircall_core.ui.forms import Form, form
from aircall_core.ui.text import t

RECORDING = ("off", "on", "notice")
LANGUAGES = ("en", "es", "fr")  # of the prompts that come with the console
PRIORITIES = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
FRESH: dict[str, Any] = {
    "id": None, "name": "", "number": "", "country": "", "language": "", "ring_s": 30, "recording": "off",
    "enabled": True, "users": [], "teams": [], "priority": None, "assignee_first_s": 0, "tags_required": False,
}  # fmt: skip


def line_form(
    key: str, line: dict[str, Any], users: list[dict[str, Any]], teams: list[dict[str, Any]], *, home: str
) -> bool:
    """Name, number, who answers, how long it rings, recording. `home` is the company's country."""
    countries = format.countries()
    country_now = line["country"] or home
    user_names = {one["id"]: one["name"] for one in users if one["state"] != "disabled" or one["id"] in line["users"]}
    team_names = {one["id"]: one["name"] for one in teams}
    with form(key) as fields:
        left, right = st.columns(2)
        with left:
            name = fields.field(
                "name", st.text_input(t("lines.name"), line["name"], placeholder=t("lines.name_example"), max_chars=80)
            )
            number = fields.field(
                "number", st.text_input(t("lines.number"), line["number"], help=t("lines.number_help"))
            )
            country = fields.field(
                "country",
                st.selectbox(
                    t("lines.country"),
                    list(countries),
                    index=list(countries).index(country_now) if country_now in countries else None,
                    format_func=lambda code: countries[code],
                ),
            )
            language_now = line["language"] or format.language_of(home, LANGUAGES)
            language = fields.field(
                "language",
                st.selectbox(
                    t("lines.language"),
                    LANGUAGES,
                    index=LANGUAGES.index(language_now),
                    format_func=lambda one: t(f"prompts.language_{one}"),
                    help=t("lines.language_help"),
                ),
            )
        with right:
            chosen = fields.field(
                "users",
                st.multiselect(
                    t("lines.users"), list(user_names), line["users"], format_func=lambda one: user_names[one]
                ),
            )
            chosen_teams = fields.field(
                "teams",
                st.multiselect(
                    t("lines.teams"), list(team_names), line["teams"], format_func=lambda one: team_names[one]
                ),
            )
            ring_s = fields.field(
                "ring_s",
                st.number_input(t("lines.ring_s"), 5, 300, line["ring_s"], step=5, help=t("lines.ring_s_help")),
            )
        recording = fields.field(
            "recording",
            st.radio(
                t("lines.recording"),
                RECORDING,
                index=RECORDING.index(line["recording"]),
                format_func=lambda one: t(f"lines.recording_{one}"),
                captions=[t(f"lines.recording_{one}_help") for one in RECORDING],
            ),
        )
        more = _more(fields, line)
        enabled = st.toggle(t("lines.enabled"), line["enabled"])
        if not st.form_submit_button(t("page.save"), type="primary"):
            return False
        body = {
            "name": name, "number": number, "country": country or "", "language": language, "users": chosen,
            "teams": chosen_teams, "ring_s": int(ring_s), "recording": recording, "enabled": enabled, **more,
        }  # fmt: skip
        if line["id"]:
            return fields.send(lambda: client.send("PATCH", f"/desk/lines/{line['id']}", body))
        return fields.send(lambda: client.send("POST", "/desk/lines", body))


def _more(fields: Form, line: dict[str, Any]) -> dict[str, Any]:
    """Priority, the assignee first, and tags."""
    left, right = st.columns(2)
    with left:
        priority = fields.field(
            "priority",
            st.selectbox(
                t("lines.priority"),
                PRIORITIES,
                index=PRIORITIES.index(line["priority"] or 0),
                format_func=lambda one: t("lines.priority_some", priority=one) if one else t("lines.priority_none"),
                help=t("lines.priority_help"),
            ),
        )
    with right:
        assignee_s = fields.field(
            "assignee_first_s",
            st.number_input(
                t("lines.assignee_first"), 0, 60, line["assignee_first_s"], step=5, help=t("lines.assignee_first_help")
            ),
        )
    tags = st.toggle(t("lines.tags_required"), line["tags_required"], help=t("lines.tags_required_help"))
    return {"priority": priority, "assignee_first_s": int(assignee_s), "tags_required": tags}

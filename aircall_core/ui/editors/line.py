"""A line's form."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from aircall_core.ui import client, format
from aircall_core.ui.forms import Form, form
from aircall_core.ui.text import t

RECORDING = ("off", "on", "notice")
EMERGENCY = ("refuse", "dial")
HIGHEST_CAP = 100_000
LONGEST_OPEN_MIN = 90 * 24 * 60
LANGUAGES = ("en", "es", "fr")  # of the prompts that come with the console
PRIORITIES = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
FRESH: dict[str, Any] = {
    "id": None, "name": "", "number": "", "country": "", "language": "", "ring_s": 30, "recording": "off",
    "enabled": True, "users": [], "teams": [], "priority": None, "assignee_first_s": 0, "tags_required": False,
    "outbound_trunk_id": None, "caller_id": None, "emergency": "refuse", "dial_cap": None, "pause_on_hold": False,
    "pause_notice": False, "message_account_id": None, "auto_close_min": None,
}  # fmt: skip


def line_form(
    key: str,
    line: dict[str, Any],
    users: list[dict[str, Any]],
    teams: list[dict[str, Any]],
    *,
    home: str,
    trunks: Sequence[Mapping[str, Any]] = (),
    accounts: Sequence[Mapping[str, Any]] = (),
) -> bool:
    """Name, number, who answers, how long it rings, recording, calls out. `home` is the company's country."""
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
        pauses = {
            name: st.toggle(t(f"lines.{name}"), line[name], key=f"{key}-{name}")
            for name in ("pause_on_hold", "pause_notice")
        }
        more = {**_more(fields, line), **_out(fields, line, trunks), **_texts(fields, line, accounts), **pauses}
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


def _out(fields: Form, line: dict[str, Any], trunks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Calls out: the trunk, the number that is shown, emergency numbers, the cap."""
    st.markdown(f"**{t('lines.out')}**")
    names = {one["id"]: one["name"] for one in trunks if one["outbound_host"] or one["host"]}
    options = ["", *names]
    left, right = st.columns(2)
    with left:
        chosen = st.selectbox(
            t("lines.out_trunk"), options,
            index=options.index(line["outbound_trunk_id"]) if line["outbound_trunk_id"] in names else 0,
            format_func=lambda one: names.get(one) or t("lines.out_trunk_none"), help=t("lines.out_trunk_help"),
        )  # fmt: skip
        trunk = fields.field("outbound_trunk_id", chosen)
        cap = st.number_input(
            t("lines.dial_cap"), 0, HIGHEST_CAP, line["dial_cap"], step=10, help=t("lines.dial_cap_help"),
            placeholder=t("lines.dial_cap_company"),
        )  # fmt: skip
        fields.field("dial_cap", cap)
    with right:
        shown = st.text_input(
            t("lines.caller_id"), line["caller_id"] or "", max_chars=40, help=t("lines.caller_id_help"),
            placeholder=t("lines.caller_id_line"),
        )  # fmt: skip
        caller_id = fields.field("caller_id", shown)
        emergency = st.radio(
            t("lines.emergency"), EMERGENCY, index=EMERGENCY.index(line["emergency"]),
            format_func=lambda one: t(f"lines.emergency_{one}"),
            captions=[t(f"lines.emergency_{one}_help") for one in EMERGENCY],
        )  # fmt: skip
        fields.field("emergency", emergency)
    return {
        "outbound_trunk_id": trunk, "caller_id": caller_id, "emergency": emergency,
        "dial_cap": -1 if cap is None else int(cap),
    }  # fmt: skip


def _texts(fields: Form, line: dict[str, Any], accounts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The account that texts go through, and when a conversation closes by itself."""
    st.markdown(f"**{t('lines.texts')}**")
    names = {"": t("lines.message_account_none"), **{one["id"]: one["name"] for one in accounts}}
    left, right = st.columns(2)
    with left:
        now = line["message_account_id"] or ""
        chosen = st.selectbox(
            t("lines.message_account"), list(names), index=list(names).index(now) if now in names else 0,
            format_func=names.__getitem__,
        )  # fmt: skip
        account = fields.field("message_account_id", chosen)
    with right:
        minutes = st.number_input(
            t("lines.auto_close"), 0, LONGEST_OPEN_MIN, line["auto_close_min"] or 0, step=30,
            help=t("lines.auto_close_help"),
        )  # fmt: skip
        fields.field("auto_close_min", minutes)
    return {"message_account_id": account, "auto_close_min": int(minutes)}


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

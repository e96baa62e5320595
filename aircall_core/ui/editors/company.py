"""The company's form."""

from typing import Any
from zoneinfo import available_timezones

import streamlit as st

from aircall_core.ui import client, format
from aircall_core.ui.forms import form
from aircall_core.ui.text import t


def company_form(key: str, company: dict[str, Any]) -> bool:
    """Name, country and time zone of the company."""
    countries = format.countries()
    zones = sorted(available_timezones())
    # Until the company is named, its time zone is the store's default: the administrator's own is the better guess.
    zone = (company["timezone"] if company["name"] else st.context.timezone) or "UTC"
    with form(key) as fields:
        name = fields.field("name", st.text_input(t("company.name"), company["name"], max_chars=80))
        left, right = st.columns(2)
        with left:
            country = fields.field(
                "country",
                st.selectbox(
                    t("company.country"),
                    list(countries),
                    index=list(countries).index(company["country"]) if company["country"] in countries else None,
                    format_func=lambda code: countries[code],
                    help=t("company.country_help"),
                ),
            )
        with right:
            timezone = fields.field(
                "timezone",
                st.selectbox(t("company.timezone"), zones, index=zones.index(zone) if zone in zones else None),
            )
        if not st.form_submit_button(t("page.save"), type="primary"):
            return False
        body = {"name": name, "country": country or "", "timezone": timezone or "", "language": company["language"]}
        return fields.send(lambda: client.send("PATCH", "/desk/company", body))


def pause_form(key: str, count: int) -> bool:
    """After how many missed calls in a row a user is paused."""
    with form(key) as fields:
        most = fields.field(
            "auto_pause_after",
            st.number_input(t("availability.pause_after"), 0, 20, count, help=t("availability.pause_help")),
        )
        if not st.form_submit_button(t("page.save"), type="primary"):
            return False
        return fields.send(lambda: client.send("PATCH", "/desk/company", {"auto_pause_after": most}))

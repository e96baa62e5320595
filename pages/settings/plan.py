"""Plan and add-ons, what they switch on, and the move to the new call experience."""

from datetime import date, timedelta
from typing import Any

import streamlit as st

from aircall_core.domain import rollout
from aircall_core.domain.plan import ADD_ONS, PLANS, TRIAL_DAYS, Feature, gate
from aircall_core.ids import now_ms
from aircall_core.store.queries.company import everything
from aircall_core.ui import client, data, format, forms, session
from aircall_core.ui.forms import form
from aircall_core.ui.text import t

session.current()
company = data.read(everything)
at = now_ms()
st.title(t("nav.plan"), anchor=False)
st.caption(t("plan.intro"))


def send(body: dict[str, Any]) -> None:
    """Change the company, and draw the page anew."""
    if forms.act(lambda: client.send("PATCH", "/desk/company", body), t("page.saved")):
        st.rerun()


def features() -> None:
    """What is on; and what is off, why, and what would switch it on."""
    for feature in Feature:
        found = gate(feature, company, at)
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            if found.on:
                why = t("plan.is_on")
            else:
                needs = t(f"plan.name_{found.needs}") if found.needs else ""
                why = t(f"plan.why_{found.why}", needs=needs)
            if found.until and found.until > at:
                why += " " + t("plan.trial_until", when=format.moment(found.until, company["timezone"]))
            st.markdown(f"**{t(f'plan.feature_{feature.value}')}**  \n:small[{why}]", width="stretch")
            if feature is Feature.AI_CONTEXT and found.why == "add_on" and company["trial_until"] is None:
                label = t("plan.start_trial", days=TRIAL_DAYS)
                if st.button(label, icon=":material/play_arrow:"):
                    send({"start_trial": True})
            st.badge(t("plan.on") if found.on else t("plan.off"), color="green" if found.on else "gray")


def plan_form() -> None:
    """The plan and the add-ons."""
    with form("plan") as fields:
        plan = fields.field(
            "plan",
            st.radio(
                t("plan.plan"), PLANS, index=PLANS.index(company["plan"]),
                format_func=lambda one: t(f"plan.name_{one}"), captions=[t(f"plan.help_{one}") for one in PLANS],
            ),
        )  # fmt: skip
        st.markdown(f":small[{t('plan.add_ons')}]")
        chosen = [
            one for one in ADD_ONS
            if st.toggle(t(f"plan.name_{one}"), one in company["add_ons"], help=t(f"plan.help_{one}"))
        ]  # fmt: skip
        fields.field("add_ons", None)
        if st.form_submit_button(t("page.save"), type="primary") and fields.send(
            lambda: client.send("PATCH", "/desk/company", {"plan": plan, "add_ons": chosen})
        ):
            st.toast(t("page.saved"), icon=":material/check:")
            st.rerun()


def rollout_form() -> None:
    """Off, announced with a date, on."""
    told = company["rollout"]
    now = rollout.state(told, company["timezone"], at)
    state = st.radio(
        t("rollout.state"), rollout.STATES, index=rollout.STATES.index(now), key="rollout_state",
        format_func=lambda one: t(f"rollout.{one}"), captions=[t(f"rollout.{one}_help") for one in rollout.STATES],
    )  # fmt: skip
    with form("rollout") as fields:
        day = None
        if state == rollout.ANNOUNCED:
            first = date.today() + timedelta(days=14)  # noqa: DTZ011  a first guess
            known = date.fromisoformat(told["date"]) if told["date"] else first
            day = fields.field("rollout.date", st.date_input(t("rollout.date"), known, format="YYYY-MM-DD"))
        fields.field("rollout.state", None)
        if st.form_submit_button(t("page.save"), type="primary"):
            kept = day.isoformat() if isinstance(day, date) else None
            body = {"rollout": {"state": state, "date": kept}}
            if fields.send(lambda: client.send("PATCH", "/desk/company", body)):
                st.toast(t("page.saved"), icon=":material/check:")
                st.rerun()


with st.container(border=True):
    plan_form()
st.subheader(t("plan.features"), anchor=False)
features()
st.subheader(t("rollout.title"), anchor=False)
st.caption(t("rollout.intro"))
with st.container(border=True):
    rollout_form()

"""Texts: the accounts they come and go through (administrators), and templates (leaders)."""

from typing import Any

import streamlit as st

from aircall_core.config import get_settings
from aircall_core.domain.plan import Feature, gate
from aircall_core.ids import now_ms
from aircall_core.store import message_settings
from aircall_core.store.queries import company, lines
from aircall_core.ui import client, data, format, forms, rows, search, session
from aircall_core.ui.editors import message_account, message_template
from aircall_core.ui.text import catalogue, t

who = session.current()
every_line = data.read(lines.lines_list)
MADE = "messaging-secret"


@st.dialog(t("messaging.edit_title"), width="medium")
def edit(account: dict[str, Any] | None = None) -> None:
    """Make or change an account."""
    key = f"account-{account['id'] if account else 'new'}"
    saved = message_account.account_form(key, account or message_account.FRESH, data.read(lines.trunks_list))
    if saved is not None:
        if "secret" in saved:
            st.session_state[MADE] = saved["secret"]
        st.rerun()
    if account:
        forms.confirm(
            f"remove-{account['id']}",
            t("messaging.remove_question", name=format.plain(account["name"])),
            lambda: client.send("DELETE", f"/desk/message-accounts/{account['id']}"),
        )


@st.dialog(t("messaging.template_title"), width="medium")
def edit_template(template: dict[str, Any] | None = None) -> None:
    """Make or change a template."""
    key = f"template-{template['id'] if template else 'new'}"
    if message_template.template_form(key, template or message_template.FRESH, every_line):
        st.rerun()
    if template:
        forms.confirm(
            f"remove-{template['id']}",
            t("messaging.remove_question", name=format.plain(template["name"])),
            lambda: client.send("DELETE", f"/desk/message-templates/{template['id']}"),
        )


def because(reason: str | None, code: str | None) -> str:
    """Why sending fails, in words."""
    key = f"reason_{reason}"
    if key in catalogue()["messaging"]:
        return t(f"messaging.{key}")
    return t("messaging.reason_other", code=format.plain(code or reason or "?"))


def test(account: dict[str, Any]) -> None:
    """Ask the gateway; no text is sent."""
    try:
        with st.spinner(t("messaging.testing")):
            answer = client.send("POST", f"/desk/message-accounts/{account['id']}/test")
    except client.Refused as refused:
        st.error(refused.message)
        return
    if answer["ok"]:
        st.toast(t("messaging.test_good"), icon=":material/check_circle:")
    else:
        st.error(t("messaging.test_bad", reason=because(answer["reason"], answer["code"])), icon=":material/error:")


def shown(account: dict[str, Any]) -> None:
    """One account, its state, and the addresses that its gateway is to be told."""
    names = ", ".join(account["lines"])
    state = t(f"messaging.state_{account['state'] or 'none'}", reason=because(account["state_reason"], None))
    use = t("messaging.lines", names=format.plain(names)) if names else t("messaging.no_lines")
    through = f" · {format.plain(account['trunk'])}" if account["trunk"] else ""
    off = "" if account["enabled"] else f" · {t('messaging.off')}"
    kind = t(f"messaging.kind_{account['kind']}")
    with rows.row(format.plain(account["name"]), [f"{kind}{through}{off} · {use}", state]):
        if account["kind"] != message_account.SIP and st.button(
            t("messaging.test"), key=f"test-{account['id']}", icon=":material/network_check:"
        ):
            test(account)
        if rows.edit(f"edit-{account['id']}"):
            edit(account)
    if account["kind"] != message_account.SIP:
        way = "messages" if account["kind"] == message_account.WEBHOOK else account["kind"]
        address = f"{get_settings().public_url}/hooks/{way}/{account['id']}"
        with st.expander(t("messaging.webhook"), icon=":material/webhook:"):
            st.code(address, language=None)
            st.caption(t("messaging.status_webhook"))
            st.code(f"{address}/status", language=None)


def accounts() -> None:
    """Administrators' part."""
    rows.heading(t("nav.messaging"), t("messaging.intro"), t("messaging.add"), edit)
    if not gate(Feature.SMS, data.read(company.everything), now_ms()).on:
        st.warning(t("messaging.plan_off"), icon=":material/lock:")
        st.page_link("settings/plan.py", label=t("messaging.plan_go"), icon=":material/deployed_code:")
    if MADE in st.session_state:
        with st.container(border=True):
            st.markdown(f"**{t('messaging.made_secret')}**")
            st.code(st.session_state[MADE], language=None)
            if st.button(t("messaging.made_done"), icon=":material/check:"):
                del st.session_state[MADE]
                st.rerun()
    found = data.read(message_settings.accounts_list)
    if not found:
        st.info(t("messaging.none"), icon=":material/sms:")
    for account in found:
        shown(account)


if who.role == "administrator":
    accounts()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(t("messaging.templates"), anchor=False, width="stretch")
        if st.button(t("messaging.template_add"), icon=":material/add:"):
            edit_template()
else:
    rows.heading(t("messaging.templates"), t("messaging.intro_leader"), t("messaging.template_add"), edit_template)
templates = data.read(message_settings.templates_list)
if not templates:
    st.info(t("messaging.template_none"), icon=":material/description:")
for template in search.chosen(
    "templates", t("messaging.template_search"), templates, lambda one: (one["name"], one["body"])
):
    line = template["line"] or t("messaging.template_every_line")
    body = " ".join(template["body"].split())
    details = [format.plain(body if len(body) <= 120 else f"{body[:119]}…"), format.plain(line)]
    with rows.row(format.plain(template["name"]), details):
        if rows.edit(f"edit-{template['id']}"):
            edit_template(template)

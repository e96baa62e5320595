"""The form of an account for texts: what is asked depends on how the texts travel."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from aircall_core.ui import client
from aircall_core.ui.forms import Form, form
from aircall_core.ui.text import t

SIP, TWILIO, WEBHOOK = KINDS = ("sip", "twilio", "webhook")
FRESH: dict[str, Any] = {
    "id": None, "name": "", "kind": SIP, "enabled": True, "trunk_id": None, "settings": {}, "has_secret": False,
}  # fmt: skip


def account_form(key: str, account: dict[str, Any], trunks: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The desk's answer once it is saved. The kind is chosen outside the form, since it decides the fields."""
    kind = account["kind"]
    if account["id"] is None:
        kind = st.radio(
            t("messaging.kind"), KINDS, format_func=lambda one: t(f"messaging.kind_{one}"),
            captions=[t(f"messaging.kind_{one}_help") for one in KINDS], key=f"{key}-kind",
        )  # fmt: skip
    with form(f"{key}-{kind}") as fields:
        name = st.text_input(
            t("messaging.name"), account["name"], max_chars=80, placeholder=t("messaging.name_example")
        )
        body: dict[str, Any] = {"kind": kind, "name": fields.field("name", name)}
        body |= _by_trunk(fields, account, trunks) if kind == SIP else _by_web(fields, account, kind)
        body["enabled"] = st.toggle(t("messaging.enabled"), account["enabled"])
        if not st.form_submit_button(t("page.save"), type="primary"):
            return None
        answers: list[dict[str, Any]] = []

        def send() -> None:
            method, path = ("PATCH", f"/{account['id']}") if account["id"] else ("POST", "")
            answers.append(client.send(method, f"/desk/message-accounts{path}", body))

        return answers[0] if fields.send(send) else None


def _by_trunk(fields: Form, account: dict[str, Any], trunks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    names = {one["id"]: one["name"] for one in trunks if one["outbound_host"] or one["host"]}
    options = list(names)
    chosen = st.selectbox(
        t("messaging.trunk_id"), options, placeholder=t("messaging.trunk_none"),
        index=options.index(account["trunk_id"]) if account["trunk_id"] in names else None,
        format_func=names.__getitem__,
    )  # fmt: skip
    return {"trunk_id": fields.field("trunk_id", chosen)}


def _by_web(fields: Form, account: dict[str, Any], kind: str) -> dict[str, Any]:
    known = account["settings"]
    settings: dict[str, Any] = {}
    if kind == TWILIO:
        sid = st.text_input(t("messaging.account_sid"), known.get("account_sid", ""), placeholder="AC…")
        settings["account_sid"] = fields.field("account_sid", sid)
        service = st.text_input(
            t("messaging.messaging_service_sid"), known.get("messaging_service_sid", ""), placeholder="MG…",
            help=t("messaging.messaging_service_sid_help"),
        )  # fmt: skip
        settings["messaging_service_sid"] = fields.field("messaging_service_sid", service)
        if known.get("api_url"):
            settings["api_url"] = known["api_url"]
    else:
        url = st.text_input(t("messaging.url"), known.get("url", ""), placeholder="https://texts.example.com/send")
        settings["url"] = fields.field("url", url)
    secret = st.text_input(
        t("messaging.secret" if kind == TWILIO else "messaging.secret_webhook"), type="password",
        autocomplete="new-password", placeholder=t("messaging.secret_kept") if account["has_secret"] else "",
        help=None if kind == TWILIO else t("messaging.secret_webhook_help"),
    )  # fmt: skip
    fields.field("secret", secret)
    settings["private"] = st.toggle(
        t("messaging.private"), bool(known.get("private")), help=t("messaging.private_help")
    )
    return {"settings": settings, "secret": secret}

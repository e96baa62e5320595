"""A trunk's form: what is asked depends on how the trunk proves who it is."""

from typing import Any

import streamlit as st

from aircall_core.ui import client
from aircall_core.ui.forms import Form, form
from aircall_core.ui.text import t

KINDS = ("register", "digest", "address")
TRANSPORTS = ("udp", "tcp", "tls")
CHOICES = {"dial_format": ("e164", "digits", "national"), "hold_by": ("bridge", "reinvite"),
           "transfer_by": ("bridge", "refer")}  # fmt: skip
FRESH: dict[str, Any] = {
    "id": None, "name": "", "kind": "register", "enabled": True, "transport": "udp", "host": "", "username": "",
    "realm": "", "cidrs": [], "has_secret": False, "outbound_host": "", "dial_format": "e164", "hold_by": "bridge",
    "transfer_by": "bridge",
}  # fmt: skip


def trunk_form(key: str, trunk: dict[str, Any]) -> bool:
    """The kind is chosen outside the form, since it decides the fields."""
    kind = st.radio(
        t("trunks.kind"),
        KINDS,
        index=KINDS.index(trunk["kind"]),
        format_func=lambda one: t(f"trunks.kind_{one}"),
        captions=[t(f"trunks.kind_{one}_help") for one in KINDS],
        key=f"{key}-kind",
    )
    with form(f"{key}-{kind}") as fields:
        body: dict[str, Any] = {"kind": kind}
        body["name"] = fields.field("name", st.text_input(t("trunks.name"), trunk["name"], max_chars=80))
        if kind == "register":
            body["host"] = fields.field(
                "host", st.text_input(t("trunks.host"), trunk["host"] or "", placeholder="sip.carrier.com")
            )
        if kind != "address":
            left, right = st.columns(2)
            with left:
                body["username"] = fields.field(
                    "username", st.text_input(t("trunks.username"), trunk["username"] or "", autocomplete="off")
                )
            with right:
                body["password"] = fields.field(
                    "password",
                    st.text_input(
                        t("trunks.password"),
                        type="password",
                        autocomplete="new-password",
                        placeholder=t("trunks.password_kept") if trunk["has_secret"] else "",
                    ),
                )
        if kind == "digest":
            body["realm"] = fields.field(
                "realm", st.text_input(t("trunks.realm"), trunk["realm"] or "", placeholder="aircall")
            )
        addresses = fields.field(
            "cidrs",
            st.text_area(
                t("trunks.cidrs"),
                "\n".join(trunk["cidrs"] or []),
                placeholder="192.0.2.0/24",
                help=t(f"trunks.cidrs_{kind}_help"),
                height=90,
            ),
        )
        body["cidrs"] = addresses.replace(",", " ").split()
        body["transport"] = fields.field(
            "transport",
            st.segmented_control(
                t("trunks.transport"), TRANSPORTS, default=trunk["transport"], format_func=str.upper, required=True
            ),
        )
        body |= _out(fields, trunk)
        body["enabled"] = st.toggle(t("trunks.enabled"), trunk["enabled"])
        if not st.form_submit_button(t("page.save"), type="primary"):
            return False
        if trunk["id"]:
            return fields.send(lambda: client.send("PATCH", f"/desk/trunks/{trunk['id']}", body))
        return fields.send(lambda: client.send("POST", "/desk/trunks", body))


def _out(fields: Form, trunk: dict[str, Any]) -> dict[str, Any]:
    """Where calls out go, how numbers are sent, and what the carrier is told of hold and transfer."""
    st.markdown(f"**{t('trunks.out')}**")
    left, right = st.columns(2)
    host = left.text_input(
        t("trunks.outbound_host"), trunk["outbound_host"] or "", help=t("trunks.outbound_host_help"),
        placeholder=trunk["host"] or "sip.carrier.com",
    )  # fmt: skip
    with left:
        body = {"outbound_host": fields.field("outbound_host", host)}
    for name, place in zip(CHOICES, (right, left, right), strict=True):
        chosen = place.selectbox(
            t(f"trunks.{name}"), CHOICES[name], index=CHOICES[name].index(trunk[name]),
            format_func=lambda one, name=name: t(f"trunks.{name}_{one}"),
            help=None if name == "dial_format" else t(f"trunks.{name}_help"),
        )  # fmt: skip
        body[name] = fields.field(name, chosen)
    return body

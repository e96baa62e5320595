"""A contact field's form."""

from typing import Any

import streamlit as st

from aircall_core.domain.contact import FIELD_KINDS, LONGEST_NAME
from aircall_core.ui import client
from aircall_core.ui.forms import Form
from aircall_core.ui.text import t


def contact_field_form(key: str, field: dict[str, Any] | None) -> bool:
    """Name, kind and choices; whether it was saved. No st.form: what it holds decides whether choices are asked for."""
    known = field or {"name": "", "kind": "text", "choices": []}
    fields = Form()
    name = fields.field("name", st.text_input(t("fields.name"), known["name"], max_chars=60, key=f"{key}-name"))
    kind = fields.field(
        "kind",
        st.selectbox(
            t("fields.kind"),
            FIELD_KINDS,
            index=FIELD_KINDS.index(known["kind"]),
            format_func=lambda one: t(f"fields.kind_{one}"),
            help=t("fields.kind_help"),
            disabled=field is not None,
            key=f"{key}-kind",
        ),
    )
    body: dict[str, Any] = {"name": name}
    if kind == "choice":
        written = fields.field(
            "choices",
            st.text_area(
                t("fields.choices"),
                "\n".join(known["choices"]),
                help=t("fields.choices_help"),
                max_chars=100 * (LONGEST_NAME + 1),
                key=f"{key}-choices",
            ),
        )
        body["choices"] = written.splitlines()
    if not st.button(t("page.save"), type="primary", key=f"{key}-save"):
        return False
    if field:
        return fields.send(lambda: client.send("PATCH", f"/desk/contact-fields/{field['id']}", body))
    return fields.send(lambda: client.send("POST", "/desk/contact-fields", {**body, "kind": kind}))

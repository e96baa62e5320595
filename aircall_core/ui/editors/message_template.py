"""A template's form."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from aircall_core.domain.text_template import VARIABLES
from aircall_core.ui import client
from aircall_core.ui.forms import form
from aircall_core.ui.text import t

FRESH: dict[str, Any] = {"id": None, "name": "", "body": "", "line_id": None}


def template_form(key: str, template: dict[str, Any], lines: Sequence[Mapping[str, Any]]) -> bool:
    """Name, text, and for which line. Whether it was saved."""
    names = {"": t("messaging.template_every_line"), **{one["id"]: one["name"] for one in lines}}
    marks = ", ".join(f"`{{{{{one}}}}}`" for one in VARIABLES)
    with form(key) as fields:
        name = st.text_input(
            t("messaging.template_name"), template["name"], max_chars=80,
            placeholder=t("messaging.template_name_example"),
        )  # fmt: skip
        body: dict[str, Any] = {"name": fields.field("name", name)}
        text = st.text_area(t("messaging.template_body"), template["body"], max_chars=1600, height=140)
        body["body"] = fields.field("body", text)
        st.caption(t("messaging.template_body_help", variables=marks))
        chosen = st.selectbox(
            t("messaging.template_line"), list(names), index=list(names).index(template["line_id"] or ""),
            format_func=names.__getitem__,
        )  # fmt: skip
        body["line_id"] = fields.field("line_id", chosen)
        if not st.form_submit_button(t("page.save"), type="primary"):
            return False
        if template["id"]:
            return fields.send(lambda: client.send("PATCH", f"/desk/message-templates/{template['id']}", body))
        return fields.send(lambda: client.send("POST", "/desk/message-templates", body))

"""A tag's form."""

from typing import Any

import streamlit as st

from aircall_core.ui import client
from aircall_core.ui.forms import form
from aircall_core.ui.text import t

COLORS = ("#2458c5", "#0b7a4b", "#b3261e", "#8a5a00", "#6b3fa0", "#00697a", "#a8326e", "#4b5563")


def tag_form(key: str, tag: dict[str, Any] | None, count: int) -> bool:
    """Name and colour. ``count``: how many tags there are, so that a new one begins with another colour."""
    known = tag or {"name": "", "color": COLORS[count % len(COLORS)]}
    with form(key) as fields:
        name = fields.field("name", st.text_input(t("tags.name"), known["name"], max_chars=40))
        color = fields.field("color", st.color_picker(t("tags.color"), known["color"]))
        if not st.form_submit_button(t("page.save"), type="primary"):
            return False
        body = {"name": name, "color": color}
        if tag:
            return fields.send(lambda: client.send("PATCH", f"/desk/tags/{tag['id']}", body))
        return fields.send(lambda: client.send("POST", "/desk/tags", body))

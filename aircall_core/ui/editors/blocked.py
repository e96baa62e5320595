"""Whom to block, and why."""

from typing import Any

import streamlit as st

from aircall_core import numbers
from aircall_core.ui import client
from aircall_core.ui.forms import form
from aircall_core.ui.text import t

KINDS = ("number", "prefix", "withheld")


def block_form(key: str) -> bool:
    """A number, a prefix, or withheld numbers. The kind is chosen outside the form, since it decides the field."""
    kind = st.segmented_control(
        t("blocklist.kind"), KINDS, default="number", required=True, key=f"{key}-kind",
        format_func=lambda one: t(f"blocklist.kind_{one}"),
    )  # fmt: skip
    with form(key) as fields:
        number = ""
        if kind == "withheld":
            st.caption(t("blocklist.withheld_help"))
            fields.field("number", None)
        else:
            number = fields.field(
                "number",
                st.text_input(t(f"blocklist.{kind}_label"), max_chars=60, placeholder=t(f"blocklist.{kind}_example")),
            )
        note = fields.field("note", st.text_input(t("blocklist.note"), max_chars=200))
        if not st.form_submit_button(t("blocklist.add"), type="primary"):
            return False
        text = {"withheld": numbers.ANONYMOUS, "prefix": f"{number.rstrip('*')}*"}.get(str(kind), number)
        return fields.send(lambda: client.send("POST", "/desk/blocklist", {"number": text, "note": note}))


def note_form(key: str, entry: dict[str, Any]) -> bool:
    """The note of an entry."""
    with form(key) as fields:
        note = fields.field("note", st.text_input(t("blocklist.note"), entry["note"], max_chars=200))
        if not st.form_submit_button(t("page.save"), type="primary"):
            return False
        return fields.send(lambda: client.send("PATCH", f"/desk/blocklist/{entry['id']}", {"note": note}))

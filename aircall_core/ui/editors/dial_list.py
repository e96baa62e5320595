"""A list of the power dialer: its name, the line that dials it, and the pause between an agent's calls."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from aircall_core.domain.dial_list import DEFAULT_PAUSE_S, LONGEST_LIST_NAME, LONGEST_PAUSE_S
from aircall_core.ui import client, format
from aircall_core.ui.forms import form
from aircall_core.ui.text import t

FRESH: Final[Mapping[str, Any]] = {"id": "", "name": "", "line_id": None, "pause_s": DEFAULT_PAUSE_S}


def list_form(known: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> str:
    """Asks for all of a list; its id once it is saved, else ''. The line of a list stays as it is."""
    names = {
        line["id"]: line["name"] if line["outbound_trunk_id"] else t("dialer.line_cannot", line=line["name"])
        for line in lines
    }
    with form(f"dial-list-{known['id']}") as fields:
        name = fields.field(
            "name",
            st.text_input(
                t("dialer.name"), known["name"], max_chars=LONGEST_LIST_NAME, placeholder=t("dialer.name_example")
            ),
        )
        line = known["line_id"]
        if not known["id"]:
            able = [at for at, one in enumerate(lines) if one["outbound_trunk_id"]]
            line = fields.field(
                "line_id",
                st.selectbox(
                    t("dialer.line"), list(names), able[0] if able else 0, help=t("dialer.line_help"),
                    format_func=lambda one: format.plain(names[one]),
                ),
            )  # fmt: skip
        pause = fields.field(
            "pause_s",
            st.number_input(
                t("dialer.pause"), 0, LONGEST_PAUSE_S, known["pause_s"], step=5, help=t("dialer.pause_help")
            ),
        )
        if not st.form_submit_button(t("page.save"), type="primary"):
            return ""
        body = {"name": name, "pause_s": int(pause)}
        saved: dict[str, str] = {}

        def save() -> None:
            if known["id"]:
                saved.update(client.send("PATCH", f"/desk/dial-lists/{known['id']}", body))
            else:
                saved.update(client.send("POST", "/desk/dial-lists", {**body, "line_id": line or ""}))

        return saved["id"] if fields.send(save) else ""

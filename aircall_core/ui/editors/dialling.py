"""What may be called, and whom nobody calls."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from aircall_core import numbers
from aircall_core.ui import client, format
from aircall_core.ui.forms import form
from aircall_core.ui.text import t

HIGHEST_CAP = 100_000
SOME = ("own", "chosen")


def country(code: str) -> str:
    """A country with its flag."""
    return f"{numbers.flag(code)} {format.countries().get(code, code)}"


def rules_form(key: str, rules: Mapping[str, Any], own: Sequence[str]) -> bool:
    """Countries and caps. Whether countries are chosen is asked outside the form, since it decides the fields."""
    which = st.radio(
        t("dialling.countries"), SOME, index=SOME.index("own" if rules["countries"] is None else "chosen"),
        format_func=lambda one: t(f"dialling.countries_{one}"), key=f"{key}-which",
        captions=[t("dialling.countries_own_help", countries=", ".join(country(one) for one in own)),
                  t("dialling.countries_chosen_help")],
    )  # fmt: skip
    with form(key) as fields:
        chosen: list[str] = []
        if which == "chosen":
            known = list(format.countries())
            before = own if rules["countries"] is None else rules["countries"]
            options = st.multiselect(
                t("dialling.countries_list"), known, [one for one in before if one in known], format_func=country,
                label_visibility="collapsed", placeholder=t("dialling.countries_none"),
            )  # fmt: skip
            chosen = fields.field("countries", options)
        caps: dict[str, int] = {}
        for place, name in zip(st.columns(2), ("user_cap", "line_cap"), strict=True):
            with place:
                cap = st.number_input(
                    t(f"dialling.{name}"), 0, HIGHEST_CAP, rules[name], step=10, help=t(f"dialling.{name}_help")
                )
                caps[name] = int(fields.field(name, cap))
        if not st.form_submit_button(t("page.save"), type="primary"):
            return False
        countries = {"own_countries": True} if which == "own" else {"countries": chosen}
        return fields.send(lambda: client.send("PATCH", "/desk/dialling", {**countries, **caps}))


def number_form(key: str) -> bool:
    """A number that nobody shall call."""
    with form(key) as fields:
        number = fields.field(
            "number", st.text_input(t("dialling.number"), max_chars=60, placeholder=t("dialling.number_example"))
        )
        note = fields.field(
            "note", st.text_input(t("dialling.note"), max_chars=200, placeholder=t("dialling.note_example"))
        )
        if not st.form_submit_button(t("dialling.add"), type="primary"):
            return False
        return fields.send(lambda: client.send("POST", "/desk/do-not-call", {"number": number, "note": note}))

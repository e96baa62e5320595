"""The form of each kind of step."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from aircall_core.domain import hours
from aircall_core.domain.flow import KEYS, STRATEGIES, Kind
from aircall_core.holidays_of import schedule_of
from aircall_core.ids import now_ms
from aircall_core.store.queries import people
from aircall_core.store.schedules import schedule as schedule_row
from aircall_core.ui import data, format
from aircall_core.ui.flow_editor import branches
from aircall_core.ui.flow_editor.fields import Fields
from aircall_core.ui.text import t

LONGEST_SECRET = 500


def draw(fields: Fields) -> None:
    """The form of the step's kind."""
    _FORMS[fields.step.kind](fields)
    fields.wrong("")
    fields.wrong("branches")


def _hours(fields: Fields) -> None:
    fields.choice("schedule", dict(fields.names.schedules))
    fields.wrong("schedule")
    row = data.read(schedule_row, str(fields.step["schedule"] or ""))
    if row is not None:
        st.caption(_now(row))
    st.page_link("settings/hours.py", label=t("flow.schedule_make"), icon=":material/schedule:")


def _now(row: Mapping[str, Any]) -> str:
    """Whether it is open now, and until when."""
    schedule, at = schedule_of(row), now_ms()
    change = hours.next_change(schedule, at)
    state = "open" if hours.is_open(schedule, at) else "closed"
    if change is None:
        return t(f"flow.schedule_always_{state}")
    return t(f"flow.schedule_{state}", when=format.moment(change, data.read(people.company)["timezone"]))


def _menu(fields: Fields) -> None:
    fields.prompt()
    _make_prompt()
    branches.options(fields, KEYS)
    left, right = st.columns(2)
    with left:
        fields.number("tries")
    with right:
        fields.number("wait_s")


def _digits(fields: Fields) -> None:
    fields.prompt()
    _make_prompt()
    fields.text("label", example=t("flow.label_example"), help_=t("flow.label_help"))
    left, right = st.columns(2)
    with left:
        fields.number("length", help_=t("flow.length_help"), optional=True)
        fields.number("tries")
    with right:
        ends: dict[Any, str] = {"#": "#", "*": "*", "": t("flow.end_key_none")}
        fields.choice("end_key", ends, value=fields.step["end_key"] or "", read=lambda key: key or None)
        fields.wrong("end_key")
        fields.number("digit_s")
    fields.toggle("shown", help_=t("flow.shown_help"))


def _ring(fields: Fields) -> None:
    fields.target()
    one = "user" in fields.step["target"] if isinstance(fields.step["target"], Mapping) else False
    if not one:
        _strategy(fields, STRATEGIES)
    left, right = st.columns(2)
    with left:
        fields.number("total_s", help_=t("flow.total_s_help"))
    if not one and fields.step["strategy"] != "simultaneous":
        with right:
            fields.number("user_s")
    fields.toggle("if_busy", help_=t("flow.if_busy_help"))
    if fields.step["if_busy"]:
        fields.toggle("if_unavailable")


def _queue(fields: Fields) -> None:
    fields.target()
    _strategy(fields, tuple(one for one in STRATEGIES if one != "simultaneous"))
    left, right = st.columns(2)
    with left:
        fields.number("total_s", help_=t("flow.total_s_help"))
    with right:
        fields.number("user_s")
    fields.toggle("if_unavailable")
    fields.prompt("music", music=True)
    left, right = st.columns(2)
    with left:
        fields.number("announce_first_s")
    with right:
        fields.number("announce_s")
    fields.toggle("position")
    fields.toggle("estimate")
    fields.toggle("callback", help_=t("flow.callback_help"))


def _strategy(fields: Fields, strategies: tuple[str, ...]) -> None:
    now = fields.step["strategy"]
    st.radio(
        t("flow.strategy"), strategies, index=strategies.index(now) if now in strategies else None,
        format_func=lambda one: t(f"flow.strategy_{one}").capitalize(), key=fields.key("strategy"),
        captions=[t(f"flow.strategy_help_{one}") for one in strategies], on_change=fields.changed("strategy"),
    )  # fmt: skip
    fields.wrong("strategy")


def _lookup(fields: Fields) -> None:
    fields.text("url", example="https://example.com/route", help_=t("flow.url_help"), longest=500)
    fields.number("timeout_s")
    key = fields.key("secret")

    def keep() -> None:
        fields.draft.secrets[fields.step.id] = st.session_state[key].strip()

    kept = fields.step["has_secret"] and fields.step.id not in fields.draft.secrets
    st.text_input(
        t("flow.secret"), fields.draft.secrets.get(fields.step.id, ""), type="password", key=key, on_change=keep,
        autocomplete="off", help=t("flow.secret_help"), placeholder=t("flow.secret_kept") if kept else "",
        max_chars=LONGEST_SECRET,
    )  # fmt: skip
    branches.named(fields)


def _message(fields: Fields) -> None:
    fields.prompt()
    _make_prompt()


def _dial(fields: Fields) -> None:
    fields.text("number", example="+33 1 99 00 12 34", help_=t("flow.number_help"))
    fields.number("ring_s", help_=t("flow.ring_s_help"))
    st.page_link("settings/dialling.py", label=t("flow.dial_rules"), icon=":material/phone_forwarded:")


def _redirect(fields: Fields) -> None:
    options: dict[Any, str] = {one: name for one, name in fields.names.lines.items() if one != fields.draft.line_id}
    fields.choice("line", options, label=t("flow.redirect_line"))
    fields.wrong("line")
    st.caption(t("flow.redirect_help"))


def _voicemail(fields: Fields) -> None:
    fields.prompt()
    _make_prompt()
    fields.number("max_s")


def _hang_up(_: Fields) -> None:
    st.caption(t("flow.hang_up_note"))


def _make_prompt() -> None:
    st.page_link("settings/prompts.py", label=t("flow.prompt_make"), icon=":material/mic:")


_FORMS: Mapping[Kind, Callable[[Fields], None]] = {
    Kind.HOURS: _hours,
    Kind.MENU: _menu,
    Kind.DIGITS: _digits,
    Kind.RING: _ring,
    Kind.QUEUE: _queue,
    Kind.LOOKUP: _lookup,
    Kind.MESSAGE: _message,
    Kind.DIAL: _dial,
    Kind.REDIRECT: _redirect,
    Kind.VOICEMAIL: _voicemail,
    Kind.HANG_UP: _hang_up,
}

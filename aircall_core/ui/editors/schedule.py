"""A schedule's form: a week, public holidays, and special days."""

from collections.abc import Mapping
from datetime import date, timedelta
from html import escape
from typing import Any
from zoneinfo import available_timezones

import streamlit as st
from babel.dates import format_date, get_day_names

from aircall_core import holidays_of
from aircall_core.domain import hours
from aircall_core.ui import client, format
from aircall_core.ui.editors import hours_text
from aircall_core.ui.forms import Form
from aircall_core.ui.text import t

PREVIEW = 6
TICKS = (6, 12, 18)
WORKDAY = [["09:00", "18:00"]]
FRESH: dict[str, Any] = {
    "id": None, "name": "", "weekly": [*[WORKDAY] * 5, [], []], "country": None, "subdivision": None, "special": {},
}  # fmt: skip


def begin(key: str) -> None:
    """Forget what was typed into this form before it is opened anew."""
    for name in [name for name in st.session_state if str(name).startswith(f"{key}-")]:
        del st.session_state[name]


def schedule_form(key: str, schedule: Mapping[str, Any], company: Mapping[str, Any]) -> bool:
    """Name, time zone, the week, holidays, special days; whether it was saved.

    Not an st.form: what is typed is drawn at once.
    """
    fields = Form()
    body: dict[str, Any] = {}
    body["name"] = fields.field(
        "name",
        st.text_input(
            t("hours.name"), schedule["name"], max_chars=80, key=f"{key}-name", placeholder=t("hours.name_example")
        ),
    )
    zones = sorted(available_timezones())
    zone = schedule.get("timezone") or company["timezone"]
    body["timezone"] = fields.field(
        "timezone",
        st.selectbox(
            t("company.timezone"), zones, index=zones.index(zone) if zone in zones else None, key=f"{key}-zone"
        ),
    )
    body["weekly"] = _week(key, schedule, fields)
    body["country"], body["subdivision"] = _holidays(key, schedule, company, fields)
    body["special"] = _special(key, schedule, fields)
    if not st.button(t("page.save"), type="primary", key=f"{key}-save", disabled=None in body["weekly"]):
        return False
    if schedule["id"]:
        return fields.send(lambda: client.send("PATCH", f"/desk/schedules/{schedule['id']}", body))
    return fields.send(lambda: client.send("POST", "/desk/schedules", body))


# ---- the week


def _week(key: str, schedule: Mapping[str, Any], fields: Form) -> list[Any]:
    """The seven days; None for one that cannot be read."""
    st.markdown(f"**{t('hours.week')}**", help=t("hours.week_help"))
    left, right = st.columns([2, 3], vertical_alignment="bottom", gap="small")
    left.button(
        t("hours.copy"), key=f"{key}-copy", icon=":material/content_copy:", type="tertiary", on_click=_copy, args=(key,)
    )
    right.html(scale())
    names = get_day_names("wide", locale="en")
    found: list[Any] = []
    for index in range(7):
        field = f"{key}-day-{index}"
        if field not in st.session_state:
            st.session_state[field] = hours_text.write(schedule["weekly"][index])
        left, right = st.columns([2, 3], vertical_alignment="bottom", gap="small")
        with left:
            text = st.text_input(names[index].capitalize(), key=field, placeholder=t("hours.closed"), max_chars=120)
        spans, unread = _read(text)
        found.append(spans)
        with right:
            st.html(bar(spans or []))
        fields.field(f"weekly.{index}", None)
        if unread:
            st.markdown(unread)
    fields.field("weekly", None)
    return found


def _copy(key: str) -> None:
    for index in range(1, 5):
        st.session_state[f"{key}-day-{index}"] = st.session_state.get(f"{key}-day-0", "")


def _read(text: str) -> tuple[list[list[str]] | None, str]:
    """The hours, or why they cannot be read."""
    try:
        return hours_text.read(text), ""
    except hours_text.NotHours as error:
        return None, f":red[:material/error: {t('hours.unread', text=format.plain(str(error)))}]"


def bar(spans: list[list[str]]) -> str:
    """A day from midnight to midnight, open hours filled: what was typed, seen at a glance."""
    pieces = []
    for start, end in spans:
        first, last = hours.minutes(start) or 0, hours.minutes(end) or 0
        last = last if last > first else hours.DAY
        left, width = first / hours.DAY * 100, (last - first) / hours.DAY * 100
        pieces.append(f'<i style="left:{left:.2f}%;width:{width:.2f}%"></i>')
    ticks = "".join(f'<b style="left:{hour / 24 * 100:.2f}%"></b>' for hour in TICKS)
    return f'<div class="day-bar" title="{escape(hours_text.write(spans))}">{"".join(pieces)}{ticks}</div>'


def scale() -> str:
    """The hours that stand above the bars."""
    marks = "".join(f'<b style="left:{hour / 24 * 100:.2f}%">{hour}</b>' for hour in TICKS)
    return f'<div class="day-scale">{marks}</div>'


# ---- holidays


def _holidays(
    key: str, schedule: Mapping[str, Any], company: Mapping[str, Any], fields: Form
) -> tuple[str | None, str | None]:
    st.markdown(f"**{t('hours.holidays')}**")
    known, names = holidays_of.supported(), format.countries()
    codes = sorted((code for code in known if code in names), key=lambda code: names[code])
    now = schedule["country"] if schedule["id"] else (company["country"] or None)
    left, right = st.columns(2)
    with left:
        country = st.selectbox(
            t("hours.country"), codes, index=codes.index(now) if now in codes else None, key=f"{key}-country",
            format_func=lambda code: names[code], placeholder=t("hours.no_holidays"),
        )  # fmt: skip
        fields.field("country", None)
    region = None
    regions = known.get(country or "", [])
    if regions:
        with right:
            was = schedule["subdivision"]
            region = st.selectbox(
                t("hours.region"), regions, index=regions.index(was) if was in regions else None,
                key=f"{key}-region-{country}", placeholder=t("hours.whole_country"),
            )  # fmt: skip
            fields.field("subdivision", None)
    if country:
        coming = holidays_of.upcoming(country, region, date.today(), PREVIEW)  # noqa: DTZ011  a preview
        lines = [f"- {_day(day)}: {format.plain(name)}" for day, name in coming]
        st.markdown(f":small[{t('hours.next_holidays')}]\n\n" + "\n".join(lines))
    return country, region


# ---- special days


def _special(key: str, schedule: Mapping[str, Any], fields: Form) -> dict[str, Any]:
    days: dict[str, Any] = st.session_state.setdefault(f"{key}-special", dict(schedule["special"]))
    st.markdown(f"**{t('hours.special')}**", help=t("hours.special_help"))
    for text in sorted(days):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            shown = hours_text.write(days[text]) or t("hours.closed")
            st.markdown(f"{_day(date.fromisoformat(text))}: {shown}", width="stretch")
            st.button(
                t("hours.special_remove", day=text), key=f"{key}-drop-{text}", icon=":material/close:",
                type="tertiary", on_click=days.pop, args=(text, None),
            )  # fmt: skip
        fields.field(f"special.{text}", None)
    left, middle, right = st.columns([2, 3, 2], vertical_alignment="bottom")
    tomorrow = date.today() + timedelta(days=1)  # noqa: DTZ011  a first guess
    left.date_input(t("hours.special_day"), tomorrow, key=f"{key}-special-day", format="YYYY-MM-DD")
    middle.text_input(t("hours.special_hours"), key=f"{key}-special-text", placeholder=t("hours.closed"), max_chars=120)
    right.button(
        t("hours.special_add"), key=f"{key}-special-add", icon=":material/add:", on_click=_add_day, args=(key, days),
        width="stretch",
    )  # fmt: skip
    _, unread = _read(st.session_state[f"{key}-special-text"])
    if unread:
        st.markdown(unread)
    fields.field("special", None)
    return days


def _add_day(key: str, days: dict[str, Any]) -> None:
    day, (spans, _) = st.session_state[f"{key}-special-day"], _read(st.session_state[f"{key}-special-text"])
    if isinstance(day, date) and spans is not None:
        days[day.isoformat()] = spans
        st.session_state[f"{key}-special-text"] = ""


def _day(day: date) -> str:
    return str(format_date(day, "EEE, d MMM y", locale="en"))

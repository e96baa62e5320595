"""Opening hours: when lines are open and users work."""

from typing import Any

import streamlit as st

from aircall_core.domain import hours
from aircall_core.holidays_of import schedule_of
from aircall_core.ids import now_ms
from aircall_core.store.queries import people
from aircall_core.store.schedules import all_schedules
from aircall_core.ui import assets, client, data, format, forms, rows, search, session
from aircall_core.ui.editors.hours_text import write
from aircall_core.ui.editors.schedule import FRESH, begin, schedule_form
from aircall_core.ui.text import t

session.current()
st.html(assets.FOLDER / "settings.css")
company = data.read(people.company)


@st.dialog(t("hours.edit_title"), width="medium")
def edit(schedule: dict[str, Any] | None = None) -> None:
    """Make or change hours."""
    if schedule_form(f"hours-{schedule['id'] if schedule else 'new'}", schedule or FRESH, company):
        st.rerun()
    if schedule:
        forms.confirm(
            f"remove-{schedule['id']}",
            t("hours.remove_question", name=format.plain(schedule["name"])),
            lambda: client.send("DELETE", f"/desk/schedules/{schedule['id']}"),
        )


def week(weekly: list[list[list[str]]]) -> str:
    """The week in a few words: days with the same hours together."""
    names, parts, start = t("hours.days").split(), [], 0
    for index in range(1, 8):
        if index == 7 or weekly[index] != weekly[start]:
            days = names[start] if index - start == 1 else f"{names[start]}–{names[index - 1]}"
            if weekly[start]:
                parts.append(f"{days} {write(weekly[start])}")
            start = index
    return " · ".join(parts) or t("hours.never")


def state(row: dict[str, Any]) -> str:
    """Open or closed now, and until when."""
    schedule, at = schedule_of(row), now_ms()
    change = hours.next_change(schedule, at)
    key = "open" if hours.is_open(schedule, at) else "closed"
    until = t("hours.until", when=format.moment(change, row["timezone"])) if change else ""
    color = "green" if key == "open" else "gray"
    return f":{color}[:material/circle: {t(f'hours.now_{key}')}] {until}"


def add() -> None:
    """New hours."""
    begin("hours-new")
    edit()


rows.heading(t("nav.hours"), t("hours.intro"), t("hours.add"), add)
every = data.read(all_schedules)
if not every:
    st.info(t("hours.none"), icon=":material/schedule:")
for row in search.chosen("hours", t("hours.search"), every, lambda one: (one["name"], one["timezone"])):
    details = [state(row), f"{week(row['weekly'])} · {format.plain(row['timezone'])}"]
    extra = [format.countries().get(row["country"], row["country"])] if row["country"] else []
    if row["special"]:
        extra.append(t("hours.special_count", count=len(row["special"])))
    if extra:
        details.append(f"{t('hours.holidays_of')} {' · '.join(extra)}" if row["country"] else extra[0])
    with rows.row(format.plain(row["name"]), details):
        if rows.edit(f"edit-{row['id']}"):
            begin(f"hours-{row['id']}")
            edit(row)

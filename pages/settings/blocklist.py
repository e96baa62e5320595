"""The blocklist: callers who ring nobody."""

from typing import Any

import streamlit as st

from aircall_core import numbers
from aircall_core.store.blocklist import entries
from aircall_core.store.queries import people
from aircall_core.ui import client, data, format, forms, rows, search, session
from aircall_core.ui.forms import form
from aircall_core.ui.text import t

session.current()
company = data.read(people.company)


def shown(pattern: str) -> str:
    """A pattern as people read it."""
    if pattern == numbers.ANONYMOUS:
        return t("blocklist.withheld")
    if pattern.endswith("*"):
        return t("blocklist.prefix", prefix=pattern[:-1])
    return format.party(pattern, company["country"])


@st.dialog(t("blocklist.add_title"))
def add() -> None:
    """Block a number, a prefix, or withheld numbers."""
    kinds = ("number", "prefix", "withheld")
    kind = st.segmented_control(
        t("blocklist.kind"), kinds, default="number", required=True, format_func=lambda one: t(f"blocklist.kind_{one}")
    )
    with form("block") as fields:
        number = ""
        if kind == "withheld":
            st.caption(t("blocklist.withheld_help"))
        else:
            number = fields.field(
                "number",
                st.text_input(t(f"blocklist.{kind}_label"), max_chars=60, placeholder=t(f"blocklist.{kind}_example")),
            )
        note = fields.field("note", st.text_input(t("blocklist.note"), max_chars=200))
        if st.form_submit_button(t("blocklist.add"), type="primary"):
            text = {"withheld": numbers.ANONYMOUS, "prefix": f"{number.rstrip('*')}*"}.get(str(kind), number)
            if fields.send(lambda: client.send("POST", "/desk/blocklist", {"number": text, "note": note})):
                st.rerun()


@st.dialog(t("blocklist.edit_title"))
def edit(entry: dict[str, Any]) -> None:
    """Change a note, or let the caller in again."""
    st.markdown(f"**{format.plain(shown(entry['pattern']))}**")
    with form(f"blocked-{entry['id']}") as fields:
        note = fields.field("note", st.text_input(t("blocklist.note"), entry["note"], max_chars=200))
        if st.form_submit_button(t("page.save"), type="primary") and fields.send(
            lambda: client.send("PATCH", f"/desk/blocklist/{entry['id']}", {"note": note})
        ):
            st.rerun()
    forms.confirm(
        f"unblock-{entry['id']}",
        t("blocklist.remove_question", number=format.plain(shown(entry["pattern"]))),
        lambda: client.send("DELETE", f"/desk/blocklist/{entry['id']}"),
    )


rows.heading(t("nav.blocklist"), t("blocklist.intro"), t("blocklist.add"), add)
every = data.read(entries)
if not every:
    st.info(t("blocklist.none"), icon=":material/block:")
for entry in search.chosen(
    "blocklist", t("blocklist.search"), every, lambda one: (one["pattern"], shown(one["pattern"]), one["note"])
):
    hits = t("blocklist.never")
    if entry["hits"]:
        last = format.moment(entry["last_at"], company["timezone"])
        hits = t("blocklist.hits", count=entry["hits"], when=last)
    icon = "visibility_off" if entry["pattern"] == numbers.ANONYMOUS else "block"
    title = f":material/{icon}: {format.flag(entry['pattern'])} {format.plain(shown(entry['pattern']))}"
    with rows.row(title, [format.plain(entry["note"]), hits]):
        if rows.edit(f"edit-{entry['id']}"):
            edit(entry)

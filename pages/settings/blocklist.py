"""The blocklist: callers who ring nobody."""

from typing import Any

import streamlit as st

from aircall_core import numbers
from aircall_core.store.blocklist import entries
from aircall_core.store.queries import people
from aircall_core.ui import client, data, format, forms, rows, search, session
from aircall_core.ui.editors.blocked import block_form, note_form
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
    if block_form("block"):
        st.rerun()


@st.dialog(t("blocklist.edit_title"))
def edit(entry: dict[str, Any]) -> None:
    """Change a note, or let the caller in again."""
    st.markdown(f"**{format.plain(shown(entry['pattern']))}**")
    if note_form(f"blocked-{entry['id']}", entry):
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

"""The audit log: who changed which setting, and from what to what."""

import json
from typing import Any

import streamlit as st

from aircall_core.store import audit
from aircall_core.store.queries import people
from aircall_core.ui import data, format, search, session
from aircall_core.ui.text import catalogue, t

PAGE = 50
LONGEST = 120
EMPTY: tuple[Any, ...] = (None, "", [], {})
session.current()
zone = data.read(people.company)["timezone"]


def value(of: Any) -> str:
    """A setting's value in a few words."""
    match of:
        case None | "" | [] | {}:
            text = t("audit.nothing")
        case bool():
            text = t("audit.yes" if of else "audit.no")
        case list() if all(isinstance(one, str) for one in of):
            text = ", ".join(of)
        case dict() | list():
            text = json.dumps(of, ensure_ascii=False)
        case _:
            text = str(of)
    return format.plain(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…")


def setting(name: str) -> str:
    """What a setting is called."""
    words = catalogue()["setting"]
    return words[name] if name in words else format.plain(name.replace("_", " ").capitalize())


def entry(row: dict[str, Any]) -> None:
    """One change."""
    who = row["actor_name"] or (t("audit.system") if row["actor"] == "system" else row["actor"])
    what = row["action"].replace(".", " ").replace("_", " ").capitalize()
    name = f" · {format.plain(row['subject_name'])}" if row["subject_name"] else ""
    with st.container(border=True):
        left, right = st.columns([4, 2])
        left.markdown(f"**{format.plain(what)}**{name}")
        right.markdown(f":small[{format.plain(who)} · {format.moment(row['at'], zone)}]")
        lines = [
            f"- {setting(name)}: " + (value(after) if before in EMPTY else f"{value(before)} → {value(after)}")
            for name, (before, after) in row["changes"].items()
            if not (before in EMPTY and after in EMPTY)
        ]
        if lines:
            st.markdown("\n".join(lines))


st.title(t("nav.audit"), anchor=False)
st.caption(t("audit.intro"))
wanted = search.box("audit", t("audit.search"))
if st.session_state.get("audit_search") != wanted:
    st.session_state["audit_search"], st.session_state["audit_pages"] = wanted, 1
limit = PAGE * st.session_state.get("audit_pages", 1)
found = data.read(audit.entries, search=wanted, limit=limit + 1)
if not found:
    st.info(t("search.none" if wanted else "audit.none"), icon=":material/history:")
for row in found[:limit]:
    entry(row)
if len(found) > limit and st.button(t("audit.older"), icon=":material/expand_more:"):
    st.session_state["audit_pages"] = st.session_state.get("audit_pages", 1) + 1
    st.rerun()

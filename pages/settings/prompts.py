"""Prompts: what callers hear, recorded, uploaded or typed."""

from typing import Any

import streamlit as st

from aircall_core.store.queries import people
from aircall_core.store.queries import prompts as queries
from aircall_core.ui import client, data, format, forms, rows, search, session
from aircall_core.ui.editors import prompt as editor
from aircall_core.ui.text import t

session.current()
PLAYING = "prompt-playing"


@st.dialog(t("prompts.add_title"), width="medium")
def add() -> None:
    """Make a prompt."""
    if editor.new_prompt():
        st.session_state["prompt-made"] = True
        st.rerun()


@st.dialog(t("prompts.edit_title"))
def edit(prompt: dict[str, Any]) -> None:
    """Rename or remove a prompt; hear what a spoken one says."""
    if editor.rename_form(prompt):
        st.rerun()
    if prompt["text"]:
        st.markdown(f"> {format.plain(prompt['text'])}")
    if prompt["lines"]:
        st.info(t("prompts.in_use", lines=format.plain(", ".join(prompt["lines"]))), icon=":material/account_tree:")
        return
    forms.confirm(
        f"remove-{prompt['id']}",
        t("prompts.remove_question", name=format.plain(prompt["name"])),
        lambda: client.send("DELETE", f"/desk/prompts/{prompt['id']}"),
    )


def details(prompt: dict[str, Any]) -> list[str]:
    """What a row says under the name."""
    minutes, seconds = divmod(round(prompt["duration_ms"] / 1000), 60)
    made = format.day(prompt["created_at"], zone)
    author = t("prompts.by", name=format.plain(prompt["author"]), date=made) if prompt["author"] else f"· {made}"
    lines = format.plain(", ".join(prompt["lines"]))
    where = t("prompts.used", lines=lines) if lines else t("prompts.unused")
    return [f"{minutes}:{seconds:02} · {t('prompts.kind_' + prompt['kind'])} {author}", where]


def play(prompt_id: str) -> None:
    """Open this prompt's player, or close it."""
    st.session_state[PLAYING] = None if st.session_state.get(PLAYING) == prompt_id else prompt_id


def player(prompt_id: str) -> None:
    """The prompt's sound, which begins to play."""
    try:
        st.audio(client.fetch(f"/desk/prompts/{prompt_id}/audio"), autoplay=True)
    except client.Refused as refused:
        st.error(refused.message)


if st.session_state.pop("prompt-made", False):
    st.toast(t("prompts.made"), icon=":material/check:")
rows.heading(t("nav.prompts"), t("prompts.intro"), t("prompts.add"), add)
zone = data.read(people.company)["timezone"]
found = data.read(queries.prompts_list)
if not found:
    st.info(t("prompts.none"), icon=":material/campaign:")
for prompt in search.chosen(
    "prompts", t("prompts.search"), found, lambda one: (one["name"], one["text"], *one["lines"])
):
    playing = st.session_state.get(PLAYING) == prompt["id"]
    with rows.row(f"{editor.HOW[prompt['kind']]} {format.plain(prompt['name'])}", details(prompt)):
        st.button(
            t("prompts.stop" if playing else "prompts.play"),
            key=f"play-{prompt['id']}",
            icon=":material/close:" if playing else ":material/play_arrow:",
            on_click=play,
            args=(prompt["id"],),
        )
        if rows.edit(f"edit-{prompt['id']}"):
            edit(prompt)
    if playing:
        player(prompt["id"])
with st.expander(t("prompts.shipped"), icon=":material/library_music:"):
    st.caption(t("prompts.shipped_intro"))
    editor.shipped()

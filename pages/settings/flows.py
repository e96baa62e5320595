"""Call flows: what a caller of a line goes through."""

import streamlit as st

from aircall_core.store.queries import lines
from aircall_core.ui import assets, components, data, format, session
from aircall_core.ui.flow_editor import draft as drafts
from aircall_core.ui.flow_editor import names, panel, picture, saving
from aircall_core.ui.flow_editor.fields import Fields
from aircall_core.ui.flow_editor.steps import Tree
from aircall_core.ui.text import t

who = session.current()
st.html(assets.FOLDER / "flows.css")
st.title(t("nav.flows"), anchor=False)
st.caption(t("flow.intro"))
known_lines = {line["id"]: line for line in data.read(lines.lines_list)}
if not known_lines:
    st.info(t("flow.no_lines"), icon=":material/call:")
    st.page_link("settings/lines.py", label=t("flow.go_lines"), icon=":material/arrow_forward:")
    st.stop()


def chosen_line() -> str:
    """The line in the address, else the one last chosen, else the first."""
    asked = st.query_params.get("line", "")
    if asked in known_lines and st.session_state.get("flow_asked") != asked:
        st.session_state["flow_asked"] = st.session_state["flow_line"] = asked
    if st.session_state.get("flow_line") not in known_lines:
        st.session_state["flow_line"] = next(iter(known_lines))
    return str(
        st.selectbox(
            t("flow.line"), list(known_lines), key="flow_line",
            format_func=lambda one: f"{known_lines[one]['name']} · {format.party(known_lines[one]['number'], '')}",
        )
    )  # fmt: skip


line_id = chosen_line()
draft, newest = drafts.of_line(line_id)
things = names.read(line_id)
found = draft.problems(things.known)
others = [known_lines[one]["name"] for one in drafts.unsaved() if one != line_id and one in known_lines]
if others:
    st.warning(t("flow.unsaved_elsewhere", lines=format.plain(", ".join(others))), icon=":material/edit:")
saving.bar(draft, newest, found, things.names)
if drafts.unsaved():
    components.unsaved(who)


def picked() -> None:
    """A click on a step of the picture."""
    draft.choose(st.session_state["flow_picture"].get("choose"))


def side() -> None:
    """The chosen step's form, or what can be added."""
    if draft.adding is not None:
        panel.kinds(draft)
    elif (step := draft.step) is not None:
        language = str(known_lines[line_id]["language"])
        panel.step(Fields(draft, step, found, things.names, language, things.paths))
    else:
        st.caption(t("flow.pick"))


wrong = {step: [one for one in found if one.step == step] for step in {one.step for one in found}}
in_steps, in_picture, in_versions = st.tabs([t("flow.tab_steps"), t("flow.tab_picture"), t("flow.tab_versions")])
with in_steps:
    left, right = st.columns([5, 4], gap="medium")
    with left:
        Tree(draft, things.names, wrong).draw()
        st.caption(t("flow.flow_ends"))
    open_ = draft.adding is not None or draft.step is not None
    with right, st.container(key="flow_side" if open_ else "flow_hint", border=open_):
        side()
with in_picture:
    drawn = picture.draw(draft.steps, things.names, start=t("flow.caller"), end=t("flow.picture_end"))
    for box in drawn["boxes"]:
        box |= {"wrong": box["id"] in wrong, "chosen": bool(box["id"]) and box["id"] == draft.chosen}
    label = t("flow.picture_label", line=known_lines[line_id]["name"])
    components.flow_picture(who, drawn, label, on_choose=picked)
with in_versions:
    saving.versions_list(draft)

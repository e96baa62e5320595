"""Saving and discarding, and what is said above the tree."""

from collections.abc import Sequence

import streamlit as st

from aircall_core.domain.flow import Problem
from aircall_core.store.flows import versions
from aircall_core.store.queries import flows, people
from aircall_core.ui import client, data, format
from aircall_core.ui.flow_editor import draft as drafts
from aircall_core.ui.flow_editor import tree, words
from aircall_core.ui.flow_editor.draft import Draft
from aircall_core.ui.flow_editor.words import Names
from aircall_core.ui.text import t


def bar(draft: Draft, newest: int, found: Sequence[Problem], names: Names) -> None:
    """Which version this is, Save and Discard, and what keeps it from being saved."""
    with st.container(horizontal=True, vertical_alignment="center", key="flow_bar"):
        st.markdown(f":small[{_version(draft)}]", width="stretch")
        if draft.dirty:
            st.badge(t("flow.unsaved"), color="orange", icon=":material/edit:")
        st.button(
            t("flow.discard"), key="flow-discard", disabled=not draft.dirty, on_click=_discard, args=(draft,),
        )  # fmt: skip
        if st.button(t("flow.save"), type="primary", key="flow-save", disabled=not draft.dirty or bool(found)):
            _save(draft)
    if draft.dirty and newest != draft.version:
        _changed_meanwhile(draft, newest)
    if found:
        _problems(draft, found, names)


def _version(draft: Draft) -> str:
    rows = data.read(versions, draft.line_id)
    row = next((one for one in rows if one["version"] == draft.version), None)
    if row is None:
        return t("flow.default")
    zone = data.read(people.company)["timezone"]
    author = format.plain(row["author"] or t("audit.system"))
    return t("flow.saved_by", version=row["version"], author=author, when=format.moment(row["created_at"], zone))


def _discard(draft: Draft) -> None:
    version, flow = data.read(flows.current, draft.line_id)
    draft.load(version, flow.steps)


def _rebase(draft: Draft, newest: int) -> None:
    draft.version = newest


def _save(draft: Draft) -> None:
    try:
        answer = client.send("PUT", f"/desk/lines/{draft.line_id}/flow", draft.body())
    except client.Refused as refused:
        if refused.code != "changed":  # the page says it by itself when it is drawn again
            st.error(refused.message)
            return
        st.rerun()
    draft.version, draft.saved = int(answer["version"]), draft.steps
    if draft.secrets:
        draft.load(*_stored(draft))
    st.toast(t("flow.saved", version=draft.version), icon=":material/check:")
    st.rerun()


def _stored(draft: Draft) -> tuple[int, tree.Steps]:
    version, flow = data.read(flows.current, draft.line_id)
    return version, flow.steps


def _changed_meanwhile(draft: Draft, newest: int) -> None:
    with st.container(border=True):
        st.warning(t("flow.changed_meanwhile", version=newest), icon=":material/group:")
        with st.container(horizontal=True):
            st.button(t("flow.take_theirs"), key="flow-theirs", on_click=_discard, args=(draft,))
            st.button(t("flow.keep_mine"), key="flow-mine", on_click=_rebase, args=(draft, newest))


def _problems(draft: Draft, found: Sequence[Problem], names: Names) -> None:
    """What is wrong, each leading to its step."""
    many = len(found)
    title = t("flow.problems_one") if many == 1 else t("flow.problems_many", count=many)
    with st.expander(f":red[:material/error: {title}]", expanded=many <= 3):
        for index, problem in enumerate(found):
            step = tree.get(draft.steps, problem.step)
            where = f"**{words.kind(step.kind)}** {format.plain(words.summary(step, names))}: " if step else ""
            st.button(
                f"{where}{drafts.text_of(problem)}", key=f"flow-problem-{index}", type="tertiary",
                disabled=step is None, on_click=draft.choose, args=(problem.step,),
            )  # fmt: skip


def versions_list(draft: Draft) -> None:
    """Every version of the flow, newest first; an old one can be loaded into the editor."""
    rows = data.read(versions, draft.line_id)
    if not rows:
        st.info(t("flow.versions_none"), icon=":material/history:")
    zone = data.read(people.company)["timezone"]
    for row in rows:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            _, flow = data.read(flows.current, draft.line_id, version=row["version"])
            author = format.plain(row["author"] or t("audit.system"))
            details = f"{author} · {format.moment(row['created_at'], zone)}"
            details += f" · {t('flow.version_steps', count=tree.size(flow.steps))}"
            st.markdown(f"**{t('flow.version', version=row['version'])}**  \n:small[{details}]", width="stretch")
            if row is rows[0]:
                st.badge(t("flow.version_now"), color="green")
            else:
                st.button(
                    t("flow.restore"), key=f"flow-restore-{row['version']}", icon=":material/history:",
                    on_click=_restore, args=(draft, row["version"]),
                )  # fmt: skip


def _restore(draft: Draft, version: int) -> None:
    now, newest = data.read(flows.current, draft.line_id)
    _, old = data.read(flows.current, draft.line_id, version=version)
    draft.load(now, newest.steps, old.steps)
    st.toast(t("flow.restored", version=version), icon=":material/history:")

"""The way to the first call, each step done here: company, line and who answers it, trunk, audio, test call."""

import streamlit as st

from aircall_core.store.queries import lines, people, readiness
from aircall_core.ui import checklist, client, data, format, forms, session
from aircall_core.ui.editors.company import company_form
from aircall_core.ui.editors.line import FRESH, line_form
from aircall_core.ui.editors.trunk import FRESH as FRESH_TRUNK
from aircall_core.ui.editors.trunk import trunk_form
from aircall_core.ui.text import t

who = session.current()
steps = data.read(readiness.steps)
upcoming = next((step for step, done in steps.items() if not done), None)
company = data.read(people.company)
found = data.read(lines.lines_list)
first = next((line for line in found if line["enabled"]), None)
first_id = first["id"] if first else ""

st.title(t("setup.title"), anchor=False)
st.progress(sum(steps.values()) / len(steps), text=t("setup.progress", done=sum(steps.values()), all=len(steps)))
if upcoming is None:
    st.success(t("setup.ready"), icon=":material/check_circle:")


def saved() -> None:
    """A step is done: show the next one."""
    st.toast(t("page.saved"), icon=":material/check:")
    st.rerun()


def step(name: str) -> "st.delta_generator.DeltaGenerator":
    """A step's section: open when it is the next one to do."""
    mark = ":green[:material/check_circle:]" if steps[name] else ":gray[:material/radio_button_unchecked:]"
    state = t("setup.done" if steps[name] else "setup.todo")
    return st.expander(f"{mark} **{t('setup.' + name)}** :small[:gray[{state}]]", expanded=name == upcoming)


with step("company"):
    st.caption(t("company.intro"))
    if company_form("setup-company", company):
        saved()

with step("line"):
    if first:
        number = format.plain(format.party(first["number"], first["country"]))
        st.markdown(f"**{format.plain(first['name'])}** · {number}")
        st.page_link("settings/lines.py", label=t("setup.line_more"), icon=":material/call:")
    else:
        st.caption(t("setup.line_intro"))
        example = {**FRESH, "number": t("setup.line_example"), "users": [who.user_id]}
        if line_form(
            "setup-line", example, data.read(people.users_list), data.read(people.teams_list), home=company["country"]
        ):
            saved()

with step("users"):
    st.caption(t("setup.users_intro"))
    if first:
        names = {user["id"]: user["name"] for user in data.read(people.users_list) if user["state"] != "disabled"}
        chosen = st.multiselect(
            t("lines.users"), list(names), first["users"], format_func=lambda one: names.get(one, "")
        )
        if st.button(t("page.save"), type="primary", key="setup-users") and forms.act(
            lambda: client.send("PATCH", f"/desk/lines/{first_id}", {"users": chosen}), t("page.saved")
        ):
            st.rerun()
        st.page_link("settings/users.py", label=t("setup.users_more"), icon=":material/person_add:")
    else:
        st.info(t("setup.line_first"))

with step("trunk"):
    st.caption(t("setup.trunk_intro"))
    if (
        not steps["trunk"]
        and st.button(t("setup.trunk_later"), icon=":material/schedule:")
        and forms.act(
            lambda: client.send("POST", "/desk/checklist", {"item": "test_phone_only", "done": True}), t("page.saved")
        )
    ):
        st.rerun()
    if st.toggle(t("setup.trunk_now"), key="setup-trunk-now") and trunk_form("setup-trunk", FRESH_TRUNK):
        saved()

with step("audio"):
    st.caption(t("setup.audio_intro"))
    st.page_link(checklist.PAGES["audio"], label=t("setup.audio_go"), icon=":material/graphic_eq:")

with step("call"):
    st.markdown(t("setup.call_intro"))
    if first is None:
        st.info(t("setup.line_first"))
    elif st.button(t("inbox.test"), type="primary", icon=":material/phone_forwarded:"):
        forms.act(lambda: client.send("POST", "/desk/testcall", {"line_id": first_id}), t("inbox.test_placed"))

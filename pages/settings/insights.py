"""Insight cards: the systems that are asked who calls."""

from typing import Any

import streamlit as st

from aircall_core.domain.insight_kinds import POSTED, RULES
from aircall_core.store.queries import people
from aircall_core.store.queries.insights import listed
from aircall_core.ui import client, data, format, forms, rows, search, session
from aircall_core.ui.editors.insight_source import FRESH, source_form
from aircall_core.ui.text import t

session.current()
MADE = "insights-secret"  # the source that was just made, and its secret: (id, secret)
zone = data.read(people.company)["timezone"]


@st.dialog(t("insights.edit_title"), width="large")
def edit(source: dict[str, Any] | None = None) -> None:
    """Make or change a source."""
    saved = source_form(f"source-{source['id'] if source else 'new'}", source or FRESH)
    if saved is not None:
        if "secret" in saved:
            st.session_state[MADE] = (saved["id"], saved["secret"])
        st.rerun()
    if source:
        forms.confirm(
            f"remove-{source['id']}",
            t("insights.remove_question", name=format.plain(source["name"])),
            lambda: client.send("DELETE", f"/desk/insight-sources/{source['id']}"),
        )


@st.dialog(t("insights.test_title"))
def test(source: dict[str, Any]) -> None:
    """Ask it about a number now; the card as agents would see it, or what went wrong."""
    st.markdown(f"**{format.plain(source['name'])}**")
    with forms.form(f"test-form-{source['id']}") as fields:
        number = fields.field("number", st.text_input(t("insights.test_number"), max_chars=40))
        if not st.form_submit_button(t("insights.test_ask"), type="primary"):
            return
        answer: dict[str, Any] = {}
        with st.spinner(t("insights.test_asking")):
            path = f"/desk/insight-sources/{source['id']}/test"
            if not fields.send(lambda: answer.update(client.send("POST", path, {"number": number}))):
                return
    if answer["error"]:
        why = t(f"insights.error_{answer['error']}")
        st.error(t("insights.test_failed", why=why, ms=answer["ms"]), icon=":material/error:")
    elif not answer["contents"]:
        st.info(t("insights.test_empty", ms=answer["ms"]), icon=":material/person_search:")
    else:
        st.success(t("insights.test_answered", ms=answer["ms"]), icon=":material/check_circle:")
        preview(answer["contents"])


def preview(contents: list[dict[str, str]]) -> None:
    """A card's lines."""
    with st.container(border=True, gap="small"):
        for line in contents:
            label = f":small[{format.plain(line['label'])}] " if line.get("label") else ""
            text = format.plain(line["text"] or line.get("email", ""))
            shown = f"**{text}** {label}" if line["type"] == "title" else f"{label}{text}"
            st.markdown(f"{shown} :small[{format.plain(line['link'])}]" if line.get("link") else shown)


def made_secret() -> None:
    """The secret of a source that was just made, until it is said to be kept: it is never shown again."""
    source_id, secret = st.session_state[MADE]
    with st.container(border=True):
        st.markdown(f"**{t('insights.made_secret')}**")
        st.code(secret, language=None)
        st.markdown(t("insights.made_address"))
        st.code(f"POST /hooks/cards/{source_id}", language=None)
        if st.button(t("insights.made_done"), icon=":material/check:"):
            del st.session_state[MADE]
            st.rerun()


def state(source: dict[str, Any]) -> str:
    """How its last question went."""
    if not source["enabled"]:
        return f":gray[:material/pause_circle: {t('insights.state_off')}]"
    if source["kind"] == RULES:
        return t("insights.state_rules")
    if source["kind"] == POSTED:
        posted = source["asked_at"] and format.moment(source["asked_at"], zone)
        return t("insights.state_posted", when=posted) if posted else t("insights.state_never_posted")
    if source["error"]:
        why, when = t(f"insights.error_{source['error']}"), format.moment(source["error_at"], zone)
        return f":red[:material/error: {t('insights.state_failed', why=why, when=when)}]"
    if source["asked_at"]:
        return f":green[:material/check_circle:] {t('insights.state_ok', when=format.moment(source['asked_at'], zone))}"
    return t("insights.state_never")


rows.heading(t("nav.insights"), t("insights.intro"), t("insights.add"), edit)
if MADE in st.session_state:
    made_secret()
every = data.read(listed)
if not every:
    st.info(t("insights.none"), icon=":material/badge:")
for source in search.chosen("insights", t("insights.search"), every, lambda one: (one["name"], one["kind"])):
    kind = t(f"insights.kind_{source['kind']}")
    posts_to = f"/hooks/cards/{source['id']}" if source["kind"] == POSTED else ""
    where = posts_to or source["settings"].get("address", "").partition("?")[0]
    with rows.row(format.plain(source["name"]), [" · ".join(filter(None, (kind, format.plain(where)))), state(source)]):
        asked = source["kind"] != POSTED
        if asked and st.button(t("insights.test"), key=f"test-{source['id']}", icon=":material/network_check:"):
            test(source)
        if rows.edit(f"edit-{source['id']}"):
            edit(source)

"""The form of a source of insight cards: what is asked depends on its kind, and the card is a table of lines."""

from typing import Any

import streamlit as st

from aircall_core.domain.insight import CONDITIONS, TYPES
from aircall_core.domain.insight_kinds import (
    AUTHS,
    CACHE_MIN,
    DEFAULT_CACHE_MIN,
    HTTP,
    KINDS,
    METHODS,
    POSTED,
    RULES,
    UNASKED,
)
from aircall_core.ui import client
from aircall_core.ui.forms import Form, form
from aircall_core.ui.text import t

_COLUMNS = ("type", "label", "text", "link", "field", "is", "value", "email")
FRESH: dict[str, Any] = {
    "id": None, "name": "", "kind": RULES, "enabled": True, "has_secret": False, "settings": {},
}  # fmt: skip


def source_form(key: str, source: dict[str, Any]) -> dict[str, Any] | None:
    """The desk's answer once it is saved.

    The kind, and how a web address is signed in to, are chosen outside the form, since they decide its fields.
    """
    kind, settings = source["kind"], source["settings"]
    if source["id"] is None:
        kind = st.selectbox(
            t("insights.kind"), list(KINDS), format_func=lambda one: t(f"insights.kind_{one}"), key=f"{key}-kind"
        )
    st.caption(t(f"insights.kind_{kind}_help"))
    auth = _auth(key, settings) if kind == HTTP else ""
    with form(f"{key}-{kind}-{auth}") as fields:
        name = source["name"] or ("" if kind in (*UNASKED, HTTP) else t(f"insights.kind_{kind}"))
        name = st.text_input(
            t("insights.name"), name, max_chars=40, help=None if kind == POSTED else t("insights.name_help")
        )
        body: dict[str, Any] = {"name": fields.field("name", name), "settings": {}}
        if kind not in UNASKED:
            body["settings"] = _remote(fields, kind, settings, auth)
        if kind != POSTED and (KINDS[kind].secret or auth not in ("", "none")):
            body["secret"] = _secret(fields, kind, has_one=source["has_secret"])
        if kind != POSTED:
            known = settings.get("lines") or KINDS[kind].lines
            body["settings"]["lines"] = fields.field("lines", _lines(key, kind, known))
        if kind not in UNASKED:
            body["settings"] |= _limits(fields, settings)
        body["enabled"] = st.toggle(t("insights.enabled"), source["enabled"])
        if not st.form_submit_button(t("page.save"), type="primary"):
            return None
        answers: list[dict[str, Any]] = []

        def send() -> None:
            method, path = ("PATCH", f"/{source['id']}") if source["id"] else ("POST", "")
            sent = body if source["id"] else {**body, "kind": kind}
            answers.append(client.send(method, f"/desk/insight-sources{path}", sent))

        return answers[0] if fields.send(send) else None


def _auth(key: str, settings: dict[str, Any]) -> str:
    known = settings.get("auth") or AUTHS[0]
    chosen = st.selectbox(
        t("insights.auth"), AUTHS, index=AUTHS.index(known), format_func=lambda one: t(f"insights.auth_{one}"),
        key=f"{key}-auth",
    )  # fmt: skip
    return str(chosen)


def _remote(fields: Form, kind: str, settings: dict[str, Any], auth: str) -> dict[str, Any]:
    """Where it is, and what else it needs to be told."""
    example = KINDS[kind].address
    own = kind in (HTTP, "salesforce", "zendesk", "pipedrive")  # HubSpot has one address for all
    body: dict[str, Any] = {
        "address": fields.field(
            "address",
            st.text_input(
                t("insights.address"), settings.get("address") or ("" if own else example), placeholder=example,
                help=t("insights.address_help_http") if kind == HTTP else None, max_chars=1000,
            ),
        )
    }  # fmt: skip
    if kind == HTTP:
        known = settings.get("method") or METHODS[0]
        method = st.radio(
            t("insights.method"), METHODS, index=METHODS.index(known), horizontal=True,
            format_func=lambda one: t(f"insights.method_{one}"),
        )  # fmt: skip
        body |= {"method": fields.field("method", method), "auth": auth}
        if auth in ("basic", "header"):
            label = t(f"insights.field_name_{auth}")
            body["name"] = fields.field("name", st.text_input(label, settings.get("name") or "", max_chars=80))
        return body
    for one in KINDS[kind].fields:
        label, told = t(f"insights.field_{one}"), t(f"insights.field_{one}_help")
        body[one] = fields.field(one, st.text_input(label, settings.get(one) or "", help=told, max_chars=200))
    return body


def _secret(fields: Form, kind: str, *, has_one: bool) -> str:
    label = t("insights.secret_salesforce") if kind == "salesforce" else t("insights.secret")
    given = st.text_input(
        label, type="password", autocomplete="new-password", placeholder=t("insights.secret_kept") if has_one else ""
    )
    return str(fields.field("secret", given))


def _lines(key: str, kind: str, known: Any) -> list[dict[str, Any]]:
    """The card's lines as a table: what a line is, and when it is shown."""
    st.markdown(f"**{t('insights.lines')}**")
    rows = [_row(one) for one in known] or [_row({"type": "title"})]
    types = st.column_config.SelectboxColumn(
        t("insights.col_type"), options=list(TYPES), required=True, default=TYPES[1], width="small",
        format_func=lambda one: t(f"insights.type_{one}"),
    )  # fmt: skip
    conditions = st.column_config.SelectboxColumn(
        t("insights.col_is"), options=list(CONDITIONS), width="small", format_func=lambda one: t(f"insights.is_{one}")
    )
    texts = {
        name: st.column_config.TextColumn(
            t(f"insights.col_{name}"), max_chars=400, width=240 if name == "text" else 110
        )
        for name in _COLUMNS
        if name not in ("type", "is")
    }
    edited = st.data_editor(
        rows, key=f"{key}-{kind}-lines", num_rows="dynamic", hide_index=True, column_order=_COLUMNS,
        column_config={"type": types, "is": conditions, **texts},
    )  # fmt: skip
    st.caption(t("insights.lines_help"))
    if kind != RULES:
        st.caption(t("insights.lines_help_answer"))
    if kind == HTTP:
        st.caption(t("insights.lines_help_http"))
    return [line for row in edited if (line := _line(row))["text"] or line["email"]]


def _row(line: Any) -> dict[str, str]:
    when = line.get("when") or {}
    return {name: str(line.get(name) or when.get(name) or "") for name in _COLUMNS}


def _line(row: dict[str, Any]) -> dict[str, Any]:
    texts = {name: str(row.get(name) or "").strip() for name in _COLUMNS}
    when = {name: texts.pop(name) for name in ("field", "is", "value")}
    return {**texts, "when": when} if when["field"] or when["is"] else texts


def _limits(fields: Form, settings: dict[str, Any]) -> dict[str, Any]:
    least, most = CACHE_MIN
    minutes = st.number_input(
        t("insights.cache_min"),
        least,
        most,
        int(settings.get("cache_min", DEFAULT_CACHE_MIN)),
        help=t("insights.cache_min_help"),
    )
    private = st.toggle(t("insights.private"), bool(settings.get("private")), help=t("insights.private_help"))
    return {"cache_min": int(fields.field("cache_min", minutes)), "private": private}

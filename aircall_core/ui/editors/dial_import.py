"""Importing a file of numbers: what was found in it, which rows can be dialled, why others cannot; then the import."""

import json
from collections.abc import Sequence
from typing import Any, Final

import pandas as pd
import streamlit as st

from aircall_core.domain import dial_file
from aircall_core.domain.dial_file import Sheet, Unreadable
from aircall_core.ui import client, format
from aircall_core.ui.text import catalogue, t

LARGEST_MB: Final = dial_file.LARGEST // 1_000_000
PATIENCE_S: Final = 30.0  # for one chunk, on a busy machine
TOLD: Final = 5  # problems that are shown; the others are in the download
_SEPARATORS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


def import_form(list_id: str) -> bool:
    """All of it, step by step; whether its user has done with it."""
    done = st.session_state.get(_key(list_id, "done"))
    if done is not None:
        return _result(list_id, done)
    _steps(list_id)
    return False


def _steps(list_id: str) -> None:
    file = st.file_uploader(
        t("dialer.file"), ["csv", "txt", "tsv"], max_upload_size=LARGEST_MB, help=t("dialer.file_help"),
        key=_key(list_id, "file"),
    )  # fmt: skip
    if file is None:
        return
    data = file.getvalue()
    try:
        sheet = dial_file.read(data)
    except Unreadable:
        _told(list_id, "check", data, "", "dialer.checking")  # the desk says what is wrong with it
        return
    separator = _SEPARATORS.get(sheet.separator, "other")
    st.caption(
        t(
            "dialer.found", rows=f"{len(sheet.records):,}", encoding=sheet.encoding.upper(),
            separator=t(f"dialer.sep_{separator}", separator=sheet.separator),
        )
    )  # fmt: skip
    columns = _columns(list_id, sheet)
    if not columns:
        return
    known = st.session_state.get(_key(list_id, "report"))
    asked = (file.file_id, columns)
    if known is None or known[0] != asked:
        report = _told(list_id, "check", data, columns, "dialer.checking")
        if report is None:
            return
        known = (asked, report)
        st.session_state[_key(list_id, "report")] = known
    report = known[1]
    _found(report)
    if report["good"] and st.button(
        t("dialer.take", good=f"{report['good']:,}"), type="primary", icon=":material/upload:"
    ):
        done = _told(list_id, "import", data, columns, "dialer.importing")
        if done is not None:
            st.session_state[_key(list_id, "done")] = done
            st.rerun()


def forget(list_id: str) -> None:
    """The next import of this list begins anew."""
    for part in ("file", "report", "done"):
        st.session_state.pop(_key(list_id, part), None)


def _key(list_id: str, part: str) -> str:
    return f"dial-import-{part}-{list_id}"


def _told(list_id: str, path: str, data: bytes, columns: str, words: str) -> dict[str, Any] | None:
    path = f"/desk/dial-lists/{list_id}/{path}"
    return client.told_with_bar(path, {"columns": columns}, data, words, "dialer.stopped", patience_s=PATIENCE_S)


def _columns(list_id: str, sheet: Sheet) -> str:
    """Which column is what, as the desk wants it; '' until the numbers' is chosen."""
    places = list(range(sheet.width))
    found = sheet.columns
    names = {at: _column(sheet, at) for at in places}

    def choose(label: str, part: str, chosen: int | None, *, optional: bool = True) -> int | None:
        options: list[int | None] = [None, *places] if optional else [*places]
        picked: int | None = place.selectbox(
            t(label), options, options.index(chosen) if chosen in options else None,
            format_func=lambda at: titles[at] if at is not None else t("dialer.column_nothing"),
            key=f"{_key(list_id, part)}-{sheet.separator}-{len(places)}-{found}", placeholder="",
        )  # fmt: skip
        return picked

    number_place, name_place, note_place = st.columns(3)
    place, titles = number_place, names
    number = choose("dialer.column_number", "number", found.number if found else None, optional=False)
    place = name_place
    first = found.names[0] if found and found.names else None
    if found and len(found.names) > 1:  # a first name and a family name
        titles = {**titles, found.names[0]: ", ".join(titles[at] for at in found.names)}
    name = choose("dialer.column_names", "name", first)
    place, titles = note_place, names
    note = choose("dialer.column_note", "note", found.note if found else None)
    if number is None:
        return ""
    both = found.names if found and name == first else () if name is None else (name,)
    return json.dumps({"number": number, "names": both, "note": note})


def _column(sheet: Sheet, at: int) -> str:
    """A column as spreadsheets name it, with its title or else what stands in it first."""
    cells: Sequence[str] = sheet.titles or sheet.records[0].cells
    letter = chr(ord("A") + at) if at < 26 else str(at + 1)
    return t("dialer.column", letter=letter, title=(cells[at] if at < len(cells) else "")[:40])


def why(problem: dict[str, Any]) -> str:
    """Why a row cannot be dialled, in words."""
    detail = problem["detail"]
    if problem["code"] == "refused":
        words = catalogue()["dialling"]
        detail = words.get(f"why_{detail}", detail)
    return t(f"dialer.why_{problem['code']}", detail=detail)


def _found(report: dict[str, Any]) -> None:
    """How many rows can be dialled, the first of them, and what is wrong with the others."""
    good, problems = report["good"], report["problems"]
    if good:
        st.success(t("dialer.good", good=f"{good:,}"), icon=":material/check_circle:")
        names = {"line": t("dialer.column_line"), "spoken": t("ui.dialer.number"), "name": t("ui.dialer.name")}
        names["note"] = t("ui.dialer.note")
        st.caption(t("dialer.preview"))
        rows = [{title: format.plain(str(row[name])) for name, title in names.items()} for row in report["first"]]
        st.table(pd.DataFrame(rows), hide_index=True, border="horizontal")
    else:
        st.warning(t("dialer.nothing_good"), icon=":material/warning:")
    if problems:
        _problems(problems)


def _problems(problems: list[dict[str, Any]]) -> None:
    st.warning(t("dialer.bad", count=f"{len(problems):,}"), icon=":material/warning:")
    shown = [
        {
            t("dialer.column_line"): one["line"], t("dialer.column_reason"): why(one),
            t("dialer.column_row"): format.plain(one["text"]),
        }
        for one in problems[:TOLD]
    ]  # fmt: skip
    st.table(pd.DataFrame(shown), hide_index=True, border="horizontal")
    if len(problems) > TOLD:
        st.caption(t("dialer.more_problems", count=f"{len(problems) - TOLD:,}"))
    head = [t("dialer.column_line"), t("dialer.column_reason"), t("dialer.column_row")]
    text = dial_file.sheet_text([head, *([str(one["line"]), why(one), one["text"]] for one in problems)])
    st.download_button(
        t("dialer.download"), text.encode("utf-8-sig"), t("dialer.download_name"), "text/csv",
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip


def _result(list_id: str, report: dict[str, Any]) -> bool:
    st.success(t("dialer.taken", good=f"{report['good']:,}"), icon=":material/check_circle:")
    if report["problems"]:
        st.caption(t("dialer.taken_but", count=format.plain(f"{len(report['problems']):,}")))
    if not st.button(t("dialer.to_list"), type="primary", icon=":material/dialer_sip:"):
        return False
    forget(list_id)
    return True

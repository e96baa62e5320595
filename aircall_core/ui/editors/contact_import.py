"""Importing contacts: what was found in the file and what its columns hold, what is there already, then the import."""

import json
from typing import Any, Final

import pandas as pd
import streamlit as st

from aircall_core.domain import dial_file
from aircall_core.domain.contact_file import FIELD, LEFT_OUT, TARGETS
from aircall_core.ui import client, format
from aircall_core.ui.text import t

LARGEST_MB: Final = dial_file.LARGEST // 1_000_000
PATIENCE_S: Final = 30.0  # for some chunks, on a busy machine
TOLD: Final = 5  # problems that are shown; the others are in the download
_SEPARATORS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_KEYS: Final = ("file", "report", "done")


def import_form(fields: list[dict[str, Any]]) -> bool:
    """All of it, step by step; whether its user has done with it. ``fields``: the custom fields."""
    done = st.session_state.get(_key("done"))
    if done is not None:
        return _result(done)
    file = st.file_uploader(
        t("contacts.file"), ["csv", "txt", "tsv", "vcf", "vcard"], max_upload_size=LARGEST_MB, key=_key("file"),
        help=t("contacts.file_help", mb=LARGEST_MB, rows=f"{dial_file.MOST_ROWS:,}"),
    )  # fmt: skip
    if file is None:
        return False
    data = file.getvalue()
    report = _looked(file.file_id, "", data)
    if report is None:
        return False
    columns = ""
    if report["kind"] == "csv":
        separator = _SEPARATORS.get(report["separator"], "other")
        said = t(f"dialer.sep_{separator}", separator=report["separator"])
        counts = {"rows": f"{report['rows']:,}", "encoding": report["encoding"].upper(), "separator": said}
        st.caption(t("contacts.found_csv", **counts))
        chosen = _columns(file.file_id, report, fields)
        if chosen != report["columns"]:
            columns = json.dumps(chosen)
            report = _looked(file.file_id, columns, data)
            if report is None:
                return False
    else:
        st.caption(t("contacts.found_cards", rows=f"{report['rows']:,}"))
    _found(report)
    same = _same(report)
    count = report["created"] + (report["skipped"] if same != "skip" else 0)
    if count and st.button(t("contacts.take", count=f"{count:,}"), type="primary", icon=":material/upload:"):
        done = _told("import", data, columns, same, "contacts.importing")
        if done is not None:
            st.session_state[_key("done")] = done
            st.rerun()
    return False


def forget() -> None:
    """The next import begins anew."""
    for part in _KEYS:
        st.session_state.pop(_key(part), None)


def _key(part: str) -> str:
    return f"contact-import-{part}"


def _looked(file_id: str, columns: str, data: bytes) -> dict[str, Any] | None:
    """What would come of the file, asked once for each choice of columns."""
    known: dict[tuple[str, str], dict[str, Any]] = st.session_state.setdefault(_key("report"), {})
    if (file_id, columns) not in known:
        report = _told("check", data, columns, "skip", "contacts.checking")
        if report is None:
            return None
        known[file_id, columns] = report
    return known[file_id, columns]


def _told(path: str, data: bytes, columns: str, same: str, words: str) -> dict[str, Any] | None:
    given = {"columns": columns, "same": same}
    path = f"/desk/contacts/{path}"
    return client.told_with_bar(path, given, data, words, "contacts.stopped", patience_s=PATIENCE_S)


def _columns(file_id: str, report: dict[str, Any], fields: list[dict[str, Any]]) -> list[str]:
    """What each column holds, as the user has it."""
    names = {LEFT_OUT: t("contacts.as_"), **{one: t(f"contacts.as_{one}") for one in TARGETS}}
    names |= {FIELD + one["id"]: format.plain(one["name"]) for one in fields}
    chosen = []
    with st.expander(t("contacts.columns"), expanded=not any(report["columns"])):
        places = st.columns(3)
        for at, guess in enumerate(report["columns"]):
            letter = chr(ord("A") + at) if at < 26 else str(at + 1)
            label = t("contacts.column", letter=letter, title=format.plain(report["titles"][at][:40]))
            chosen.append(
                places[at % 3].selectbox(
                    label, list(names), list(names).index(guess) if guess in names else 0,
                    format_func=names.__getitem__, key=f"{_key('column')}-{file_id}-{at}",
                )
            )  # fmt: skip
    return [str(one) for one in chosen]


def _same(report: dict[str, Any]) -> str:
    """What becomes of those that are there already."""
    if not report["skipped"]:
        return "skip"
    chosen: str | None = st.radio(
        t("contacts.duplicates"), ["skip", "merge", "new"], format_func=lambda one: t(f"contacts.do_{one}"),
        captions=["", "", t("contacts.do_new_help")], help=t("contacts.duplicates_help"), key=_key("same"),
    )  # fmt: skip
    return chosen or "skip"


def _found(report: dict[str, Any]) -> None:
    """How many are new, how many are there already, the first of them, and what is wrong with the others."""
    if report["created"] or report["skipped"]:
        said = t("contacts.good_new", count=f"{report['created']:,}")
        if report["skipped"]:
            said += " · " + t("contacts.good_same", count=f"{report['skipped']:,}")
        st.success(said, icon=":material/check_circle:")
        st.caption(t("contacts.preview"))
        titles = {one: t(f"contacts.as_{one}") for one in ("name", "company", "number", "email")}
        rows = [
            {
                titles["name"]: format.plain(row["name"]), titles["company"]: format.plain(row["company"]),
                titles["number"]: format.plain(", ".join(row["numbers"])),
                titles["email"]: format.plain(", ".join(row["emails"])),
                t("contacts.known"): t("contacts.known_yes") if row["known"] else "",
            }
            for row in report["first"]
        ]  # fmt: skip
        st.table(pd.DataFrame(rows), hide_index=True, border="horizontal")
    else:
        st.warning(t("contacts.nothing"), icon=":material/warning:")
    if report["problems"]:
        problems(report["problems"])


def why(problem: dict[str, Any]) -> str:
    """What is wrong with a row, in words."""
    return t(f"contacts.why_{problem['code']}", detail=problem["detail"])


def problems(found: list[dict[str, Any]]) -> None:
    """The first rows that are wrong, and all of them to take away."""
    bad_rows = len({one["line"] for one in found})
    st.warning(t("contacts.bad", count=f"{bad_rows:,}"), icon=":material/warning:")
    titles = [t("contacts.line"), t("contacts.reason"), t("contacts.row")]
    rows = [[one["line"], format.plain(why(one)), format.plain(one["text"])] for one in found[:TOLD]]
    st.table(pd.DataFrame(rows, columns=titles), hide_index=True, border="horizontal")
    if len(found) > TOLD:
        st.caption(t("contacts.more_problems", count=f"{len(found) - TOLD:,}"))
    text = dial_file.sheet_text([titles, *([str(one["line"]), why(one), one["text"]] for one in found)])
    st.download_button(
        t("contacts.download"), text.encode("utf-8-sig"), t("contacts.download_name"), "text/csv",
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip


def _result(report: dict[str, Any]) -> bool:
    counts = {name: f"{report[name]:,}" for name in ("created", "merged", "skipped")}
    st.success(t("contacts.done", **counts), icon=":material/check_circle:")
    if report["problems"]:
        problems(report["problems"])
    if not st.button(t("contacts.to_list"), type="primary", icon=":material/contacts:"):
        return False
    forget()
    return True

"""The search box above a list of settings, the same everywhere."""

import unicodedata
from collections.abc import Callable, Iterable
from typing import TypeVar

import streamlit as st

from aircall_core.ui.text import t

T = TypeVar("T")


def folded(text: str) -> str:
    """Text as it is compared: without case and accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in apart if not unicodedata.combining(char))


def matches(wanted: str, *texts: object) -> bool:
    """Whether each word of the search is in one of these texts. A number is found however it is written."""
    hay = folded(" ".join(str(text) for text in texts if text))
    digits = "".join(char for char in hay if char.isdigit())
    for word in folded(wanted).split():
        number = "".join(char for char in word if char.isdigit())
        as_number = len(number) >= 3 and not any(char.isalpha() for char in word) and number.lstrip("0") in digits
        if word not in hay and not as_number:
            return False
    return True


def box(key: str, label: str) -> str:
    """The box; what is searched for."""
    return str(
        st.text_input(
            label, key=f"search-{key}", placeholder=label, label_visibility="collapsed", icon=":material/search:",
            max_chars=80,
        )
    )  # fmt: skip


def chosen(key: str, label: str, rows: Iterable[T], texts: Callable[[T], Iterable[object]]) -> list[T]:
    """The box, and the rows that it lets through; says so where it lets none."""
    every = list(rows)
    if not every:
        return every
    wanted = box(key, label)
    found = [row for row in every if matches(wanted, *texts(row))]
    if not found:
        st.info(t("search.none"), icon=":material/search_off:")
    return found

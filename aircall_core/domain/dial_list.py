"""Lists of numbers for the power dialer: what can become of an entry, and which rows of a file can become one."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from aircall_core.domain.dial_file import Columns, Record

LONGEST_LIST_NAME: Final = 80
LONGEST_NAME: Final = 200
LONGEST_NOTE: Final = 2_000
MOST_ENTRIES: Final = 100_000  # of a list
DEFAULT_PAUSE_S: Final = 10
LONGEST_PAUSE_S: Final = 300
LEASE_MS: Final = 90_000  # a claim whose page is gone goes back by then


class State(StrEnum):
    """Where an entry stands. What came of a call to it is that call's own: nothing of it is kept here."""

    WAITING = "waiting"
    CLAIMED = "claimed"  # an agent sees it and is about to dial it, or not
    DIALLED = "dialled"
    SKIPPED = "skipped"


DO_NOT_CALL: Final = "do_not_call"
SKIP_REASONS: Final = ("wrong_number", "spoken_already", "not_interested", DO_NOT_CALL, "other")

E164: Final = re.compile(r"\+[1-9][0-9]{5,14}")
_SHORTENED = re.compile(r"[0-9]+([.,][0-9]+)?E\+?[0-9]+", re.IGNORECASE)
_EXTENSION = re.compile(r"[0-9]\s*(ext|extension|poste|x|#)\.?\s*[0-9]{1,6}$", re.IGNORECASE)
_FORMULA = re.compile(r'=\s*"(.*)"')
_BETWEEN = re.compile(r"[/;|,\n]")


class Code(StrEnum):
    """Why a row of a file cannot become an entry."""

    QUOTES = "quotes"  # a quotation mark stands in the wrong place, or is never closed
    EXTRA_CELLS = "extra_cells"  # more cells than the header has: an unquoted separator in a text
    NO_NUMBER = "no_number"
    NOT_A_NUMBER = "not_a_number"
    SHORTENED = "shortened"  # 3.36E+10: a spreadsheet has thrown digits away
    SEVERAL = "several"  # two numbers in one cell
    EXTENSION = "extension"  # nobody can be dialled behind one
    NAME_TOO_LONG = "name_too_long"
    NOTE_TOO_LONG = "note_too_long"
    TWICE = "twice"  # detail: the line it stands on first
    LISTED = "listed"  # in this list already
    DO_NOT_CALL = "do_not_call"
    REFUSED = "refused"  # it may not be dialled; detail: the guard's code
    FULL = "full"  # the list holds no more


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that cannot become an entry. ``line`` is its first line in the file, from 1; ``text`` what it says."""

    line: int
    code: Code
    text: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row that can be dialled; ``number`` is E.164."""

    line: int
    number: str
    name: str = ""
    note: str = ""


Judge = Callable[[str], tuple[str, str]]
"""Makes E.164 of a number in any spelling, and says why it may not be dialled: a code, or ''."""
_UNREADABLE: Final = frozenset({"not_a_number", "incomplete", "service_code"})  # codes of judges


def rows(records: Iterable[Record], columns: Columns, judge: Judge, seen: dict[str, int]) -> Iterator[Row | Problem]:
    """Each record that is not blank as a row or as a problem, in their order.

    ``seen`` maps the numbers of this file to their lines, and is added to.
    """
    for record in records:
        if not record.blank:
            found = _row(record, columns, judge)
            if isinstance(found, Row):
                first = seen.setdefault(found.number, found.line)
                if first != found.line:
                    found = Problem(found.line, Code.TWICE, record.text, str(first))
            yield found


def _row(record: Record, columns: Columns, judge: Judge) -> Row | Problem:
    line, text = record.line, record.text
    if record.broken:
        return Problem(line, Code.QUOTES, text)
    if columns.width and any(cell.strip() for cell in record.cells[columns.width :]):
        return Problem(line, Code.EXTRA_CELLS, text)
    number = read(columns.number_of(record.cells), judge)
    if isinstance(number, Problem):
        return Problem(line, number.code, text, number.detail)
    made = entry(number, columns.name_of(record.cells), columns.note_of(record.cells))
    return Problem(line, made.code, text) if isinstance(made, Problem) else Row(line, made.number, made.name, made.note)


def entry(number: str, name: str, note: str) -> Row | Problem:
    """A number (E.164) with its texts as they are kept, or what is wrong with these."""
    name, note = one_line(name), note.strip()
    if len(name) > LONGEST_NAME:
        return Problem(0, Code.NAME_TOO_LONG, name)
    if len(note) > LONGEST_NOTE:
        return Problem(0, Code.NOTE_TOO_LONG, note)
    return Row(0, number, name, note)


def one_line(text: str) -> str:
    """A name as it is kept: no line breaks, single spaces."""
    return " ".join(text.split())


def read(text: str, judge: Judge) -> str | Problem:
    """A number as it was typed or stands in a cell, in E.164, or why not. Knows what spreadsheets do to numbers."""
    text = text.strip().lstrip("'").strip()
    formula = _FORMULA.fullmatch(text)
    if formula:
        text = formula[1].strip()
    if not text:
        return Problem(0, Code.NO_NUMBER)
    if _SHORTENED.fullmatch(text):
        return Problem(0, Code.SHORTENED, text)
    if sum(_digits(part) >= 6 for part in _BETWEEN.split(text)) > 1:
        return Problem(0, Code.SEVERAL, text)
    number, why = judge(text)
    if why == Code.EXTENSION or _EXTENSION.search(text):
        return Problem(0, Code.EXTENSION, text)
    if why and why not in _UNREADABLE:
        return Problem(0, Code.REFUSED, text, why)
    return number if not why and E164.fullmatch(number) else Problem(0, Code.NOT_A_NUMBER, text)


def _digits(text: str) -> int:
    return sum(char.isdigit() for char in text)

"""Files of numbers for a list: looked at first (what would come of each row), then taken in, in chunks.

Both answer as they go, one JSON object a line: {"done", "of"} after each chunk, {"report"} at the end, {"error"} where
something stops it on the way. What was taken in by then stays, and the same file may be sent again: what is listed
already is left out.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from aircall_core import numbers
from aircall_core.desk import dial_lists
from aircall_core.desk.errors import Invalid
from aircall_core.domain import dial_file
from aircall_core.domain import dial_list as rules
from aircall_core.domain.dial_file import Columns, Record, Sheet, Unreadable
from aircall_core.domain.dial_list import Judge, Problem, Row
from aircall_core.service import file_form
from aircall_core.service.dial_lists import seen_list
from aircall_core.service.endpoint import Ask

_AWAY: Final = "The database is away for a moment. Send the file again: what is on the list already is left out."


async def check(ask: Ask) -> StreamingResponse:
    """POST /desk/dial-lists/{list}/check, a form: file, and columns where they are not to be found by themselves."""
    return await _answer(ask, takes=False)


async def take(ask: Ask) -> StreamingResponse:
    """POST /desk/dial-lists/{list}/import, the same form: good rows go to the end of the list."""
    return await _answer(ask, takes=True)


@dataclass
class _Reading:
    """A file on its way into a list."""

    ask: Ask
    list_id: str
    country: str
    sheet: Sheet
    columns: Columns
    judge: Judge
    takes: bool
    seen: dict[str, int] = field(default_factory=dict)
    first: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    good: int = 0
    noted: str | None = None  # the audit log's entry about it

    def chunk(self, records: tuple[Record, ...]) -> None:
        """Read some rows, in a worker thread: short transactions, and the desk's other users in between."""
        found = list(rules.rows(records, self.columns, self.judge, self.seen))
        rows = [one for one in found if isinstance(one, Row)]
        with self.ask.desk.store.read() as conn:
            out = dial_lists.kept_out(conn, self.list_id, rows)
        if self.takes:
            left = {one.line for one in out}
            with self.ask.desk.store.write() as tx:
                new = [row for row in rows if row.line not in left]
                out += dial_lists.take(tx, self.ask.actor, self.list_id, new)
                good = self.good + len(rows) - len(out)
                noted = dial_lists.imported(tx, self.ask.actor, self.list_id, good, self.noted)
            self.noted = noted  # now that it holds
        lines = {one.line for one in out}
        rows = [row for row in rows if row.line not in lines]
        self.problems += sorted([*(one for one in found if isinstance(one, Problem)), *out], key=lambda one: one.line)
        self.first += rows[: file_form.FIRST_ROWS - len(self.first)]
        self.good += len(rows)

    def report(self) -> dict[str, Any]:
        """What came of it."""
        return {
            "rows": len(self.sheet.records),
            "good": self.good,
            "first": [{**asdict(row), "spoken": numbers.spoken_form(row.number, self.country)} for row in self.first],
            "problems": [asdict(one) for one in self.problems],
        }


async def _answer(ask: Ask, *, takes: bool) -> StreamingResponse:
    await run_in_threadpool(_list, ask)  # before the file is read
    data, given = await file_form.read(ask, "columns")
    reading = await run_in_threadpool(_open, ask, data, given["columns"], takes)
    return file_form.told(_work(reading), _AWAY)


async def _work(reading: _Reading) -> AsyncIterator[dict[str, Any]]:
    records = reading.sheet.records
    for start in range(0, len(records), dial_lists.CHUNK):
        await run_in_threadpool(reading.chunk, records[start : start + dial_lists.CHUNK])
        yield {"done": min(start + dial_lists.CHUNK, len(records)), "of": len(records)}
    yield {"report": reading.report()}


def _list(ask: Ask) -> dict[str, Any]:
    with ask.desk.store.read() as conn:
        return dial_lists.open_list(conn, seen_list(ask, conn))


def _open(ask: Ask, data: bytes, columns: str, takes: bool) -> _Reading:
    known = _list(ask)
    try:
        sheet = dial_file.read(data)
    except Unreadable as wrong:
        raise file_form.unreadable(wrong, "rows") from None
    chosen = _chosen(columns, sheet) if columns else sheet.columns
    if chosen is None:
        raise Invalid({"file": "No column of this file looks like telephone numbers."})
    with ask.desk.store.read() as conn:
        judge = dial_lists.judge(conn, known["line_id"])
    return _Reading(ask, known["id"], known["country"], sheet, chosen, judge, takes)


def _chosen(text: str, sheet: Sheet) -> Columns:
    """Columns as a form has them: {"number": 0, "names": [1, 2], "note": 3}, counted from 0."""

    def place(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < max(1, sheet.width):
            raise ValueError
        return value

    try:
        given = json.loads(text)
        note = given.get("note")
        return Columns(
            place(given["number"]),
            tuple(place(one) for one in given.get("names", [])[:2]),
            None if note is None else place(note),
            sheet.columns.width if sheet.columns else 0,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Invalid({"columns": "Choose columns that the file has."}) from None

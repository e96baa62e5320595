"""Files that are taken in while the page is told how far that is: the form they come in, the lines that go back."""

import json
from collections.abc import AsyncIterator
from typing import Any, Final

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

from aircall_core.desk.errors import DeskError, Invalid
from aircall_core.domain import dial_file
from aircall_core.domain.dial_file import Unreadable
from aircall_core.service.answers import Refused
from aircall_core.service.endpoint import Ask
from aircall_core.store import StoreAway

LARGEST_UPLOAD: Final = dial_file.LARGEST + 64 * 1024  # bytes: the file, and the form around it
FIRST_ROWS: Final = 5  # that are shown of a file
_SAID: Final = {
    "empty": "There are no {things} in this file.",
    "workbook": "This is a spreadsheet's own format. Save it as CSV there, and choose that file.",
    "encoding": "The characters of this file cannot be read. Save it in UTF-8.",
    "too_large": f"Choose a file of at most {dial_file.LARGEST // 1_000_000} MB.",
    "too_many": f"Choose a file of at most {dial_file.MOST_ROWS:,} {{things}}.",
}


async def read(ask: Ask, *names: str) -> tuple[bytes, dict[str, str]]:
    """The file and these fields of a form, '' where one is not given. Raises Invalid, Refused."""
    try:
        async with ask.request.form(max_files=1, max_fields=len(names), max_part_size=8192) as form:
            file, given = form.get("file"), {name: form.get(name, "") for name in names}
            if not isinstance(file, UploadFile) or not file.size:
                raise Invalid({"file": "Choose a file."})
            fields = {name: value for name, value in given.items() if isinstance(value, str)}
            if len(fields) != len(names):
                raise Refused(400, "bad_request", "The form is not one of ours.")
            return await file.read(), fields
    except HTTPException as wrong:
        raise Refused(400, "bad_request", "The form is not one of ours.") from wrong


def unreadable(wrong: Unreadable, things: str) -> Invalid:
    """What is wrong with a file, in words. ``things``: what is in such files, contacts or rows."""
    return Invalid({"file": _SAID[wrong.code].format(things=things)})


def told(work: AsyncIterator[dict[str, Any]], away: str) -> StreamingResponse:
    """One JSON object a line, as they come; {"error"} where something stops the work. ``away``: when the store is."""
    return StreamingResponse(
        _lines(work, away), media_type="application/x-ndjson", headers={"cache-control": "no-store"}
    )


async def _lines(work: AsyncIterator[dict[str, Any]], away: str) -> AsyncIterator[str]:
    try:
        async for value in work:
            yield _line(value)
    except DeskError as refused:  # what it was put into is archived or gone since it began
        yield _line({"error": {"code": refused.code, "message": refused.message}})
    except StoreAway:
        yield _line({"error": {"code": "store_away", "message": away}})


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":")) + "\n"

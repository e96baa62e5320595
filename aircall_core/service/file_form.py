"""Files that are taken in while the page is told how far that is: the form they come in, the lines that go back."""

import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

from aircall_core.desk.errors import Invalid
from aircall_core.service.answers import Refused
from aircall_core.service.endpoint import Ask


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


def told(lines: AsyncIterator[str]) -> StreamingResponse:
    """One JSON object a line, as they come."""
    return StreamingResponse(lines, media_type="application/x-ndjson", headers={"cache-control": "no-store"})


def line(value: dict[str, Any]) -> str:
    """One of these lines."""
    return json.dumps(value, separators=(",", ":")) + "\n"

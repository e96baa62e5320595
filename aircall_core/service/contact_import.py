"""Files of contacts: looked at first (what would come of them), then taken in, in chunks.

Both answer as service/dial_import.py does: {"done", "of"} after each chunk, {"report"} at the end, {"error"} where
something stops it on the way. What was taken in stays, and the same file may be sent again.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from typing import Any, Final, cast, get_args

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from aircall_core import numbers
from aircall_core.desk import contact_import, contacts
from aircall_core.desk.contact_import import CHUNK, Same, Tally
from aircall_core.desk.errors import Invalid
from aircall_core.domain import contact_file
from aircall_core.domain.contact import Profile
from aircall_core.domain.contact_file import FIELD, File, Raw
from aircall_core.domain.dial_file import Unreadable
from aircall_core.service import file_form
from aircall_core.service.endpoint import Ask
from aircall_core.store import contacts as rows

_TELL_EVERY: Final = 20  # chunks
_AWAY: Final = "The database is away for a moment. Send the file again: what is there already is not made twice."


async def check(ask: Ask) -> StreamingResponse:
    """POST /desk/contacts/check, a form: file, and columns (what each holds) where that is not to be guessed."""
    return await _answer(ask, takes=False)


async def take(ask: Ask) -> StreamingResponse:
    """POST /desk/contacts/import, the same form, and same: skip, merge or new, for those that are there already."""
    return await _answer(ask, takes=True)


@dataclass
class _Reading:
    """A file on its way into the contacts."""

    ask: Ask
    file: File
    targets: list[str]
    same: Same
    takes: bool
    country: str
    fields: dict[str, dict[str, Any]]
    tally: Tally = field(default_factory=Tally)
    noted: str | None = None  # the audit log's entry about it
    first: list[dict[str, Any]] = field(default_factory=list)

    def chunk(self, start: int) -> None:
        """Read some contacts, in a worker thread: a short transaction, and the desk's other users in between."""
        given: list[tuple[Raw, Profile]] = []
        for raw in self.file.raws(self.targets, start, start + CHUNK):
            profile, problems = contact_file.profile(raw, self._number, self.fields)
            self.tally.problems += problems
            if profile is not None:
                given.append((raw, profile))
        if self.takes and given:
            with self.ask.desk.store.write() as tx:
                tally = self.tally + contact_import.take(tx, self.ask.actor, given, self.same)
                noted = contact_import.imported(tx, self.ask.actor, tally, self.noted)
            self.tally, self.noted = tally, noted  # now that it holds
        elif given:
            with self.ask.desk.store.read() as conn:
                known = contact_import.look(conn, given, self.tally)
            for (raw, profile), is_known in zip(given, known, strict=True):
                if len(self.first) < file_form.FIRST_ROWS:
                    self.first.append(self._shown(raw, profile, is_known))

    def _number(self, text: str) -> str:
        plain = numbers.normalise(text, self.country)
        return plain if plain.startswith("+") and len(plain) >= 7 and plain[1:].isdigit() else ""

    def _shown(self, raw: Raw, profile: Profile, is_known: bool) -> dict[str, Any]:
        return {
            "line": raw.line, "name": profile.name, "company": profile.company, "known": is_known,
            "numbers": [numbers.spoken_form(one.value, self.country) for one in profile.numbers],
            "emails": [one.value for one in profile.emails],
        }  # fmt: skip

    def report(self) -> dict[str, Any]:
        """What came of it."""
        tally = self.tally
        return {
            "kind": self.file.kind, "rows": len(self.file), "encoding": self.file.encoding,
            "separator": self.file.separator, "titles": self.file.titles, "header": self.file.has_header,
            "columns": self.targets, "created": tally.created, "merged": tally.merged, "skipped": tally.skipped,
            "first": self.first, "problems": [asdict(one) for one in tally.problems],
        }  # fmt: skip


async def _answer(ask: Ask, *, takes: bool) -> StreamingResponse:
    data, given = await file_form.read(ask, "columns", "same")
    reading = await run_in_threadpool(_open, ask, data, given, takes)
    return file_form.told(_work(reading), _AWAY)


async def _work(reading: _Reading) -> AsyncIterator[dict[str, Any]]:
    of = len(reading.file)
    for count, start in enumerate(range(0, of, CHUNK), 1):
        await run_in_threadpool(reading.chunk, start)
        if count % _TELL_EVERY == 0 or start + CHUNK >= of:
            yield {"done": min(start + CHUNK, of), "of": of}
    yield {"report": reading.report()}


def _open(ask: Ask, data: bytes, given: dict[str, str], takes: bool) -> _Reading:
    with ask.desk.store.read() as conn:
        fields, country = {row["id"]: row for row in rows.fields(conn)}, contacts.home(conn)
    try:
        file = contact_file.read(data, {row["name"]: row["id"] for row in fields.values()})
    except Unreadable as wrong:
        raise file_form.unreadable(wrong, "contacts") from None
    targets = _chosen(given["columns"], file, set(fields)) if given["columns"] else list(file.targets)
    same = given["same"] or "skip"
    if same not in get_args(Same):
        raise Invalid({"same": "Choose skip, merge or new."})
    return _Reading(ask, file, targets, cast(Same, same), takes, country, fields)


def _chosen(text: str, file: File, fields: set[str]) -> list[str]:
    """What each column holds, as a form says it: ["name", "", "number", "field:<id>"]."""
    allowed = {contact_file.LEFT_OUT, *contact_file.TARGETS, *(FIELD + one for one in fields)}
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        given = None
    known = isinstance(given, list) and len(given) == len(file.targets)
    if not known or not all(isinstance(one, str) and one in allowed for one in given):
        raise Invalid({"columns": "Choose columns that the file has."})
    return list(given)

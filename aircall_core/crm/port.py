"""The port that every source of insight cards stands behind, and what all that ask over HTTP share."""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import httpx

from aircall_core import numbers, outward
from aircall_core.domain.insight_kinds import PATIENCE_S
from aircall_core.outward import OutwardError

LARGEST_ANSWER: Final = 262_144  # bytes: CRMs answer with whole records

# What a status says, for administrators; any other than these and 2xx is "failed".
_STATUS: Final = {401: "signed_out", 403: "forbidden", 404: "not_found", 429: "too_many", 400: "bad_request"}

Answer = Mapping[str, Any] | list[Any] | None


class SourceError(Exception):
    """A source did not answer as agreed, and why: a code that administrators are shown in words."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Question:
    """Who calls, as far as it is known. ``values``: what templates may name (number, line, contact)."""

    number: str  # E.164, or an internal number
    national: str  # its digits without the country's
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Access:
    """Where a source is and how it is opened. ``secret`` is never logged and never sent to a browser."""

    address: str
    settings: Mapping[str, Any]
    secret: str = field(repr=False, default="")


class Source(Protocol):
    """Something that knows customers."""

    async def ask(self, question: Question) -> Answer:
        """What is known of the caller, for the card's template; None: nothing. Raises SourceError."""


class Http:
    """JSON over HTTP with a time limit that all requests of one question share. SourceError for all that goes wrong."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def json(self, method: str, url: str, **request: Any) -> Any:
        """The answer's JSON; None for an empty one. Every other status than 2xx is an error."""
        try:
            built = self._client.build_request(method, url, **request)
            built.headers.setdefault("accept", "application/json")
            answer = await outward.fetch(self._client, built, seconds=PATIENCE_S, most=LARGEST_ANSWER)
        except OutwardError as error:
            raise SourceError(error.code) from None
        except (httpx.InvalidURL, ValueError):
            raise SourceError("bad_address") from None
        if not answer.is_success:
            raise SourceError(_STATUS.get(answer.status_code, "failed"))
        if not answer.content:
            return None
        try:
            return json.loads(answer.content)
        except (ValueError, RecursionError):
            raise SourceError("not_json") from None


def basic(name: str, password: str) -> dict[str, str]:
    """The header of HTTP's basic authentication (RFC 7617)."""
    return {"authorization": f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"}


def part(answer: Any, *path: str | int) -> Any:
    """A part of an answer; SourceError ``not_understood`` when the answer has another shape."""
    found = answer
    for step in path:
        try:
            found = found[step]
        except (KeyError, IndexError, TypeError):
            raise SourceError("not_understood") from None
    return found


def caller(records: Any, phones: Callable[[dict[str, Any]], Iterable[object]], number: str) -> dict[str, Any] | None:
    """The first of these records whose ``phones`` hold the caller's number; None when there is none.

    CRMs search by parts of a number, and across countries: what they find may be somebody else, whose card must not be
    shown. SourceError when it is no list of records.
    """
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        raise SourceError("not_understood")
    return next((one for one in records if any(is_same(str(text or ""), number) for text in phones(one))), None)


def is_same(text: str, number: str) -> bool:
    """Whether a number as somebody has typed it is this one (E.164), read as one of its country where it names none."""
    return numbers.normalise(text, numbers.country_of(number)) == number


def first(records: Any) -> dict[str, Any] | None:
    """The first of a list of records; None when there is none. SourceError when it is no such list."""
    if not isinstance(records, list):
        raise SourceError("not_understood")
    if not records:
        return None
    if not isinstance(records[0], dict):
        raise SourceError("not_understood")
    return records[0]

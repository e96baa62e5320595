"""The desk's JSON answers: one shape for every error, so that a client needs one way to read them."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse


class Refused(Exception):
    """The request is not answered as asked: by who asks, by its shape, or by what is so now."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers, self.extra = status, code, message, headers, extra


def is_id(value: str) -> bool:
    """Whether this can be the id of a row at all: letters, digits, dashes, and never an operator of a query."""
    return 1 <= len(value) <= 64 and value.isascii() and value.replace("-", "").replace("_", "").isalnum()


def error(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None, /, **extra: Any
) -> JSONResponse:
    """{"error": {"code", "message", ...}} with an HTTP status. ``code`` is for programs, ``message`` for people.

    ``extra`` may hold a ``status`` of its own: how somebody stands, say.
    """
    body = {"error": {"code": code, "message": message, **{k: v for k, v in extra.items() if v is not None}}}
    return JSONResponse(body, status, headers)


def refusal(refused: Refused) -> JSONResponse:
    """The answer to a refused request."""
    return error(refused.status, refused.code, refused.message, refused.headers, **refused.extra)

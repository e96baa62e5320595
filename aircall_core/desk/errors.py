"""Refusals that are told to whoever asked: a stable code, a sentence, and the HTTP status that fits."""

from collections.abc import Mapping
from typing import TypeVar

Row = TypeVar("Row")


class DeskError(Exception):
    """A use case that cannot be done, and why. ``details`` are JSON values for the asker."""

    def __init__(self, code: str, message: str, status: int = 409, details: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.details = dict(details or {})


class Fenced(DeskError):
    """A fact from a worker that does not own the call (any more): it must drop the call."""

    def __init__(self, call_id: str) -> None:
        super().__init__("fenced", "Another worker owns this call.", 409, {"call": call_id})


class Invalid(DeskError):
    """Input with mistakes; ``fields`` maps a field's name to what is wrong with it."""

    def __init__(self, fields: Mapping[str, str], message: str = "Please check the marked fields.") -> None:
        super().__init__("invalid", message, 422, {"fields": dict(fields)})


def not_found(what: str) -> DeskError:
    """There is no such thing, or the asker may not know of it."""
    return DeskError("not_found", f"{what} was not found.", 404)


def or_not_found(row: Row | None, what: str) -> Row:
    """The row that was looked for; DeskError not_found when there is none."""
    if row is None:
        raise not_found(what)
    return row

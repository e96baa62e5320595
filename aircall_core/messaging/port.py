"""What every gateway of texts does: one try to send one text, and an honest word on what came of it.

A gateway says ``failed`` (``again`` or for good) only where it is certain that the text was not taken. Whatever leaves
a doubt, above all a request whose bytes went out and that nobody answered, is ``unknown``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import httpx

from aircall_core.domain.message import Outcome, State, Why

CONNECT_S: Final = 5.0
ANSWER_S: Final = 20.0  # less than the claim lasts (desk/outbox.py)
LARGEST_ANSWER: Final = 64 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file of a text: a link that the gateway fetches it by."""

    url: str
    name: str
    content_type: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text to send. ``tried``: which try it is, from 1. ``status_url``: where reports of it are heard."""

    message: str
    tried: int
    sender: str
    to: str
    body: str
    files: Sequence[SentFile] = ()
    status_url: str = ""


class Gateway(Protocol):
    """A way for texts to leave the house."""

    def send(self, text: Text) -> Outcome:
        """Try once. Never raises for what the network does."""

    def check(self) -> Outcome:
        """Whether the gateway would take a text of ours (``sent``), or why not. Sends none."""


def away(reason: Why, code: str | None = None, pause_s: float | None = None) -> Outcome:
    """It was certainly not taken, and may be later."""
    return Outcome(State.FAILED, reason, code, again=True, pause_s=pause_s)


def refused(reason: Why, code: str | None = None) -> Outcome:
    """It was certainly not taken, and never will be."""
    return Outcome(State.FAILED, reason, code)


def unknown(reason: Why, code: str | None = None) -> Outcome:
    """Nobody can say whether it was taken."""
    return Outcome(State.UNKNOWN, reason, code)


def of_fault(fault: Exception) -> Outcome:
    """What a request that got no answer means. Only before a connection stands has nothing gone out."""
    if isinstance(fault, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.UnsupportedProtocol):
        return away(Why.UNREACHABLE)
    return unknown(Why.TIMEOUT if isinstance(fault, httpx.TimeoutException) else Why.BROKEN)


def of_status(status: int, code: str | None, retry_after: str | None) -> Outcome | None:
    """What an HTTP status means when it is not a success. None: it is one.

    429 and 503 say that nothing was taken. Other statuses from 500 on come from servers that may have taken it before
    they fell over, and from proxies that do not know.
    """
    if 200 <= status < 300:
        return None
    code = code or str(status)
    if status in (429, 503):
        return away(Why.UNREACHABLE, code, _seconds(retry_after))
    if status in (401, 403):
        return away(Why.CREDENTIALS, code)
    if status == 404:
        return away(Why.UNREACHABLE, code)
    if 300 <= status < 500:
        return refused(Why.REFUSED, code)
    return unknown(Why.BROKEN, code)


def _seconds(text: str | None) -> float | None:
    """Retry-After in seconds; its other form, a date, is left to our own pauses."""
    return float(min(int(text), 3600)) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


def http_client() -> httpx.Client:
    """A client for a gateway whose address an administrator has set: no redirects, nothing from the environment."""
    timeout = httpx.Timeout(ANSWER_S, connect=CONNECT_S, pool=CONNECT_S)
    return httpx.Client(
        timeout=timeout, follow_redirects=False, trust_env=False, limits=httpx.Limits(max_connections=8)
    )

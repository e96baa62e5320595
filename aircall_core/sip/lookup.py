"""Asking a company's own service where a call goes: HTTP in threads of its own, never in the SIP thread.

Whatever goes wrong (nobody there, too slow, another status than 200, too long, not what was agreed) is the same to the
caller: the flow goes on with the step that follows. The answer is a JSON object that names exactly one of a branch of
the step, a user, a team or a line.
"""

import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx

from aircall_core.logs import get_logger

log = get_logger(__name__)

TARGETS = ("branch", "user", "team", "line")
LARGEST_ANSWER = 16_384  # bytes
AT_ONCE = 8


@dataclass(frozen=True)
class LookedUp:
    """A service has answered, or not: ("branch" | "user" | "team" | "line", its name or id), or None."""

    call_id: str
    ref: str
    target: tuple[str, str] | None


class Lookups:
    """The client and its threads. `done` is called in one of them, once for each question.

    `secrets`: bearer tokens by (line, step), replaced by the SIP thread when a flow has changed.
    """

    def __init__(self, done: Callable[[LookedUp], None]) -> None:
        self.secrets: Mapping[tuple[str, str], str] = {}
        self._done = done
        self._pool = ThreadPoolExecutor(AT_ONCE, "lookup")
        self._client = httpx.Client(follow_redirects=False, trust_env=False)

    def ask(self, call_id: str, ref: str, url: str, question: Mapping[str, Any], seconds: float, secret: str) -> None:
        """POSTs `question` as JSON; never waits. `secret` goes along as a bearer token when there is one."""
        self._pool.submit(self._ask, call_id, ref, url, question, seconds, secret)

    def _ask(self, call_id: str, ref: str, url: str, question: Mapping[str, Any], seconds: float, secret: str) -> None:
        target, why = None, "no_target"
        try:
            target = target_of(self._post(url, question, seconds, secret))
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as problem:
            why = type(problem).__name__  # never its text: it may hold the address with what is in it
        except Exception as problem:  # noqa: BLE001 - the caller waits for an answer, whatever happened
            log.error("lookup_broken", call=call_id, error=type(problem).__name__)
        if target is None:
            log.warning("lookup_failed", call=call_id, why=why)
        self._done(LookedUp(call_id, ref, target))

    def _post(self, url: str, question: Mapping[str, Any], seconds: float, secret: str) -> bytes:
        until = time.monotonic() + seconds
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        with self._client.stream("POST", url, json=question, headers=headers, timeout=seconds) as reply:
            if reply.status_code != httpx.codes.OK:
                raise ValueError("status")
            answer = b""
            for piece in reply.iter_bytes(4096):
                answer += piece
                if len(answer) > LARGEST_ANSWER:
                    raise ValueError("too long")
                if time.monotonic() > until:  # the client's own limit is for each read: a drip would last for ever
                    raise httpx.ReadTimeout("too slow")
        return answer


def target_of(answer: bytes) -> tuple[str, str] | None:
    """What an answer names; None when it is not what was agreed. Raises ValueError for what is no JSON."""
    said = json.loads(answer)
    if not isinstance(said, dict):
        return None
    named = [(kind, said[kind]) for kind in TARGETS if kind in said]
    if len(named) != 1 or not isinstance(named[0][1], str) or not 1 <= len(named[0][1]) <= 40:
        return None
    return named[0]

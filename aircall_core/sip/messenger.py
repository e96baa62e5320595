"""Texts that go out: MESSAGE requests (RFC 3428) through a trunk, and OPTIONS that ask whether anybody is there.

A body beyond what fits into a datagram (1,300 bytes with its headers, RFC 3261 section 18.1.1) goes by TCP where the
far end takes it; else the library sends it by UDP after all. 401 and 407 are answered by the library.

The library hands back a pointer with each answer: that of a small object which is kept until then.
"""

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pjsua2 as pj

from aircall_core.logs import get_logger
from aircall_core.sip.accounts import transport_of
from aircall_core.sip.dialled import DIALLED, headers_of
from aircall_core.sip.trunks import Trunk

if TYPE_CHECKING:
    from aircall_core.sip.endpoint import Endpoint

log = get_logger(__name__)

CONTENT_TYPE = "text/plain;charset=UTF-8"


class Messenger:
    """Requests of ours outside of calls. For the main thread."""

    def __init__(self, endpoint: "Endpoint") -> None:
        self._endpoint = endpoint
        self._tokens = itertools.count(1)
        self._marks: dict[int, tuple[int, Any]] = {}  # by the pointer: our token, and what the pointer points to

    def text(self, trunk: Trunk, number: str, caller_id: str, text: str) -> int | None:
        """Sends a text; its token, by which `TextAnswered` tells what became of it. None: the library will not.

        `number` as the trunk wants it dialled; `caller_id`: the number that is shown (From, P-Asserted-Identity).
        """
        account = self._endpoint.accounts.calling(trunk)
        if account is None or not DIALLED.fullmatch(number) or not trunk.outbound:
            return None
        shown = f"<sip:{caller_id}@{self._endpoint.accounts.domain(trunk)}>" if DIALLED.fullmatch(caller_id) else ""
        form = pj.SendInstantMessageParam()
        form.contentType, form.content = CONTENT_TYPE, text
        form.txOption.localUri = shown
        form.txOption.headers = headers_of([("P-Asserted-Identity", shown)] if shown else [])

        def send() -> None:
            whom = pj.BuddyConfig()
            whom.uri, whom.subscribe = f"sip:{number}@{trunk.outbound}{transport_of(trunk)}", False
            buddy = pj.Buddy()  # the library texts nobody else; it is needed for this call alone
            buddy.create(account, whom)
            buddy.sendInstantMessage(form)

        return self._sent(account, form, send, trunk)

    def probe(self, trunk: Trunk) -> int | None:
        """Asks the trunk's far end whether it is there; the token that `ProbeAnswered` will name."""
        account = self._endpoint.accounts.calling(trunk)
        if account is None or not trunk.outbound:
            return None
        form = pj.SendRequestParam()
        form.method = "OPTIONS"
        form.txOption.targetUri = f"sip:{trunk.outbound}{transport_of(trunk)}"
        return self._sent(account, form, lambda: account.sendRequest(form), trunk)

    def token_of(self, pointer: Any) -> int:
        """Whose answer it is; 0: nobody's."""
        return self._marks.pop(int(pointer), (0, None))[0] if pointer is not None else 0

    def _sent(self, account: Any, form: Any, send: Callable[[], None], trunk: Trunk) -> int | None:
        token, mark = next(self._tokens), pj.TimeVal()
        form.userData = mark
        mark.thisown = True  # the setter gives it away, and nobody would free it
        self._marks[int(mark.this)] = (token, mark)
        account.requests += 1  # before: a transport that fails at once is told within
        try:
            send()
        except pj.Error as problem:
            if self._marks.pop(int(mark.this), None):
                account.requests -= 1
            log.warning("request_not_sent", trunk=trunk.id, error=problem.reason)
            return None
        return token

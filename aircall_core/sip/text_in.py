"""Texts that come in by SIP: judged, read, put to the store, and answered when it has them.

A UDP sender repeats a MESSAGE until it is answered, and so may a carrier's queue minutes later: each is known by its
Call-ID and CSeq, here for a while and in the store for ever.
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field

from aircall_core.desk.text_facts import text_received
from aircall_core.ids import new_id, now_ms
from aircall_core.logs import get_logger
from aircall_core.sip.admission import SILENCE, Admission
from aircall_core.sip.events import Admitted, TextArrived
from aircall_core.sip.message import Message, printable
from aircall_core.sip.text_body import ACCEPT, Unsupported, read
from aircall_core.sip.tools import Tools
from aircall_core.sip.trunks import caller_of

log = get_logger(__name__)

REMEMBERED = 2000  # answers, for those who ask again
PATIENCE_S = 30.0  # for the store or its journal; the sender has given up by then (RFC 3261: 32 s)


@dataclass
class _Seen:
    """A text that was put to the store. ``tokens``: its request, and repetitions of it, that wait for the answer."""

    code: int = 0
    tokens: list[int] = field(default_factory=list)


class TextsIn:
    """For the main thread."""

    def __init__(self, tools: Tools, admission: Admission) -> None:
        self._tools, self._admission = tools, admission
        self._seen: OrderedDict[str, _Seen] = OrderedDict()  # by our name for the text
        self._refs: dict[str, str] = {}  # those that the store has not answered

    def on_arrived(self, event: TextArrived) -> None:
        """Somebody has written."""
        verdict = self._admission.judge_text(event.message, event.source) if not self._again(event) else None
        if verdict is None:
            return
        pager = self._tools.endpoint.pager
        if verdict.admitted is None:
            if verdict.code == SILENCE:
                pager.forget(event.token)
            else:
                pager.answer(event.token, verdict.code, verdict.headers)
            return
        try:
            text = read(event.message)
        except Unsupported:
            self._admission.counts["no_text"] += 1
            pager.answer(event.token, 415, [("Accept", ACCEPT)])
            return
        if not text:  # a keep-alive, or a slip of the thumb: nothing that anybody could read
            pager.answer(event.token, 200)
            return
        self._keep(event, verdict.admitted, text)

    def on_kept(self, ref: str, code: int) -> None:
        """The store has it (200), the journal has it (202), or neither can (500)."""
        name = self._refs.pop(ref, "")
        seen = self._seen.get(name)
        if seen is None:
            return
        for token in seen.tokens:
            self._tools.endpoint.pager.answer(token, code)
        seen.tokens.clear()
        seen.code = code
        if code >= 300:
            self._seen.pop(name)

    def _again(self, event: TextArrived) -> bool:
        """Whether this is a text that came before, and was let in."""
        seen = self._seen.get(name_of(event.message))
        if seen is None:
            return False
        if seen.code:
            self._tools.endpoint.pager.answer(event.token, seen.code)
        else:
            seen.tokens.append(event.token)
        return True

    def _keep(self, event: TextArrived, admitted: Admitted, text: str) -> None:
        line, name, ref = admitted.line, name_of(event.message), new_id()
        sender = caller_of(event.message, line.country)
        self._seen[name] = _Seen(tokens=[event.token])
        self._refs[ref] = name
        while len(self._seen) > REMEMBERED:
            _, oldest = self._seen.popitem(last=False)
            self._drop(oldest)
        self._tools.timers.after(PATIENCE_S, lambda: self._give_up(ref))
        log.info("text_arrived", line=line.id, trunk=admitted.trunk.id)
        self._tools.put(
            text_received.__name__, "", ref=ref, line_id=line.id, account_id=line.texts, number=sender.number[:64],
            body=text, remote_id=name, at=now_ms(),
        )  # fmt: skip

    def _give_up(self, ref: str) -> None:
        """Neither store nor journal have said anything: the sender hears nothing, and may send it again."""
        name = self._refs.pop(ref, "")
        seen = self._seen.pop(name, None) if name else None
        if seen is not None:
            log.warning("text_not_kept")
            self._drop(seen)

    def _drop(self, seen: _Seen) -> None:
        for token in seen.tokens:
            self._tools.endpoint.pager.forget(token)


def name_of(message: Message) -> str:
    """The sender's name for this text: Call-ID and CSeq, at most 128 characters."""
    name = printable(f"{message.get('call-id')} {message.get('cseq').split(' ')[0]}")
    return name if len(name) <= 128 else hashlib.sha256(name.encode()).hexdigest()

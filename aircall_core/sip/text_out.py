"""Texts that go out by SIP. One that is claimed is sent at most once, whatever happens: what nobody can know is told
as unknown, and only a user repeats it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from aircall_core.desk.text_facts import TextToSend, text_claim, text_result
from aircall_core.domain.events import EventRow
from aircall_core.domain.message import State, Why
from aircall_core.ids import now_ms
from aircall_core.logs import get_logger
from aircall_core.sip.events import ProbeAnswered, TextAnswered
from aircall_core.sip.reach import ASK_S, Reach
from aircall_core.sip.text_body import parts
from aircall_core.sip.tools import Tools
from aircall_core.sip.trunks import Trunk, dialled
from aircall_core.store.calls import Owner

log = get_logger(__name__)

ANSWER_S = 40.0  # the library gives up after 32 s; this is for the answer that it fails to tell
_NOT_KNOWN = frozenset({408, 504})  # a proxy on the way has waited in vain: the text may have arrived
_WHO_ARE_YOU = frozenset({401, 407})  # with our credentials: somebody will set them right
_LATER = _WHO_ARE_YOU | {429, 480, 486, 487, 491}  # and 5xx: not now


@dataclass
class _Sending:
    """A claimed text on its way."""

    id: str
    trunk: Trunk
    number: str  # as the trunk wants it
    shown: str
    parts: list[str]
    taken: int = 0  # how many parts the far end has taken
    token: int = 0
    call_ids: list[str] = field(default_factory=list)


class TextsOut:
    """For the main thread."""

    def __init__(self, tools: Tools, owner: Owner, draining: Callable[[], bool]) -> None:
        self._tools, self._owner, self._draining = tools, owner, draining
        self._reach = Reach(tools.timers.clock)
        self._sending: dict[int, _Sending] = {}  # by the token of the request under way
        self._asked: dict[int, str] = {}  # far ends that were asked, by the token of the question
        self._waiting: dict[str, list[_Sending]] = {}  # for the answer to such a question

    @property
    def busy(self) -> bool:
        """Whether texts are under way."""
        return bool(self._sending or self._waiting)

    def on_wanted(self, row: EventRow) -> None:
        """A text shall be sent, by whichever worker the event names, while there is time."""
        data = row.event.data
        ours = (data["node"], data["epoch"]) == (self._owner.node, self._owner.epoch)
        if ours and now_ms() <= int(str(data["deadline"])) and not self._draining():
            message = str(data["message"])
            self._tools.put(text_claim.__name__, "", ref=message, message=message)

    def on_claimed(self, message: str, text: TextToSend | None) -> None:
        """It is ours to send; None: it is not."""
        if text is None:
            return
        trunk = self._tools.directory.trunks.get(text.trunk_id)
        if trunk is None or not trunk.outbound:
            self._over(message, State.FAILED, Why.NO_TRUNK, again=True)
            return
        number = dialled(text.number, trunk.dial_format, text.country)
        sending = _Sending(message, trunk, number, text.caller_id, parts(text.body))
        host = _far_end(trunk)
        if not self._reach.must_ask(host):
            self._send(sending)
        elif host in self._waiting:
            self._waiting[host].append(sending)
        else:
            self._ask(host, sending)

    def on_answered(self, event: TextAnswered) -> None:
        """The far end has said something, or never will."""
        sending = self._sending.pop(event.token, None)
        if sending is None:
            return
        host = _far_end(sending.trunk)
        if not event.heard:
            self._reach.lost_text(host)
            self._over(sending.id, State.UNKNOWN, Why.TIMEOUT, str(event.code))
            return
        self._reach.answered_text(host)
        sending.call_ids.append(event.call_id)
        if 200 <= event.code < 300:
            sending.taken += 1
            if sending.taken < len(sending.parts):
                self._send(sending)
            else:
                self._over(sending.id, State.SENT, None, str(event.code), sending.call_ids[0])
        elif event.code in _NOT_KNOWN:
            self._over(sending.id, State.UNKNOWN, Why.TIMEOUT, str(event.code))
        else:
            self._refused(sending, event.code)

    def on_probed(self, event: ProbeAnswered) -> None:
        """The question whether anybody is there was answered, or never will be."""
        host = self._asked.pop(event.token, None)
        if host is None:
            return
        if event.heard:
            self._reach.answered_question(host)
            for sending in self._waiting.pop(host, []):
                self._send(sending)
            return
        hope = self._reach.question_lost(host)
        for sending in self._waiting.pop(host, []):
            if hope:
                self._send(sending)
            else:
                self._over(sending.id, State.FAILED, Why.UNREACHABLE, again=True)
            hope = False

    def give_up(self) -> None:
        """The worker stops: whatever was not sent can be sent by another, the rest nobody can know."""
        for waiting in self._waiting.values():
            for sending in waiting:
                self._over(sending.id, State.FAILED, Why.NO_WORKER, again=True)
        for sending in self._sending.values():
            self._over(sending.id, State.UNKNOWN, Why.INTERRUPTED)
        self._waiting.clear()
        self._sending.clear()

    # ---- on the way

    def _ask(self, host: str, sending: _Sending) -> None:
        token = self._tools.endpoint.messenger.probe(sending.trunk)
        if token is None:
            self._over(sending.id, State.FAILED, Why.UNREACHABLE, again=True)
            return
        self._asked[token], self._waiting[host] = host, [sending]
        self._tools.timers.after(ASK_S, lambda: self.on_probed(ProbeAnswered(token, heard=False)))

    def _send(self, sending: _Sending) -> None:
        text = sending.parts[sending.taken]
        token = self._tools.endpoint.messenger.text(sending.trunk, sending.number, sending.shown, text)
        if token is None:
            self._refused(sending, 0)
            return
        sending.token = token
        self._sending[token] = sending
        self._tools.timers.after(ANSWER_S, lambda: self.on_answered(TextAnswered(token, 0, heard=False, call_id="")))

    def _refused(self, sending: _Sending, code: int) -> None:
        """It was certainly not taken; of a long text: this part was not. ``code`` 0: the library would not send it."""
        said = str(code) if code else None
        if sending.taken:
            self._over(sending.id, State.UNKNOWN, Why.PARTLY, said)
            return
        why = Why.CREDENTIALS if code in _WHO_ARE_YOU else Why.TOO_LONG if code in (413, 513) else Why.REFUSED
        self._over(sending.id, State.FAILED, why, said, again=code in _LATER or (500 <= code < 600 and code != 513))

    def _over(
        self, message: str, state: State, why: Why | None, code: str | None = None, remote_id: str | None = None, *,
        again: bool = False,
    ) -> None:  # fmt: skip
        log.info("text_over", message=message, state=state.value, reason=why, code=code)
        self._tools.put(
            text_result.__name__, "", message=message, state=state.value, reason=why.value if why else None,
            remote_code=code, remote_id=remote_id[:128] if remote_id else None, again=again, at=now_ms(),
        )  # fmt: skip


def _far_end(trunk: Trunk) -> str:
    return f"{trunk.outbound};{trunk.transport}"

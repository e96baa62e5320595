"""The test phone's texts: SIP MESSAGE sent and received by a user agent of its own, told as JSON lines.

It lives by the rules of phone_agent. Its own answers to texts are the library's: 200, at once.
"""

import signal
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import pjsua2 as pj

from aircall_core.sip.message import address, parse
from aircall_core.sip.messenger import CONTENT_TYPE
from aircall_core.sip.phone_agent import FAREWELL_S, POLL_MS, CallPlan, Report, account_config, start_endpoint
from aircall_core.sip.text_body import Unsupported, parts, read


@dataclass(frozen=True)
class TextPlan:
    """What the phone shall do. ``wait``: seconds that it listens after the answer to its own text; None: for ever."""

    bind_host: str
    target: str = ""  # sip: address; '' = it only listens
    text: str = ""
    user: str = "test-phone"
    domain: str = "127.0.0.1"
    port: int = 0
    wait: float | None = 0.0


@dataclass(frozen=True)
class Heard:
    """A text that came: from which number to which, and where its sender can be reached."""

    number: str
    called: str
    reply_to: str  # host:port
    text: str


class TextingAccount(pj.Account):  # type: ignore[misc]
    """An account that takes texts. Callbacks only take notes."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: deque[Heard] = deque()
        self.answers: deque[tuple[int, str]] = deque()

    def onInstantMessage(self, prm: Any) -> None:  # noqa: N802  pjsua2's name
        """A text came."""
        message = parse(prm.rdata.wholeMsg)
        sent_by = message.get("via").partition(";")[0].split(" ")[-1]
        try:
            text = read(message)
        except Unsupported:
            text = ""
        sender, called = (address(message.get(name)).user for name in ("from", "to"))
        self.heard.append(Heard(sender, called, sent_by, text))

    def onInstantMessageStatus(self, prm: Any) -> None:  # noqa: N802
        """A text of ours was answered, or was not (408)."""
        self.answers.append((int(prm.code), str(prm.reason)))

    def write(self, target: str, text: str, sender: str = "") -> None:
        """Sends a text to a sip: address, from this one or from the account's own. Raises pj.Error."""
        whom, buddy, form = pj.BuddyConfig(), pj.Buddy(), pj.SendInstantMessageParam()
        whom.uri, whom.subscribe = target, False
        buddy.create(self, whom)
        form.contentType, form.content, form.txOption.localUri = CONTENT_TYPE, text, sender
        buddy.sendInstantMessage(form)


class TextPhone:
    """One run. ``run()`` blocks until its text is answered and it has listened long enough; whether it was taken."""

    def __init__(self, plan: TextPlan, report: Report) -> None:
        self.plan, self.report = plan, report
        self._left = deque(parts(plan.text)) if plan.target else deque()
        self._taken = not plan.target
        self._until: float | None = None
        self._stop = False

    def run(self) -> bool:
        """Raises pj.Error when the port is taken."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        plan = self.plan
        endpoint, port = start_endpoint(plan.bind_host, plan.port, tcp=True)
        account = TextingAccount()
        account.create(account_config(CallPlan(plan.bind_host, user=plan.user, domain=plan.domain)))
        self.report("listening", address=f"{plan.bind_host}:{port}")
        began = time.monotonic()
        if self._left:
            self._write(account)
        else:
            self._listen_on()
        while not self._over():
            endpoint.libHandleEvents(POLL_MS)
            while account.heard:
                heard = account.heard.popleft()
                self.report("text", sender=heard.number, text=heard.text)
            while account.answers:
                self._answered(account, *account.answers.popleft(), int((time.monotonic() - began) * 1000))
        until = time.monotonic() + FAREWELL_S  # the last answers leave
        while time.monotonic() < until:
            endpoint.libHandleEvents(POLL_MS)
        return self._taken

    def _write(self, account: TextingAccount) -> None:
        text = self._left.popleft()
        self.report("sending", to=self.plan.target, sender=self.plan.user, bytes=len(text.encode()))
        account.write(self.plan.target, text)

    def _answered(self, account: TextingAccount, code: int, reason: str, milliseconds: int) -> None:
        self.report("answered", code=code, reason=reason, ms=milliseconds)
        self._taken = 200 <= code < 300
        if self._taken and self._left:
            self._write(account)
        else:
            self._listen_on()

    def _listen_on(self) -> None:
        self._until = None if self.plan.wait is None else time.monotonic() + self.plan.wait
        self._stop = self._stop or (self.plan.wait == 0)

    def _over(self) -> bool:
        return self._stop or (self._until is not None and time.monotonic() >= self._until)

    def _on_signal(self, number: int, frame: object) -> None:
        self._stop = True

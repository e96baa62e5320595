"""An outside party that says hello and then repeats what it hears or reads: somebody to call, where no carrier is, and
to write to (the demo).

A process of its own, like the test phone, by whose rules for pjsua2 it lives. Any number reaches it; several callers at
once are apart from each other.
"""

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Any, Final

import pjsua2 as pj

from aircall_core.sip.phone_agent import POLL_MS, CallPlan, Report, account_config, start_endpoint
from aircall_core.sip.phone_texts import TextingAccount

CALLS: Final = 16
RINGS_S: Final = 2.0
WROTE: Final = "You wrote: "
LONGEST_S: Final = 600.0  # nobody talks to an echo for longer; a caller that was forgotten must not stay for ever


class _Account(TextingAccount):
    def __init__(self, echo: "Echo") -> None:
        super().__init__()
        self.echo = echo

    def onIncomingCall(self, prm: Any) -> None:  # noqa: N802  pjsua2's name
        self.echo.calls.append(_Call(self, prm.callId))


class _Call(pj.Call):  # type: ignore[misc]
    """One caller. Callbacks only take notes."""

    def __init__(self, account: _Account, call_id: int) -> None:
        super().__init__(account, call_id)
        self.echo = account.echo
        self.began = time.monotonic()
        self.rings = self.answered = self.new_media = False
        self.player: pj.AudioMediaPlayer | None = None

    def onCallState(self, prm: Any) -> None:  # noqa: N802
        if self.getInfo().state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.echo.calls.remove(self)  # here and not later: a late destructor would hang up the next with this id
            self.player = None

    def onCallMediaState(self, prm: Any) -> None:  # noqa: N802
        self.new_media = True

    def onCallTransferRequest(self, prm: Any) -> None:  # noqa: N802
        prm.statusCode = 603  # the library would obey a REFER and call whomever the far end names

    def turn(self, hello: Path) -> None:
        """Ring, answer, say hello, repeat: whatever is due now."""
        lasted = time.monotonic() - self.began
        if not self.rings:
            self.rings = True
            self._reply(180)
        elif not self.answered and lasted >= RINGS_S:
            self.answered = True
            self._reply(200)
        elif lasted >= LONGEST_S:
            self.began = time.monotonic()  # asked once
            self.hangup(pj.CallOpParam())
        if self.new_media:
            self.new_media = False
            with contextlib.suppress(pj.Error):  # no active audio right now: on hold, or gone
                self._connect(self.getAudioMedia(-1), hello)

    def _connect(self, audio: Any, hello: Path) -> None:
        """(Re)connect: a re-INVITE gives the call a new port in the bridge. Hello is said once."""
        audio.startTransmit(audio)
        if self.player is None:
            self.player = pj.AudioMediaPlayer()
            self.player.createPlayer(str(hello), pj.PJMEDIA_FILE_NO_LOOP)
            self.player.startTransmit(audio)

    def _reply(self, code: int) -> None:
        options = pj.CallOpParam()
        options.statusCode = code
        self.answer(options)


class Echo:
    """`run` answers until SIGINT or SIGTERM, or until the process that started it is gone."""

    def __init__(self, host: str, port: int, hello: Path, report: Report) -> None:
        self.host, self.port, self.hello, self.report = host, port, hello, report
        self.calls: list[_Call] = []
        self._stop = False

    def run(self) -> None:
        """Answer whoever calls. Raises pj.Error when the port is taken."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        parent = os.getppid()
        endpoint, port = start_endpoint(self.host, self.port, CALLS, tcp=True)
        account = _Account(self)
        account.create(account_config(CallPlan(self.host, domain=self.host)))
        self.report("listening", address=f"{self.host}:{port}")
        while not self._stop and os.getppid() == parent:
            endpoint.libHandleEvents(POLL_MS)
            for call in list(self.calls):
                call.turn(self.hello)
            self._write_back(account)
        endpoint.hangupAllCalls()
        endpoint.libHandleEvents(POLL_MS)

    def _write_back(self, account: _Account) -> None:
        """Each text goes back to who sent it, from the number that they wrote to."""
        account.answers.clear()  # whether they take it is theirs to know
        while account.heard:
            text = account.heard.popleft()
            if text.text.startswith(WROTE):
                continue  # another echo: the two would never stop
            self.report("text", sender=text.number, text=text.text)
            with contextlib.suppress(pj.Error):  # an address that is none
                account.write(
                    f"sip:{text.number}@{text.reply_to}", WROTE + text.text, sender=f"<sip:{text.called}@{self.host}>"
                )

    def _on_signal(self, number: int, frame: object) -> None:
        self._stop = True

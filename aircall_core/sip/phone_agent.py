"""The test phone's SIP user agent: one account, one call, one thread, in a process of its own (pjsua2).

It follows the worker's rules for pjsua2: no native threads, callbacks only take notes, whatever may end a
call is done by the main loop, and the process leaves by `os._exit` once the last message is out (destructors
after libDestroy abort).
"""

import contextlib
import os
import random
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import pjsua2 as pj

POLL_MS = 10
FAREWELL_S = 0.5  # how long the last BYE or CANCEL may take to be acknowledged
LONGEST_FAREWELL_S = 10.0  # and the recording to be whole, on a machine that has no time for it
WAV_HEADER = 44  # bytes: RIFF, fmt and data, as the library writes them; the last four say how much sound follows
SILENT_SERVER_S = (
    8.0  # a server that has not even said 100 Trying by then is not there (UDP gives up after 32 s, RFC 3261)
)
DIGITS_AFTER_S = 0.5  # the far end needs a moment after its 200 OK before it listens for digits

Report = Callable[..., None]
"""report("answered", code=200, ms=812): one thing that happened."""


@dataclass(frozen=True)
class CallPlan:
    """What the phone shall do with one call. Times in seconds; no `target` means: wait for a call and answer it."""

    bind_host: str
    target: str = ""
    user: str = "test-phone"
    domain: str = "127.0.0.1"
    display: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    port: int = 0
    play: Path | None = None
    loop: bool = False
    digits: str = ""
    record: Path | None = None
    hangup_after: float | None = None
    ring_for: float = 120.0
    answer_after: float = 0.0


def start_endpoint(bind_host: str, port: int, calls: int = 1, *, tcp: bool = False) -> tuple[Any, int]:
    """A user agent over UDP for so many calls at once, driven by whoever polls it; and the port it listens at.

    ``tcp``: over TCP as well, at the same port; long texts come that way.
    """
    endpoint = pj.Endpoint()
    endpoint.libCreate()
    config = pj.EpConfig()
    config.uaConfig.threadCnt, config.uaConfig.mainThreadOnly = 0, True
    config.uaConfig.maxCalls = calls
    config.uaConfig.userAgent = "aircall-test-phone"
    config.logConfig.level = config.logConfig.consoleLevel = 0
    media = config.medConfig
    media.clockRate = media.sndClockRate = 8000
    media.channelCount, media.audioFramePtime = 1, 20
    media.noVad, media.ecTailLen, media.sndAutoCloseTime = True, 0, -1
    endpoint.libInit(config)
    transport = pj.TransportConfig()
    transport.boundAddress, transport.port = bind_host, port
    number = endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
    listens_at = int(endpoint.transportGetInfo(number).localName.rpartition(":")[2])
    if tcp:
        transport.port = listens_at
        endpoint.transportCreate(pj.PJSIP_TRANSPORT_TCP, transport)
    endpoint.libStart()
    endpoint.audDevManager().setNullDev()
    for codec in endpoint.codecEnum2():
        wanted = codec.codecId.startswith(("PCMA/", "PCMU/"))
        endpoint.codecSetPriority(codec.codecId, 200 if wanted else 0)
    return endpoint, listens_at


def account_config(plan: CallPlan) -> Any:
    """The account by which a phone calls or is called."""
    config = pj.AccountConfig()
    display = plan.display.replace("\\", "\\\\").replace('"', '\\"')
    address = f"<sip:{plan.user}@{plan.domain}>"
    config.idUri = f'"{display}" {address}' if display else address
    config.mediaConfig.lockCodecEnabled = False  # an answer with two codecs is fine: no re-INVITE to narrow it
    media = config.mediaConfig.transportConfig
    media.boundAddress = plan.bind_host
    # The library counts upward from `port` until one is free; a random start keeps phones side by side
    # apart.
    media.port, media.portRange = random.randrange(42000, 60000, 100), 98
    return config


def is_whole(recording: Path) -> bool:
    """Whether the header of a WAV file by the library tells of all that is in it: it says 0 bytes until the end."""
    with recording.open("rb") as file:
        told = int.from_bytes(file.read(WAV_HEADER)[-4:], "little")
        return told > 0 and WAV_HEADER + told == os.fstat(file.fileno()).st_size


class _Account(pj.Account):  # type: ignore[misc]
    def __init__(self, phone: "Phone") -> None:
        super().__init__()
        self.phone = phone

    def onIncomingCall(self, prm: Any) -> None:  # noqa: N802  pjsua2's name
        # The library refuses with 500 what has no Call object when this returns; anything further is for the
        # main loop.
        if self.phone.call is None:
            self.phone.call = _Call(self.phone, self, prm.callId)
            self.phone.note("incoming", None)


class _Call(pj.Call):  # type: ignore[misc]
    def __init__(self, phone: "Phone", account: pj.Account, call_id: int = pj.PJSUA_INVALID_ID) -> None:
        super().__init__(account, call_id)
        self.phone = phone

    def onCallState(self, prm: Any) -> None:  # noqa: N802
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.phone.call = None  # here and not later: a late destructor would hang up the next call with this id
        self.phone.note("state", (info.state, info.lastStatusCode, info.lastReason))

    def onCallMediaState(self, prm: Any) -> None:  # noqa: N802
        self.phone.note("media", None)

    def onDtmfDigit(self, prm: Any) -> None:  # noqa: N802
        self.phone.note("digit", prm.digit)

    def onCallTransferRequest(self, prm: Any) -> None:  # noqa: N802
        prm.statusCode = 603  # the library would obey a REFER and call whomever the far end names


class Phone:
    """One run of the test phone. `run()` blocks until the call is over and says whether it was answered."""

    def __init__(self, plan: CallPlan, report: Report) -> None:
        self.plan, self.report = plan, report
        self.call: _Call | None = None
        self.answered_at: float | None = None
        self._notes: list[tuple[str, Any]] = []
        self._began = time.monotonic()
        self._ringing = self._replied = self._over = False
        self._stop_wanted = False
        self._ended_by = "far end"
        self._player: pj.AudioMediaPlayer | None = None
        self._recorder: pj.AudioMediaRecorder | None = None
        self._digits_due: float | None = None
        self._answer_due: float | None = None
        self._packets = (0, 0)
        self._packets_due = 0.0

    # ---- called from pjsua2's callbacks, in the same thread

    def note(self, what: str, detail: Any) -> None:
        """Keep what a callback told for the main loop."""
        self._notes.append((what, detail))

    # ---- the run

    def run(self) -> bool:
        """Start the user agent, make or await the call, follow it to its end."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        endpoint, self._port = start_endpoint(self.plan.bind_host, self.plan.port)
        account = _Account(self)
        account.create(account_config(self.plan))
        self._account = account  # collected = every later INVITE unanswered
        if self.plan.target:
            self._dial(account)
        else:
            self.report("listening", address=f"{self.plan.bind_host}:{self._port}")
        while not self._over:
            endpoint.libHandleEvents(POLL_MS)
            notes, self._notes = self._notes, []
            for what, detail in notes:
                self._handle(what, detail)
            self._keep_time()
        recorded = self.plan.record if self._recorder is not None else None
        self._player = self._recorder = None  # the recorder writes its header when it goes, on a tick of the bridge
        least, most = (time.monotonic() + seconds for seconds in (FAREWELL_S, LONGEST_FAREWELL_S))
        while time.monotonic() < least or (recorded and not is_whole(recorded) and time.monotonic() < most):
            endpoint.libHandleEvents(POLL_MS)
        return self.answered_at is not None

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stop_wanted = True

    def _dial(self, account: Any) -> None:
        call = _Call(self, account)
        options = pj.CallOpParam(True)
        options.opt.audioCount, options.opt.videoCount, options.opt.textCount = 1, 0, 0
        for name, value in self.plan.headers:
            header = pj.SipHeader()
            header.hName, header.hValue = name, value
            options.txOption.headers.append(header)
        self.call = call
        self.report(
            "dialing",
            to=self.plan.target,
            sender=self.plan.user,
            address=f"{self.plan.bind_host}:{self._port}",
        )
        self._began = time.monotonic()
        call.makeCall(self.plan.target, options)

    # ---- what happened

    def _handle(self, what: str, detail: Any) -> None:
        if what == "incoming":
            self._ring()
        elif what == "state":
            self._on_state(*detail)
        elif what == "media" and self.call is not None:
            self._connect_media(self.call)
        elif what == "digit":
            self.report("digit", digit=detail, ms=self._ms())

    def _ring(self) -> None:
        if self.call is None:
            return  # cancelled in the same poll
        self._began = time.monotonic()
        self._answer_due = self._began + self.plan.answer_after
        self._replied = True
        self.report("called", sender=self.call.getInfo().remoteUri)
        self._reply(self.call, 180)

    def _reply(self, call: Any, code: int) -> None:
        options = pj.CallOpParam()
        options.statusCode = code
        call.answer(options)

    def _on_state(self, state: int, code: int, reason: str) -> None:
        self._replied = self._replied or code > 0
        if state == pj.PJSIP_INV_STATE_EARLY and not self._ringing:
            self._ringing = True
            self.report("ringing", code=code, ms=self._ms())
        elif state == pj.PJSIP_INV_STATE_CONFIRMED and self.answered_at is None:
            self.answered_at = time.monotonic()
            self.report("answered", code=200, ms=self._ms())
            self._digits_due = self.answered_at + DIGITS_AFTER_S if self.plan.digits else None
            self._start_playing()
        elif state == pj.PJSIP_INV_STATE_DISCONNECTED and not self._over:
            self._finish(code, reason)

    def _finish(self, code: int, reason: str) -> None:
        self._over = True
        talked = 0 if self.answered_at is None else int((time.monotonic() - self.answered_at) * 1000)
        received, sent = self._packets
        self.report(
            "ended", by=self._ended_by, code=code, reason=reason, answered=self.answered_at is not None,
            duration_ms=talked, rx_packets=received, tx_packets=sent,
        )  # fmt: skip

    def _ms(self) -> int:
        return int((time.monotonic() - self._began) * 1000)

    # ---- audio

    def _connect_media(self, call: Any) -> None:
        """(Re)connect after each SDP answer: a re-INVITE gives the call a new port in the bridge."""
        if not call.hasMedia():
            return
        try:
            audio = call.getAudioMedia(-1)
        except pj.Error:
            return  # no active audio right now: on hold, or refused
        if self.plan.record is not None:
            if self._recorder is None:
                self._recorder = pj.AudioMediaRecorder()
                self._recorder.createRecorder(str(self.plan.record))
            audio.startTransmit(self._recorder)
        if self._player is not None:
            self._player.startTransmit(audio)

    def _start_playing(self) -> None:
        if self.plan.play is None or self.call is None:
            return
        player = pj.AudioMediaPlayer()
        player.createPlayer(str(self.plan.play), 0 if self.plan.loop else pj.PJMEDIA_FILE_NO_LOOP)
        self._player = player
        with contextlib.suppress(pj.Error):  # without active audio now, _connect_media plays when it comes
            player.startTransmit(self.call.getAudioMedia(-1))
        self.report("playing", file=self.plan.play.name, ms=self._ms())

    # ---- time

    def _keep_time(self) -> None:
        now, plan, call = time.monotonic(), self.plan, self.call
        if self._stop_wanted and call is None:
            self._finish(0, "stopped before any call") if not self._over else None
        if call is None or self._over:
            return
        if self.answered_at is None:
            self._before_answer(call, now)
            return
        if self._digits_due is not None and now >= self._digits_due:
            self._digits_due = None
            call.dialDtmf(plan.digits)
            self.report("digits_sent", digits=plan.digits, ms=self._ms())
        if now >= self._packets_due:
            self._packets_due = now + 0.2
            self._count_packets(call)
        if self._stop_wanted or (plan.hangup_after is not None and now >= self.answered_at + plan.hangup_after):
            self._count_packets(call)
            self._hang_up(call)

    def _before_answer(self, call: Any, now: float) -> None:
        if self._answer_due is not None and now >= self._answer_due:
            self._answer_due = None
            self._reply(call, 200)
        elif not self._replied and now >= self._began + SILENT_SERVER_S:
            self._ended_by = "nobody"
            self._finish(408, "no reply: is anything listening at that address?")
        elif self._stop_wanted or now >= self._began + self.plan.ring_for:
            self._hang_up(call)
            if not self._replied:
                self._finish(487, "given up before any reply")

    def _hang_up(self, call: Any) -> None:
        if self._ended_by == "phone":
            return  # already asked; the transaction's end is on its way
        self._ended_by = "phone"
        call.hangup(pj.CallOpParam())

    def _count_packets(self, call: Any) -> None:
        with contextlib.suppress(pj.Error):  # no stream between two SDP answers
            statistics = call.getStreamStat(0).rtcp
            self._packets = (statistics.rxStat.pkt, statistics.txStat.pkt)


def local_address_towards(host: str, port: int) -> str:
    """The address of this machine that packets to host:port would leave from."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((host, port))
        return str(probe.getsockname()[0])

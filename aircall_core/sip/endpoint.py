"""The pjsua2 endpoint: the one place that talks to the SIP library, from the one thread that may.

Callbacks only note what happened in `events` (with integer tokens, never with library objects) and return; the main
loop decides between two polls. docs/sip.md lists the rules behind this; each of them was paid for with a crash.
"""

import itertools
import re
import socket
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pjsua2 as pj

from aircall_core.logs import get_logger
from aircall_core.sip import capabilities, leg
from aircall_core.sip.accounts import Accounts, transport_of
from aircall_core.sip.dialled import DIALLED, headers_of
from aircall_core.sip.events import Event, Invite, TextArrived, Verdict
from aircall_core.sip.messenger import Messenger
from aircall_core.sip.pager import Pager, ReadingEndpoint
from aircall_core.sip.trunks import Trunk

log = get_logger(__name__)

_CONTENT = re.compile(r"(sips?|tel):\S+|\d{1,3}(\.\d{1,3}){3}(:\d+)?|\+?\d{5,}", re.IGNORECASE)


@dataclass(frozen=True)
class EndpointConfig:
    """Where and how the endpoint listens."""

    host: str = "127.0.0.1"
    port: int = 5060  # UDP and TCP; 0 = any free one
    sips_port: int = 5061
    tls_cert: str = ""
    tls_key: str = ""
    public_address: str = ""
    rtp_first: int = 20000
    rtp_last: int = 20999
    rate: int = 8000
    user_agent: str = "aircall-core"
    session_expires_s: int = 600  # RFC 4028: the backstop behind the RTP watchdog


@dataclass
class Counters:
    """What the health page shows."""

    malformed: int = 0  # packets that were not SIP


class Endpoint:
    """pjsua2 with its transports and accounts. Every method is for the main thread, `wake` excepted."""

    def __init__(self, config: EndpointConfig, judge: Callable[[Invite], Verdict]) -> None:
        """`judge` is asked inside the library's callback and must only think: no waiting, no library calls."""
        self.config = config
        self.judge = judge
        self.events: deque[Event] = deque()
        self.legs: dict[int, leg.SipLeg] = {}  # the only strong references to calls (they die in onCallState)
        self.counters = Counters()
        self.port = 0
        self.max_calls = 0
        self._tokens = itertools.count(1)
        self.accounts = Accounts(self)
        self.messenger = Messenger(self)
        self._secure = bool(config.tls_cert)
        self._wake_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._wake_socket.setblocking(False)

    def start(self) -> None:
        """Opens everything. Raises pj.Error when a port is taken or the certificate cannot be read."""
        self._ep = ReadingEndpoint()
        self._ep.libCreate()
        self._ep.libInit(self._library_config())
        library = capabilities.library_file()
        self.max_calls = capabilities.max_calls(library)
        self._open_transports()
        self._ep.libStart()
        self._ep.audDevManager().setNullDev()
        self._choose_codecs()
        self._default = leg.TrunkAccount(self, "")
        self._default.create(self.account_config(f"sip:aircall@{self.config.host}"))
        self.pager = Pager(self._ep, library, lambda *heard: self.events.append(TextArrived(*heard)))
        self.pager.start()

    def poll(self, milliseconds: int) -> None:
        """Lets the library work: reads the network, runs its timers, calls back."""
        self._ep.libHandleEvents(milliseconds)

    def wake(self) -> None:
        """Ends a running `poll` from any thread, by an empty keep-alive to our own port (RFC 5626 3.5.1)."""
        host = "127.0.0.1" if self.config.host == "0.0.0.0" else self.config.host
        try:
            self._wake_socket.sendto(b"\r\n\r\n", (host, self.port))
        except OSError as problem:  # the poll ends by itself in 10 ms
            log.debug("wake_failed", error=str(problem))

    def next_token(self) -> int:
        """A number that no other leg ever has."""
        return next(self._tokens)

    # ---- calls

    def answer(self, token: int, code: int) -> bool:
        """Sends a provisional or 200 answer; False when the call is gone or cannot take it."""
        return self._do(token, "answer", code)

    def refuse(self, token: int, code: int, reason: str = "", headers: Iterable[tuple[str, str]] = ()) -> bool:
        """Ends a call that was not answered with a final code (never from a callback)."""
        return self._do(token, "hangup", code, reason, headers)

    def hang_up(self, token: int, reason: str) -> bool:
        """Ends an answered call by BYE that says why (RFC 3326)."""
        return self._do(token, "hangup", 0, "", [("Reason", f'SIP;cause=200;text="{reason}"')])

    def dial(self, trunk: Trunk, number: str, caller_id: str) -> int | None:
        """Calls a number through a trunk, and nobody else; the leg's token, None when the library will not.

        `number` as the trunk wants it dialled; `caller_id`: the number that is shown (From, P-Asserted-Identity).
        """
        account = self.accounts.calling(trunk)
        if account is None or not DIALLED.fullmatch(number) or not trunk.outbound:
            return None
        call = leg.SipLeg(account, self)
        shown = f"<sip:{caller_id}@{self.accounts.domain(trunk)}>" if DIALLED.fullmatch(caller_id) else ""
        form = _form(headers=[("P-Asserted-Identity", shown)] if shown else [])
        form.txOption.localUri = shown
        try:
            call.makeCall(f"sip:{number}@{trunk.outbound}{transport_of(trunk)}", form)
        except pj.Error as problem:
            self.legs.pop(call.token, None)
            log.warning("dial_failed", trunk=trunk.id, error=problem.reason)
            return None
        return call.token

    def hold(self, token: int, *, on: bool) -> bool:
        """Tells the far end that it is on hold (sendonly, RFC 3264 section 8.4), or is no more."""
        if on:
            return self._do(token, "setHold", 0)
        return self._do(token, "reinvite", 0, flag=pj.PJSUA_CALL_UNHOLD)

    def send_keys(self, token: int, keys: str) -> bool:
        """Sends keys by RFC 4733, or by SIP INFO where the far end takes no events."""
        call = self.legs.get(token)
        if call is None:
            return False
        try:
            call.dialDtmf(keys)
        except pj.Error:
            form = pj.CallSendDtmfParam()
            form.digits, form.method = keys, pj.PJSUA_DTMF_METHOD_SIP_INFO
            try:
                call.sendDtmf(form)
            except pj.Error as problem:
                log.info("keys_failed", error=problem.reason)
                return False
        return True

    def refer(self, token: int, trunk: Trunk, number: str) -> bool:
        """Has the far end call this number (REFER, RFC 3515); what comes of it is told by `Referred`."""
        call = self.legs.get(token)
        if call is None or not DIALLED.fullmatch(number):
            return False
        return _tried(lambda: call.xfer(f"sip:{number}@{trunk.outbound}", pj.CallOpParam(True)), "refer")

    def refer_to_leg(self, token: int, other: int) -> bool:
        """Has the far end take our place in another call of ours (REFER with Replaces, RFC 3891)."""
        call, target = self.legs.get(token), self.legs.get(other)
        if call is None or target is None:
            return False
        return _tried(lambda: call.xferReplaces(target, pj.CallOpParam(True)), "refer")

    def audio(self, token: int) -> Any:
        """The call's port of the bridge, None while it has none."""
        call = self.legs.get(token)
        if call is None or not call.hasMedia():
            return None
        try:
            return call.getAudioMedia(-1)
        except pj.Error:
            return None

    def bridge_ports(self) -> int:
        """How many ports the conference bridge holds now: pooled ones, players, and one a call with media."""
        return int(self._ep.mediaActivePorts())

    def heard(self, token: int) -> int | None:
        """A number that changes whenever the far end shows life (RTP or RTCP came); None without media."""
        call = self.legs.get(token)
        if call is None:
            return None
        try:
            rtcp = call.getStreamStat(0).rtcp
        except pj.Error:
            return None
        return int(rtcp.rxStat.pkt + rtcp.txStat.updateCount)  # txStat: the far end's reports on what we send

    def _do(
        self, token: int, action: str, code: int, reason: str = "", headers: Iterable[tuple[str, str]] = (),
        flag: int = 0,
    ) -> bool:  # fmt: skip
        call = self.legs.get(token)
        if call is None:
            return False
        form = _form(headers)
        form.statusCode, form.reason = code, reason
        form.opt.flag |= flag
        return _tried(lambda: getattr(call, action)(form), action)

    # ---- the end

    def hang_up_all(self) -> None:
        """BYE or refusal to everybody, and registrations withdrawn."""
        self._ep.hangupAllCalls()
        self.accounts.unregister()

    # ---- set-up

    def _library_config(self) -> Any:
        config = pj.EpConfig()
        ua = config.uaConfig
        ua.threadCnt, ua.mainThreadOnly, ua.maxCalls = 0, True, capabilities.ASK_CALLS
        ua.userAgent = self.config.user_agent
        self._writer = leg.LogWriter(self.pjsip_said)
        config.logConfig.level = config.logConfig.consoleLevel = 2  # 1: errors, 2: warnings and dropped packets
        config.logConfig.msgLogging = 0
        config.logConfig.writer = self._writer
        media = config.medConfig
        media.clockRate = media.sndClockRate = self.config.rate
        media.channelCount, media.audioFramePtime = 1, 20
        media.noVad, media.ecTailLen = True, 0
        media.sndAutoCloseTime = -1  # else the bridge's clock stops when idle and removed ports are never freed
        media.maxMediaPorts = 1024
        return config

    def _open_transports(self) -> None:
        form = pj.TransportConfig()
        form.port, form.boundAddress = self.config.port, "" if self.config.host == "0.0.0.0" else self.config.host
        form.publicAddress = self.config.public_address
        form.qosType = pj.PJ_QOS_TYPE_SIGNALLING
        udp = self._ep.transportCreate(pj.PJSIP_TRANSPORT_UDP, form)
        self.port = form.port = int(self._ep.transportGetInfo(udp).localName.rsplit(":", 1)[1])
        self._ep.transportCreate(pj.PJSIP_TRANSPORT_TCP, form)
        if self._secure:
            form.port = self.config.sips_port
            form.tlsConfig.certFile, form.tlsConfig.privKeyFile = self.config.tls_cert, self.config.tls_key
            form.tlsConfig.proto = 16 | 32  # TLS 1.2 and 1.3
            self._ep.transportCreate(pj.PJSIP_TRANSPORT_TLS, form)

    def _choose_codecs(self) -> None:
        """G.711 first, since trunks speak it and it costs nothing; G.722 and Opus where the bridge is wide enough."""
        wide = self.config.rate >= 16000
        order = ["opus", "G722", "PCMA", "PCMU"] if wide else ["PCMA", "PCMU", "G722", "opus"]
        for codec in self._ep.codecEnum2():
            name = codec.codecId.split("/")[0]
            self._ep.codecSetPriority(codec.codecId, 250 - order.index(name) if name in order else 0)

    def account_config(self, uri: str) -> Any:
        """What all accounts have in common: RFC 4028 timers, RTP ports, SRTP beside TLS."""
        form = pj.AccountConfig()
        form.idUri = uri
        form.callConfig.timerUse = pj.PJSUA_SIP_TIMER_ALWAYS
        form.callConfig.timerSessExpiresSec = self.config.session_expires_s
        form.callConfig.timerMinSESec = 90
        media = form.mediaConfig
        media.lockCodecEnabled = False  # else each answer with two codecs is followed by an UPDATE with one
        rtp = media.transportConfig
        rtp.boundAddress = "" if self.config.host == "0.0.0.0" else self.config.host
        rtp.publicAddress = self.config.public_address
        rtp.port, rtp.portRange = self.config.rtp_first, self.config.rtp_last - self.config.rtp_first
        rtp.qosType = pj.PJ_QOS_TYPE_VOICE
        if self._secure:  # SDES: the key is in the SDP, hence only worth having beside TLS
            media.srtpUse, media.srtpSecureSignaling = pj.PJMEDIA_SRTP_OPTIONAL, 0
            media.srtpOpt.keyings = pj.IntVector([pj.PJMEDIA_SRTP_KEYING_SDES])
        return form

    def pjsip_said(self, level: int, text: str) -> None:
        """The library's own log lines: counted, and never with what a message held."""
        if "Dropping" in text and "bytes packet" in text:
            self.counters.malformed += 1
            if str(self.counters.malformed).strip("0") == "1":  # the first, the tenth, the hundredth...
                log.warning("packet_dropped", why="not SIP", count=self.counters.malformed)
            return
        first = text.strip().split("\n", 1)[0]
        (log.info if level <= 1 else log.debug)("pjsip", level=level, said=_CONTENT.sub("…", first)[:200])


def _form(headers: Iterable[tuple[str, str]] = ()) -> Any:
    """The parameters of an action on a call: audio alone, and headers of ours."""
    form = pj.CallOpParam(True)
    form.opt.videoCount = 0
    if hasattr(form.opt, "textCount"):  # since 2.16: else our own offers hold real-time text
        form.opt.textCount = 0
    form.txOption.headers = headers_of(headers)
    return form


def _tried(action: Callable[[], None], name: str) -> bool:
    try:
        action()
    except pj.Error as problem:
        log.info("sip_action_failed", action=name, error=problem.reason)
        return False
    return True

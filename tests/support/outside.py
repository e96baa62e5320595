"""An outside party that the house calls: a telephone with its own SIP port, real RTP, ears and a voice.

    with Outside(Manner(answer_s=1), hz=880) as outside:     # a trunk's outbound_host is outside.address
        call = outside.wait_call()
        call.wait("answered")
        call.ear(0.25)                                       # what it heard in the last quarter of a second
        call.bye()

Hand-made SIP over UDP (RFC 3261), one thread for the signalling and one for each call's sound. `manner` may be changed
between calls, and be a function of the number. `python -m tests.support.outside --help` is the same in a process of
its own, with a JSON line for whatever happens.
"""

import argparse
import hashlib
import heapq
import itertools
import json
import os
import re
import select
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aircall_core.media.g711 import SILENCE, decode, encode
from tests.support.audio import Samples, from_pcm, to_pcm, tone
from tests.support.processes import eventually
from tests.support.rawsip import Message

RATE, SAMPLES, FRAME_S = 8000, 160, 0.020
KEYS = "0123456789*#ABCD"  # RFC 4733, section 3.2
_RTP = struct.Struct("!BBHII")
MIRRORED = {"sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}
REASONS = {
    180: "Ringing", 183: "Session Progress", 200: "OK", 202: "Accepted", 401: "Unauthorized", 403: "Forbidden",
    404: "Not Found", 407: "Proxy Authentication Required", 480: "Temporarily Unavailable", 481: "No Such Call",
    486: "Busy Here", 487: "Request Terminated", 503: "Service Unavailable", 600: "Busy Everywhere", 603: "Decline",
}  # fmt: skip


@dataclass(frozen=True)
class Manner:
    """What it does when it is called."""

    ring_s: float | None = 0.0  # 180 so long after the INVITE; None: no 180
    early_s: float | None = None  # 183 with sound so long after the INVITE; None: no early media
    final: int = 200  # how the INVITE is answered in the end; 0: never
    answer_s: float = 0.1  # when that is
    bye_s: float | None = None  # hangs up so long after its answer
    mute: bool = False  # sends no RTP at all
    deaf: bool = False  # answers nothing: a number behind which nobody is
    refer: int = 202  # its answer to REFER
    referred: int | None = 200  # what it says came of that (NOTIFY); None: nothing
    hold: int = 200  # its answer to a re-INVITE


ANSWERS = Manner()
REJECTS = Manner(final=603)
BUSY = Manner(final=486)
RINGS = Manner(final=0)
EARLY = Manner(early_s=0.0, final=0)
DEAF = Manner(deaf=True)


@dataclass
class OutsideCall:
    """One call to it."""

    outside: "Outside"
    invite: Message
    source: tuple[str, int]
    manner: Manner
    states: list[str] = field(default_factory=lambda: ["called"])  # ringing early answered confirmed cancelled over
    requests: list[Message] = field(default_factory=list)  # all that came in this call, INVITE first
    responses: list[Message] = field(default_factory=list)  # to what we sent
    keys: str = ""  # pressed by RFC 4733
    packets: int = 0
    last: bytes = b""  # our last answer to the INVITE, for those that come again

    def __post_init__(self) -> None:
        self.id = self.invite.header("Call-ID")
        self.number = (re.search(r"sip:([^@;>]+)@", self.invite.text) or ["", ""])[1]
        self.tag = os.urandom(6).hex()
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.bind((self.outside.host, 0))
        self.target = self.invite.media if "m=audio" in self.invite.body else None
        found = re.search(r"a=rtpmap:(\d+) telephone-event/8000", self.invite.body)
        self.event_type = int(found[1]) if found else 101
        self.direction = "sendrecv"  # as the far end has said last
        self.dead = threading.Event()
        self._frames: list[tuple[float, bytes]] = []
        self._cseq = itertools.count(1)
        self._last_key = -1
        self._media = threading.Thread(target=self._run_media, daemon=True)

    # ---- what a test asks

    @property
    def state(self) -> str:
        """Where it stands."""
        return self.states[-1]

    def wait(self, state: str, timeout: float = 10) -> Self:
        """Until it has been in this state."""
        eventually(lambda: state in self.states, timeout, f"outside call {state}; it was {self.states}")
        return self

    def heard(self) -> Samples:
        """All that it heard."""
        return from_pcm(decode(b"".join(payload for _, payload in list(self._frames))))

    def ear(self, last_s: float) -> Samples:
        """What it heard in the last seconds: nothing when no packets come."""
        since = time.monotonic() - last_s
        return from_pcm(decode(b"".join(payload for at, payload in list(self._frames) if at >= since)))

    def got(self, method: str) -> list[Message]:
        """The requests of this method, the first INVITE included."""
        return [one for one in self.requests if one.method == method]

    # ---- what it does

    def answer(self, code: int = 200) -> None:
        """Answers the INVITE now, whatever its manner."""
        self.outside._later(0, lambda: self._finally(code))

    def bye(self) -> None:
        """Hangs up."""
        self.outside._later(0, self._bye)

    def die(self) -> None:
        """Its power is gone: no RTP, no answer to anything, for ever."""
        self.dead.set()

    # ---- signalling (in the signalling thread)

    def _begin(self) -> None:
        manner, later = self.manner, self.outside._later
        if manner.ring_s is not None:
            later(manner.ring_s, lambda: self._provisional(180, "ringing"))
        if manner.early_s is not None:
            later(manner.early_s, lambda: self._provisional(183, "early"))
        if manner.final:
            later(manner.answer_s, lambda: self._finally(manner.final))

    def _provisional(self, code: int, state: str) -> None:
        if not {"answered", "over"} & set(self.states) and not self.dead.is_set():
            self.last = self._respond(self.invite, code, sdp=code == 183)
            self._become(state)
            if code == 183:
                self._sound()

    def _finally(self, code: int) -> None:
        if {"answered", "over"} & set(self.states) or self.dead.is_set():
            return
        self.last = self._respond(self.invite, code, sdp=code == 200)
        self._become("answered" if code == 200 else "over")
        if code == 200:
            self._sound()
            if self.manner.bye_s is not None:
                self.outside._later(self.manner.bye_s, self._bye)

    def _bye(self) -> None:
        if self.state != "over" and not self.dead.is_set():
            self._request("BYE")
            self._become("over")

    def _on_request(self, request: Message) -> None:
        if self.dead.is_set():
            return
        known = request.header("Via").split("branch=")[-1].split(";")[0]
        mine = self.invite.header("Via").split("branch=")[-1].split(";")[0]
        if request.method == "INVITE" and known == mine:
            if self.last:
                self.outside._send(self.last, self.source)
            return
        self.requests.append(request)
        match request.method:
            case "ACK":
                self._become("confirmed") if self.state == "answered" else None
            case "CANCEL":
                self._respond(request, 200)
                if self.state in ("called", "ringing", "early"):
                    self._respond(self.invite, 487)
                    self._become("cancelled")
                    self._become("over")
            case "BYE":
                self._respond(request, 200)
                self._become("over")
            case "INVITE":
                self._reinvited(request)
            case "REFER":
                self._respond(request, self.manner.refer)
                if self.manner.refer == 202 and self.manner.referred is not None:
                    code = self.manner.referred
                    self.outside._later(0.1, lambda: self._notify(code))
            case _:
                self._respond(request, 200)

    def _reinvited(self, request: Message) -> None:
        found = re.search(r"^a=(sendrecv|sendonly|recvonly|inactive)", request.body, re.MULTILINE)
        if self.manner.hold == 200:
            self.direction = found[1] if found else "sendrecv"
            if "m=audio" in request.body:
                self.target = request.media
        self._respond(request, self.manner.hold, sdp=self.manner.hold == 200)

    def _notify(self, code: int) -> None:
        body = f"SIP/2.0 {code} {REASONS.get(code, 'Whatever')}\r\n"
        kind = "Content-Type: message/sipfrag;version=2.0"
        self._request("NOTIFY", "Event: refer", "Subscription-State: terminated;reason=noresource", kind, body=body)

    def _respond(self, request: Message, code: int, *, sdp: bool = False, headers: tuple[str, ...] = ()) -> bytes:
        return self.outside._respond(
            request, code, self.source, tag=self.tag, body=self._sdp() if sdp else "", headers=headers
        )

    def _request(self, method: str, *headers: str, body: str = "") -> None:
        contact = re.search(r"<([^>]+)>", self.invite.header("Contact"))
        uri = contact[1] if contact else "sip:nobody@127.0.0.1"
        host, port = self.outside.host, self.outside.port
        lines = [
            f"{method} {uri} SIP/2.0", f"Via: SIP/2.0/UDP {host}:{port};rport;branch=z9hG4bK{os.urandom(6).hex()}",
            "Max-Forwards: 70", f"From: {self.invite.header('To')};tag={self.tag}",
            f"To: {self.invite.header('From')}", f"Call-ID: {self.id}", f"CSeq: {next(self._cseq)} {method}",
            f"Contact: <sip:outside@{host}:{port}>", *headers, f"Content-Length: {len(body)}", "", body,
        ]  # fmt: skip
        self.outside._send("\r\n".join(lines).encode(), self.source)

    def _sdp(self) -> str:
        answer = {"sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}.get(
            self.direction, "sendrecv"
        )
        host, event = self.outside.host, self.event_type
        lines = [
            "v=0", f"o=- 1 {next(self._cseq)} IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0",
            f"m=audio {self.rtp.getsockname()[1]} RTP/AVP 0 {event}", "a=rtpmap:0 PCMU/8000",
            f"a=rtpmap:{event} telephone-event/8000", "a=ptime:20", f"a={answer}",
        ]  # fmt: skip
        return "\r\n".join(lines) + "\r\n"

    def _become(self, state: str) -> None:
        self.states.append(state)
        self.outside.said(state, number=self.number)

    # ---- sound

    def _sound(self) -> None:
        if not self._media.ident:
            self._media.start()

    def _run_media(self) -> None:
        due, number = time.monotonic(), 0
        voice = encode(to_pcm(self.outside.voice))
        self.rtp.settimeout(0.001)
        while self.state != "over" and not self.outside.over.is_set():
            with suppress(TimeoutError, OSError):
                self._received(self.rtp.recv(2048))
            if time.monotonic() < due:
                continue
            due += FRAME_S
            if (
                self.target is None
                or self.manner.mute
                or self.dead.is_set()
                or self.direction in ("sendonly", "inactive")
            ):
                continue
            at = number * SAMPLES % len(voice)
            payload = voice[at : at + SAMPLES].ljust(SAMPLES, SILENCE)
            head = _RTP.pack(0x80, 0, number & 0xFFFF, number * SAMPLES & 0xFFFFFFFF, 0x0D1A)
            number += 1
            with suppress(OSError):
                self.rtp.sendto(head + payload, self.target)

    def _received(self, data: bytes) -> None:
        if len(data) <= _RTP.size or self.dead.is_set():
            return
        kind, stamp = data[1] & 0x7F, _RTP.unpack(data[: _RTP.size])[3]
        self.packets += 1
        if kind == 0:
            self._frames.append((time.monotonic(), data[_RTP.size :]))
        elif kind == self.event_type and stamp != self._last_key and data[_RTP.size] < len(KEYS):
            self._last_key = stamp  # all packets of one press share a timestamp
            self.keys += KEYS[data[_RTP.size]]
            self.outside.said("key", key=self.keys[-1])


class Outside:
    """A telephone, or a carrier with many numbers, on one port. Several calls at once."""

    def __init__(
        self, manner: Manner | Callable[[str], Manner] = ANSWERS, *, hz: float = 880.0, host: str = "127.0.0.1",
        port: int = 0, username: str = "", password: str = "", said: Callable[..., None] | None = None,
    ) -> None:  # fmt: skip
        """`hz`: the tone it sends; `username`, `password`: INVITEs must prove them (407)."""
        self.manner, self.host, self.hz = manner, host, hz
        self.voice = tone(hz, 1, RATE)
        self.calls: list[OutsideCall] = []
        self.over = threading.Event()
        self.said = said or (lambda what, **more: None)
        self._login = (username, password)
        self._nonce = os.urandom(8).hex()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, port))
        self.port: int = self._socket.getsockname()[1]
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """host:port, as a trunk names it."""
        return f"{self.host}:{self.port}"

    def wait_call(self, number: int = 1, timeout: float = 10) -> OutsideCall:
        """The n-th call to it (1: the first)."""
        eventually(lambda: len(self.calls) >= number, timeout, f"call {number} to the outside")
        return self.calls[number - 1]

    def close(self) -> None:
        """Its sockets are gone; ends no call."""
        self.over.set()
        self._thread.join(2)
        for call in self.calls:
            if call._media.ident:
                call._media.join(2)
            call.rtp.close()
        self._socket.close()

    # ---- signalling

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        with self._lock:
            heapq.heappush(self._heap, (time.monotonic() + seconds, next(self._order), action))

    def _run(self) -> None:
        while not self.over.is_set():
            if select.select([self._socket], [], [], 0.005)[0]:
                data, source = self._socket.recvfrom(65535)
                if len(data) > 4:  # else a keep-alive
                    self._on_message(Message(time.time(), data.decode(errors="replace"), True, source), source)
            while self._heap and self._heap[0][0] <= time.monotonic():
                with self._lock:
                    action = heapq.heappop(self._heap)[2]
                action()

    def _on_message(self, message: Message, source: tuple[str, int]) -> None:
        call = next((one for one in self.calls if one.id == message.header("Call-ID")), None)
        if message.status:
            if call is not None:
                call.responses.append(message)
        elif call is not None:
            call._on_request(message)
        elif message.method == "INVITE":
            self._called(message, source)
        elif message.method == "REGISTER":
            expires = message.header("Expires") or "120"
            contact = f"Contact: {message.header('Contact')};expires={expires}"
            self._respond(message, 200, source, tag="registrar", headers=(contact, f"Expires: {expires}"))
        elif message.method == "OPTIONS":
            self._respond(message, 200, source, tag="options")

    def _called(self, invite: Message, source: tuple[str, int]) -> None:
        number = (re.search(r"sip:([^@;>]+)@", invite.text) or ["", ""])[1]
        manner = self.manner(number) if callable(self.manner) else self.manner
        if manner.deaf:
            return
        if self._login[0] and not self._proven(invite):
            challenge = f'Proxy-Authenticate: Digest realm="outside", nonce="{self._nonce}", algorithm=MD5, qop="auth"'
            self._respond(invite, 407, source, tag="challenge", headers=(challenge,))
            self.said("challenged", number=number)
            return
        call = OutsideCall(self, invite, source, manner)
        call.requests.append(invite)
        self.calls.append(call)
        self.said("called", number=number)
        call._begin()

    def _proven(self, invite: Message) -> bool:
        given = dict(re.findall(r'(\w+)="?([^",]+)"?', invite.header("Proxy-Authorization").removeprefix("Digest ")))
        if not given:
            return False
        user, password = self._login
        one = _md5(f"{user}:outside:{password}")
        two = _md5(f"INVITE:{given.get('uri')}")
        proof = _md5(f"{one}:{self._nonce}:{given.get('nc')}:{given.get('cnonce')}:{given.get('qop')}:{two}")
        return given.get("username") == user and given.get("response") == proof

    def _respond(
        self, request: Message, code: int, source: tuple[str, int], *, tag: str, body: str = "",
        headers: tuple[str, ...] = (),
    ) -> bytes:  # fmt: skip
        kept = re.findall(r"^(?:Via|Record-Route)\s*:.*?(?=\r?$)", request.text, re.MULTILINE | re.IGNORECASE)
        to = request.header("To")
        lines = [
            f"SIP/2.0 {code} {REASONS.get(code, 'Whatever')}", *kept, f"From: {request.header('From')}",
            f"To: {to if 'tag=' in to else f'{to};tag={tag}'}", f"Call-ID: {request.header('Call-ID')}",
            f"CSeq: {request.header('CSeq')}", f"Contact: <sip:outside@{self.host}:{self.port}>", *headers,
            *(["Content-Type: application/sdp"] if body else []), f"Content-Length: {len(body)}", "", body,
        ]  # fmt: skip
        data = "\r\n".join(lines).encode()
        self._send(data, source)
        return data

    def _send(self, data: bytes, target: tuple[str, int]) -> None:
        with suppress(OSError):
            self._socket.sendto(data, target)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def main() -> None:
    """In a process of its own, until its input ends: prints what happens."""
    parser = argparse.ArgumentParser(description="A telephone that is called.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--final", type=int, default=200, help="final answer; 0: rings for ever")
    parser.add_argument("--after", type=float, default=1.0, help="seconds until that answer")
    parser.add_argument("--early", action="store_true", help="early media (183)")
    parser.add_argument("--bye-after", type=float, default=None, help="hangs up so long after the answer")
    parser.add_argument("--hz", type=float, default=880.0, help="the tone it sends")
    given = parser.parse_args()
    early = 0.0 if given.early else None
    manner = Manner(final=given.final, answer_s=given.after, early_s=early, bye_s=given.bye_after)

    def say(what: str, **more: Any) -> None:
        print(json.dumps({"event": what, **more}), flush=True)

    with Outside(manner, hz=given.hz, host=given.host, port=given.port, said=say) as outside:
        say("listens", address=outside.address)
        sys.stdin.read()


if __name__ == "__main__":
    main()

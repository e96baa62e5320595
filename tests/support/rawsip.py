"""Hand-made SIP over UDP: one socket, every message with the kernel's receive time, no library between test and wire.

For what a user agent would never send (junk, no ACK, races of CANCEL and 200) and for measures of the wire (bench/).

    with RawCaller("127.0.0.1", 5060) as caller:
        caller.invite("+33199000001")
        ringing = caller.wait_for(180)
        caller.cancel()
        caller.wait_for(487)             # every final response is acknowledged, an answer after CANCEL is hung up
"""

import contextlib
import os
import re
import select
import socket
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

_SO_TIMESTAMPNS = 35  # asm-generic/socket.h; missing in the module socket
_TIMESPEC = struct.Struct("@ll")


@dataclass(frozen=True)
class Message:
    """A message as it was on the wire. `at`: when it was sent, or taken by the kernel; seconds since the epoch."""

    at: float
    text: str
    received: bool
    source: tuple[str, int] = ("", 0)

    @property
    def status(self) -> int:
        """The code of a response; 0 for a request."""
        return int(self.text[8:11]) if self.text.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        """INVITE, BYE ...: of a request its own, of a response that of its CSeq."""
        return self.header("CSeq").split()[-1] if self.status else self.text.split(" ", 1)[0]

    def header(self, name: str) -> str:
        """The first header of this name; empty when there is none."""
        found = re.search(rf"^{name}\s*:\s*(.*?)\r?$", self.text, re.MULTILINE | re.IGNORECASE)
        return found[1] if found else ""

    @property
    def body(self) -> str:
        """What follows the empty line: the SDP."""
        return self.text.partition("\r\n\r\n")[2]

    @property
    def media(self) -> tuple[str, int]:
        """Address and port of the audio in its SDP."""
        host = re.search(r"^c=IN IP4 (\S+)", self.body, re.MULTILINE)
        port = re.search(r"^m=audio (\d+)", self.body, re.MULTILINE)
        assert host, f"no address in {self.text!r}"
        assert port, f"no audio in {self.text!r}"
        return host[1], int(port[1])


@dataclass
class RawCaller:
    """One caller with one call at a time. Requests of the other side (BYE, OPTIONS ...) get a 200 at once."""

    server: str
    server_port: int
    host: str = "127.0.0.1"
    caller: str = "+33199005003"
    display: str = ""
    acknowledge: bool = True
    payloads: Sequence[int] = (8, 0, 101)
    messages: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.socket = _stamped(self.host)
        self.rtp = _stamped(self.host)
        self.number = self.uri = ""
        self._call, self._tag, self._branch = "", "", ""
        self._cancelled = False
        self._remote_target = self._remote_to = ""

    # ---- what a caller does

    def invite(self, number: str, *, headers: Sequence[str] = (), sdp: bool = True, uri: str = "") -> Message:
        """Send an INVITE of a new call and return at once."""
        self.number, self._call, self._tag = number, _token(), _token()
        self._branch, self._cancelled, self._remote_to = "z9hG4bK" + _token(), False, ""
        self.uri = uri or f"sip:{number}@{self.server}:{self.server_port}"
        return self.send(self.request("INVITE", 1, headers=headers, body=self._sdp() if sdp else ""))

    def cancel(self) -> Message:
        """Give up the call that rings. Should an answer cross it, the answer is acknowledged and hung up."""
        self._cancelled = True
        return self.send(self.request("CANCEL", 1, branch=self._branch))

    def bye(self) -> Message:
        """Hang up the answered call."""
        return self.send(self.request("BYE", 2, uri=self._remote_target, to=self._remote_to, branch=_branch()))

    def request(
        self, method: str, number: int, *, uri: str = "", to: str = "", branch: str = "",
        headers: Sequence[str] = (), body: str = "",
    ) -> str:  # fmt: skip
        """The text of a request in this call."""
        port, identity = self.socket.getsockname()[1], f'"{self.display}" ' if self.display else ""
        lines = [
            f"{method} {uri or self.uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.host}:{port};rport;branch={branch or self._branch}",
            "Max-Forwards: 70", f"From: {identity}<sip:{self.caller}@{self.host}>;tag={self._tag}",
            f"To: {to or f'<{self.uri}>'}", f"Call-ID: {self._call}@{self.host}", f"CSeq: {number} {method}",
            f"Contact: <sip:{self.caller}@{self.host}:{port}>", *headers,
            *(["Content-Type: application/sdp"] if body else []), f"Content-Length: {len(body.encode())}",
        ]  # fmt: skip
        return "\r\n".join([*lines, "", body])

    def send(self, text: str | bytes) -> Message:
        """Put anything on the wire."""
        data = text.encode() if isinstance(text, str) else text
        message = Message(time.time(), data.decode(errors="replace"), received=False)
        self.messages.append(message)
        self.socket.sendto(data, (self.server, self.server_port))
        return message

    # ---- what comes back

    def wait_for(self, code: int, method: str = "INVITE", timeout: float = 10) -> Message:
        """The response with this code to this method, already come or yet to come."""
        return self._await(lambda m: m.status == code and m.method == method, f"{code} to {method}", timeout)

    def wait_for_any(self, *codes: int, timeout: float = 10) -> Message:
        """The first response to the INVITE with one of these codes."""
        return self._await(lambda m: m.status in codes and m.method == "INVITE", f"any of {codes}", timeout)

    def wait_for_request(self, method: str, timeout: float = 10) -> Message:
        """The other side's request, such as BYE."""
        return self._await(lambda m: m.status == 0 and m.method == method, method, timeout)

    def wait_final(self, timeout: float = 10) -> Message:
        """The final response to the INVITE, whatever it is."""
        return self._await(lambda m: m.status >= 200 and m.method == "INVITE", "final response", timeout)

    def received(self) -> list[Message]:
        """All messages of the current call that came in so far."""
        return [m for m in self.messages if m.received and m.header("Call-ID").startswith(self._call)]

    def pump(self, seconds: float) -> None:
        """Take what comes for this long."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._take(left)

    def _await(self, wanted: Callable[[Message], bool], what: str, timeout: float) -> Message:
        until = time.monotonic() + timeout
        while True:
            for message in self.received():
                if wanted(message):
                    return message
            left = until - time.monotonic()
            if left <= 0:
                told = [m.text.split("\r\n", 1)[0] for m in self.received()]
                raise AssertionError(f"no {what} within {timeout} s; came: {told}")
            self._take(left)

    def _take(self, timeout: float) -> None:
        if select.select([self.socket], [], [], timeout)[0]:
            data, at, source = receive(self.socket)
            message = Message(at, data.decode(errors="replace"), received=True, source=source)
            self.messages.append(message)
            self._react(message)

    def _react(self, message: Message) -> None:
        if not message.header("Call-ID").startswith(self._call):
            return
        if not message.status:
            if message.method != "ACK":
                self._ok(message)
        elif message.method == "INVITE" and message.status >= 200:
            self._remote_to = message.header("To")
            contact = re.search(r"<([^>]+)>", message.header("Contact"))
            self._remote_target = contact[1] if contact else self.uri
            if self.acknowledge:
                good = message.status < 300
                self.send(self.request(
                    "ACK", 1, uri=self._remote_target if good else self.uri, to=self._remote_to,
                    branch=_branch() if good else self._branch,
                ))  # fmt: skip
                if good and self._cancelled:
                    self._cancelled = False  # a 200 sent again is acknowledged again, but hung up once
                    self.bye()

    def _ok(self, request: Message) -> None:
        kept = [
            line
            for line in request.text.split("\r\n")
            if re.match(r"(Via|From|To|Call-ID|CSeq)\s*:", line, re.IGNORECASE)
        ]
        data = "\r\n".join(["SIP/2.0 200 OK", *kept, "Content-Length: 0", "", ""]).encode()
        self.messages.append(Message(time.time(), data.decode(), received=False))
        self.socket.sendto(data, request.source)

    def _sdp(self) -> str:
        names = {0: "PCMU/8000", 8: "PCMA/8000", 18: "G729/8000", 101: "telephone-event/8000"}
        lines = [
            "v=0", f"o=- 1 1 IN IP4 {self.host}", "s=-", f"c=IN IP4 {self.host}", "t=0 0",
            f"m=audio {self.rtp.getsockname()[1]} RTP/AVP {' '.join(str(number) for number in self.payloads)}",
            *(f"a=rtpmap:{number} {names[number]}" for number in self.payloads), "a=ptime:20", "a=sendrecv",
        ]  # fmt: skip
        return "\r\n".join(lines) + "\r\n"

    def close(self) -> None:
        """Close both sockets; ends no call."""
        self.socket.close()
        self.rtp.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def receive(udp: socket.socket) -> tuple[bytes, float, tuple[str, int]]:
    """A datagram, the moment the kernel took it (seconds since the epoch), and where it came from."""
    data, extra, _, source = udp.recvmsg(65535, 64)
    for level, kind, value in extra:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            seconds, nanoseconds = _TIMESPEC.unpack(value[: _TIMESPEC.size])
            return data, seconds + nanoseconds / 1e9, source
    return data, time.time(), source


def rtp_packet(sequence: int, payload: bytes, payload_type: int = 8, ssrc: int = 0x5151) -> bytes:
    """One RTP packet of 20 ms of G.711 (RFC 3550, section 5.1)."""
    return struct.pack("!BBHII", 0x80, payload_type, sequence & 0xFFFF, sequence * 160 & 0xFFFFFFFF, ssrc) + payload


def _stamped(host: str) -> socket.socket:
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((host, 0))
    with contextlib.suppress(OSError):  # without it receive() falls back to the time of reading
        udp.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    return udp


def _token() -> str:
    return os.urandom(6).hex()


def _branch() -> str:
    return "z9hG4bK" + _token()

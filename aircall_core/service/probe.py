"""Whether a trunk's registrar answers: one OPTIONS request (RFC 3261, section 11), sent from this process."""

import asyncio
import socket
import ssl
import time
from dataclasses import dataclass
from typing import Final

from aircall_core.desk.secrets import new_token

PATIENCE_S: Final = 4.0
RESEND_S: Final = (0.5, 1.0, 2.0)  # RFC 3261, 17.1.2.2: UDP loses things
_PORTS: Final = {"udp": 5060, "tcp": 5060, "tls": 5061}
_LONGEST: Final = 8192


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``problem``: no_host, no_answer, refused, certificate, not_sip; '' when it answered."""

    problem: str = ""
    code: int = 0
    reason: str = ""
    ms: int = 0
    address: str = ""


async def options(host: str, transport: str) -> Answer:
    """Ask a registrar (``host[:port]``) whether it is there. Never raises for what the network does."""
    name, port = _split(host, transport)
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(name, port, type=socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM)
    except socket.gaierror:
        return Answer("no_host")
    address = found[0][4][:2]
    started = time.monotonic()
    ask = _udp if transport == "udp" else _stream
    try:
        async with asyncio.timeout(PATIENCE_S):
            raw = await ask(name, str(address[0]), int(address[1]), transport)
    except TimeoutError:
        return Answer("no_answer", address=str(address[0]))
    except ssl.SSLError:
        return Answer("certificate", address=str(address[0]))
    except OSError:
        return Answer("refused", address=str(address[0]))
    return _read(raw, max(1, round((time.monotonic() - started) * 1000)), str(address[0]))


def _split(host: str, transport: str) -> tuple[str, int]:
    name, colon, port = host.rpartition(":")
    if colon and port.isdigit() and (name.endswith("]") or ":" not in name):
        return name.strip("[]"), int(port)
    return host.strip("[]"), _PORTS[transport]


def _message(name: str, transport: str, sent_by: tuple[str, int]) -> bytes:
    def bare(host: str) -> str:
        return f"[{host}]" if ":" in host else host

    here, target = f"{bare(sent_by[0])}:{sent_by[1]}", bare(name)
    lines = [
        f"OPTIONS sip:{target} SIP/2.0",
        f"Via: SIP/2.0/{transport.upper()} {here};rport;branch=z9hG4bK{new_token()[:16]}",
        "Max-Forwards: 70",
        f"From: <sip:test@{here}>;tag={new_token()[:10]}",
        f"To: <sip:{target}>",
        f"Call-ID: {new_token()}",
        "CSeq: 1 OPTIONS",
        f"Contact: <sip:test@{here}>",
        "Accept: application/sdp",
        "Content-Length: 0",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class _Ear(asyncio.DatagramProtocol):
    """Waits for one datagram."""

    def __init__(self) -> None:
        self.heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Something came."""
        if not self.heard.done():
            self.heard.set_result(data)

    def error_received(self, exc: Exception) -> None:
        """The network says that nobody listens there."""
        if not self.heard.done():
            self.heard.set_exception(exc)


async def _udp(name: str, address: str, port: int, transport: str) -> bytes:
    loop = asyncio.get_running_loop()
    sender, ear = await loop.create_datagram_endpoint(_Ear, remote_addr=(address, port))
    try:
        message = _message(name, transport, sender.get_extra_info("sockname")[:2])
        for pause_s in (*RESEND_S, PATIENCE_S):
            sender.sendto(message)
            done, _ = await asyncio.wait({ear.heard}, timeout=pause_s)
            if done:
                break
        return await ear.heard
    finally:
        sender.close()


async def _stream(name: str, address: str, port: int, transport: str) -> bytes:
    secure = ssl.create_default_context() if transport == "tls" else None
    reader, writer = await asyncio.open_connection(address, port, ssl=secure, server_hostname=name if secure else None)
    try:
        writer.write(_message(name, transport, writer.get_extra_info("sockname")[:2]))
        await writer.drain()
        return await reader.read(_LONGEST)
    finally:
        writer.close()


def _read(raw: bytes, ms: int, address: str) -> Answer:
    version, _, rest = raw.split(b"\r\n", 1)[0].decode("utf-8", "replace").partition(" ")
    code, _, reason = rest.partition(" ")
    if version != "SIP/2.0" or not code.isdigit():
        return Answer("not_sip", ms=ms, address=address)
    return Answer("", int(code), reason[:80], ms, address)

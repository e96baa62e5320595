"""Somebody outside who texts: hand-made SIP MESSAGE (RFC 3428) over UDP, and over TCP where they take it.

with Texter("+33612345678") as ada:                  # a trunk's outbound_host is ada.address
    assert ada.send("+33199000001", "Hello", "127.0.0.1:5060").status == 200
    text = ada.wait_text()                           # what the other side has sent
    ada.manner.final = 0                             # from now on: no answer to texts
"""

import hashlib
import itertools
import os
import re
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tests.support.processes import eventually
from tests.support.rawsip import Message

_KEPT = re.compile(r"(Via|From|To|Call-ID|CSeq)\s*:", re.IGNORECASE)


@dataclass
class Manner:
    """How it answers; to be changed at any time. 0: not at all."""

    final: int = 200  # MESSAGE
    options: int = 200
    challenge: bool = False  # 407 first; what comes with credentials is taken


@dataclass(frozen=True)
class Text:
    """A text that came."""

    body: str
    sender: str  # From
    number: str  # that it was sent to
    transport: str
    request: Message


class Texter:
    """One user agent on one port."""

    def __init__(
        self, number: str = "+33612345678", *, host: str = "127.0.0.1", port: int = 0, tcp: bool = True,
        login: tuple[str, str] = ("", ""),
    ) -> None:  # fmt: skip
        """`login`: user name and password, for who challenges us (401)."""
        self.number, self.host, self.manner, self.login = number, host, Manner(), login
        self.texts: list[Text] = []  # those that it took
        self.requests: list[Message] = []  # all that came, each once
        self.answers: list[Message] = []
        self._branches: set[str] = set()
        self._cseq = itertools.count(1)
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind((host, port))
        self.port: int = self._udp.getsockname()[1]
        self._tcp = socket.create_server((host, self.port)) if tcp else None
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run_udp, daemon=True)]
        if self._tcp is not None:
            self._threads.append(threading.Thread(target=self._run_tcp, args=(self._tcp,), daemon=True))
        for thread in self._threads:
            thread.start()

    @property
    def address(self) -> str:
        """host:port, as a trunk names it."""
        return f"{self.host}:{self.port}"

    # ---- what it sends

    def request(
        self, to: str, body: str | bytes, server: str, *headers: str, kind: str = "text/plain;charset=UTF-8",
        call_id: str = "", cseq: int = 0, transport: str = "UDP", method: str = "MESSAGE",
    ) -> bytes:  # fmt: skip
        """A request's bytes."""
        data = body.encode() if isinstance(body, str) else body
        lines = [
            f"{method} sip:{to}@{server} SIP/2.0",
            f"Via: SIP/2.0/{transport} {self.address};rport;branch=z9hG4bK{os.urandom(6).hex()}", "Max-Forwards: 70",
            f"From: <sip:{self.number}@{self.host}>;tag={os.urandom(4).hex()}", f"To: <sip:{to}@{server}>",
            f"Call-ID: {call_id or os.urandom(8).hex()}", f"CSeq: {cseq or next(self._cseq)} {method}", *headers,
            *([f"Content-Type: {kind}"] if kind else []), f"Content-Length: {len(data)}", "", "",
        ]  # fmt: skip
        return "\r\n".join(lines).encode() + data

    def send(
        self, to: str, body: str | bytes, server: str, *headers: str, timeout: float = 15, **more: object
    ) -> Message:
        """Sends a text, again and again until it is answered as over UDP one does; the final answer."""
        data = self.request(to, body, server, *headers, **more)  # type: ignore[arg-type]
        answer = self.deliver(data, server, timeout)
        if answer.status == 401 and self.login[0] and not headers:
            call_id, cseq = answer.header("Call-ID"), int(answer.header("CSeq").split()[0]) + 1
            proof = self._proof(answer.header("WWW-Authenticate"), f"sip:{to}@{server}")
            again = {**more, "call_id": call_id, "cseq": cseq}
            return self.deliver(self.request(to, body, server, proof, **again), server, timeout)  # type: ignore[arg-type]
        return answer

    def deliver(self, data: bytes, server: str, timeout: float = 15, every: float = 0.5) -> Message:
        """Sends these bytes until their answer comes; one to the same bytes, sent before, does not count."""
        host, _, port = server.partition(":")
        wanted = re.search(rb"branch=([^;\r\n]+)", data)
        assert wanted is not None
        branch = wanted[1].decode()
        before, waits = len(self.answers), max(1, int(timeout / every))
        for _ in range(waits):
            self._udp.sendto(data, (host, int(port)))
            with suppress(AssertionError):
                return eventually(lambda: self._answer(branch, before), every, "an answer", every=0.005)[0]
        raise AssertionError(f"no answer within {timeout} s")

    def tcp_send(self, to: str, body: str, server: str, timeout: float = 10) -> Message:
        """Sends a text over a TCP connection of its own."""
        host, _, port = server.partition(":")
        with socket.create_connection((host, int(port)), timeout) as connection:
            connection.sendall(self.request(to, body, server, transport="TCP"))
            got, _rest = _one_message(connection, b"")
        return Message(0, got.decode(errors="replace"), received=True)

    def _answer(self, branch: str, since: int) -> list[Message]:
        return [one for one in self.answers[since:] if branch in one.header("Via") and one.status >= 200]

    def _proof(self, challenge: str, uri: str) -> str:
        given = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        user, password = self.login
        secret, request = _md5(f"{user}:{given['realm']}:{password}"), _md5(f"MESSAGE:{uri}")
        response = _md5(f"{secret}:{given['nonce']}:00000001:c:auth:{request}")
        return (
            f'Authorization: Digest username="{user}", realm="{given["realm"]}", nonce="{given["nonce"]}", '
            f'uri="{uri}", '
            f'response="{response}", algorithm=MD5, qop=auth, nc=00000001, cnonce="c"'
        )

    # ---- what comes

    def wait_text(self, count: int = 1, timeout: float = 20) -> Text:
        """The n-th text that it took (1: the first)."""
        eventually(lambda: len(self.texts) >= count, timeout, f"text {count}; came: {[one.body for one in self.texts]}")
        return self.texts[count - 1]

    def count(self, method: str) -> int:
        """How many different requests of this method came."""
        return sum(one.method == method for one in self.requests)

    def _run_udp(self) -> None:
        while not self._over.is_set():
            with suppress(OSError):
                data, source = self._udp.recvfrom(65535)
                answer = self._take(data, "udp", source)
                if answer:
                    self._udp.sendto(answer, source)

    def _run_tcp(self, server: socket.socket) -> None:
        while not self._over.is_set():
            with suppress(OSError):
                connection, source = server.accept()
                threading.Thread(target=self._serve, args=(connection, source), daemon=True).start()

    def _serve(self, connection: socket.socket, source: tuple[str, int]) -> None:
        rest = b""
        with connection, suppress(OSError):
            while not self._over.is_set():
                data, rest = _one_message(connection, rest)
                if not data:
                    return
                answer = self._take(data, "tcp", source)
                if answer:
                    connection.sendall(answer)

    def _take(self, data: bytes, transport: str, source: tuple[str, int]) -> bytes:
        message = Message(0, data.decode(errors="replace"), received=True, source=source)
        if message.status:
            self.answers.append(message)
            return b""
        branch = message.header("Via").split("branch=")[-1].split(";")[0]
        fresh = branch not in self._branches
        self._branches.add(branch)
        if fresh:
            self.requests.append(message)
        code = self._code(message)
        if fresh and message.method == "MESSAGE" and 200 <= code < 300:
            number = re.search(r"sip:([^@;>]+)@", message.text)
            self.texts.append(
                Text(message.body, message.header("From"), number[1] if number else "", transport, message)
            )
        return self._response(message, code) if code else b""

    def _code(self, message: Message) -> int:
        if message.method == "OPTIONS":
            return self.manner.options
        if message.method != "MESSAGE":
            return 405
        proven = "response=" in message.header("Proxy-Authorization")
        return 407 if self.manner.challenge and not proven else self.manner.final

    def _response(self, request: Message, code: int) -> bytes:
        kept = [line for line in request.text.split("\r\n\r\n")[0].split("\r\n") if _KEPT.match(line)]
        kept = [f"{line};tag=far" if line.lower().startswith("to:") and "tag=" not in line else line for line in kept]
        extra = ['Proxy-Authenticate: Digest realm="far", nonce="n", algorithm=MD5, qop="auth"'] if code == 407 else []
        return "\r\n".join([f"SIP/2.0 {code} Whatever", *kept, *extra, "Content-Length: 0", "", ""]).encode()

    def close(self) -> None:
        """Leaves."""
        self._over.set()
        self._udp.sendto(b"\r\n", self._udp.getsockname())  # ends the wait
        self._threads[0].join(5)
        self._udp.close()
        if self._tcp is not None:
            with suppress(OSError), socket.create_connection(self._tcp.getsockname(), 1):
                pass
            self._threads[1].join(5)
            self._tcp.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _one_message(connection: socket.socket, data: bytes) -> tuple[bytes, bytes]:
    """The next whole message of a stream, and what follows it; b'' at its end."""
    while True:
        head, mark, rest = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
        length = re.search(rb"^Content-Length\s*:\s*(\d+)", head, re.IGNORECASE | re.MULTILINE)
        size = int(length[1]) if length else 0
        if mark and len(rest) >= size:
            return head + mark + rest[:size], rest[size:]
        piece = connection.recv(65536)
        if not piece:
            return b"", b""
        data += piece


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

"""The PCM link: agents' audio between a media gateway and this worker, one SOCK_SEQPACKET connection a browser peer.

A packet is one type byte and a body: 0x01 = one 20 ms frame (s16le mono), '{' = a JSON object. See docs/sip.md.
The main loop accepts, greets and, while a peer is not yet on the bridge, drains; a peer on the bridge is read and
written in the bridge's clock. Everything is non-blocking.
"""

import contextlib
import json
import os
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from aircall_core.logs import get_logger
from aircall_core.sip.audio import frame_bytes

log = get_logger(__name__)

AUDIO = 0x01
HEADER = struct.Struct(">BxHI")
PREFILL = 2  # frames held before playing: absorbs the jitter of two unsynchronised 20 ms clocks (31 ms at p95)
CAP = 4  # more would only be delay: the oldest goes
IDLE_S = 0.06  # not pulled for so long: the bridge does not read this link, the main loop does
HELLO_S = 2.0
CALL_S = 0.5  # for the log to tell us of a call
MAX_PACKET = 4096


class PcmLink:
    """One browser peer of one call."""

    def __init__(self, sock: socket.socket, peer: str, call: str, user: str, rate: int) -> None:
        self.sock = sock
        self.peer, self.call, self.user = peer, call, user
        self.size = frame_bytes(rate)
        self.closed = ""  # why, once it is
        self.last_frame = float("-inf")
        self.frames = self.dropped = self.sent = 0
        self._queue: deque[bytes] = deque()
        self._playing = False
        self._pulled = float("-inf")

    def fresh(self, within: float) -> bool:
        """Whether audio has come in the last `within` seconds."""
        return not self.closed and time.monotonic() - self.last_frame <= within

    def pull(self) -> bytes | None:
        """Next frame for the bridge (clock thread), None for silence."""
        self._pulled = time.monotonic()
        self._read()
        if not self._playing:
            if len(self._queue) < PREFILL:
                return None
            self._playing = True
        if not self._queue:
            self._playing = False
            return None
        return self._queue.popleft()

    def push(self, frame: bytes) -> None:
        """A frame of the caller for the browser (clock thread); dropped when the gateway does not read."""
        self.sent += 1
        try:
            self.sock.send(HEADER.pack(AUDIO, 0, self.sent & 0xFFFFFFFF) + frame)
        except BlockingIOError:
            self.dropped += 1
        except OSError as problem:
            self.closed = self.closed or f"send: {problem.strerror}"

    def drain(self) -> None:
        """Reads while the bridge does not (main loop): notices sound, silence and the end."""
        if not self.closed and time.monotonic() - self._pulled > IDLE_S:
            self._read()
            self._playing = False

    def close(self, reason: str) -> None:
        """Says why, and ends the connection."""
        self.closed = self.closed or reason
        with contextlib.suppress(OSError):  # the other side may be gone already: that is what we are telling it
            self.sock.send(json.dumps({"close": reason}).encode())
            self.sock.shutdown(socket.SHUT_RDWR)
            while self.sock.recv(MAX_PACKET):  # unread packets would turn our last word into a reset
                pass
        self.sock.close()

    def _read(self) -> None:
        while not self.closed:
            try:
                packet = self.sock.recv(MAX_PACKET)
            except BlockingIOError:
                break
            except OSError as problem:
                self.closed = f"recv: {problem.strerror}"
                break
            if not packet:
                self.closed = "gateway closed the link"
            elif packet[0] == AUDIO and len(packet) == HEADER.size + self.size:
                self.frames += 1
                self.last_frame = time.monotonic()
                self._queue.append(packet[HEADER.size :])
            elif packet[:1] != b"{":
                self.dropped += 1
        while len(self._queue) > CAP:
            self._queue.popleft()


class PcmListener:
    """The worker's end: accepts gateways, knows the links by peer."""

    def __init__(self, path: str, rate: int, wanted: Callable[[str], bool]) -> None:
        """`wanted(call_id)`: whether this worker has that call. The folder of `path` is private to us (0700)."""
        self.path = path
        self.rate = rate
        self.links: dict[str, PcmLink] = {}
        self._wanted = wanted
        self._greeting: dict[socket.socket, float] = {}
        self._early: dict[socket.socket, tuple[str, str, str]] = {}  # hellos for calls that we do not know yet
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._server.bind(path)
        self._server.listen(64)
        self._server.setblocking(False)

    def poll(self) -> None:
        """One turn of the main loop: newcomers, greetings, links that the bridge does not read, the dead."""
        self._accept()
        for sock, since in list(self._greeting.items()):
            if sock not in self._early:
                self._greet(sock, since)
        for sock, hello in list(self._early.items()):
            self._welcome(sock, *hello)
        for peer, link in list(self.links.items()):
            link.drain()
            if link.closed:
                del self.links[peer]
                link.close(link.closed)

    def close_call(self, call: str, reason: str, keep: str = "") -> None:
        """Ends the links of a call, all but `keep`."""
        for link in list(self.links.values()):
            if link.call == call and link.peer != keep:
                link.close(reason)
                del self.links[link.peer]

    def close(self) -> None:
        """Ends everything and frees the address."""
        for link in self.links.values():
            link.close("worker stops")
        self._server.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._server.accept()
            except BlockingIOError:
                return
            sock.setblocking(False)
            self._greeting[sock] = time.monotonic()

    def _greet(self, sock: socket.socket, since: float) -> None:
        try:
            packet = sock.recv(MAX_PACKET)
        except BlockingIOError:
            if time.monotonic() - since > HELLO_S:
                self._refuse(sock, "no hello")
            return
        except OSError:
            packet = b""
        hello = _hello(packet)
        if hello is None:
            self._refuse(sock, "not a hello")
            return
        self._welcome(sock, *hello)

    def _welcome(self, sock: socket.socket, peer: str, call: str, user: str) -> None:
        """Takes the link. A browser that dials may be faster than the log is with us: it is given a moment."""
        if not self._wanted(call):
            if time.monotonic() - self._greeting[sock] > CALL_S:
                self._refuse(sock, "no such call")
            else:
                self._early[sock] = (peer, call, user)
            return
        self._early.pop(sock, None)
        old = self.links.pop(peer, None)
        if old is not None:
            old.close("replaced")
        del self._greeting[sock]
        try:
            sock.send(json.dumps({"ok": {"rate": self.rate}}).encode())
        except OSError:
            sock.close()
            return
        self.links[peer] = PcmLink(sock, peer, call, user, self.rate)

    def _refuse(self, sock: socket.socket, reason: str) -> None:
        del self._greeting[sock]
        self._early.pop(sock, None)
        with contextlib.suppress(OSError):
            sock.send(json.dumps({"refused": reason}).encode())
        sock.close()
        log.warning("pcm_refused", reason=reason)


def _hello(packet: bytes) -> tuple[str, str, str] | None:
    try:
        said: Any = json.loads(packet)
        hello = said["hello"]
        peer, call, user = hello["peer"], hello["call"], hello["user"]
    except (ValueError, KeyError, TypeError):
        return None
    return (peer, call, user) if all(isinstance(one, str) for one in (peer, call, user)) else None

"""The PCM link to the SIP worker: one SOCK_SEQPACKET connection a peer, one 20 ms frame a packet (docs/audio.md).

A packet beginning with ``{`` is a JSON object, any other a frame: type 0x01, a pad byte, a zero, the frame's sequence
number, then s16le mono samples at the bridge's rate. The numbers let either end see what the socket had no room for.
"""

import asyncio
import json
import socket
import struct
from collections.abc import Callable
from typing import Any

_AUDIO = 0x01
_HEADER = struct.Struct(">BxHI")
_MAX_PACKET = 8192
_RATES = (8000, 16000)

ANSWER_S = 2.0
"""How long the worker may take to answer the greeting. It is on the same host and polls every 10 ms."""


class LinkRefused(RuntimeError):
    """The worker does not want this peer; the text is its reason."""


class LinkDown(RuntimeError):
    """The worker cannot be reached, or does not speak as agreed."""


class WorkerLink:
    """One peer's connection to the worker. ``rate`` is in samples per second, a frame is ``rate`` / 50 samples.

    After ``start`` the callbacks are called on the event loop: ``on_frame(sequence, pcm)`` for each frame,
    ``on_close(reason)`` once, when the worker closes or vanishes (not when ``close`` is called here).
    """

    def __init__(self, sock: socket.socket, rate: int) -> None:
        self.rate = rate
        self.frame_bytes = rate // 50 * 2
        self.dropped = 0
        """Frames the worker's socket had no room for."""
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        self._sequence = 0
        self._on_frame: Callable[[int, bytes], None] | None = None
        self._on_close: Callable[[str], None] | None = None

    @classmethod
    async def connect(cls, path: str, peer: str, call: str, user: str) -> "WorkerLink":
        """Connect to the worker listening at ``path`` and introduce the peer. Raises LinkRefused or LinkDown."""
        loop = asyncio.get_running_loop()
        try:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        except OSError as error:
            raise LinkDown(f"no socket to be had: {error.strerror}") from error
        try:
            async with asyncio.timeout(ANSWER_S):
                await loop.sock_connect(sock, path)
                await loop.sock_sendall(
                    sock, json.dumps({"hello": {"peer": peer, "call": call, "user": user}}).encode()
                )
                answer = _message(await loop.sock_recv(sock, _MAX_PACKET))
            if "refused" in answer:
                raise LinkRefused(str(answer["refused"]))
            rate = answer.get("ok", {}).get("rate")
            if rate not in _RATES:
                raise LinkDown("the worker answered with something else than a rate")
            return cls(sock, rate)
        except BaseException as error:
            sock.close()
            if isinstance(error, TimeoutError):
                raise LinkDown("the worker does not answer") from error
            if isinstance(error, OSError):
                raise LinkDown(f"no worker at its address: {error.strerror}") from error
            raise

    def start(self, on_frame: Callable[[int, bytes], None], on_close: Callable[[str], None]) -> None:
        """Begin to deliver what the worker sends."""
        self._on_frame, self._on_close = on_frame, on_close
        self._loop.add_reader(self._sock.fileno(), self._readable)

    def send(self, pcm: bytes) -> None:
        """Send one frame of exactly ``frame_bytes``; dropped when the worker lags (its playout would drop it too)."""
        if self._sock.fileno() < 0:
            return
        packet = _HEADER.pack(_AUDIO, 0, self._sequence) + pcm
        self._sequence = (self._sequence + 1) & 0xFFFFFFFF
        try:
            self._sock.send(packet, socket.MSG_NOSIGNAL)
        except BlockingIOError:
            self.dropped += 1
        except OSError as error:
            self._gone(f"sending failed: {error.strerror}")

    def close(self) -> None:
        """Close from this side; no callback follows."""
        if self._sock.fileno() >= 0:
            self._loop.remove_reader(self._sock.fileno())
            self._sock.close()

    def _readable(self) -> None:
        """Take all that has arrived, so that a delayed loop catches up in one turn."""
        while self._sock.fileno() >= 0:
            try:
                packet = self._sock.recv(_MAX_PACKET)
            except BlockingIOError:
                break
            except OSError as error:
                self._gone(f"receiving failed: {error.strerror}")
                break
            self._take(packet)

    def _take(self, packet: bytes) -> None:
        assert self._on_frame is not None
        if not packet:
            self._gone("the worker closed the link")
        elif packet[:1] == b"{":
            reason = _message(packet).get("close")
            if reason is not None:
                self._gone(str(reason))
        elif packet[0] == _AUDIO and len(packet) == _HEADER.size + self.frame_bytes:
            self._on_frame(_HEADER.unpack_from(packet)[2], packet[_HEADER.size :])

    def _gone(self, reason: str) -> None:
        self.close()
        if self._on_close is not None:
            on_close, self._on_close = self._on_close, None
            on_close(reason)


def _message(packet: bytes) -> dict[str, Any]:
    """A JSON packet; an unreadable one counts as empty, so that newer workers may say more than this end knows."""
    try:
        message = json.loads(packet)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}

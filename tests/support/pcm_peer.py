"""A media gateway's end of the PCM link, without gateway and browser: an agent's microphone and ear for tests.

with PcmPeer(worker_socket, peer=peer, call=call_id, user=user.id, voice=tone(440, 1, 8000)) as agent:
    ...
agent.heard()
"""

import contextlib
import json
import socket
import struct
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from tests.support.audio import Samples, from_pcm, to_pcm

_HEADER = struct.Struct(">BxHI")
FRAME_S = 0.020


class PcmPeer:
    """Sends `voice` (8 kHz, repeated) in 20 ms frames from the start; keeps every frame with its time."""

    def __init__(self, worker: Path | str, *, peer: str, call: str, user: str, voice: Samples | None = None) -> None:
        self.frames: list[tuple[float, bytes]] = []
        self.sent: list[tuple[float, Samples]] = []
        self.ended = threading.Event()
        self.reason = ""
        self._quiet = threading.Event()
        self._over = threading.Event()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(5)
        self._socket.connect(str(worker))
        self._socket.send(json.dumps({"hello": {"peer": peer, "call": call, "user": user}}).encode())
        answer = json.loads(self._socket.recv(4096) or b'{"refused": "closed"}')
        if "ok" not in answer:
            self._socket.close()
            raise ConnectionRefusedError(answer.get("refused", str(answer)))
        self.rate = int(answer["ok"]["rate"])
        self._socket.settimeout(None)
        self._size = round(self.rate * FRAME_S) * 2
        self._voice = to_pcm(voice if voice is not None else np.zeros(self.rate))
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._hear, self._speak)]
        for thread in self._threads:
            thread.start()

    def network(self, up: bool) -> None:
        """Lose or regain the agent's network: no frames are sent while it is down."""
        self._quiet.clear() if up else self._quiet.set()

    def heard(self, last_s: float = 1e9) -> Samples:
        """What came in the last seconds, frame after frame."""
        since = time.monotonic() - last_s
        return from_pcm(b"".join(pcm for at, pcm in list(self.frames) if at >= since))

    def close(self) -> None:
        """End the link."""
        self._over.set()
        with contextlib.suppress(OSError):  # the worker was first
            self._socket.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        self._socket.close()

    def _hear(self) -> None:
        while packet := self._received():
            if packet[:1] == b"{":
                self.reason = json.loads(packet).get("close", "")
            elif packet[0] == 1:
                self.frames.append((time.monotonic(), packet[_HEADER.size :]))
        self.ended.set()

    def _received(self) -> bytes:
        try:
            return self._socket.recv(8192)
        except OSError:
            return b""

    def _speak(self) -> None:
        number, due = 0, time.monotonic()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            due += FRAME_S
            if self._quiet.is_set():
                continue
            start = number * self._size % (len(self._voice) // self._size * self._size)
            number += 1
            frame = self._voice[start : start + self._size]
            self.sent.append((time.monotonic(), from_pcm(frame)))
            try:
                self._socket.send(_HEADER.pack(1, 0, number) + frame, socket.MSG_DONTWAIT)
            except BlockingIOError:
                continue  # as a gateway does: a worker that does not read misses the frame
            except OSError:
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

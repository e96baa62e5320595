"""Frames between Python and pjsua2's bridge: pooled AudioMediaPorts, created on demand, never destroyed.

A port that is collected while the library runs crashes it (its removal is asynchronous), so a port goes back to the
pool and the pool only grows. Callbacks run in the library's clock thread with the GIL held: they stay far below 1 ms,
touch no other pjsua2 object and let no exception out.
"""

import ctypes
from collections.abc import Callable
from typing import Any

import pjsua2 as pj

from aircall_core.logs import get_logger

log = get_logger(__name__)

# The library's std::vector as seen from here, for wheels without byte access: first word = begin pointer (libstdc++).
_pointer = ctypes.c_void_p.from_address
_memmove = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t)(
    ("memmove", ctypes.PyDLL(None))
)
_bytes_at = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_ssize_t)(
    ("PyBytes_FromStringAndSize", ctypes.pythonapi)
)
_BYTE_ACCESS = hasattr(pj.ByteVector, "assign_from_bytes")

Pull = Callable[[], bytes | None]
Push = Callable[[bytes], None]


def frame_bytes(rate: int) -> int:
    """Size of one 20 ms frame, 16 bit mono."""
    return rate // 50 * 2


class AudioPort(pj.AudioMediaPort):  # type: ignore[misc]
    """A port of the bridge whose sound comes from `pull` and goes to `push` (either may be None: silence, ignored)."""

    def __init__(self, name: str, rate: int) -> None:
        super().__init__()
        self.size = frame_bytes(rate)
        self.pull: Pull | None = None
        self.push: Push | None = None
        self.errors = 0
        self._silence = pj.ByteVector(bytes(self.size))
        form = pj.MediaFormatAudio()
        form.init(pj.PJMEDIA_FORMAT_PCM, rate, 1, 20000, 16)
        self.createPort(name, form)

    def onFrameRequested(self, frame: Any) -> None:  # noqa: N802 - the library's name
        """The bridge wants 20 ms from us."""
        try:
            frame.type = pj.PJMEDIA_FRAME_TYPE_AUDIO
            pull = self.pull
            data = pull() if pull is not None else None
            if data is not None and len(data) == self.size:  # never more than asked for: no bounds check there
                if _BYTE_ACCESS:
                    frame.buf.assign_from_bytes(data)
                else:
                    frame.buf = self._silence
                    _memmove(_pointer(int(frame.buf.this)).value, data, self.size)
            else:
                frame.buf = self._silence
            frame.size = self.size
        except Exception as problem:  # noqa: BLE001 - none may leave a callback; logged without its traceback
            self._failed(problem)

    def onFrameReceived(self, frame: Any) -> None:  # noqa: N802 - the library's name
        """The bridge has 20 ms for us; size 0 when nobody speaks to this port."""
        try:
            push = self.push
            if push is not None and frame.size == self.size:
                if _BYTE_ACCESS:
                    data = bytearray(self.size)
                    frame.buf.copy_to_bytearray(data)
                    push(bytes(data))
                else:
                    push(_bytes_at(_pointer(int(frame.buf.this)).value, self.size))
        except Exception as problem:  # noqa: BLE001 - none may leave a callback; logged without its traceback
            self._failed(problem)

    def _failed(self, problem: Exception) -> None:
        self.errors += 1
        if self.errors == 1:  # 50 lines a second would help nobody
            log.error("audio_port_failed", error=repr(problem)[:200])


class PortPool:
    """Ports at rest. `take` makes one when there is none."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.made: list[AudioPort] = []  # every port ever made: the references that keep them alive
        self._free: list[AudioPort] = []

    def take(self) -> AudioPort:
        """A port that is connected to nothing."""
        if self._free:
            return self._free.pop()
        port = AudioPort(f"port{len(self.made)}", self.rate)
        self.made.append(port)
        return port

    def give(self, port: AudioPort) -> None:
        """Takes back a port whose connections the caller has stopped."""
        port.pull = port.push = None
        self._free.append(port)

"""A caller with ears, a voice and a keypad: hand-made SIP (rawsip.py) with real RTP, keeping every sample it hears.

with IvrCaller("127.0.0.1", 5060) as caller:
    caller.invite("+33199000001")
    caller.wait_for(200)
    caller.wait_heard(prompt)
    caller.press("12#")              # RFC 4733; info=True: SIP INFO
    caller.speak(tone(440, 3, 8000))
"""

import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType

import numpy as np

from aircall_core.media.g711 import SILENCE, decode, encode
from tests.support.audio import Samples, found, from_pcm, to_pcm
from tests.support.processes import eventually
from tests.support.rawsip import Message, RawCaller

RATE, FRAME_S, SAMPLES = 8000, 0.020, 160
EVENTS = "0123456789*#"  # RFC 4733, section 3.2
_RTP = struct.Struct("!BBHII")


@dataclass
class IvrCaller(RawCaller):
    """One caller. Its sound goes as PCMU; what it hears is placed by the packets' timestamps."""

    payloads: tuple[int, ...] = (0, 101)
    _heard: dict[int, bytes] = field(default_factory=dict)
    _voice: deque[bytes] = field(default_factory=deque)
    _keys: deque[str] = field(default_factory=deque)
    _target: tuple[str, int] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._over = threading.Event()
        self._sequence, self._stamp, self._cseq = 0, 0, 1
        self.rtp.settimeout(0.2)
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._send_media, self._receive_media)]
        for thread in self._threads:
            thread.start()

    # ---- what the caller does

    def press(self, keys: str, *, info: bool = False) -> None:
        """Presses these keys, and waits until they are sent."""
        if info:
            for key in keys:
                self._info(key)
            return
        self._keys.extend(keys)
        eventually(lambda: not self._keys, 10, "keys sent")

    def speak(self, samples: Samples, *, wait: bool = True) -> None:
        """Says this once (8 kHz)."""
        payload = encode(to_pcm(samples))
        self._voice.extend(payload[at : at + SAMPLES] for at in range(0, len(payload) - SAMPLES + 1, SAMPLES))
        if wait:
            eventually(lambda: not self._voice, len(samples) / RATE + 10, "all said")

    def bye(self) -> Message:
        """Hangs up."""
        return self.send(self._in_dialog("BYE"))

    # ---- what the caller hears

    def heard(self) -> Samples:
        """All of it, from the first packet on."""
        packets = dict(self._heard)
        if not packets:
            return np.zeros(0)
        first, last = min(packets), max(packets)
        payload = bytearray(SILENCE * (last - first + SAMPLES))
        for stamp, data in packets.items():
            payload[stamp - first : stamp - first + len(data)] = data
        return from_pcm(decode(bytes(payload)))

    def wait_heard(self, sound: Samples, timeout: float = 20, after: float = -1.0) -> float:
        """When this is heard whole for the first time (later than `after`): seconds into what it heard."""

        def look() -> list[float]:
            return [at for at in found(self.heard(), sound, RATE) if at > after]

        self._pump_until(look, timeout)
        starts = look()
        assert starts, f"not heard within {timeout} s; {len(self.heard()) / RATE:.1f} s were heard"
        return starts[0]

    def _pump_until(self, probe: Callable[[], object], timeout: float) -> None:
        until = time.monotonic() + timeout
        while time.monotonic() < until and not probe():
            self.pump(0.2)  # answers what comes meanwhile

    # ---- signalling

    def _in_dialog(self, method: str, *headers: str, body: str = "") -> str:
        self._cseq += 1
        branch = f"z9hG4bK{method}{self._cseq}{self._call}"
        target, to = self._remote_target, self._remote_to
        return self.request(method, self._cseq, uri=target, to=to, branch=branch, headers=headers, body=body)

    def _info(self, key: str) -> None:
        kind = "Content-Type: application/dtmf-relay"
        text = self._in_dialog("INFO", kind, body=f"Signal={key}\r\nDuration=160\r\n")
        self.send(text.replace("Content-Type: application/sdp\r\n", ""))
        wanted = [str(self._cseq), "INFO"]
        self._await(lambda m: m.status == 200 and m.header("CSeq").split() == wanted, "200 to INFO", 10)

    def _react(self, message: Message) -> None:
        super()._react(message)
        if message.status in (183, 200) and message.method == "INVITE" and "m=audio" in message.body:
            self._target = message.media

    # ---- media

    def _send_media(self) -> None:
        due = time.monotonic()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            due += FRAME_S
            if self._target is None:
                continue
            if self._keys:
                due = self._send_key(self._keys[0], due)
                self._keys.popleft()
            else:
                self._packet(0, self._voice.popleft() if self._voice else SILENCE * SAMPLES)
                self._stamp += SAMPLES

    def _send_key(self, key: str, due: float) -> float:
        """160 ms of the event, its end three times (RFC 4733, 2.5.1.4), and a pause of 60 ms."""
        event, duration = EVENTS.index(key), 0
        for number in range(8 + 3):
            ends = number >= 8
            duration += 0 if ends else SAMPLES
            self._packet(101, struct.pack("!BBH", event, 0x80 * ends | 10, duration), marker=number == 0)
            if not ends:
                due += FRAME_S
                self._over.wait(max(0.0, due - time.monotonic()))
        self._stamp += duration
        for _ in range(3):
            self._packet(0, SILENCE * SAMPLES)
            self._stamp += SAMPLES
            due += FRAME_S
            self._over.wait(max(0.0, due - time.monotonic()))
        return due

    def _packet(self, payload_type: int, payload: bytes, *, marker: bool = False) -> None:
        head = _RTP.pack(0x80, payload_type | 0x80 * marker, self._sequence & 0xFFFF, self._stamp & 0xFFFFFFFF, 0x1F1F)
        self._sequence += 1
        if self._target is not None:
            self.rtp.sendto(head + payload, self._target)

    def _receive_media(self) -> None:
        while not self._over.is_set():
            try:
                data = self.rtp.recv(2048)
            except TimeoutError:
                continue
            except OSError:
                return
            if len(data) > _RTP.size and data[1] & 0x7F == 0:
                self._heard[_RTP.unpack(data[: _RTP.size])[3]] = data[_RTP.size :]

    def close(self) -> None:
        """Closes its sockets; ends no call."""
        self._over.set()
        for thread in self._threads:
            thread.join(2)
        super().close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

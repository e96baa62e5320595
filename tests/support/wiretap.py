"""What was on the wire: every UDP datagram of one interface, with its time, for peers that keep no record themselves.

    with Wiretap("lo") as tap:
        ...
    tap.heard_at(40000)      # the samples of the PCMA stream that arrived at this port

Needs CAP_NET_RAW, which a test in a network namespace of its own has (tests/support/netns.py).
"""

import re
import socket
import struct
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np

from tests.support.audio import Samples
from tests.support.sipp import a_law

_IPV4, _UDP = 0x0800, 17
_PCMA = 8


def _table() -> Samples:
    """The level of each A-law code: the middle of all that is coded so (ITU-T G.711)."""
    levels = np.arange(-32768, 32768) / 32768
    codes = np.frombuffer(a_law(levels), np.uint8)
    return np.asarray([levels[codes == code].mean() for code in range(256)])


_LEVELS = _table()


@dataclass(frozen=True)
class Datagram:
    """One UDP datagram."""

    at: float
    source: int
    port: int
    data: bytes


class Wiretap:
    """Keeps the datagrams of an interface from its start to its end, each once."""

    def __init__(self, interface: str = "lo") -> None:
        self.datagrams: list[Datagram] = []
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_IPV4))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind((interface, _IPV4))
        self._socket.settimeout(0.1)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read, name="wiretap", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while True:
            if self._over.is_set():
                self._socket.setblocking(False)  # what came before the end is still read
            try:
                packet, address = self._socket.recvfrom(65536)
            except TimeoutError:
                continue
            except BlockingIOError:
                return
            length = (packet[0] & 15) * 4
            if packet[9] != _UDP or address[2] == socket.PACKET_OUTGOING:  # the loopback shows each packet twice
                continue
            source, port, size = struct.unpack_from("!HHH", packet, length)
            self.datagrams.append(Datagram(time.monotonic(), source, port, packet[length + 8 : length + size]))

    def messages(self, pattern: str) -> list[str]:
        """SIP messages that match, retransmissions included."""
        texts = [one.data.decode(errors="replace") for one in list(self.datagrams) if one.data[:1].isalpha()]
        return [text for text in texts if re.search(pattern, text, re.DOTALL)]

    def heard_at(self, port: int) -> Samples:
        """The audio of the PCMA stream that came to a port: by its timestamps, lost packets as silence."""
        packets = [one.data for one in list(self.datagrams) if one.port == port and len(one.data) > 12]
        frames = {
            struct.unpack_from("!I", data, 4)[0]: _LEVELS[np.frombuffer(data[12:], np.uint8)]
            for data in packets
            if data[0] >> 6 == 2 and data[1] & 0x7F == _PCMA
        }
        if not frames:
            return np.zeros(0)
        first = next(iter(frames))
        begun = {(stamp - first) & 0xFFFFFFFF: frame for stamp, frame in frames.items()}
        sound = np.zeros(max(at + len(frame) for at, frame in begun.items()))
        for at, frame in begun.items():
            sound[at : at + len(frame)] = frame
        return sound

    def media_ports(self) -> set[int]:
        """The audio ports of all session descriptions that were offered in an INVITE."""
        return {int(port) for text in self.messages(r"^INVITE ") for port in re.findall(r"m=audio (\d+)", text)}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()

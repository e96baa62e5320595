"""A bad network between a browser and a gateway: a UDP relay that loses and swaps packets by count, not by time."""

import re
import select
import socket
import threading
from typing import Self

_RTP_MIN = 60  # bytes; audio is never shorter


class LossyPath:
    """Stands at ``address``; ``through(sdp)`` lets the browser find the relay in the place of the gateway.

    Of the audio packets in each direction every ``lose``-th is lost, and every ``swap``-th goes after its successor.
    ``lost`` and ``swapped`` count those on their way to the gateway. ``cut`` ends the path without a word.
    """

    def __init__(self, address: str, lose: int, swap: int) -> None:
        self._lose, self._swap = lose, swap
        self.lost = self.swapped = 0
        self.cut = False
        self._address = address
        self._ends: dict[socket.socket, tuple[str, int] | None] = {}
        self._front, self._back = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for sock in (self._front, self._back):
            sock.bind((address, 0))
            self._ends[sock] = None
        self._counts = dict.fromkeys(self._ends, 0)
        self._held: dict[socket.socket, bytes | None] = dict.fromkeys(self._ends)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def through(self, sdp: str) -> str:
        """The answer with the relay's port in the place of the gateway's."""
        found = re.search(rf"^(a=candidate:\S+ 1 udp \d+ {re.escape(self._address)} )(\d+)", sdp, re.MULTILINE)
        assert found is not None
        self._ends[self._back] = (self._address, int(found[2]))
        return sdp.replace(found[0], f"{found[1]}{self._front.getsockname()[1]}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._front.close()
        self._back.close()

    def _run(self) -> None:
        while not self._over.is_set():
            for sock in select.select([self._front, self._back], [], [], 0.05)[0]:
                data, sender = sock.recvfrom(4096)
                if sock is self._front:
                    self._ends[sock] = sender
                other = self._back if sock is self._front else self._front
                target = self._ends[other]
                if target is None or self.cut:
                    continue
                for packet in self._fate(sock, data):
                    other.sendto(packet, target)

    def _fate(self, sock: socket.socket, data: bytes) -> list[bytes]:
        """What goes on now that this packet has come."""
        if len(data) < _RTP_MIN or not 128 <= data[0] <= 191 or 200 <= data[1] <= 207:  # RFC 7983; RTCP is no audio
            return [data]
        self._counts[sock] += 1
        held, self._held[sock] = self._held[sock], None
        up = sock is self._front
        if self._counts[sock] % self._lose == 0:
            self.lost += up
            return [held] if held else []
        if held is None and self._counts[sock] % self._swap == 0 and (self._counts[sock] + 1) % self._lose:
            self.swapped += up
            self._held[sock] = data
            return []
        return [data, held] if held else [data]

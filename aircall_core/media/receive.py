"""The order of a browser's RTP packets, restored without holding back a stream that is in order.

aiortc's own audio buffer keeps 80 ms always and stalls 320 ms at each lost packet. Nothing of that is needed here: the
worker's playout absorbs jitter, so a packet in sequence is passed on the moment it arrives. Only a packet that arrives
ahead of a missing one waits, for as long as a reordered packet usually takes to follow and no longer than the worker's
playout can bridge; then the missing ones are declared lost, so that the decoder may conceal them.
"""

from dataclasses import dataclass

HOLD_S = 0.010
"""How long a packet waits for those missing before it. The worker starts playing with two frames in hand, which leaves
about 30 ms: reordering is healed within them, and a packet really lost costs no audible gap beyond its own."""

MAX_HELD = 3
"""With this many packets waiting, the missing one is no longer merely late."""

MAX_JUMP = 100
"""A larger step in sequence numbers is a restarted sender, not loss (RFC 3550, appendix A.1)."""


@dataclass(frozen=True, slots=True)
class Received:
    """The payload of the next packet in order."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Lost:
    """That many packets in a row did not come."""

    count: int


Piece = Received | Lost


class ReceiveBuffer:
    """Feeds on (sequence number, payload); gives back pieces in order. Pure: the caller brings the clock (seconds).

    When ``deadline`` is set, the caller calls ``expire`` at that time.
    """

    def __init__(self, hold_s: float = HOLD_S) -> None:
        self._hold_s = hold_s
        self._next: int | None = None  # sequence number (16 bits) of the packet wanted next
        self._held: dict[int, bytes] = {}
        self._restart: int | None = None  # a far-off number: if its successor follows, the sender has restarted
        self.deadline: float | None = None
        self.late = 0
        """Packets that came after they had been given up, or twice."""
        self.lost = 0
        """Packets given up."""

    def push(self, sequence: int, payload: bytes, now: float) -> list[Piece]:
        """Take one packet; returns what may go on now, in order."""
        if self._next is None:
            self._next = sequence
        ahead = _distance(self._next, sequence)
        if abs(ahead) > MAX_JUMP:
            if self._restart is None or sequence != (self._restart + 1) & 0xFFFF:
                self._restart = sequence
                return []
            self._held.clear()
            self._next, ahead = sequence, 0
        self._restart = None
        if ahead < 0 or sequence in self._held:
            self.late += 1
            return []
        self._held[sequence] = payload
        out = self._in_sequence()
        if len(self._held) >= MAX_HELD:
            out += self._give_up()
        self._set_deadline(now)
        return out

    def expire(self, now: float) -> list[Piece]:
        """Give up what is missing if its time has come; returns what may go on."""
        if self.deadline is None or now < self.deadline:
            return []
        out = self._give_up()
        self.deadline = None
        self._set_deadline(now)
        return out

    def _in_sequence(self) -> list[Piece]:
        out: list[Piece] = []
        while self._next in self._held:
            out.append(Received(self._held.pop(self._next)))
            self._next = (self._next + 1) & 0xFFFF
        return out

    def _give_up(self) -> list[Piece]:
        """Skip to the first packet that waits, and on from there."""
        assert self._next is not None
        wanted = self._next
        missing = min(_distance(wanted, sequence) for sequence in self._held)
        self._next = (wanted + missing) & 0xFFFF
        self.lost += missing
        return [Lost(missing), *self._in_sequence()]

    def _set_deadline(self, now: float) -> None:
        if not self._held:
            self.deadline = None
        elif self.deadline is None:
            self.deadline = now + self._hold_s


def _distance(from_: int, to: int) -> int:
    """How far ``to`` is ahead of ``from_`` in 16-bit serial arithmetic (RFC 1982): -32768 .. 32767."""
    return ((to - from_ + 0x8000) & 0xFFFF) - 0x8000

"""Order, loss and restarts of an RTP stream, without sockets or clocks."""

from hypothesis import given
from hypothesis import strategies as st

from aircall_core.media.receive import HOLD_S, MAX_HELD, Lost, Piece, ReceiveBuffer, Received


def payload(sequence: int) -> bytes:
    return (sequence & 0xFFFF).to_bytes(2, "big")


def feed(buffer: ReceiveBuffer, *sequences: int, now: float = 0.0) -> list[Piece]:
    out: list[Piece] = []
    for sequence in sequences:
        out += buffer.push(sequence & 0xFFFF, payload(sequence), now)
    return out


def received(*sequences: int) -> list[Piece]:
    return [Received(payload(sequence)) for sequence in sequences]


def test_a_stream_in_order_is_never_held() -> None:
    buffer = ReceiveBuffer()
    for sequence in range(65_500, 65_600):  # over the wrap
        assert feed(buffer, sequence) == received(sequence)
        assert buffer.deadline is None
    assert (buffer.lost, buffer.late) == (0, 0)


def test_two_swapped_packets_come_out_in_order() -> None:
    buffer = ReceiveBuffer()
    feed(buffer, 10)
    assert feed(buffer, 12) == []
    assert feed(buffer, 11, now=HOLD_S / 2) == received(11, 12)
    assert buffer.expire(1.0) == []
    assert buffer.lost == 0


def test_a_lost_packet_is_declared_when_its_time_is_over() -> None:
    buffer = ReceiveBuffer()
    feed(buffer, 10)
    feed(buffer, 12, now=1.0)
    assert buffer.expire(1.0 + HOLD_S / 2) == []
    assert buffer.expire(1.0 + HOLD_S) == [Lost(1), *received(12)]
    assert feed(buffer, 13, now=1.02) == received(13)
    assert buffer.lost == 1


def test_a_packet_given_up_is_dropped_when_it_comes_after_all() -> None:
    buffer = ReceiveBuffer()
    feed(buffer, 10, 12)
    buffer.expire(1.0)
    assert feed(buffer, 11) == []
    assert buffer.late == 1


def test_a_duplicate_is_dropped() -> None:
    buffer = ReceiveBuffer()
    assert feed(buffer, 10, 10) == received(10)
    feed(buffer, 12)
    assert feed(buffer, 12) == []
    assert buffer.late == 2


def test_many_waiting_packets_end_the_wait() -> None:
    buffer = ReceiveBuffer()
    feed(buffer, 10)
    waiting = range(15, 15 + MAX_HELD)
    assert feed(buffer, *waiting) == [Lost(4), *received(*waiting)]
    assert buffer.deadline is None


def test_a_second_gap_behind_the_first_gets_its_own_time() -> None:
    buffer = ReceiveBuffer()
    feed(buffer, 10)
    feed(buffer, 12, 14)
    assert buffer.expire(HOLD_S) == [Lost(1), *received(12)]
    assert buffer.deadline == HOLD_S + HOLD_S
    assert buffer.expire(HOLD_S + HOLD_S) == [Lost(1), *received(14)]


def test_a_restarted_sender_is_followed_from_its_second_packet() -> None:
    buffer = ReceiveBuffer()
    feed(buffer, 10)
    assert feed(buffer, 30_000) == []
    assert feed(buffer, 30_001) == received(30_001)
    assert feed(buffer, 30_002) == received(30_002)


def test_one_stray_number_changes_nothing() -> None:
    buffer = ReceiveBuffer()
    feed(buffer, 10)
    assert feed(buffer, 30_000) == []
    assert feed(buffer, 11) == received(11)
    assert feed(buffer, 40_000, 12) == received(12)


@given(
    first=st.integers(0, 0xFFFF),
    delays=st.lists(st.one_of(st.none(), st.floats(0, 0.05)), min_size=1, max_size=80),
)
def test_whatever_the_network_does_order_holds_and_nothing_is_forgotten(first: int, delays: list[float | None]) -> None:
    """Packets sent every 20 ms, each lost (None) or delayed: all come out in order, or are counted as lost or late."""
    arrivals = sorted((i * 0.02 + delay, i) for i, delay in enumerate(delays) if delay is not None)
    buffer, out, clock = ReceiveBuffer(), list[Piece](), 0.0
    for clock, index in arrivals:
        while buffer.deadline is not None and buffer.deadline <= clock:
            out += buffer.expire(buffer.deadline)
        out += buffer.push((first + index) & 0xFFFF, payload(first + index), clock)
    while buffer.deadline is not None:
        out += buffer.expire(buffer.deadline)

    if not arrivals:
        assert out == []
        return
    position = arrivals[0][1]
    delivered = 0
    for piece in out:
        if isinstance(piece, Lost):
            position += piece.count
        else:
            assert piece.payload == payload(first + position)
            position += 1
            delivered += 1
    assert delivered + buffer.late == len(arrivals)

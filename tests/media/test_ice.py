"""Session descriptions on their way in and out, and the ports that are taken."""

import asyncio

import pytest

from aircall_core.media.ice import MAX_CANDIDATES, PortRangeLoop, ice_servers, prepare_offer, publish_answer

OFFER = "\r\n".join(  # noqa: FLY002  a line a line
    [
        "v=0",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126",
        "a=rtpmap:111 opus/48000/2",
        "a=rtpmap:63 red/48000/2",
        "a=rtpmap:0 PCMU/8000",
        "a=candidate:1 1 udp 2113937151 4f9a.local 50000 typ host generation 0",
        "a=candidate:2 1 udp 2113937151 192.0.2.7 50000 typ host generation 0",
        "a=candidate:3 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active generation 0",
        "a=end-of-candidates",
        "",
    ]
)


def lines(sdp: str, begin: str) -> list[str]:
    return [line for line in sdp.split("\r\n") if line.startswith(begin)]


def test_only_addresses_that_can_be_used_at_once_remain() -> None:
    assert [line.split()[0] for line in lines(prepare_offer(OFFER), "a=candidate")] == ["a=candidate:2"]


def test_candidates_may_still_come() -> None:
    assert lines(prepare_offer(OFFER), "a=end-of-candidates") == []


def test_the_number_of_addresses_we_send_to_is_bounded() -> None:
    many = OFFER + "".join(f"a=candidate:9 1 udp 1 192.0.2.{n} 5000 typ host\r\n" for n in range(1, 100))
    assert len(lines(prepare_offer(many), "a=candidate")) == MAX_CANDIDATES


def test_bare_line_feeds_are_understood() -> None:
    assert prepare_offer(OFFER.replace("\r\n", "\n")) == prepare_offer(OFFER)


ANSWER = "\r\n".join(  # noqa: FLY002  a line a line
    [
        "m=audio 40000 UDP/TLS/RTP/SAVPF 0",
        "a=candidate:abc 1 udp 2130706431 10.0.0.5 40000 typ host",
        "a=candidate:def 1 udp 2130706431 fd00::5 40001 typ host",
        "",
    ]
)


def test_the_public_address_is_told_beside_the_private_one() -> None:
    out = publish_answer(ANSWER, "203.0.113.9")
    assert lines(out, "a=candidate") == [
        "a=candidate:abc 1 udp 2130706431 10.0.0.5 40000 typ host",
        "a=candidate:abcp 1 udp 2130706175 203.0.113.9 40000 typ host",
        "a=candidate:def 1 udp 2130706431 fd00::5 40001 typ host",
    ]


def test_without_a_public_address_the_answer_is_left_alone() -> None:
    assert publish_answer(ANSWER, "") == ANSWER
    assert publish_answer(ANSWER, "10.0.0.5") == ANSWER


def test_ice_servers_are_asked_only_by_a_host_that_does_not_know_its_address() -> None:
    servers = [{"urls": ["turn:turn.example.com"], "username": "u", "credential": "c"}]
    assert ice_servers(servers, "203.0.113.9") == []
    (server,) = ice_servers(servers, "")
    assert (server.urls, server.username, server.credential) == (["turn:turn.example.com"], "u", "c")


async def _take(count: int) -> list[int]:
    loop, transports = asyncio.get_running_loop(), []
    try:
        for _ in range(count):
            transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
            transports.append(transport)
        return [transport.get_extra_info("sockname")[1] for transport in transports]
    finally:
        for transport in transports:
            transport.close()


@pytest.mark.usefixtures("netns")
def test_udp_ports_come_from_the_range_and_run_out() -> None:
    with asyncio.Runner(loop_factory=lambda: PortRangeLoop((40_000, 40_003))) as runner:
        assert sorted(runner.run(_take(4))) == [40_000, 40_001, 40_002, 40_003]
        with pytest.raises(OSError, match="in use"):
            runner.run(_take(5))
        assert len(runner.run(_take(4))) == 4  # what was taken is given back


@pytest.mark.usefixtures("netns")
def test_without_a_range_the_system_chooses() -> None:
    with asyncio.Runner(loop_factory=lambda: PortRangeLoop(None)) as runner:
        assert len(set(runner.run(_take(5)))) == 5

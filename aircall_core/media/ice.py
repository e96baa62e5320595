"""Addresses and session descriptions: what of a browser's offer is used, and what of ours it is told.

aiortc gathers, answers and connects; these functions only edit the text on its way in and out, and choose UDP ports.
"""

import asyncio
import ipaddress
import itertools
import random
from collections.abc import Callable, Sequence
from typing import Any

from aiortc import RTCIceServer

MAX_CANDIDATES = 20
"""Of an offer; each one makes us send packets to an address the browser chose."""

_PUBLIC_BELOW_HOST = 1 << 8  # less wanted than the address itself: colleagues in the LAN stay in the LAN


def prepare_offer(sdp: str) -> str:
    """The offer with only those candidates that aiortc can use at once.

    Names of the kind xyz.local are dropped, since resolving one waits for multicast answers that may never come, and so
    is the end of candidates: the browser's checks reach our address by themselves and show theirs (RFC 8445, 7.3.1.3).
    """
    out, candidates = [], 0
    for line in sdp.replace("\r\n", "\n").rstrip("\n").split("\n"):
        if line.startswith("a=candidate:"):
            words = line.split(" ")
            if len(words) >= 8 and words[2].lower() == "udp" and _is_address(words[4]) and candidates < MAX_CANDIDATES:
                candidates += 1
                out.append(line)
        elif line != "a=end-of-candidates":
            out.append(line)
    return "\r\n".join(out) + "\r\n"


def publish_answer(sdp: str, public_address: str) -> str:
    """Our answer with a second candidate at ``public_address`` beside each IPv4 (or IPv6) one of a private host.

    For a host behind a one-to-one NAT (a cloud machine, a port forward of the whole range): the ports stay, the address
    is the router's. The private candidates remain for those who are in the same network.
    """
    if not public_address:
        return sdp
    version = ipaddress.ip_address(public_address).version
    out, told = [], set()
    for line in sdp.split("\r\n"):
        out.append(line)
        words = line.split(" ")
        if not line.startswith("a=candidate:") or words[6:8] != ["typ", "host"] or not _is_address(words[4]):
            continue
        if words[4] != public_address and ipaddress.ip_address(words[4]).version == version and words[5] not in told:
            told.add(words[5])
            foundation, priority = words[0] + "p", str(max(1, int(words[3]) - _PUBLIC_BELOW_HOST))
            out.append(" ".join([foundation, *words[1:3], priority, public_address, *words[5:]]))
    return "\r\n".join(out)


def ice_servers(servers: Sequence[dict[str, Any]], public_address: str) -> list[RTCIceServer]:
    """The ICE servers this process itself asks. None when the public address is known: asking costs time at each call,
    and a browser that needs a TURN relay reaches our address through its own."""
    if public_address:
        return []
    return [RTCIceServer(s["urls"], s.get("username"), s.get("credential")) for s in servers]


class PortRangeLoop(asyncio.SelectorEventLoop):
    """An event loop that takes the ports of UDP sockets that have no wish from a given range, for firewalls' sake.

    aioice always asks for port 0 and has no setting for it; the event loop is where every such wish passes.
    """

    def __init__(self, ports: tuple[int, int] | None) -> None:
        super().__init__()
        self._ports = ports

    async def create_datagram_endpoint(  # type: ignore[override]
        self, protocol_factory: Callable[[], Any], local_addr: tuple[str, int] | None = None, **options: Any
    ) -> tuple[asyncio.DatagramTransport, Any]:
        """As in the base class; raises OSError when no port of the range is free."""
        if self._ports is None or local_addr is None or local_addr[1] != 0:
            return await super().create_datagram_endpoint(protocol_factory, local_addr, **options)
        first, last = self._ports
        start = random.randint(first, last)
        failure = OSError("no UDP port in the range")
        for port in itertools.chain(range(start, last + 1), range(first, start)):
            try:
                return await super().create_datagram_endpoint(protocol_factory, (local_addr[0], port), **options)
            except (
                OSError
            ) as error:  # most likely taken; any other reason is the same for all ports and shows in the end
                failure = error
        raise failure


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True

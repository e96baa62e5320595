"""Placing a browser's audio on a media gateway: beside the worker that has the call, where there is most room."""

import time
from collections import OrderedDict
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

import httpx

from aircall_core.logs import get_logger
from aircall_core.service.answers import Refused

log = get_logger(__name__)

_REMEMBERED: Final = 4096  # peers whose place is known by heart
# A gateway answers in 0.1 s, unless it asks a STUN server for its address first, which may take that one's time-out.
PATIENCE_S: Final = 2.0
PATIENCE_WITH_STUN_S: Final = 8.0
_LAST_FOR_S: Final = 30.0  # a gateway that did not answer is tried after the others for so long


@dataclass(frozen=True, slots=True)
class Offer:
    """A browser's offer, and the socket of the worker that has its call."""

    peer: str
    call: str
    user: str
    sdp: str
    worker: str


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a peer was placed, and whose it is."""

    user: str
    address: str


class Gateways:
    """Speaks to the gateways of this host over their Unix sockets."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience = httpx.Timeout(patience_s, connect=1.0)
        self._silent_until: dict[str, float] = {}
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._placed: OrderedDict[str, Placed] = OrderedDict()

    async def offer(self, offer: Offer, gateways: list[dict[str, Any]]) -> dict[str, str]:
        """The answer of the first gateway with room. ``gateways`` are rows of `nodes` on the worker's host."""
        known = self._placed.get(offer.peer)
        if known is not None and known.user != offer.user:
            raise Refused(409, "peer_taken", "This connection's name is in use.")
        body = {"peer": offer.peer, "call": offer.call, "user": offer.user, "worker": offer.worker, "sdp": offer.sdp}
        last: Refused | None = None
        now = time.monotonic()
        silent = {address for address, until in self._silent_until.items() if until > now}
        for node in by_room(gateways, silent):
            try:
                answer = await self._client(node["address"]).post("/peers", json=body)
            except httpx.TransportError as wrong:
                self._silent_until[node["address"]] = time.monotonic() + _LAST_FOR_S
                log.warning("gateway_unreachable", node=node["id"], error=type(wrong).__name__)
                continue
            self._silent_until.pop(node["address"], None)
            if answer.status_code == 200:
                self._remember(offer.peer, Placed(offer.user, node["address"]))
                given = answer.json()
                return {"type": str(given["type"]), "sdp": str(given["sdp"])}
            if answer.status_code < 500:
                raise _told(answer)
            last = _told(answer)
            log.info("gateway_refused", node=node["id"], code=last.code)
        if last is not None and last.code == "worker_away":
            raise Refused(503, "worker_away", "The telephone process is restarting. Please try again.")
        raise Refused(
            503, "no_audio_room", "There is no room for another audio connection. Please tell an administrator."
        )

    async def close(self, peer: str, user: str, candidates: list[dict[str, Any]]) -> bool:
        """End a peer of this user; whether it was found. ``candidates``: where to look when this process forgot."""
        known = self._placed.get(peer)
        if known is not None and known.user != user:
            return False
        addresses = [known.address] if known is not None else [node["address"] for node in candidates]
        for address in addresses:
            try:
                answer = await self._client(address).delete(f"/peers/{peer}")
            except httpx.TransportError as wrong:
                log.warning("gateway_unreachable", error=type(wrong).__name__)
                continue
            if answer.status_code < 300:
                self._placed.pop(peer, None)
                return True
        return False

    def knows(self, peer: str, user: str) -> bool:
        """Whether this process placed this peer for this user."""
        known = self._placed.get(peer)
        return known is not None and known.user == user

    async def stats(self, address: str) -> dict[str, Any] | None:
        """What a gateway says of itself, or None when it does not answer."""
        try:
            answer = await self._client(address).get("/stats", timeout=2.0)
        except httpx.TransportError:
            return None
        return dict(answer.json()) if answer.status_code == 200 else None

    async def aclose(self) -> None:
        """Let go of the sockets."""
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()

    def _client(self, address: str) -> httpx.AsyncClient:
        if address not in self._clients:
            self._clients[address] = httpx.AsyncClient(
                transport=httpx.AsyncHTTPTransport(uds=address, retries=1),
                base_url="http://gateway",
                timeout=self._patience,
                trust_env=False,
            )
        return self._clients[address]

    def _remember(self, peer: str, placed: Placed) -> None:
        self._placed[peer] = placed
        self._placed.move_to_end(peer)
        while len(self._placed) > _REMEMBERED:
            self._placed.popitem(last=False)


def by_room(gateways: list[dict[str, Any]], silent: AbstractSet[str] = frozenset()) -> list[dict[str, Any]]:
    """Gateways in the order to try them: the emptiest first, full ones late (their lease may be a beat old).

    ``silent``: addresses that did not answer lately; they come last.
    """
    return sorted(gateways, key=lambda one: (one["address"] in silent, one["in_use"] - one["capacity"], one["id"]))


def _told(answer: httpx.Response) -> Refused:
    """The gateway says that the offer itself is wrong: pass on what it says."""
    try:
        wrong = answer.json()["error"]
        return Refused(answer.status_code, str(wrong["code"]), str(wrong["message"]))
    except (ValueError, KeyError, TypeError):
        return Refused(502, "gateway", "The audio gateway gave no clear answer.")

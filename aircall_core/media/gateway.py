"""All peers of one gateway process: who is in, who is let in, and the way out."""

import asyncio

from aircall_core.logs import get_logger
from aircall_core.media.link import LinkDown, LinkRefused, WorkerLink
from aircall_core.media.peer import BadOffer, Network, Peer, PeerIds

log = get_logger(__name__)


class GatewayError(RuntimeError):
    """A request that is refused. ``code`` is for programs, ``status`` the HTTP status."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class Gateway:
    """Holds at most ``capacity`` peers; each costs a known share of this process's one core."""

    def __init__(self, capacity: int, network: Network) -> None:
        self.capacity = capacity
        self.draining = False
        self._network = network
        self._peers: dict[str, Peer] = {}
        self._opening: set[str] = set()
        self._empty = asyncio.Event()
        self._empty.set()
        self.opened = 0
        self.refused = 0

    @property
    def in_use(self) -> int:
        """Places taken, those of peers being opened included."""
        return len(self._peers) + len(self._opening)

    async def offer(self, ids: PeerIds, worker: str, sdp: str) -> str:
        """Open a peer for a browser's offer and return the answer. Raises GatewayError.

        A peer that is open already gives way: its browser offers anew because it has lost that connection.
        """
        if ids.peer in self._opening:
            raise GatewayError("exists", "this peer is being opened already", 409)
        old = self._peers.get(ids.peer)
        if old is not None and old.ids == ids:
            old.close("replaced")
            await old.closed()
        elif old is not None:
            raise GatewayError("exists", "this peer is another call's or user's", 409)
        if self.draining:
            raise GatewayError("draining", "this gateway takes no new peers", 503)
        if self.in_use >= self.capacity:
            self.refused += 1
            raise GatewayError("full", "this gateway has no place left", 503)
        self._opening.add(ids.peer)
        self._empty.clear()
        try:
            link = await WorkerLink.connect(worker, ids.peer, ids.call, ids.user)
            peer = self._peers[ids.peer] = Peer(ids, link, self._network, self._closed)
        except LinkRefused as error:
            raise GatewayError("refused", f"the worker refused: {error}", 409) from error
        except LinkDown as error:
            raise GatewayError("worker_away", str(error), 502) from error
        finally:
            self._opening.discard(ids.peer)
            self._note_empty()
        try:
            answer = await peer.answer(sdp)
        except BadOffer as error:
            raise GatewayError("bad_offer", str(error), 400) from error
        self.opened += 1
        return answer

    async def close(self, peer_id: str) -> bool:
        """End one peer; whether there was one."""
        peer = self._peers.get(peer_id)
        if peer is None:
            return False
        peer.close("asked")
        await peer.closed()
        return True

    def drain(self) -> None:
        """Take no new peers from now on; those in stay until they end."""
        self.draining = True
        log.info("gateway_draining", peers=len(self._peers))

    async def close_all(self, why: str) -> None:
        """End all peers; browsers notice at once and offer anew elsewhere."""
        self.draining = True
        peers = list(self._peers.values())
        for peer in peers:
            peer.close(why)
        await asyncio.gather(*(peer.closed() for peer in peers))

    async def wait_empty(self) -> None:
        """Return when no peer is left."""
        await self._empty.wait()

    def stats(self) -> dict[str, object]:
        """What GET /stats shows."""
        return {
            "peers": len(self._peers),
            "connected": sum(peer.connected for peer in self._peers.values()),
            "capacity": self.capacity,
            "draining": self.draining,
            "opened": self.opened,
            "refused": self.refused,
            "each": {peer_id: peer.counters() for peer_id, peer in self._peers.items()},
        }

    def _closed(self, peer: Peer) -> None:
        if self._peers.get(peer.ids.peer) is peer:
            del self._peers[peer.ids.peer]
        self._note_empty()

    def _note_empty(self) -> None:
        if not self.in_use:
            self._empty.set()

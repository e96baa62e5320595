"""This process's row in ``nodes``: made at start, renewed every two seconds, given back at the end."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aircall_core.desk import nodes
from aircall_core.logs import get_logger
from aircall_core.store import Store, StoreAway

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """What the row says of this process."""

    index: int
    host: str
    address: str
    capacity: int
    info: Mapping[str, object]


class Lease:
    """Keeps the row alive from a thread, since the store blocks. Calls go on while the store is away.

    ``load()`` tells how many peers are in and whether no more are taken; it is called on the event loop.
    """

    def __init__(self, store: Store, place: Place, load: Callable[[], tuple[int, bool]]) -> None:
        self._store = store
        self._place = place
        self._load = load
        self._node: nodes.Node | None = None

    async def run(self) -> None:
        """Register and renew until cancelled; then give the row back."""
        away = False
        try:
            while True:
                try:
                    await asyncio.to_thread(self._beat, *self._load())
                    if away:
                        log.info("lease_store_back")
                    away = False
                except StoreAway as error:
                    if not away:
                        log.warning("lease_store_away", error=str(error))
                    away = True
                await asyncio.sleep(nodes.BEAT_S)
        finally:
            await asyncio.shield(asyncio.to_thread(self._leave))

    def _beat(self, in_use: int, draining: bool) -> None:
        with self._store.write() as tx:
            if self._node is not None and nodes.beat(tx, self._node, in_use=in_use, draining=draining):
                return
            if self._node is not None:
                # Reported lost while this process was held up. The peers are well: a new life goes on with them.
                log.warning("lease_lost", epoch=self._node.epoch)
            place = self._place
            node = nodes.register(
                tx,
                "gateway",
                place.index,
                place.host,
                address=place.address,
                capacity=place.capacity,
                info=place.info,
            )
            nodes.beat(tx, node, in_use=in_use, draining=draining)
        self._node = node

    def _leave(self) -> None:
        if self._node is None:
            return
        try:
            with self._store.write() as tx:
                nodes.leave(tx, self._node)
        except StoreAway as error:
            log.warning("lease_not_given_back", error=str(error))

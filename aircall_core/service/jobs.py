"""What the desk process does besides serving: keeps its lease, reports lost processes, forgets what is long over."""

import threading
from collections.abc import Callable
from typing import Final

from aircall_core.config import Settings
from aircall_core.desk import nodes, sessions
from aircall_core.logs import get_logger
from aircall_core.store import Store, StoreAway, clock

log = get_logger(__name__)

SWEEP_EVERY_S: Final = 3600.0
# Our own beat was late by so much: whatever held us up (a stalled disk, a machine that slept, a clock that jumped) held
# up the others too, and they get the time of one lease to show that they live. Else the first to wake would report
# the rest as lost, and every call with them.
HELD_UP_MS: Final = nodes.LEASE_MS // 2


class Keeper:
    """A thread that beats every two seconds and, on the same beat, looks for leases that ran out."""

    def __init__(self, store: Store, settings: Settings, give_up: Callable[[], None], index: int = 0) -> None:
        """``give_up`` is called, from the thread, when keeping the lease has failed for good."""
        self._store, self._settings, self._give_up, self._index = store, settings, give_up, index
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self._node: nodes.Node | None = None
        self._beat_at = 0  # our last one, by the database's clock
        self._watching_since = 0  # 0: the store was away, or we have just begun
        self._next_sweep_at = 0

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """End in order: the lease is given back, nobody reports a loss."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.once()
            except StoreAway as error:
                if self._watching_since:
                    log.warning("keeper_store_away", error=str(error))
                self._watching_since = 0
            except Exception as fault:
                log.error("keeper_failed", exc_info=fault)
                self._give_up()
                return
            self._stop.wait(nodes.BEAT_S)
        self._leave()

    def once(self) -> list[str]:
        """One beat; ids of the nodes that were found lost."""
        with self._store.write() as tx:
            if self._node is None or not nodes.beat(tx, self._node):
                self._node = nodes.register(
                    tx,
                    "desk",
                    self._index,
                    nodes.host_name(self._settings.data_dir),
                    address=f":{self._settings.desk_port}",
                )
            now = tx.now_ms()
            if not self._watching_since or now - self._beat_at > HELD_UP_MS:
                self._watching_since = now
            self._beat_at = now
            lost = nodes.report_lost(tx, reporter=self._node, watching_since=self._watching_since)
        for node in lost:
            log.warning("node_lost", node=node)
        self._sweep()
        return lost

    def _sweep(self) -> None:
        with self._store.read() as conn:
            now = clock.now_ms(conn)
        if now < self._next_sweep_at:
            return
        self._next_sweep_at = now + int(SWEEP_EVERY_S * 1000)
        with self._store.write() as tx:
            sessions.sweep(tx)

    def _leave(self) -> None:
        if self._node is None:
            return
        try:
            with self._store.write() as tx:
                nodes.leave(tx, self._node)
        except StoreAway as error:  # then the lease runs out by itself
            log.warning("keeper_store_away", error=str(error))

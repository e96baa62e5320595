"""Installations to measure: a worker on its own with users in the store, or the whole system of the tests."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import delete

from aircall_core.desk import availability
from aircall_core.desk.availability import Beat
from aircall_core.domain.events import LINE_CHANGED, Event
from aircall_core.ids import new_id, now_ms
from aircall_core.store import clock, nodes, tables
from tests.support.desk_system import System, User
from tests.support.processes import Process, eventually
from tests.support.rawsip import RawCaller


class WorkerSystem(System):
    """One SIP worker and its store; users are on duty by their rows, no desk process and no browser."""

    def start(self, timeout: float = 60) -> "WorkerSystem":
        """Start the worker alone."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _ = self.store  # migrated before the worker looks
        words = [sys.executable, "-m", "aircall_core", "worker", "--index", "0"]
        self.backend = Process("worker", words, self.folder, self.environment)
        return self

    def wait_worker(self) -> None:
        """Until it takes calls."""
        assert self.backend is not None
        process = self.backend

        def up() -> bool:
            assert process.popen.poll() is None, process.errors[-3000:]
            with self.store.read() as conn:
                return bool(nodes.taking(conn, "worker", clock.now_ms(conn)))

        eventually(up, 30, "the worker")

    def present(self, *users: User) -> None:
        """On duty with a live presence that lasts for the measure."""
        now = now_ms()
        with self.store.write() as tx:
            for user in users:
                availability.set_duty(tx, user.id, on=True, command=new_id())
            availability.beat(tx, [_beat(user, now) for user in users])
            tx.execute(tables.presence.update().values(lease_until=now + 3_600_000))

    def lines_known(self, number: str) -> None:
        """Until the worker takes calls for this number: rows that were written past the log reach it by an event."""
        with self.store.write() as tx:
            tx.append(Event(LINE_CHANGED, audience="admin", actor="system", data={"id": new_id()}))

        def rings() -> bool:
            with RawCaller(self.sip_host, self.settings.sip_port) as caller:
                caller.invite(number)
                if caller.wait_for_any(180, 404).status == 404:
                    return False
                caller.cancel()
                return caller.wait_final().status == 487

        eventually(rings, 10, "the worker's lines")

    def absent(self) -> None:
        """Nobody is there."""
        with self.store.write() as tx:
            tx.execute(delete(tables.presence))


def _beat(user: User, now: int) -> Beat:
    return Beat(
        tab_id=new_id(), user_id=user.id, session_id=new_id(), browser_id=new_id(), armed=True, mic="ok",
        focused_at=now, connected_at=now,
    )  # fmt: skip


@contextlib.contextmanager
def worker_only(folder: Path, **settings: Any) -> Iterator[WorkerSystem]:
    """A worker that takes calls."""
    with WorkerSystem(folder, **settings) as system:
        system.wait_worker()
        yield system

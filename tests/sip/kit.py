"""A real worker process on a store of its own, and the two ends a call needs: a caller (SIPp, raw SIP) and an agent.

    with Site(tmp_path, url) as site:
        with site.worker() as worker, RawCaller("127.0.0.1", site.port) as caller, Agent(site, "Ada") as agent:
            ...

The desk's use cases are called directly on the store, as the desk process would.
"""

import contextlib
import json
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import func, insert, select

from aircall_core.config import Settings
from aircall_core.desk import availability, calls, company
from aircall_core.domain import events as kinds
from aircall_core.domain.events import EventRow
from aircall_core.ids import new_id
from aircall_core.store import StoreAway, open_store
from aircall_core.store import tables as t
from tests.support.audio import Samples, to_pcm
from tests.support.desk_kit import add_line, add_user, beat_of
from tests.support.ports import free_ports
from tests.support.processes import Process, eventually
from tests.support.rawsip import Message, RawCaller

NUMBER = "+33199000001"
RATE = 8000
HEADER = struct.Struct(">BxHI")
PATIENCE_S = 30.0  # a test machine may be busy with others: nothing here is measured by the clock


class Site:
    """A data folder and a store with one line and available users; workers start on it."""

    def __init__(
        self, folder: Path, url: str, *names: str, ring_s: int = 20, recording: str = "off",
        flow: Sequence[Mapping[str, Any]] | None = None, **environment: str,
    ) -> None:  # fmt: skip
        """`flow`: the steps of the line's flow; without them the line rings its users and then says goodbye."""
        self.folder = folder
        self.url = url
        self.store = open_store(url)
        self.port = free_ports(1)[0]
        self.rtp = free_range()
        self.environment = {
            "AIRCALL_DATA_DIR": str(folder / "data"),
            "AIRCALL_DATABASE_URL": url,
            "AIRCALL_SIP_PORT": str(self.port),
            "AIRCALL_RTP_PORTS": f"{self.rtp}-{self.rtp + 399}",
            "AIRCALL_MIN_FREE_DISK_MB": "0",
            "AIRCALL_DRAIN_S": "1",
            "AIRCALL_ACCEPT_TIMEOUT_MS": "5000",
            **environment,
        }
        (folder / "data").mkdir(exist_ok=True)
        company.ensure_installation(self.store)
        with self.store.write() as tx:
            self.line = add_line(tx, number=NUMBER, ring_s=ring_s, recording=recording)
            self.users = {name: add_user(tx, name, lines=(self.line,)) for name in names or ("Ada",)}
        self.draw(flow or [{"id": "ring", "kind": "ring", "total_s": ring_s, "user_s": max(5, ring_s)}])
        self.seen = 0  # cursor of `wait`
        self.beat()
        self._over = threading.Event()
        self._browsers = threading.Thread(target=self._beat_on)
        self._browsers.start()

    @property
    def settings(self) -> Settings:
        """The worker's settings."""
        with _environment(self.environment):
            return Settings(_env_file=None)

    def draw(self, flow: Sequence[Mapping[str, Any]], line: str = "") -> None:
        """The line's next flow."""
        with self.store.write() as tx:
            line = line or self.line
            newest = tx.execute(select(func.max(t.flows.c.version)).where(t.flows.c.line_id == line)).scalar()
            values = {"line_id": line, "version": (newest or 0) + 1, "document": {"steps": list(flow)}}
            tx.execute(insert(t.flows).values(**values, created_at=1))

    def beat(self) -> None:
        """Everybody's browser says that it is there (for 15 s)."""
        with self.store.write() as tx:
            availability.beat(tx, [beat_of(user) for user in self.users.values()])

    def _beat_on(self) -> None:
        """As browsers do, every five seconds, so that a slow machine takes nobody off the line."""
        while not self._over.wait(5):
            with contextlib.suppress(StoreAway):  # somebody else's turn took too long: the lease outlives two of these
                self.beat()

    def worker(self, name: str = "worker", index: int = 0, prelude: str = "") -> "WorkerProcess":
        """Starts a worker and waits until it takes calls. `prelude`: Python that changes its world first."""
        return WorkerProcess(self, name, index, prelude)

    # ---- what the desk does

    def accept(self, call: str, name: str, peer: str) -> str:
        """The user accepts; the command's id."""
        command = new_id()
        with self.store.write() as tx:
            calls.accept(tx, call, self.users[name], command=command, peer=peer, tab="tab-12345678")
        return command

    def do(self, use_case: Callable[..., None], call: str, name: str, **wanted: object) -> str:
        """Another wish of the user (hang_up, mute, reject); the command's id."""
        command = new_id()
        with self.store.write() as tx:
            use_case(tx, call, self.users[name], command=command, **wanted)
        return command

    def move_audio(self, call: str, name: str, peer: str) -> None:
        """The user's audio comes from another peer from now on."""
        with self.store.write() as tx:
            calls.move_audio(tx, call, self.users[name], peer=peer, tab="tab-12345678")

    # ---- what the log says

    def events(self, call: str = "") -> list[EventRow]:
        """All events so far (of one call)."""
        rows = self.store.events(0, 100_000)
        return [row for row in rows if not call or row.event.call_id == call]

    def wait(self, kind: str, timeout: float = PATIENCE_S, **data: object) -> EventRow:
        """The next event of this kind after the last one waited for."""

        def look() -> EventRow | None:
            for row in self.store.events(self.seen, 5000):
                if row.kind == kind and all(row.event.data.get(key) == value for key, value in data.items()):
                    return row
            return None

        try:
            row = eventually(look, timeout, f"event {kind} {data}")
        except AssertionError as error:
            told = [f"{row.kind} {dict(row.event.data)}" for row in self.store.events(self.seen, 5000)]
            raise AssertionError(f"{error}; after the last one: {told}") from None
        assert row is not None
        self.seen = row.seq
        return row

    def arrived(self, timeout: float = PATIENCE_S) -> str:
        """The id of the next call."""
        return str(self.wait(kinds.CALL_ARRIVED, timeout).event.call_id)

    def call(self, call: str) -> dict[str, Any]:
        """The call's row."""
        with self.store.read() as conn:
            return dict(conn.execute(select(t.calls).where(t.calls.c.id == call)).mappings().one())

    def node(self) -> dict[str, Any]:
        """The worker's row."""
        with self.store.read() as conn:
            return dict(conn.execute(select(t.nodes).where(t.nodes.c.kind == "worker")).mappings().one())

    def serves(self, node: str, epoch: int) -> bool:
        """Whether this life of a worker has said that it is there to be given calls."""
        with self.store.read() as conn:
            found = conn.execute(select(t.nodes.c.serving).where(t.nodes.c.id == node, t.nodes.c.epoch >= epoch))
            return bool(found.scalar())

    def add_trunk(self, **values: Any) -> str:
        """A trunk's row, as it is stored."""
        trunk = new_id()
        with self.store.write() as tx:
            tx.execute(insert(t.trunks).values(id=trunk, name=trunk, created_at=1, **values))
            tx.append(kinds.Event(kinds.TRUNK_CHANGED, kinds.STAFF, "system", data={"id": trunk}))
        return trunk

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._browsers.join()
        self.store.close()


class WorkerProcess(Process):
    """`main(index)` in a process of its own."""

    def __init__(self, site: Site, name: str, index: int, prelude: str = "") -> None:
        code = f"{prelude}\nfrom aircall_core.sip.main import main; main({index})"
        super().__init__(name, [sys.executable, "-c", code], site.folder, site.environment)
        try:
            self.ready = self.wait_log("worker_ready")
            eventually(lambda: site.serves(self.ready["node"], self.ready["epoch"]), PATIENCE_S, "calls to dial")
        except BaseException:
            self.stop()
            raise

    def logs(self, event: str = "") -> list[dict[str, Any]]:
        """Its log lines so far."""
        lines = [json.loads(line) for line in self.errors.splitlines() if line.startswith("{")]
        return [line for line in lines if not event or line["event"] == event]

    def wait_log(self, event: str, timeout: float = PATIENCE_S) -> dict[str, Any]:
        """The first log line of this event."""

        def look() -> list[dict[str, Any]]:
            if self.popen.poll() is not None and not self.logs(event):
                raise AssertionError(f"worker ended ({self.popen.returncode}): {self.errors[-3000:]}")
            return self.logs(event)

        return eventually(look, timeout, f"log {event}; {self.errors[-2000:]}")[0]


class Caller(RawCaller):
    """Raw SIP with more patience."""

    def wait_for(self, code: int, method: str = "INVITE", timeout: float = PATIENCE_S) -> Message:
        """The response with this code to this method."""
        return super().wait_for(code, method, timeout)

    def wait_for_request(self, method: str, timeout: float = PATIENCE_S) -> Message:
        """The other side's request."""
        return super().wait_for_request(method, timeout)

    def wait_final(self, timeout: float = PATIENCE_S) -> Message:
        """The final response to the INVITE."""
        return super().wait_final(timeout)


class Agent:
    """A browser peer as a gateway presents it: a PCM link that sends a sound in real time and keeps what it hears."""

    def __init__(self, site: Site, call: str, name: str, sound: Samples, peer: str = "") -> None:
        self.peer = peer or new_id()
        self.heard: list[bytes] = []
        self.said: list[dict[str, Any]] = []  # JSON from the worker
        self.muted = threading.Event()  # set: the network is gone, nothing is sent
        self._pcm = to_pcm(sound)  # at the bridge's rate
        self._size = site.settings.audio_rate // 50 * 2
        self._stop = threading.Event()
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.connect(str(site.settings.worker_socket(0)))
        hello = {"peer": self.peer, "call": call, "user": site.users[name]}
        self.sock.send(json.dumps({"hello": hello}).encode())
        self.sock.settimeout(5)
        self.said.append(json.loads(self.sock.recv(4096)))
        self._threads = [threading.Thread(target=self._send), threading.Thread(target=self._receive)]
        if "ok" in self.said[0]:
            for thread in self._threads:
                thread.start()

    @property
    def pcm(self) -> bytes:
        """All that it has heard."""
        return b"".join(self.heard)

    def close(self) -> None:
        """The gateway dies, or the peer ends."""
        self._stop.set()
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(5)
        self.sock.close()

    def _send(self) -> None:
        sequence, at, size = 0, time.monotonic(), self._size
        while not self._stop.wait(max(0.0, at - time.monotonic())):
            at += 0.02
            start = sequence * size % len(self._pcm)
            frame = self._pcm[start : start + size]
            sequence += 1
            if self.muted.is_set():
                continue
            try:
                self.sock.send(HEADER.pack(1, 0, sequence) + frame.ljust(size, b"\0"))
            except OSError:
                return

    def _receive(self) -> None:
        while not self._stop.is_set():
            try:
                packet = self.sock.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                return
            if not packet:
                return
            if packet[:1] == b"{":
                self.said.append(json.loads(packet))
            else:
                self.heard.append(packet[HEADER.size :])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def free_range(count: int = 400) -> int:
    """The first of `count` UDP ports for RTP; tests that run side by side get different ones by their process id."""
    return 21_000 + os.getpid() % 80 * count


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Any:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)

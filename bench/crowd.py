"""Many agents in one process, each with a line of their own whose calls they take at once: load for one worker.

Accepting is the desk's use case in the store; the agent's audio a PCM link a call, all links on one clock of 20 ms.
`python -m bench.crowd DATABASE_URL WORKER_SOCKET` prints "ready", serves until SIGTERM, then prints its figures.
"""

import json
import os
import queue
import signal
import socket
import struct
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass

from aircall_core.desk import calls
from aircall_core.desk.errors import DeskError
from aircall_core.ids import new_id
from aircall_core.store import Store, StoreAway, open_store, tables

_HEADER = struct.Struct(">BxHI")
FRAME = b"\x10\x01" * 160


@dataclass
class Agent:
    """One agent's audio in one call."""

    sock: socket.socket
    began: float
    got: int = 0
    first: float = 0.0
    last: float = 0.0


@dataclass(frozen=True)
class Seat:
    """A user and the number of their line."""

    user: str
    number: str


def seats(store: Store, count: int) -> list[Seat]:
    """That many users, present for an hour, each alone on a line. Rows only: hashing passwords is no part of this."""
    with store.write() as tx:
        now = tx.now_ms()
        made = [Seat(new_id(), f"+331980{number:05}") for number in range(count)]
        lines = [new_id() for _ in made]
        tx.execute(tables.users.insert(), [
            {"id": seat.user, "name": f"Agent {n}", "email": f"{seat.user}@example.com", "role": "agent",
             "state": "active", "on_duty": True, "duty_at": now, "created_at": now} for n, seat in enumerate(made)
        ])  # fmt: skip
        tx.execute(tables.lines.insert(), [
            {"id": line, "name": f"Line {n}", "number": made[n].number, "country": "FR", "created_at": now}
            for n, line in enumerate(lines)
        ])  # fmt: skip
        tx.execute(tables.line_users.insert(), [
            {"line_id": line, "user_id": seat.user} for line, seat in zip(lines, made, strict=True)
        ])  # fmt: skip
        tx.execute(tables.presence.insert(), [
            {"tab_id": new_id(), "user_id": seat.user, "session_id": new_id(), "browser_id": new_id(), "armed": True,
             "mic": "ok", "focused_at": now, "connected_at": now, "lease_until": now + 3_600_000} for seat in made
        ])  # fmt: skip
    return made


class Crowd:
    """All agents."""

    def __init__(self, store: Store, worker: str) -> None:
        self.store, self.worker = store, worker
        self.agents: list[Agent] = []
        self.done: list[Agent] = []
        self.accepted = self.refused = 0
        self.why: Counter[str] = Counter()
        self.took: list[float] = []
        self._calls: queue.Queue[tuple[str, str]] = queue.Queue()
        self._stop = threading.Event()

    def run(self) -> None:
        """Serve until SIGTERM."""
        signal.signal(signal.SIGTERM, lambda *_: self._stop.set())
        threads = [threading.Thread(target=one, daemon=True) for one in (self._listen, self._talk)]
        for thread in threads:
            thread.start()
        print("ready", flush=True)
        while not self._stop.is_set():
            try:
                call, user = self._calls.get(timeout=0.2)
            except queue.Empty:
                continue
            self._accept(call, user)
        for thread in threads:
            thread.join(2)
        all_of_them = self.done + self.agents
        told = {
            "accepted": self.accepted,
            "refused": self.refused,
            "why": self.why,
            "frame_rates": [one.got / (one.last - one.first) for one in all_of_them if one.last - one.first > 5],
            "accept_ms": [round(took * 1000, 1) for took in self.took],
            "cpu_s": time.process_time(),
        }
        print(json.dumps(told))

    def _listen(self) -> None:
        for batch in self.store.follow(self.store.last_seq(), self._stop):
            for row in batch:
                if row.kind == "call.ringing" and row.event.call_id and row.event.user_id:
                    self._calls.put((row.event.call_id, row.event.user_id))

    def _accept(self, call: str, user: str) -> None:
        peer = new_id()
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sock.settimeout(5)
        try:
            sock.connect(self.worker)
            sock.send(json.dumps({"hello": {"peer": peer, "call": call, "user": user}}).encode())
            begun = time.monotonic()
            with self.store.write() as tx:
                calls.accept(tx, call, user, command=new_id(), peer=peer, tab=new_id())
            self.took.append(time.monotonic() - begun)
        except (OSError, DeskError, StoreAway) as error:
            self.refused += 1
            self.why[type(error).__name__] += 1
            sock.close()
            return
        sock.setblocking(False)
        self.accepted += 1
        self.agents.append(Agent(sock, time.monotonic()))

    def _talk(self) -> None:
        """Every 20 ms: one frame to each, and whatever has come."""
        number, due = 0, time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            due += 0.020
            number += 1
            packet = _HEADER.pack(1, 0, number & 0xFFFFFFFF) + FRAME
            for agent in list(self.agents):
                if not self._turn(agent, packet):
                    agent.sock.close()
                    self.agents.remove(agent)
                    self.done.append(agent)

    def _turn(self, agent: Agent, packet: bytes) -> bool:
        try:
            agent.sock.send(packet)
        except BlockingIOError:
            pass  # a worker that does not read misses the frame
        except OSError:
            return False
        while True:
            try:
                got = agent.sock.recv(2048)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not got:
                return False
            if got[0] == 1:
                agent.last = time.monotonic()
                agent.first = agent.first or agent.last
                agent.got += 1


if __name__ == "__main__":
    with open_store(sys.argv[1]) as opened:
        Crowd(opened, sys.argv[2]).run()
        sys.stdout.flush()
        os._exit(0)

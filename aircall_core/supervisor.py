"""The backend process: starts desk, workers and gateways, watches them, restarts what dies, drains them at the end.

It carries no call and no audio, and its children do not depend on it: when it is killed they go on, and the next
supervisor of the data folder takes over watching them. Calls therefore survive everything but their own worker.
"""

import asyncio
import contextlib
import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from aircall_core import __version__, siplib
from aircall_core.backend import (
    BackendError,
    BackendState,
    Process,
    child_environment,
    hold_lock,
    read_state,
    this_process,
    write_state,
)
from aircall_core.config import Settings, unknown_variables
from aircall_core.ids import now_ms
from aircall_core.logs import describe, get_logger, setup_logging

FIRST_DELAY_S, LONGEST_DELAY_S, HEALTHY_S = 0.5, 10.0, 30.0
ROTATE_BYTES, ROTATE_KEEP, ROTATE_EVERY_S = 10_000_000, 5, 60.0
STOP_ORDER = ("worker", "gateway", "desk")  # a call that may still end needs its gateway, and its agent the desk
DESCRIBE_AGAIN_S = 10.0
KILL_AFTER_S = 5.0  # beyond the time that calls are given

log = get_logger(__name__)


def next_delay(delay_s: float, ran_s: float) -> float:
    """Seconds to wait before a restart, by the last wait and how long the process then ran: at once, 0.5, 1, ... 10."""
    if ran_s >= HEALTHY_S:
        return 0.0
    return min(max(delay_s * 2, FIRST_DELAY_S), LONGEST_DELAY_S)


@dataclass
class Child:
    """One watched process of the backend."""

    kind: str
    index: int = 0
    process: Process | None = None
    popen: subprocess.Popen[bytes] | None = None  # None when it was adopted: not ours to reap
    watch: int = -1  # pidfd
    started: float = field(default_factory=time.monotonic)
    delay_s: float = -1.0  # no restart yet
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        """As in logs and in backend.json: `worker-0`."""
        return f"{self.kind}-{self.index}"

    def command(self) -> list[str]:
        """How it is started."""
        arguments = [] if self.kind == "desk" else ["--index", str(self.index)]
        return [sys.executable, "-m", "aircall_core", self.kind, *arguments]


def planned(settings: Settings) -> list[Child]:
    """The processes of an installation, in the order of their start."""
    gateways = [Child("gateway", index) for index in range(settings.gateways)]
    workers = [Child("worker", index) for index in range(settings.workers)]
    return [Child("desk"), *gateways, *workers]


def check_ports(settings: Settings, running: set[str]) -> None:
    """BackendError in plain words when another program has a port that a child, not running yet, will need."""
    wanted: list[Wanted] = []
    if "desk-0" not in running:
        wanted.append(Wanted("the desk", "HTTP_HOST", settings.http_host, "DESK_PORT", settings.desk_port))
    for index in range(settings.workers):
        port = settings.worker_sip_port(index)
        if f"worker-{index}" not in running and port:
            wanted += [
                Wanted("SIP", "SIP_HOST", settings.sip_host, "SIP_PORT", port, kind)
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)
            ]
    for one in wanted:
        insist(one)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A port that a process will listen at, and the settings that say so."""

    use: str
    host_setting: str
    host: str
    port_setting: str
    port: int
    kind: socket.SocketKind = socket.SOCK_STREAM


def insist(wanted: Wanted, hint: str = "") -> None:
    """BackendError, with what to do, when nobody can listen there now. ``hint``: what else may be the reason."""
    try:
        _bind(wanted.host, wanted.port, wanted.kind)
    except OSError as error:
        protocol = "UDP" if wanted.kind == socket.SOCK_DGRAM else "TCP"
        what = f"Port {wanted.port}/{protocol} of {wanted.host}, needed for {wanted.use}, cannot be used: "
        if error.errno == errno.EADDRINUSE:
            what += (
                "another program has it.\n"
                f"Stop what listens there{hint}, or set AIRCALL_{wanted.port_setting} to another port."
            )
        elif isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            what += (
                f"this machine has no such address.\nSet AIRCALL_{wanted.host_setting} to an address of its own, or "
                "to 0.0.0.0 for all of them."
            )
            if wanted.host_setting == "SIP_HOST":
                what += " The address that others see beyond a NAT belongs into AIRCALL_PUBLIC_ADDRESS."
        else:
            what += f"{error.strerror or error}.\nSet AIRCALL_{wanted.port_setting} to another port."
        raise BackendError(what) from None


def _bind(host: str, port: int, kind: socket.SocketKind) -> None:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=kind)[0]
    with socket.socket(family, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do: TIME_WAIT is no tenant
        probe.bind(address)


class Supervisor:
    """Runs in one thread, on one event loop: a child's exit, a signal and a timer are its events."""

    def __init__(self, settings: Settings, *, log_files: bool) -> None:
        self.settings = settings
        self.log_files = log_files
        self.children = planned(settings)
        self.started_at = now_ms()
        self.ready = False
        self.stopping = asyncio.Event()
        self.hurry = asyncio.Event()

    async def run(self) -> None:
        """Watch until asked to stop; all children are gone when this returns."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked_to_stop)
        self._adopt()
        check_ports(self.settings, {child.name for child in self.children if child.process})
        rotation = loop.create_task(self._rotate()) if self.log_files else None
        try:
            for child in self.children:
                if child.process is None:
                    self._start(child)
            self.ready = True
            self._describe()
            log.info("backend_started", children=[child.name for child in self.children])
            await self.stopping.wait()
        finally:
            self.stopping.set()  # no restarts from here on, whatever ended the wait
            if rotation:
                rotation.cancel()
            await self._stop_all()
        log.info("backend_stopped")

    # ---- children

    def _adopt(self) -> None:
        """Take over what a supervisor that was killed has left running."""
        left = read_state(self.settings)
        for child in self.children:
            process = left.children.get(child.name) if left else None
            if process and process.alive():
                self._watch(child, process)
                log.info("child_adopted", child=child.name, pid=process.pid)
        names = {child.name for child in self.children}
        for name, process in (left.children if left else {}).items():
            if name not in names and process.alive():  # fewer workers or gateways than before
                os.kill(process.pid, signal.SIGTERM)

    def _start(self, child: Child) -> None:
        if self.stopping.is_set():
            return
        output = (self.settings.logs_dir / f"{child.name}.log").open("ab") if self.log_files else None
        try:
            child.popen = subprocess.Popen(
                child.command(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=child_environment(self.settings),
                start_new_session=True,  # Ctrl-C in a terminal reaches the supervisor alone: it stops them in order
            )
        finally:
            if output:
                output.close()
        self._watch(child, this_process(child.popen.pid))
        self._describe()

    def _watch(self, child: Child, process: Process) -> None:
        child.process = process
        child.started = time.monotonic()
        child.gone.clear()
        child.watch = os.pidfd_open(process.pid)
        asyncio.get_running_loop().add_reader(child.watch, self._exited, child)

    def _exited(self, child: Child) -> None:
        asyncio.get_running_loop().remove_reader(child.watch)
        os.close(child.watch)
        status = child.popen.wait() if child.popen else None
        child.process = child.popen = None
        child.gone.set()
        if self.stopping.is_set():
            return
        ran = time.monotonic() - child.started
        # The first death is answered at once: a worker's callers are waiting.
        child.delay_s = 0.0 if child.delay_s < 0 else next_delay(child.delay_s, ran)
        log.warning("child_exited", child=child.name, status=status, ran_s=round(ran, 1), restart_in_s=child.delay_s)
        asyncio.get_running_loop().call_later(child.delay_s, self._restart, child)

    def _restart(self, child: Child) -> None:
        try:
            self._start(child)
        except OSError as error:  # out of processes or memory: the machine may recover, the next try is a back-off away
            child.delay_s = next_delay(child.delay_s, 0.0)
            log.error("child_not_started", child=child.name, exception=describe(error))
            asyncio.get_running_loop().call_later(child.delay_s, self._restart, child)

    def _describe(self) -> None:
        """Tell others of this backend. On a full disk they are told later: its processes run, and must go on."""
        try:
            self._write_state()
        except OSError as error:
            log.error("backend_not_described", exception=describe(error))
            asyncio.get_running_loop().call_later(DESCRIBE_AGAIN_S, self._describe)

    def _write_state(self) -> None:
        s = self.settings
        state = BackendState(
            process=this_process(),
            started_at=self.started_at,
            version=__version__,
            ready=self.ready,
            ports={"desk": s.desk_port, "sip": s.sip_port},
            children={child.name: child.process for child in self.children if child.process},
        )
        write_state(s, state)

    # ---- the end

    def _asked_to_stop(self) -> None:
        if self.stopping.is_set():
            self.hurry.set()  # asked twice: whoever asks knows what it costs
        log.info("backend_stopping", at_once=self.hurry.is_set())
        self.stopping.set()

    async def _stop_all(self) -> None:
        """Workers first: they let calls end for a while (drain_s). Then what served them."""
        for kind in STOP_ORDER:
            running = [child for child in self.children if child.kind == kind and child.process]
            patience = KILL_AFTER_S + (self.settings.drain_s if kind == "worker" else 0)
            await asyncio.gather(*(self._stop(child, patience) for child in running))
        self._describe()

    async def _stop(self, child: Child, patience_s: float) -> None:
        with contextlib.suppress(ProcessLookupError):  # it went by itself; its event is on the way
            signal.pidfd_send_signal(child.watch, signal.SIGTERM)
        waits = [asyncio.ensure_future(child.gone.wait()), asyncio.ensure_future(self.hurry.wait())]
        await asyncio.wait(waits, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
        if not child.gone.is_set():
            log.warning("child_killed", child=child.name)
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(child.watch, signal.SIGKILL)
            await child.gone.wait()
        for wait in waits:
            wait.cancel()

    # ---- logs

    async def _rotate(self) -> None:
        while True:
            for path in self.settings.logs_dir.glob("*.log"):
                try:
                    rotate(path)
                except OSError as error:  # a full disk: there may be room in a minute
                    log.error("log_not_rotated", file=path.name, exception=describe(error))
            await asyncio.sleep(ROTATE_EVERY_S)  # log files grow without telling


def rotate(path: Path, limit: int = ROTATE_BYTES, keep: int = ROTATE_KEEP) -> None:
    """Shorten a log that a living process appends to: its content goes to `.1`, older ones move up, the file stays."""
    if path.stat().st_size < limit:
        return
    for number in range(keep - 1, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{number + 1}"))
    shutil.copyfile(path, path.with_name(f"{path.name}.1"))
    os.truncate(path, 0)


def main(settings: Settings, *, log_files: bool = False) -> int:
    """Run the backend of this data folder until it is asked to stop. The exit status."""
    setup_logging(settings, "backend")
    # Imported here: the console imports backend.py, and must not load the store's migrations for it.
    from aircall_core.store.errors import StoreAway
    from aircall_core.store.migrate import StoreIsNewer, upgrade

    for name in unknown_variables():
        log.warning("unknown_setting", name=name)
    try:
        with hold_lock(settings):
            if log_files:
                settings.logs_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            supervisor = Supervisor(settings, log_files=log_files)
            siplib.check()
            upgrade(settings.database_url)
            asyncio.run(supervisor.run())
    except (BackendError, siplib.SipLibraryError, StoreAway, StoreIsNewer, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0

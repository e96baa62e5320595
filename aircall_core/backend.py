"""The backend of a data folder as others see it: find it, start it detached, wait for it, stop it.

The backend is a supervisor process (see supervisor.py) that holds a lock on `backend.lock` for as long as it lives and
describes itself in `backend.json`. The lock is the truth about whether it runs; the file says who it is.
"""

import asyncio
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from aircall_core.config import Settings

COMMAND = [sys.executable, "-m", "aircall_core", "backend"]
LOCK_FILE, STATE_FILE = "backend.lock", "backend.json"
START_S = 60.0  # migrations of a large store take their time
_started: dict[int, subprocess.Popen[bytes]] = {}  # by pid: backends that this process started, to reap them
STOP_MARGIN_S = 10.0  # what the supervisor may take beyond the time given to calls


class BackendError(RuntimeError):
    """The backend cannot run. The text is for the person who started it."""


@dataclass(frozen=True)
class Process:
    """A process that outlives whoever wrote this down; pids are reused, so its start time belongs to its name."""

    pid: int
    started: int  # clock ticks after boot, from /proc

    def alive(self) -> bool:
        """Whether this very process still runs (a zombie does not)."""
        return start_ticks(self.pid) == self.started


@dataclass(frozen=True)
class BackendState:
    """The content of `backend.json`."""

    process: Process
    started_at: int  # ms since epoch
    version: str = ""
    ready: bool = False  # migrated, and all children started
    ports: dict[str, int] = field(default_factory=dict)
    children: dict[str, Process] = field(default_factory=dict)

    def as_json(self) -> str:
        """For the file."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "BackendState":
        """From the file. ValueError when it is not one of ours."""
        try:
            data: dict[str, Any] = json.loads(text)
            data["process"] = Process(**data["process"])
            data["children"] = {name: Process(**child) for name, child in data["children"].items()}
            return cls(**data)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("backend.json is not readable by this version") from error


@dataclass(frozen=True)
class Backend:
    """A running backend."""

    state: BackendState
    started_here: bool  # by this call, not found


# ---- finding


def start_ticks(pid: int) -> int | None:
    """When a process started, in clock ticks after boot; None when there is none, or only its zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat[stat.rindex(")") + 2 :].split()  # the name before may hold blanks and brackets
    return None if fields[0] in "ZX" else int(fields[19])


def this_process(pid: int | None = None) -> Process:
    """The name of a process that lives now. ProcessLookupError when it does not."""
    pid = pid or os.getpid()
    ticks = start_ticks(pid)
    if ticks is None:
        raise ProcessLookupError(pid)
    return Process(pid, ticks)


def read_state(settings: Settings) -> BackendState | None:
    """What the last backend of this data folder wrote about itself; it may be gone."""
    try:
        return BackendState.from_json((settings.data_dir / STATE_FILE).read_text())
    except (FileNotFoundError, ValueError):
        return None


def write_state(settings: Settings, state: BackendState) -> None:
    """Replace the description in one step: readers see the old or the new one."""
    path = settings.data_dir / STATE_FILE
    partial = path.with_suffix(".part")
    partial.write_text(state.as_json())
    partial.replace(path)


def find_backend(settings: Settings) -> BackendState | None:
    """The living backend of this data folder, or None."""
    state = read_state(settings)
    return state if state and state.process.alive() and is_locked(settings) else None


def left_running(settings: Settings) -> dict[str, Process]:
    """Processes of this data folder that live on although their backend was killed, by name."""
    state = read_state(settings)
    if state is None or find_backend(settings) is not None:
        return {}
    return {name: process for name, process in state.children.items() if process.alive()}


def is_locked(settings: Settings) -> bool:
    """Whether a backend holds this data folder."""
    try:
        with (settings.data_dir / LOCK_FILE).open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@contextmanager
def hold_lock(settings: Settings) -> Iterator[None]:
    """Hold this data folder. BackendError when another backend does; its children do not inherit the lock."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (settings.data_dir / LOCK_FILE).open("a") as file:
        # A reader that asks `is_locked` holds the lock for an instant; a backend holds it for its life.
        for attempt in range(20):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if attempt == 19 or find_backend(settings):
                    raise BackendError(f"Another backend already runs on {settings.data_dir}.") from None
                time.sleep(0.05)  # no event tells that a lock became free, except by blocking for ever
        yield


# ---- starting and stopping


def ensure_backend(settings: Settings) -> Backend:
    """Find this data folder's backend, or start it detached, and return when its processes have been started.

    With AIRCALL_START_BACKEND=false it is waited for: another program (systemd) starts it, with rights of its own.
    Raises BackendError with the backend's own words when it cannot start, such as a port that is taken.
    """
    deadline = time.monotonic() + START_S
    settings.logs_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = settings.logs_dir / "backend.log"
    child: subprocess.Popen[bytes] | None = None
    offset = 0
    while True:
        state = find_backend(settings)
        if state and state.ready:
            return Backend(state, started_here=child is not None and state.process.pid == child.pid)
        if settings.start_backend and state is None and child is None and not is_locked(settings):
            offset = log.stat().st_size if log.exists() else 0
            child = _spawn_detached(settings, log)
        if child is not None and child.poll() is not None and not is_locked(settings):
            _started.pop(child.pid, None)
            raise BackendError(_last_words(log, offset) or f"The backend stopped at once; see {log}.")
        if time.monotonic() > deadline:
            raise BackendError(f"The backend did not start within {START_S:.0f} s; see {log}.")
        _wait_exit(child.pid if child else 0, 0.05)  # its exit is an event; its readiness is a file


def stop_backend(settings: Settings, *, at_once: bool = False) -> bool:
    """Drain and stop this data folder's backend, and wait until it is gone. False when none runs.

    `at_once` gives running calls no time. What a killed backend has left running is stopped in its place.
    """
    state = find_backend(settings)
    if state is None:
        left = left_running(settings)
        for name in sorted(left, reverse=True):  # worker, gateway, desk: a call that may still end needs the others
            _stop_process(left[name], name, settings.drain_s + STOP_MARGIN_S, at_once=at_once)
        return bool(left)
    _stop_process(state.process, "backend", settings.drain_s + STOP_MARGIN_S, at_once=at_once)
    if child := _started.pop(state.process.pid, None):
        child.wait()
    return True


def _stop_process(process: Process, name: str, patience_s: float, *, at_once: bool) -> None:
    try:
        watch = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    try:
        signal.pidfd_send_signal(watch, signal.SIGTERM)
        if at_once:
            signal.pidfd_send_signal(watch, signal.SIGINT)
        if not _readable(watch, patience_s):
            raise BackendError(f"The {name} (process {process.pid}) does not stop.")
    except ProcessLookupError:
        pass  # it stopped between two lines
    finally:
        os.close(watch)


@asynccontextmanager
async def backend_for_console(settings: Settings) -> AsyncIterator[Backend]:
    """The backend for the life of a console: found or started. Ctrl-C stops both, if it was started here.

    A console that is killed, crashes or is redeployed (SIGTERM) leaves the backend and its calls alone.
    """
    backend = await asyncio.to_thread(ensure_backend, settings)
    # In a process of its own: it may write to the store (the first administrator's link), a console never does.
    welcome = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "aircall_core", "welcome", env=child_environment(settings)
    )
    interrupted = threading.Event()
    _note_ctrl_c(interrupted, backend)
    try:
        yield backend
    finally:
        if welcome.returncode is None:
            with suppress(ProcessLookupError):
                welcome.terminate()
            await welcome.wait()
        if interrupted.is_set() and backend.started_here:
            print("Stopping; calls in progress may end first. Ctrl-C again ends them now.", file=sys.stderr)
            await asyncio.to_thread(stop_backend, settings)


def _note_ctrl_c(interrupted: threading.Event, backend: Backend) -> None:
    """Note SIGINT on its way to the server's own handler, which stops the server; hand the second on to the backend."""
    if threading.current_thread() is not threading.main_thread():
        return
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: FrameType | None) -> None:
        if interrupted.is_set() and backend.started_here and backend.state.process.alive():
            os.kill(backend.state.process.pid, signal.SIGINT)
        interrupted.set()
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGINT, note)


def child_environment(settings: Settings) -> dict[str, str]:
    """The environment for `python -m aircall_core ...`: it finds this code and this data folder from anywhere."""
    root = str(Path(__file__).resolve().parents[1])
    path = [root, *(part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part and part != root)]
    return {**os.environ, "AIRCALL_DATA_DIR": str(settings.data_dir), "PYTHONPATH": os.pathsep.join(path)}


def _spawn_detached(settings: Settings, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        child = subprocess.Popen(
            [*COMMAND, "--log-files"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=child_environment(settings),
            start_new_session=True,  # the terminal's Ctrl-C is for the console, which then decides
        )
    _started[child.pid] = child
    return child


def _last_words(log: Path, offset: int) -> str:
    """What the backend said in plain words before it stopped (its JSON lines are for the log)."""
    with log.open("rb") as file:
        file.seek(offset)
        lines = file.read().decode(errors="replace").splitlines()
    return "\n".join(line for line in lines if line and not line.startswith("{"))[-2000:]


def _wait_exit(pid: int, timeout_s: float) -> None:
    try:
        watch = os.pidfd_open(pid) if pid else -1
    except ProcessLookupError:
        return
    if watch < 0:
        select.select([], [], [], timeout_s)
        return
    try:
        _readable(watch, timeout_s)
    finally:
        os.close(watch)


def _readable(fd: int, timeout_s: float) -> bool:
    poller = select.poll()  # unlike select(), it takes descriptors above 1023
    poller.register(fd, select.POLLIN)
    return bool(poller.poll(int(timeout_s * 1000)))

"""Child processes of tests: output kept in files, awaited by events, ended by their own process id."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")


class Process:
    """One program, its output in `<folder>/<name>.out` and `.err`. Leaving the `with` block ends it."""

    def __init__(
        self, name: str, argv: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name, self.folder = name, folder
        self.out_path, self.err_path = folder / f"{name}.out", folder / f"{name}.err"
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.popen = subprocess.Popen(
                list(argv), stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                env={**os.environ, **(environment or {})}, start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        """The process id; the child leads a process group of its own."""
        return self.popen.pid

    @property
    def output(self) -> str:
        """All that it has printed so far."""
        return self.out_path.read_text(errors="replace")

    @property
    def errors(self) -> str:
        """All that it has written to stderr so far."""
        return self.err_path.read_text(errors="replace")

    def wait(self, timeout: float = 30) -> int:
        """The exit status; raises subprocess.TimeoutExpired when it is still there after `timeout` seconds."""
        return self.popen.wait(timeout)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to this process only."""
        with contextlib.suppress(ProcessLookupError):
            self.popen.send_signal(number)

    def stop(self, timeout: float = 5) -> int:
        """SIGTERM, then SIGKILL for its whole group when it stays longer than `timeout` seconds."""
        self.kill(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.popen.wait(timeout)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)  # also what it left behind in its group
        return self.popen.wait(5)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def eventually(probe: Callable[[], T], timeout: float = 10, what: str = "", every: float = 0.02) -> T:
    """The first true result of `probe`, asked again and again; AssertionError after `timeout` seconds.

    For what has no event to wait for: another program's file, socket or exit.
    """
    pause, until = threading.Event(), time.monotonic() + timeout
    while True:
        result = probe()
        if result:
            return result
        if time.monotonic() >= until:
            raise AssertionError(f"not within {timeout} s: {what or probe}; last: {result!r}")
        pause.wait(every)

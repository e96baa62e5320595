"""Console and backend come and go: Ctrl-C on a terminal stops both, a killed console leaves the backend alone."""

import contextlib
import os
import pty
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from aircall_core.backend import BackendState, find_backend
from tests.support.desk_system import ROOT, System
from tests.support.processes import eventually

pytestmark = [pytest.mark.sip, pytest.mark.timeout(400)]


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, words: list[str], environment: dict[str, str]) -> None:
        self.text = ""
        self._fd, theirs = pty.openpty()
        # setsid makes the terminal the program's controlling one, by which Ctrl-C becomes SIGINT.
        self.popen = subprocess.Popen(
            ["setsid", "-c", *words],
            stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, env={**os.environ, **environment},
        )  # fmt: skip
        os.close(theirs)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # EIO: the program has closed its side
            while data := os.read(self._fd, 4096):
                self.text += data.decode(errors="replace")

    def ctrl_c(self) -> None:
        """Press it."""
        os.write(self._fd, b"\x03")

    def wait(self, timeout: float) -> int:
        """The exit status; subprocess.TimeoutExpired when it goes on."""
        status = self.popen.wait(timeout)
        self._reader.join(timeout)
        os.close(self._fd)
        return status

    def kill(self) -> None:
        """SIGKILL."""
        self.popen.kill()


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    """An installation that nobody has started yet."""
    system = System(tmp_path, drain_s=2)
    yield system
    state = find_backend(system.settings)
    if state:
        os.kill(state.process.pid, signal.SIGTERM)
        eventually(lambda: find_backend(system.settings) is None, 20)


def open_console(system: System, *words: str) -> Terminal:
    """Start the console and wait until it serves pages and has printed its welcome."""
    terminal = Terminal([sys.executable, "-m", *words], system.environment)
    try:
        eventually(lambda: _is_up(terminal), 120, "the welcome")
    except AssertionError as late:
        raise AssertionError(f"{late}\n{terminal.text}") from None
    return terminal


def _is_up(terminal: Terminal) -> bool:
    assert terminal.popen.poll() is None, "it has ended"
    return "become the first administrator" in terminal.text and "/session/setup?token=" in terminal.text


def state_of(system: System) -> BackendState:
    state = find_backend(system.settings)
    assert state is not None
    return state


def test_ctrl_c_stops_the_console_and_the_backend_that_it_started(system: System) -> None:
    with socket.socket() as tenant:
        with contextlib.suppress(OSError):  # somebody has Streamlit's own port already
            tenant.bind(("127.0.0.1", 8501))
            tenant.listen()
        terminal = open_console(system, "streamlit", "run", "app.py")
    assert f"Console     {system.settings.console_address}" in terminal.text
    assert f"SIP         {system.settings.sip_address}" in terminal.text
    assert "calls in a worker" in terminal.text
    state = state_of(system)
    terminal.ctrl_c()
    terminal.wait(30)
    assert find_backend(system.settings) is None
    assert not any(process.alive() for process in state.children.values())


@pytest.mark.parametrize("words", ["aircall_core console", "streamlit run app.py"])
def test_a_port_that_the_backend_needs_is_asked_for_in_plain_words(system: System, words: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tenant:
        tenant.bind(("127.0.0.1", system.settings.sip_port))
        console = Terminal([sys.executable, "-m", *words.split()], system.environment)
        assert console.wait(60) == 1
    assert f"Port {system.settings.sip_port}/UDP" in console.text
    assert "AIRCALL_SIP_PORT" in console.text
    assert "Traceback" not in console.text


def test_a_killed_console_leaves_the_backend_and_the_next_one_finds_it(system: System) -> None:
    first = open_console(system, "aircall_core", "console")
    before = state_of(system)
    another = Terminal([sys.executable, "-m", "aircall_core", "console"], system.environment)
    assert another.wait(60) == 1  # while the first has the port, which is said in plain words
    assert f"Port {system.settings.http_port}/TCP" in another.text
    assert "AIRCALL_HTTP_PORT" in another.text
    first.kill()
    first.wait(10)
    second = open_console(system, "aircall_core", "console")
    assert state_of(system) == before
    second.ctrl_c()  # it did not start the backend, so it does not stop it
    assert second.wait(30) == 0
    assert state_of(system) == before
    assert all(process.alive() for process in before.children.values())

"""A network namespace for one test run: its own loopback, its own ports, one address WebRTC and SIP can use.

Why: WebRTC never offers 127.0.0.1 (neither Chromium nor aioice), SIP tests want the real port 5060, and tests run
side by side. Inside a namespace every run has all ports to itself, 10.99.0.1 as "the LAN", and no way out to any other
network.

How to use it, most convenient first:

* pytest: ``from tests.support.netns import netns`` in a conftest or test module, and take the fixture ``netns``. From
  then on the test's thread is inside: sockets it opens, threads and processes it starts (Playwright's driver and its
  Chromium, SIPp, the desk, ...) live there too. Nothing has to be wrapped. Threads that existed before stay outside.
* by hand: ``with NetNs() as ns, ns.entered(): ...``
* from outside: ``subprocess.Popen(ns.command(["sipp", ...]))``; ``ns.wrapper("/usr/bin/chromium", folder)`` writes a
  script for tools that insist on one executable.
* shell: ``python -m tests.support.netns -- pytest tests/media`` runs one command in a fresh namespace.

The namespace has no name in /run/netns: it lives as long as this object's descriptor or a process inside, so the kernel
removes it with the last of them, even after ``kill -9``; two runs can never meet in one.

Without root: the functions need CAP_SYS_ADMIN in the process's own user namespace, which ``python -m
tests.support.netns -- ...`` obtains by ``unshare --user --map-root-user`` and passes to all that it starts, so that an
ordinary user's tests run through it. ``NetNs()`` says so when the capability is missing.

AF_UNIX sockets with a path are not part of a network namespace: both sides see them.
"""

import contextlib
import ctypes
import os
import shlex
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import pytest

ADDRESS = "10.99.0.1"
"""The address of "the LAN" in each namespace (a /24 on one end of a veth pair)."""

_CLONE_NEWNET = 0x40000000  # linux/sched.h
_libc = ctypes.CDLL(None, use_errno=True)


class NetNsUnavailable(RuntimeError):
    """This process may not make network namespaces; the text says what to do."""


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _open_new_namespace() -> int:
    """A descriptor of a fresh network namespace; made by a throw-away thread so that the caller stays where it is."""
    outcome: list[int | OSError] = []

    def make() -> None:
        try:
            _check(_libc.unshare(_CLONE_NEWNET), "unshare(CLONE_NEWNET)")
            outcome.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))
        except OSError as error:
            outcome.append(error)

    thread = threading.Thread(target=make, name="netns-maker")
    thread.start()
    thread.join()
    result = outcome[0]
    if isinstance(result, OSError):
        raise NetNsUnavailable(
            f"{result}: run as root, or through `python -m tests.support.netns -- <command>`, "
            "which needs unprivileged user namespaces"
        ) from result
    return result


class NetNs:
    """One network namespace with ``lo`` and a veth pair up; a context manager, closed once.

    ``address`` is what servers and peers inside use. It is the only one outside 127/8, so that WebRTC finds exactly one
    host candidate a side; a peer that must be a stranger by source address takes 127.0.0.2 and so on.
    """

    def __init__(self) -> None:
        self.address = ADDRESS
        self._fd = _open_new_namespace()
        try:
            self._bring_up()
        except BaseException:
            self.close()
            raise

    def _bring_up(self) -> None:
        for words in (
            "link set lo up",
            "link add lan0 type veth peer name lan1",
            f"addr add {self.address}/24 dev lan0",
            "link set lan0 up",
            "link set lan1 up",
        ):
            self.run(["ip", *words.split()], check=True, capture_output=True)
        # IPv6 link-local addresses would only add candidates and half a second of duplicate address detection.
        for interface in ("lan0", "lan1"):
            self.run(["ip", "-6", "addr", "flush", "dev", interface], check=True, capture_output=True)

    @property
    def path(self) -> str:
        """The namespace as a file for ``nsenter --net=`` and the like; valid while this process holds the object."""
        return f"/proc/{os.getpid()}/fd/{self._fd}"

    def command(self, argv: Sequence[str]) -> list[str]:
        """The argument vector that runs ``argv`` inside; the process id stays that of ``argv`` (nsenter execs)."""
        return ["nsenter", f"--net={self.path}", "--", *argv]

    def run(self, argv: Sequence[str], **options: object) -> "subprocess.CompletedProcess[bytes]":
        """``subprocess.run`` inside the namespace."""
        return subprocess.run(self.command(argv), **options)  # type: ignore[call-overload,no-any-return]

    def wrapper(self, executable: str, folder: Path) -> Path:
        """A shell script in ``folder`` that runs ``executable`` inside, for tools that want one path."""
        script = folder / f"{Path(executable).name}-in-netns"
        script.write_text(f'#!/bin/sh\nexec {shlex.join(self.command([executable]))} "$@"\n')
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        return script

    @contextlib.contextmanager
    def entered(self) -> Iterator[Self]:
        """Puts the calling thread inside, with all it opens and starts meanwhile. Leave on the same thread."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _check(_libc.setns(self._fd, _CLONE_NEWNET), "setns")
            try:
                yield self
            finally:
                _check(_libc.setns(home, _CLONE_NEWNET), "setns back")
        finally:
            os.close(home)

    def close(self) -> None:
        """Gives the namespace up; the kernel removes it once no process is left inside."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@pytest.fixture(scope="module")
def netns() -> Iterator[NetNs]:
    """A namespace for one test module, with the test's thread inside it."""
    with NetNs() as namespace, namespace.entered():
        yield namespace


def main(argv: Sequence[str]) -> int:
    """``python -m tests.support.netns [--] command ...``: runs it in a fresh namespace and returns its exit status."""
    command = list(argv[1:] if argv[:1] == ["--"] else argv)
    if not command:
        print(main.__doc__, file=sys.stderr)
        return 2
    try:
        namespace = NetNs()
    except NetNsUnavailable as error:
        unshare = shutil.which("unshare")
        if os.geteuid() == 0 or unshare is None:
            print(error, file=sys.stderr)
            return 77
        again = [sys.executable, "-m", "tests.support.netns", "--", *command]
        os.execv(unshare, [unshare, "--user", "--map-root-user", *again])  # noqa: S606  no shell is the point
    with namespace:
        return subprocess.run(namespace.command(command), check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

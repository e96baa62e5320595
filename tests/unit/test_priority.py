"""Priority of the audio processes, tried in a process of its own."""

import errno
import os
import subprocess
import sys

import pytest

from aircall_core import priority

SHOW = """
import os, pathlib
from aircall_core.priority import raise_priority
group = pathlib.Path('/proc/self/autogroup')
print(raise_priority(), os.getpriority(os.PRIO_PROCESS, 0), group.read_text().split()[-1] if group.exists() else '-')
"""


def shown(before: str = "pass") -> list[str]:
    """What a fresh process, leader of its own session, says of itself."""
    code = f"import aircall_core.priority, os; {before}; exec({SHOW!r})"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, start_new_session=True
    )
    return run.stdout.split()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may raise priorities")
def test_it_is_raised_for_the_process_and_its_session() -> None:
    granted, nice, group = shown()
    assert (granted, nice) == ("True", "-10")
    assert group in ("-10", "-")


class RootGroup:
    """The autogroup file of a process without a session of its own, as in a container: writing to it is EINVAL."""

    def exists(self) -> bool:
        return True

    def write_text(self, text: str) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")


def test_in_the_root_group_the_process_counts_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(os, "setpriority", lambda which, who, nice: asked.append(nice))
    monkeypatch.setattr(priority, "_AUTOGROUP", RootGroup())
    assert priority.raise_priority() is True
    assert asked == [priority.NICE]


@pytest.mark.skipif(os.geteuid() != 0, reason="root gives its rights away to see what others get")
def test_an_ordinary_user_is_told_no() -> None:
    granted, nice, _ = shown("os.setgid(65534), os.setuid(65534)")
    assert (granted, nice) == ("False", str(os.nice(0)))  # what it inherited

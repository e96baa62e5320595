"""A browser's network cut, inside a test's network namespace (netns.py), as a pulled cable does it: packets go nowhere.

with cut(desk_port, console_port):
    ...   # no WebRTC (it is the only UDP on the namespace's address), no HTTP and no WebSocket to these ports

Everything else goes on: SIP peers and the processes of the installation speak over 127.0.0.1 and other ports.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.netns import ADDRESS

_OURS, _LOCAL = (
    "100",
    "200",
)  # priorities of routing rules; the kernel's own for local addresses is 0


def _rule(action: str, words: str) -> None:
    subprocess.run(["ip", "rule", action, *words.split()], check=True, capture_output=True)


@contextmanager
def cut(*tcp_ports: int) -> Iterator[None]:
    """The browser reaches neither gateway nor these ports of 127.0.0.1 for the length of the block."""
    known = subprocess.run(["ip", "rule", "list"], check=True, capture_output=True, text=True).stdout
    if known.startswith("0:"):
        _rule("add", f"pref {_LOCAL} lookup local")
        _rule("del", "pref 0 lookup local")
    ends = [f"ipproto udp from {ADDRESS} to {ADDRESS}"]
    ends += [f"ipproto tcp {end} {port}" for port in tcp_ports for end in ("sport", "dport")]
    rules = [f"pref {_OURS} {end} blackhole" for end in ends]
    try:
        for rule in rules:
            _rule("add", rule)
        yield
    finally:
        for rule in rules:
            _rule("del", rule)

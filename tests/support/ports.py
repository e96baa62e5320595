"""Free ports for tests that run side by side."""

import contextlib
import socket


def free_ports(count: int = 1, host: str = "127.0.0.1") -> list[int]:
    """Different ports that are free for both UDP and TCP at this moment, outside the range of ephemeral ports' hot end.

    All are held until the last is found. Somebody else may take one between this call and its use: a test that
    cannot live with that takes a network namespace (tests/support/netns.py), where all ports are its own.
    """
    with contextlib.ExitStack() as held:
        found: list[int] = []
        while len(found) < count:
            udp = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            udp.bind((host, 0))
            port = udp.getsockname()[1]
            tcp = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            try:
                tcp.bind((host, port))
            except OSError:
                continue
            found.append(port)
        return found


def free_port(host: str = "127.0.0.1") -> int:
    """One port from free_ports."""
    return free_ports(1, host)[0]

"""Free ports for tests that run side by side."""

import contextlib
import random
import socket

# Linux gives 32768 and more to whoever connects anywhere; below these are the tests' ports for RTP (desk_system.py).
_PORTS = range(30_500, 32_768)


def free_ports(count: int = 1, host: str = "127.0.0.1") -> list[int]:
    """Different ports that are free for both UDP and TCP at this moment, and are no ephemeral ports.

    All are held until the last is found. Another test may take one between this call and its use: a test that cannot
    live with that takes a network namespace (tests/support/netns.py), where all ports are its own.
    """
    with contextlib.ExitStack() as held:
        found: list[int] = []
        for port in random.SystemRandom().sample(_PORTS, len(_PORTS)):
            if len(found) == count:
                break
            with contextlib.suppress(OSError):
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    held.enter_context(socket.socket(socket.AF_INET, kind)).bind((host, port))
                found.append(port)
        return found


def free_run(length: int, host: str = "127.0.0.1") -> int:
    """The first, an even one, of so many ports in a row that are free for UDP at this moment."""
    chance = random.SystemRandom()
    while True:
        first = chance.randrange(_PORTS.start, _PORTS.stop - length, 2)
        with contextlib.ExitStack() as held, contextlib.suppress(OSError):
            for port in range(first, first + length):
                held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).bind((host, port))
            return first


def free_port(host: str = "127.0.0.1") -> int:
    """One port from free_ports."""
    return free_ports(1, host)[0]

"""How long a commit with one event takes, and how far behind a follower in another process is: `python -m bench.store`.

Prints one JSON object. ``--url`` measures a database of yours (its tables are made if they are missing, and events are
appended to it); without it a SQLite file in a temporary folder. Times in milliseconds.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence

from aircall_core.domain.events import Event
from aircall_core.store import Store, migrate, open_store


def summary(seconds: Sequence[float]) -> dict[str, float]:
    """Median, 95th percentile and maximum in milliseconds."""
    ordered = sorted(seconds)
    p95 = ordered[int(len(ordered) * 0.95)]
    return {
        "median": round(statistics.median(ordered) * 1000, 3),
        "p95": round(p95 * 1000, 3),
        "max": round(ordered[-1] * 1000, 3),
    }


def write(store: Store, count: int, pause_s: float) -> list[float]:
    """Commit ``count`` events, each with the moment before its transaction; how long each took."""
    pace, took = threading.Event(), []
    for _ in range(count):
        begun = time.monotonic()
        with store.write() as tx:
            tx.append(Event("bench.event", audience="staff", actor="system", data={"begun": begun}))
        took.append(time.monotonic() - begun)
        pace.wait(pause_s)
    return took


def follow(url: str, after: int, count: int) -> None:
    """The follower's process: prints how late it saw each event (the monotonic clock is one for all processes)."""
    late: list[float] = []
    stop = threading.Event()
    with open_store(url) as store:
        print("following", flush=True)
        for batch in store.follow(after, stop):
            now = time.monotonic()
            for row in batch:
                begun = row.event.data["begun"]
                assert isinstance(begun, float)
                late.append(now - begun)
            if len(late) >= count:
                stop.set()
    print(json.dumps(summary(late)))


def measure(url: str, count: int) -> dict[str, object]:
    """Measure a store."""
    migrate.upgrade(url)
    with open_store(url) as store:
        alone = write(store, count, 0.0)
        command = [sys.executable, "-m", "bench.store", "--follow", str(store.last_seq()), "--url", url]
        with subprocess.Popen([*command, "--count", str(count)], stdout=subprocess.PIPE, text=True) as follower:
            assert follower.stdout is not None
            follower.stdout.readline()
            paced = write(store, count, 0.005)
            behind = json.loads(follower.stdout.readline())
    return {
        "database": "postgresql" if store.is_postgres else "sqlite",
        "events": count,
        "commit_ms": summary(alone),
        "commit_beside_a_follower_ms": summary(paced),
        "follower_behind_ms": behind,
        "load": os.getloadavg()[0],
        "cpus": os.cpu_count(),
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--follow", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.follow is not None:
        follow(given.url, given.follow, given.count)
        return
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(given.url or f"sqlite:///{folder}/bench.db", given.count), indent=1))


if __name__ == "__main__":
    main()

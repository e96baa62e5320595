"""The event log as a measure of `python -m bench`: what bench/store.py finds, as rows."""

from pathlib import Path
from typing import cast

from bench import store
from bench.report import Row


def measure(folder: Path, *, full: bool) -> list[Row]:
    """SQLite in a folder of its own; `python -m bench.store --url ...` measures another database."""
    found = store.measure(f"sqlite:///{folder}/bench.db", 5000 if full else 1000)
    whats = {
        "commit_ms": "commit of one event, back to back",
        "commit_beside_a_follower_ms": "commit of one event, every 5 ms, beside a follower",
        "follower_behind_ms": "follower in another process: from before the transaction to seeing the event",
    }
    return [Row(what, "ms", cast(dict[str, float], found[key])) for key, what in whats.items()]

"""What the worker has to say while the store is away, kept on disk: JSON lines, synced, in order."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aircall_core.logs import get_logger

log = get_logger(__name__)


class Journal:
    """One file a worker. It is empty, and not even there, while the store answers."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[dict[str, Any]]:
        """What an earlier life could not say. A line cut short by a crash is the last one, and left out."""
        if not self.path.exists():
            return []
        found = []
        for line in self.path.read_text().splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                log.warning("journal_line_unreadable", line=len(found) + 1)
        return found

    def append(self, entries: Iterable[dict[str, Any]]) -> None:
        """Keeps these; they are on the disk when this returns."""
        lines = "".join(json.dumps(entry) + "\n" for entry in entries)
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a") as file:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())

    def clear(self) -> None:
        """All of it is in the store."""
        self.path.unlink(missing_ok=True)

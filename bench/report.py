"""Figures of a measure: medians and percentiles, the state of the machine, one JSON file for each measure."""

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


@dataclass
class Row:
    """One line of the table in docs/bench.md: what was measured, against which bar, beside which peer."""

    what: str
    unit: str
    figures: dict[str, float]
    bar: dict[str, float] = field(default_factory=dict)
    """Upper limits of figures by name; a name that begins with `min_` is a lower limit of the figure after it."""
    peer: dict[str, float] = field(default_factory=dict)
    """The same figures of the peer in the same run, such as a bare pjsua2."""
    peer_name: str = ""
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether every bar is met; None without a bar."""
        if not self.bar:
            return None
        return all(
            self.figures[name.removeprefix("min_")] >= limit if name.startswith("min_") else self.figures[name] <= limit
            for name, limit in self.bar.items()
        )


def spread(values: Sequence[float], digits: int = 2) -> dict[str, float]:
    """Median, 95th percentile, largest value and number."""
    ordered = sorted(values)
    at = min(len(ordered) - 1, int(len(ordered) * 0.95))
    return {
        "median": round(statistics.median(ordered), digits),
        "p95": round(ordered[at], digits),
        "max": round(ordered[-1], digits),
        "n": len(ordered),
    }


def machine() -> dict[str, Any]:
    """Where and when: what a reader must know to compare."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip(),
        "cores": os.cpu_count(),
        "load": [round(value, 2) for value in os.getloadavg()],
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
    }


def save(name: str, rows: Sequence[Row], before: dict[str, Any]) -> Path:
    """Write bench/results/<name>.json, with the machine's load before and after."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    measured = [{**asdict(row), "met": row.met} for row in rows]
    content = {"measure": name, "machine": before, "load_after": machine()["load"], "rows": measured}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    return path


def line(row: Row) -> str:
    """One row for people."""
    figures = ", ".join(f"{name} {value:g}" for name, value in row.figures.items())
    peer = (
        f"  ({row.peer_name}: {', '.join(f'{k} {v:g}' for k, v in row.peer.items() if k != 'n')})" if row.peer else ""
    )
    met = {True: "  ok", False: "  ABOVE THE BAR", None: ""}[row.met]
    return f"{row.what} [{row.unit}]: {figures}{peer}{met}"

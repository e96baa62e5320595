"""`python -m bench [MEASURE ...] [--full]`: run measures one after another, write bench/results/*.json, print a table.

Without names all of them. `--full` takes the counts of design's table (a store of five million rows, more calls).
"""

import argparse
import importlib
import sys
import tempfile
import traceback
from pathlib import Path

from bench import report

MEASURES = {
    "wire": "INVITE to 180 on the wire",
    "accept": "Accept to 200 OK, and to first audio both ways, without a browser",
    "insight": "what a CRM that hangs costs the ring",
    "rate": "calls set up per second, calls with media at once, refusal beyond capacity",
    "timeline": "newest 50 of a conversation in a large store",
    "long_timeline": "a conversation of 50,000 entries in Chromium: first paint, scrolling both ways, memory",
    "conversation": "opening a conversation, inbox, counts and search in a store of millions, on both databases",
    "log": "commit and follower delay of the event log",
    "browser": "ringer painted, Accept click to 200 OK and to audio, audio delay, in Chromium",
    "console": "console killed in a call; a page rerun on the server",
    "gateway": "gateway killed in a call, and the agent's network lost",
}


def main() -> int:
    """Exit status 1 when a measure could not be made; a missed bar is a figure, not a failure."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("measure", nargs="*", choices=[*MEASURES, []], help=", ".join(MEASURES))
    parser.add_argument("--full", action="store_true", help="the full counts")
    given = parser.parse_args()
    failed = []
    for name in given.measure or MEASURES:
        print(f"\n{name}: {MEASURES[name]}", flush=True)
        before = report.machine()
        with tempfile.TemporaryDirectory(prefix=f"bench-{name}-", dir="/tmp") as folder:
            try:
                rows = importlib.import_module(f"bench.{name}").measure(Path(folder), full=given.full)
            except Exception:  # noqa: BLE001  the next measure shall still be made
                traceback.print_exc()
                failed.append(name)
                continue
        report.save(name, rows, before)
        for row in rows:
            print("  " + report.line(row), flush=True)
    if failed:
        print(f"\nnot measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())

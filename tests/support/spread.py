"""The order in which pytest-xdist hands out the tests, when several workers run them (`--dist worksteal`).

It deals the list out in equal parts, one a worker, and lets an idle worker take half of what another one has left, from
the end. As collected, all of the browser's tests are one part: every worker ends up in them at once, each with an
installation and a Chromium, and the longest test is the last. So every part begins with whole files that start
browsers and calls, the longest first, and ends with tests that take milliseconds, which any worker may take over. Half
of the parts begin with browsers, half with calls.
"""

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import groupby

import pytest

BROWSERS, CALLS, LIGHT = 0, 1, 2
KINDS = {"browser": BROWSERS, "sip": CALLS, "system": CALLS, "media": CALLS}
"""By folder below tests/; others are light."""
LONG = {
    "browser/test_pages.py": 90, "browser/test_untrusted.py": 80, "browser/test_ui_console.py": 60,
    "system/test_workers.py": 90, "system/test_transfers.py": 120, "system/test_load.py": 60, "sip/test_flows.py": 80,
    "system/test_queue.py": 50, "system/test_store_away.py": 50, "browser/test_races.py": 50,
    "browser/test_robust.py": 50, "browser/test_ui_states.py": 45, "system/test_texts.py": 45,
    "system/test_hostile.py": 45, "service/test_due.py": 40, "unit/test_backend.py": 40, "desk/test_view_law.py": 25,
    "service/test_process.py": 25,
}  # fmt: skip
"""About how many seconds these files take; only which ones are begun first hangs on it."""


def kind_of(file: str) -> int:
    """What a file (below tests/) starts: browsers, calls or next to nothing."""
    return KINDS.get(file.partition("/")[0], CALLS if file in LONG else LIGHT)


def parts(tests: Mapping[str, int], workers: int) -> list[list[tuple[str, int]]]:
    """Each worker's part: files, and how many of the file's tests; ``tests`` says how many each file has."""
    total = sum(tests.values())
    sizes = [(total + place) // workers for place in range(workers)]  # as worksteal cuts: the last take the remainder
    cost = {file: LONG.get(file, 8 + count // 2) for file, count in tests.items()}
    heads: list[dict[int, list[str]]] = [defaultdict(list) for _ in range(workers)]
    loads: dict[int, list[int]] = {kind: [0] * workers for kind in (BROWSERS, CALLS)}
    for file in sorted(tests, key=lambda file: (-cost[file], file)):
        if (kind := kind_of(file)) != LIGHT:
            least = loads[kind].index(min(loads[kind]))
            loads[kind][least] += cost[file]
            heads[least][kind].append(file)
    queue: list[tuple[str, int]] = [(file, count) for file, count in tests.items() if kind_of(file) == LIGHT]
    found: list[list[tuple[str, int]]] = []
    for place, head in enumerate(heads):
        first, then = (BROWSERS, CALLS) if place % 2 == 0 else (CALLS, BROWSERS)
        found.append([(file, tests[file]) for file in head[first] + head[then]])
    for part, size in zip(found, sizes, strict=True):
        room = size - sum(count for _, count in part)
        while room > 0 and queue:
            file, count = queue.pop(0)
            part.append((file, min(count, room)))
            if count > room:
                queue.insert(0, (file, count - room))
            room -= count
    found[-1] += queue
    return found


def in_order(files: Sequence[str], workers: int) -> list[int]:
    """The places in ``files`` (one a test) in the order to run them: the workers' parts, one after the other."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, file in enumerate(files):
        places[file].append(place)
    dealt = parts({file: len(of) for file, of in places.items()}, workers)
    return [places[file].pop(0) for part in dealt for file, count in part for _ in range(count)]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests in that order; every worker does it, and all come to the same."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers > 1:
        items[:] = [items[place] for place in in_order([file_of(item) for item in items], workers)]


def file_of(item: pytest.Item) -> str:
    """The test's file, below tests/."""
    return item.nodeid.partition("::")[0].removeprefix("tests/")


def plan(files: Sequence[str], workers: int) -> str:
    """The parts, to be read: python -m tests.support.spread 3 < a list of test ids (pytest --collect-only -q)."""
    counts = {file: len(list(same)) for file, same in groupby(sorted(files))}
    lines = []
    for number, part in enumerate(parts(counts, workers)):
        lines.append(f"--- {number}: {sum(count for _, count in part)} tests")
        lines += [f"{('browsers', 'calls', 'light')[kind_of(file)]:9}{count:5} {file}" for file, count in part]
    return "\n".join(lines)


if __name__ == "__main__":
    import sys

    ids = [line.partition("::")[0].strip().removeprefix("tests/") for line in sys.stdin if "::" in line]
    print(plan(ids, int(sys.argv[1])))

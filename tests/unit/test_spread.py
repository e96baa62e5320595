"""The order of the tests themselves: nothing is lost, and what is slow is begun first and stays whole."""

from itertools import groupby, pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.support.spread import BROWSERS, CALLS, LIGHT, in_order, kind_of

NAMES = st.sampled_from([f"{folder}/test_{n}.py" for folder in ("browser", "sip", "desk", "unit") for n in range(6)])


@given(st.dictionaries(NAMES, st.integers(1, 30)), st.integers(2, 5))
def test_every_test_runs_once_and_in_its_files_order(tests: dict[str, int], workers: int) -> None:
    files = [file for file, count in tests.items() for _ in range(count)]
    order = in_order(files, workers)
    assert sorted(order) == list(range(len(files)))
    for file in tests:
        places = [place for place in order if files[place] == file]
        assert places == sorted(places)


def test_each_worker_begins_with_whole_slow_files_and_ends_with_quick_ones() -> None:
    files = [f"browser/test_{n}.py" for n in range(6) for _ in range(5)]
    files += [f"system/test_{n}.py" for n in range(6) for _ in range(5)]
    files += [f"unit/test_{n}.py" for n in range(4) for _ in range(101)]
    order = [files[place] for place in in_order(files, 3)]
    cuts = [0, 154, 309, len(files)]  # 154, 155 and 155 tests, as worksteal cuts 464
    parts = [order[start:end] for start, end in pairwise(cuts)]
    for place, part in enumerate(parts):
        slow_first = [BROWSERS, CALLS, LIGHT] if place % 2 == 0 else [CALLS, BROWSERS, LIGHT]
        assert [kind for kind, _ in groupby(kind_of(file) for file in part)] == slow_first
        assert all(part.count(file) == 5 for file in part if kind_of(file) != LIGHT), "whole"

"""Fixtures for every folder of tests."""

import os
import sys
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.support.databases", "tests.support.spread"]

# How long an example takes says what else the machine does: tests run beside others.
settings.register_profile("beside others", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("beside others")

# Some machines forbid Python to keep what it has compiled (containers often do): each of the hundreds of processes that
# a run starts would then compile all of this code anew, which is a fifth of what a start costs.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

STAGES = ("alone", "in_pairs")
"""Marks whose tests have a stage of their own in `make test`."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Refuse such a mark that the test has from elsewhere: `make test` finds the files by the words."""
    for stage in STAGES:
        if item.get_closest_marker(stage) and f"mark.{stage}" not in _source(item.path):
            raise pytest.UsageError(f"{item.nodeid}: write pytest.mark.{stage} in the test's own file")


@cache
def _source(file: Path) -> str:
    return file.read_text("utf-8")

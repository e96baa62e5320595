"""Fixtures of the gateway's tests: each module has a network namespace of its own."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.netns import netns

__all__ = ["netns"]


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder whose name is short enough for Unix sockets in it."""
    folder = Path(tempfile.mkdtemp(prefix="ac-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)

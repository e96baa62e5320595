"""A whole installation for the tests of this folder, one a module; the tests share its users and lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.desk_system import Line, System, User


@dataclass
class Office:
    """An installation with one line and three agents."""

    system: System
    line: Line
    users: list[User]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A running installation."""
    folder: Path = tmp_path_factory.mktemp("office")
    with System(folder) as system:
        users = [system.add_user(name) for name in ("Ada", "Bob", "Cleo")]
        yield Office(system, system.add_line("+33199000001", users), users)

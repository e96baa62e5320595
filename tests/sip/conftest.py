"""One worker a module, on a store of its own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sip.kit import Site, WorkerProcess


@pytest.fixture(scope="module")
def module_url(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> str:
    """A migrated SQLite store for the module's tests."""
    path = tmp_path_factory.mktemp("store") / "aircall.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="module")
def shared_site(
    request: pytest.FixtureRequest, module_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The module's site: `SITE` of the module holds its arguments."""
    options = getattr(request.module, "SITE", {})
    names = options.get("names", ("Ada",))
    rest = {key: value for key, value in options.items() if key != "names"}
    with Site(tmp_path_factory.mktemp("site"), module_url, *names, **rest) as opened:
        yield opened


@pytest.fixture(scope="module")
def worker(shared_site: Site) -> Iterator[WorkerProcess]:
    """The module's worker."""
    with shared_site.worker() as process:
        yield process


@pytest.fixture
def site(shared_site: Site, worker: WorkerProcess) -> Site:
    """The module's site with its worker running, everybody available, and the log read up to here."""
    shared_site.seen = shared_site.store.last_seq()
    return shared_site

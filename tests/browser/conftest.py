"""One installation with console, one line, three agents and a browser for each module, in a network of its own."""

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.browser import evidence
from tests.browser.kit import Office, browser_speaking
from tests.support.desk_system import System
from tests.support.netns import NetNs, netns

__all__ = ["netns"]


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest, netns: NetNs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The module's office. `SITE` of the module holds settings of the installation, such as {"workers": 2};
    `ENGINE_ONLY` says that its pages need no more of Chromium than its engine."""
    folder: Path = tmp_path_factory.mktemp("office")
    with (
        System(folder, console=True, **getattr(request.module, "SITE", {})) as system,
        browser_speaking(folder, engine_only=getattr(request.module, "ENGINE_ONLY", False)) as browser,
    ):
        users = [system.add_user(name) for name in ("Ada Moreau", "Ben Okafor", "Cleo Lang")]
        line = system.add_line("+33199000001", users, name="Support", recording="on", ring_s=240)
        yield Office(system, line, users, browser)


@pytest.fixture
def office(request: pytest.FixtureRequest, site: Office) -> Iterator[Office]:
    """The module's office, empty: nobody at their desk, no call. Pictures of a failed test's pages are kept."""
    yield site
    if request.node.stash.get(FAILED, False):
        site.picture(f"failed-{request.node.name}")
    site.leave()


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell the fixtures whether the test failed, and its report what its pages and consoles were at."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
        if report.failed:
            report.sections.append(("pages", evidence.pages()))
            used = [getattr(one, "system", one) for one in getattr(item, "funcargs", {}).values()]
            for system in {id(one): one for one in used if isinstance(one, System)}.values():
                report.sections.append(("console", evidence.console(system.console)))
    return report

"""From an empty data folder to the first answered test call, all of it by clicks in a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.kit import (
    DESKTOP,
    PATIENCE_MS,
    browser_speaking,
    errors_of,
    first_link,
    online,
    pick,
    ringer,
    shot,
    still,
    toolbar,
)
from tests.support.desk_system import System
from tests.support.netns import NetNs, netns
from tests.support.processes import eventually

pytestmark = [pytest.mark.browser, pytest.mark.sip, pytest.mark.timeout(300)]
__all__ = ["netns"]


@pytest.fixture
def console(netns: NetNs, tmp_path: Path) -> Iterator[System]:
    """What `make run` starts on an empty folder: a console that starts the backend by itself."""
    system = System(tmp_path)
    try:
        system.start_console()
        yield system
    finally:
        system.stop()


@pytest.fixture
def page(console: System, tmp_path: Path) -> Iterator[Page]:
    """A browser that has never seen the console."""
    with browser_speaking(tmp_path) as browser:
        context = browser.new_context(viewport=DESKTOP, locale="en-GB", timezone_id="Europe/Paris")
        context.set_default_timeout(PATIENCE_MS)
        yield context.new_page()


def test_from_nothing_to_the_first_answered_call(console: System, page: Page) -> None:
    complaints = errors_of(page)
    become_administrator(page, console)
    name_the_company(page)
    add_the_line(page)
    leave_the_trunk_for_later(page)
    check_the_audio(page)
    take_the_test_call(page)
    home_shows_what_happened(page)
    assert complaints == []


def become_administrator(page: Page, console: System) -> None:
    process = console.console
    assert process is not None
    page.goto(eventually(lambda: first_link(process.output), 60, "the printed link"))
    shot(page, "first-run-1-administrator")
    page.get_by_label("Your name").fill("Ada Moreau")
    page.get_by_label("E-mail address").fill("ada@example.com")
    page.get_by_label("Password", exact=True).fill("a long passphrase for tests")
    page.get_by_role("button", name="Create administrator").click()
    page.get_by_role("heading", name="First steps").wait_for()
    online(page)
    expect(page.get_by_text("0 of 6 done")).to_be_visible()
    shot(page, "first-run-2-home")


def name_the_company(page: Page) -> None:
    page.get_by_role("link", name="Name your company").click()
    page.get_by_label("Company name").fill("Moreau Bikes")
    pick(page, "Country", "France", search="France")
    shot(page, "first-run-3-company")
    page.get_by_role("button", name="Save").filter(visible=True).click()
    done(page, 1)


def done(page: Page, steps: int) -> None:
    """So many steps are done, and the page has closed the last one and opened the next: things have moved to their
    places before anything is pressed there."""
    expect(page.get_by_text(f"{steps} of 6 done")).to_be_visible()
    still(page)


def add_the_line(page: Page) -> None:
    page.get_by_role("textbox", name="Name", exact=True).filter(visible=True).fill("Support")
    shot(page, "first-run-4-line")
    page.get_by_role("button", name="Save").filter(visible=True).click()
    done(page, 3)  # who adds it is assigned to it


def leave_the_trunk_for_later(page: Page) -> None:
    page.get_by_role("button", name="Only the test phone for now").click()
    done(page, 4)
    shot(page, "first-run-5-trunk")


def check_the_audio(page: Page) -> None:
    page.get_by_role("link", name="Check your audio").filter(visible=True).first.click()
    shot(page, "first-run-6-audio")
    frame = page.frame_locator("iframe[title*='webrtc']")
    frame.get_by_role("button", name="Start").click()
    expect(page.get_by_text("The server hears you well")).to_be_visible(timeout=60_000)
    shot(page, "first-run-7-audio-heard")
    page.get_by_role("button", name="I heard myself").click()


def take_the_test_call(page: Page) -> None:
    done(page, 5)
    page.get_by_role("button", name="Go on duty").click()
    page.get_by_role("button", name="Go off duty").wait_for()
    shot(page, "first-run-8-on-duty")
    page.get_by_role("button", name="Place a test call").filter(visible=True).click()
    ringer(page).wait_for()
    shot(page, "first-run-9-ringer")
    ringer(page).get_by_role("button", name="Accept").click()
    expect(toolbar(page).get_by_text("Connected")).to_be_visible()
    shot(page, "first-run-10-call")
    toolbar(page).get_by_role("button", name="Hang up").click()
    expect(toolbar(page)).to_be_hidden()


def home_shows_what_happened(page: Page) -> None:
    page.get_by_role("link", name="Inbox").click()
    page.get_by_role("heading", name="Inbox").wait_for()
    expect(page.get_by_text("1 of 1 ready")).to_be_visible()
    shot(page, "first-run-11-home")

"""Keyboard shortcuts in Chromium over a scripted desk: in the page, beside typing, and in the detached window."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.kit import ringer, shot, toolbar
from tests.support.audio import tone, write_wav
from tests.support.axe import Axe
from tests.support.chromium import chromium
from tests.support.fake_desk import FakeDesk

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A Chromium with a microphone, shared by the tests of this file."""
    wav: Path = write_wav(tmp_path_factory.mktemp("mic") / "tone.wav", tone(440, 2, 48_000), 48_000)
    with chromium(microphone=wav) as found:
        yield found


@pytest.fixture
def desk() -> Iterator[FakeDesk]:
    """A desk that does what the test says."""
    with FakeDesk() as found:
        yield found


@pytest.fixture
def page(browser: Browser, desk: FakeDesk) -> Iterator[Page]:
    """A tab with the console's live parts and the profile menu's button, whose uncaught errors fail the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, permissions=["microphone", "notifications"])
    context.set_default_timeout(20_000)
    made = context.new_page()
    complaints: list[str] = []
    made.on("pageerror", lambda error: complaints.append(str(error)))
    opened(made, desk)
    yield made
    context.close()
    assert complaints == []


def opened(page: Page, desk: FakeDesk, theme: str = "light") -> None:
    page.goto(desk.url("ringer", "toolbar", "duty", "keys", theme=theme))
    page.wait_for_function("window.ready && window.__aircall?.status === 'online'")


def listed(page: Page) -> Locator:
    """The list of shortcuts."""
    return page.get_by_role("dialog", name="Keyboard shortcuts")


def test_a_call_by_keys_alone_while_notes_are_typed(page: Page, desk: FakeDesk) -> None:
    notes = page.get_by_role("textbox", name="Page text")
    notes.focus()
    desk.ring()
    expect(ringer(page).get_by_role("button", name="Accept")).to_have_attribute("title", "Accept (Alt+Shift+Y)")
    notes.press_sequentially("Called about ")
    notes.press("Alt+Shift+Y")
    toolbar(page).wait_for()
    notes.press_sequentially("an order?")
    mute = toolbar(page).get_by_role("button", name="Mute")
    expect(mute).to_have_attribute("title", "Mute (Alt+Shift+M)")
    expect(mute).to_have_attribute("aria-keyshortcuts", "Alt+Shift+M")
    notes.press("Alt+Shift+M")
    expect(mute).to_have_attribute("aria-pressed", "true")
    notes.press("Alt+Shift+M")
    expect(mute).to_have_attribute("aria-pressed", "false")
    notes.press("Alt+Shift+E")
    expect(toolbar(page)).to_be_hidden()
    expect(notes).to_have_value("Called about an order?")
    expect(notes).to_be_focused()
    expect(listed(page)).to_be_hidden()


def test_reject_and_the_way_to_the_card(page: Page, desk: FakeDesk) -> None:
    page.get_by_role("textbox", name="Page text").focus()
    desk.ring()
    ringer(page).wait_for()
    page.keyboard.press("Alt+Shift+R")
    expect(ringer(page)).to_be_focused()
    page.keyboard.press("Alt+Shift+N")
    expect(ringer(page)).to_be_hidden()
    assert any(path.endswith("/reject") for path, _ in desk.requests)


def test_the_list_leaves_the_ringer_usable(page: Page, desk: FakeDesk) -> None:
    page.keyboard.press("?")
    expect(listed(page)).to_be_visible()
    expect(listed(page)).to_be_focused()
    for what in ("Accept the call", "Hang up", "Transfer", "Search"):
        expect(listed(page).get_by_text(what, exact=True)).to_be_visible()
    desk.ring()
    ringer(page).get_by_role("button", name="Reject").click()
    expect(ringer(page)).to_be_hidden()
    page.keyboard.press("?")
    expect(listed(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(listed(page)).to_be_hidden()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_list_is_accessible(page: Page, desk: FakeDesk, theme: str) -> None:
    opened(page, desk, theme)
    page.keyboard.press("?")
    listed(page).wait_for()
    shot(page, f"shortcuts-{theme}")
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    assert found.violations_count == 0, found.generate_report()


def test_no_single_key_while_somebody_types(page: Page) -> None:
    """Also not in what Streamlit builds of other elements than inputs, nor in frames."""
    page.evaluate("""() => document.querySelector('main').insertAdjacentHTML('beforeend', `
      <div id="rich" contenteditable="true">rich</div><div id="grid" role="grid" tabindex="0">grid</div>
      <div id="box" role="combobox" tabindex="0">box</div>
      <iframe id="frame" srcdoc="<p tabindex=0>frame"></iframe>`)""")
    page.get_by_role("textbox", name="Page text").press("?")
    for place in ("#rich", "#grid", "#box"):
        page.locator(place).press("?")
    page.frame_locator("#frame").locator("p").press("?")
    expect(page.get_by_role("textbox", name="Page text")).to_have_value("?")
    expect(listed(page)).to_be_hidden()
    page.get_by_role("heading", name="Page").click()
    page.keyboard.press("?")
    expect(listed(page)).to_be_visible()


def test_switched_off_they_stay_off_until_the_profile_menu_switches_them_on(page: Page, desk: FakeDesk) -> None:
    page.keyboard.press("?")
    switch = page.get_by_role("switch", name="Use keyboard shortcuts")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")
    opened(page, desk)
    page.locator("body").press("?")
    desk.ring()
    expect(ringer(page).get_by_role("button", name="Accept")).to_have_attribute("title", "Accept")
    page.locator("body").press("Alt+Shift+Y")
    page.wait_for_timeout(300)
    expect(ringer(page)).to_be_visible()
    expect(listed(page)).to_be_hidden()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    switch.click()
    page.locator("body").press("Alt+Shift+Y")
    toolbar(page).wait_for()


def test_they_work_in_the_detached_window_too(page: Page, desk: FakeDesk) -> None:
    page.get_by_role("note").get_by_role("button", name="Open").wait_for()
    with page.context.expect_page() as opening:
        page.get_by_role("note").get_by_role("button", name="Open").click()
    window = opening.value
    window.set_viewport_size({"width": 380, "height": 340})
    window.get_by_role("button", name="Availability").wait_for()
    desk.ring()
    ringer(window).wait_for()
    window.keyboard.press("Alt+Shift+Y")
    mute = toolbar(window).get_by_role("button", name="Mute")
    expect(mute).to_have_attribute("title", "Mute (Alt+Shift+M)")  # connected
    window.keyboard.press("Alt+Shift+M")
    expect(mute).to_have_attribute("aria-pressed", "true")
    window.keyboard.press("?")
    expect(listed(window)).to_be_visible()
    expect(listed(page)).to_be_hidden()
    shot(window, "shortcuts-detached")
    window.keyboard.press("Escape")
    window.keyboard.press("Alt+Shift+E")
    expect(toolbar(window)).to_be_hidden()


def test_search_goes_to_the_search_box_of_the_page(page: Page) -> None:
    page.keyboard.press("Alt+Shift+S")
    expect(page.get_by_role("listitem").filter(has_text="nothing to search")).to_be_visible()
    page.evaluate("""() => document.querySelector('main').insertAdjacentHTML(
      'beforeend', '<div class="st-key-search-users"><input aria-label="Search users" value="Ada"></div>')""")
    page.keyboard.press("Alt+Shift+S")
    expect(page.get_by_label("Search users", exact=True)).to_be_focused()

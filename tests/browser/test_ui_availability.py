"""The availability control, wrap-up, tagging and the pause banner in Chromium over a scripted desk."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_ui_states import browser, context, desk, opened, page, sent
from tests.support.axe import Axe
from tests.support.fake_desk import FakeDesk
from tests.support.processes import eventually

__all__ = ["browser", "context", "desk", "page"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

TAGS = [
    {"id": f"tag-{number}", "name": name, "color": color, "archived": name == "Old"}
    for number, (name, color) in enumerate([("Billing", "#3366cc"), ("Delivery late", "#cc6633"), ("Old", "#000000")])
]


def control(page: Page, status: str) -> Locator:
    return page.get_by_role("button", name=f"Availability: {status}", exact=True)


def choose(page: Page, name: str) -> None:
    page.get_by_role("button", name=re.compile("^Availability: ")).click()
    page.get_by_role("menuitemradio", name=name).click()


def test_the_status_and_its_time(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    expect(control(page, "Available")).to_be_visible()
    for status, name in (("in_call", "In a call"), ("out_of_hours", "Out of hours"), ("off_duty", "Off duty")):
        desk.stands(status)
        expect(control(page, name)).to_contain_text("0:02", timeout=10_000)


def test_the_menu_says_what_is_chosen_and_chooses(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    control(page, "Available").click()
    menu = page.get_by_role("menu", name="Availability")
    expect(menu.get_by_role("menuitemradio")).to_have_count(7)
    expect(menu.get_by_role("menuitemradio", checked=True)).to_have_text(re.compile("^Available"))
    expect(menu.get_by_role("group", name="Unavailable").get_by_role("menuitemradio")).to_have_count(5)
    menu.get_by_role("menuitemradio", name="Out for lunch").click()
    expect(menu).to_be_hidden()
    expect(control(page, "Unavailable")).to_contain_text("Out for lunch")
    (body,) = sent(desk, "/desk/availability")
    assert (body["choice"], body["reason"]) == ("unavailable", "lunch")
    choose(page, "Auto")
    expect(control(page, "Available")).to_be_visible()
    assert sent(desk, "/desk/availability")[-1]["choice"] == "auto"


def test_the_menu_by_keyboard(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    button = control(page, "Available")
    button.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitemradio", name=re.compile("^Available"))).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("menuitemradio", name="Other")).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("b")
    expect(page.get_by_role("menuitemradio", name="Back office")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu", name="Availability")).to_be_hidden()
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(control(page, "Unavailable")).to_contain_text("Other")
    expect(control(page, "Unavailable")).to_be_focused()


def test_a_click_elsewhere_closes_the_menu(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    control(page, "Available").click()
    expect(page.get_by_role("menu", name="Availability")).to_be_visible()
    page.get_by_label("Page text").click()
    expect(page.get_by_role("menu", name="Availability")).to_be_hidden()


def test_a_refused_choice_says_why_and_nothing_is_painted(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    desk.refuse("/desk/availability", 422, "invalid", "You have no working hours to go by.")
    choose(page, "Auto")
    expect(page.get_by_role("alert").filter(has_text="You have no working hours to go by.")).to_be_visible()
    expect(control(page, "Available")).to_be_visible()


def test_somebody_else_chooses(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    expect(control(page, "Available")).to_be_visible()
    desk.event("user.choice", user="me", choice="unavailable", reason="by_admin", command=None, actor="user:boss")
    desk.stands("unavailable", "by_admin")
    expect(page.get_by_text("A supervisor has set you to unavailable.").first).to_be_visible()
    expect(control(page, "Unavailable")).to_contain_text("By a supervisor")


def test_wrap_up_counts_down_is_extended_and_finished(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    desk.wraps_up(30)
    left = page.get_by_role("timer", name="Wrap-up time left")
    expect(left).to_have_text("0:29", timeout=10_000)
    page.get_by_role("button", name="Extend").click()
    expect(left).to_have_text(re.compile("1:2."))
    page.get_by_role("button", name="Finish wrap-up").click()
    expect(left).to_be_hidden()
    expect(control(page, "Available")).to_be_visible()
    assert len(sent(desk, "/wrap-up/end")) == len(sent(desk, "/wrap-up/extend")) == 1


def test_a_call_that_needs_its_tag(page: Page, desk: FakeDesk) -> None:
    desk.tags = TAGS
    opened(page, desk)
    desk.ring()
    desk.answer()
    desk.event("call.ended", "call-1", user="me", outcome="answered", by="caller", ended_at=1)
    desk.owes_a_tag()
    chooser = page.get_by_role("group", name="Tag the call to go on")
    expect(chooser).to_contain_text("Marie Dupont · Support")
    expect(chooser.get_by_role("button", name="Old")).to_have_count(0)
    save = chooser.get_by_role("button", name="Save tags")
    expect(save).to_have_attribute("aria-disabled", "true")
    save.click(force=True)
    chooser.get_by_role("button", name="Delivery late").click()
    expect(chooser.get_by_role("button", name="Delivery late")).to_have_attribute("aria-pressed", "true")
    save.click()
    expect(chooser).to_be_hidden()
    expect(control(page, "Available")).to_be_visible()
    (body,) = sent(desk, "/desk/calls/call-1/tags")
    assert body["tags"] == ["tag-1"]


def test_owed_tags_are_still_owed_after_a_reload_and_in_another_tab(page: Page, desk: FakeDesk) -> None:
    desk.tags = TAGS
    desk.owes_a_tag("call-1")
    desk.owes_a_tag("call-2")
    for tab in (opened(page, desk), opened(page.context.new_page(), desk)):
        chooser = tab.get_by_role("group", name="Tag the call to go on")
        expect(chooser).to_contain_text("2 calls need a tag")
        expect(chooser.get_by_role("button", name="Billing")).to_be_visible()
    chooser.get_by_role("button", name="Billing").click()
    chooser.get_by_role("button", name="Save tags").click()
    other = page.get_by_role("group", name="Tag the call to go on")
    expect(other).not_to_contain_text("2 calls need a tag")
    expect(other).to_be_visible()


def test_tags_that_cannot_be_loaded_are_asked_for_again(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    page.route("**/desk/tags", lambda route: route.abort())
    desk.owes_a_tag()
    chooser = page.get_by_role("group", name="Tag the call to go on")
    expect(page.get_by_role("alert").filter(has_text="cannot be reached")).to_be_visible()
    page.unroute("**/desk/tags")
    desk.tags = TAGS
    chooser.get_by_role("button", name="Try again").click()
    expect(chooser.get_by_role("button", name="Billing")).to_be_visible()


def test_many_tags_can_be_searched(page: Page, desk: FakeDesk) -> None:
    desk.tags = [{"id": f"t{n}", "name": f"Topic {n}", "color": "#336699", "archived": False} for n in range(30)]
    opened(page, desk)
    desk.owes_a_tag()
    chooser = page.get_by_role("group", name="Tag the call to go on")
    chooser.get_by_label("Search tags").fill("topic 29")
    expect(chooser.get_by_role("button", name="Topic")).to_have_count(1)


def test_a_pause_after_missed_calls_is_said_and_ended(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    desk.event("user.choice", user="me", choice="unavailable", reason="missed_calls", command=None)
    desk.stands("unavailable", "missed_calls")
    banner = page.get_by_role("alert").filter(has_text="You are paused")
    expect(banner).to_be_visible()
    banner.get_by_role("button", name="Resume").click()
    expect(banner).to_be_hidden()
    (body,) = sent(desk, "/desk/availability")
    assert body["choice"] == "available"


def test_a_lost_connection_paints_no_status(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    expect(control(page, "Available")).to_be_visible()
    desk.drop()
    expect(control(page, "Reconnecting…")).to_be_visible()
    desk.open = True
    desk.stands("in_call")
    expect(control(page, "In a call")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(page: Page, desk: FakeDesk, theme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    desk.tags = TAGS
    page.goto(desk.url("duty", theme=theme))
    page.wait_for_function("window.ready && window.__aircall?.status === 'online'")
    desk.owes_a_tag()
    desk.wraps_up(60)
    expect(page.get_by_role("button", name="Billing")).to_be_visible()
    page.get_by_role("button", name="Billing").click()
    check(page)
    control(page, "Wrap-up").click()
    check(page)
    page.keyboard.press("Escape")
    desk.stands("unavailable", "missed_calls")
    expect(page.get_by_text("You are paused")).to_be_visible()
    check(page)
    eventually(lambda: everything_fits(page), 5, "a page as wide as its window")


def check(page: Page) -> None:
    """No violation, once colours have stopped changing."""
    page.mouse.move(0, 0)
    page.wait_for_function("() => document.getAnimations().length === 0")
    options: dict[str, Any] = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
    found = Axe().run(page, options=options)
    assert found.violations_count == 0, found.generate_report()


def everything_fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))

"""Dialling in Chromium over a scripted desk: the keypad on every page, the call in a header, callback cards."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_ui_inbox import KNOWN, waits
from tests.browser.test_ui_states import browser, context, desk, opened, page, sent
from tests.support.axe import Axe
from tests.support.fake_desk import CHECK, LINES, FakeDesk
from tests.support.fake_inbox import FakeInbox

__all__ = ["browser", "context", "desk", "page"]  # fixtures
pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
WHO = {"line": "line-1", "number": "+33612345678", "spoken": "06 12 34 56 78", "name": "Marie Dupont"}


def refusal(code: str, message: str, *, unfinished: bool = False, **more: Any) -> dict[str, Any]:
    """What the guard says of a number that it refuses."""
    why = {"code": code, "message": message, "unfinished": unfinished}
    return {**CHECK, "number": "", "allowed": False, "why": why, **more}


def pad(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Dial a number")


def opened_pad(page: Page, desk: FakeDesk) -> Locator:
    opened(page, desk, "toolbar", "duty")
    page.get_by_role("button", name="Dial a number").click()
    expect(pad(page)).to_be_visible()
    return pad(page)


def dialled(desk: FakeDesk) -> list[dict[str, Any]]:
    return [{key: body[key] for key in ("line", "number")} for body in sent(desk, "/desk/dial")]


def test_a_number_is_typed_checked_and_called_with_enter(page: Page, desk: FakeDesk) -> None:
    box = opened_pad(page, desk)
    number = box.get_by_role("textbox", name="Number")
    expect(number).to_be_focused()
    page.keyboard.type("0612345678")
    expect(box).to_contain_text("🇫🇷  06 12 34 56 78  France")
    asked = [body for path, body in desk.requests if path == "/desk/dial/check"]
    assert asked[-1] == {"line": "line-1", "number": "0612345678"}
    page.keyboard.press("Enter")
    expect(box).to_be_hidden()
    assert dialled(desk) == [{"line": "line-1", "number": "+33612345678"}]


def test_enter_right_after_pasting_waits_for_the_check(page: Page, desk: FakeDesk) -> None:
    box = opened_pad(page, desk)
    box.get_by_role("textbox").fill("+33 6 12 34 56 78")
    box.get_by_role("textbox").press("Enter")
    expect(box).to_be_hidden()
    assert dialled(desk) == [{"line": "line-1", "number": "+33612345678"}]


def test_keys_are_pressed_and_the_line_is_chosen_and_kept(page: Page, desk: FakeDesk) -> None:
    box = opened_pad(page, desk)
    for key in ("Plus, for other countries", "3", "3", "6", "Erase the last digit"):
        box.get_by_role("button", name=key, exact=True).click()
    expect(box.get_by_role("textbox")).to_have_value("+33")
    box.get_by_role("button", name="3", exact=True).first.focus()
    page.keyboard.type("45")
    expect(box.get_by_role("textbox")).to_have_value("+3345")
    box.get_by_role("combobox", name="Line to call by").select_option("line-2")
    box.get_by_role("button", name="Call", exact=True).click()
    expect(box).to_be_hidden()
    assert dialled(desk)[-1]["line"] == "line-2"
    page.reload()
    page.wait_for_function("window.ready && window.__aircall?.status === 'online'")
    page.get_by_role("button", name="Dial a number").click()
    expect(pad(page).get_by_role("combobox")).to_have_value("line-2")


def test_a_refused_number_is_told_and_not_called(page: Page, desk: FakeDesk) -> None:
    desk.check = refusal("premium", "Premium-rate numbers are not dialled from here.")
    box = opened_pad(page, desk)
    page.keyboard.type("0899123456")
    expect(box).to_contain_text("Premium-rate numbers are not dialled from here.")
    expect(box.get_by_role("button", name="Call", exact=True)).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Enter")
    desk.check = refusal("incomplete", "This number is not complete.", unfinished=True)
    page.keyboard.press("Backspace")
    verdict = box.locator(".verdict")
    expect(verdict).to_have_attribute("data-look", "soft")
    page.keyboard.press("Enter")  # now it is a mistake
    expect(verdict).to_have_attribute("data-look", "bad")
    assert dialled(desk) == []


def test_an_emergency_number_warns_and_where_it_is_dialled_says_so(page: Page, desk: FakeDesk) -> None:
    words = "This phone cannot reach emergency services. Take another phone and call 112 now."
    standards = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
    desk.check = refusal("emergency", words, number="112", emergency=True)
    box = opened_pad(page, desk)
    page.keyboard.type("112")
    expect(box.locator(".verdict")).to_have_text(words)
    expect(box.locator(".verdict")).to_have_attribute("data-look", "emergency")
    found = Axe().run(page, options=standards)
    assert found.violations_count == 0, found.generate_report()
    page.keyboard.press("Enter")
    assert dialled(desk) == []
    desk.check = {**CHECK, "number": "112", "spoken": "112", "emergency": True}
    box.get_by_role("textbox").fill("112")
    expect(box).to_contain_text("Say where you are")
    box.get_by_role("button", name="Emergency call 112").click()
    expect(box).to_be_hidden()
    assert dialled(desk) == [{"line": "line-1", "number": "112"}]


def test_what_the_desk_refuses_stays_in_the_box_with_the_number(page: Page, desk: FakeDesk) -> None:
    desk.refuse("/desk/dial", 403, "user_cap", "You have made 200 calls out in 24 hours, and no more are allowed.")
    box = opened_pad(page, desk)
    page.keyboard.type("0612345678")
    expect(box).to_contain_text("France")
    page.keyboard.press("Enter")
    expect(box).to_contain_text("no more are allowed")
    expect(box.get_by_role("textbox")).to_have_value("0612345678")


def test_who_may_not_call_has_no_keypad_and_without_a_line_it_says_why(page: Page, desk: FakeDesk) -> None:
    desk.lines_out = []
    box = opened_pad(page, desk)
    expect(box).to_contain_text("No line of yours calls out yet.")
    expect(box.get_by_role("textbox")).to_have_count(0)
    desk.refuse("/desk/dial/lines", 403, "forbidden", "Your role does not allow this.")
    desk.event("line.changed", id="line-1")
    expect(page.get_by_role("button", name="Dial a number")).to_be_hidden()


def test_call_in_a_header_calls_or_shows_the_number_where_the_line_cannot(page: Page, desk: FakeDesk) -> None:
    desk.header = {
        "id": "conversation-1", "name": WHO["name"], "company": "", "contact": None, "number": WHO["number"],
        "spoken": WHO["spoken"], "flag": "🇫🇷", "line": {"id": "line-1", "name": "Support"}, "assigned_to": None,
        "closed_at": None, "in_call": False,
    }  # fmt: skip
    opened(page, desk, "toolbar", "header", conversation="conversation-1", role="agent", **desk.header)
    page.get_by_role("button", name="Call Marie Dupont").click()
    page.wait_for_function("window.__aircall.calls.owned.length === 1")
    assert dialled(desk) == [{"line": "line-1", "number": "+33612345678"}]
    desk.lines_out = LINES[1:]
    desk.event("line.changed", id="line-1")
    page.wait_for_function("window.__aircall.dialLines.list.length === 1")
    page.get_by_role("button", name="Call Marie Dupont").click()
    box = page.get_by_role("dialog", name="Call back")
    expect(box).to_contain_text("This line cannot call out from here")
    expect(box.get_by_role("link")).to_have_attribute("href", "tel:+33612345678")


def test_a_callback_is_called_and_shows_who_is_calling(page: Page) -> None:
    with FakeInbox() as desk:
        desk.add("Ana")
        desk.callbacks = [waits(1, line_id="line-1")]
        opened(page, desk, "toolbar", "inbox", **KNOWN)
        page.get_by_role("group", name="What to list").get_by_role("button", name="Callbacks").click()
        page.get_by_role("button", name="Call back").click()
        page.wait_for_function("window.__aircall.calls.owned.length === 1")
        made = sent(desk, "/desk/dial")[-1]
        assert (made["callback"], made["number"]) == ("back-1", "+33199001234")
        assert sent(desk, "/take") == []
        bo = {"state": "calling", "by": {"id": "bo", "name": "Bo Lind"}, "settled_at": 3}
        desk.callbacks = [waits(1, line_id="line-1", **bo)]
        desk.event("callback.settled", "call-1", user="bo", callback="back-1", state="calling", command="c")
        expect(page.get_by_text("Bo Lind is calling back now")).to_be_visible()
        expect(page.get_by_role("button", name="Call back")).to_have_count(0)

"""A conversation's header in Chromium over a scripted desk: closing and taking that back, who else looks at it."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.test_ui_timeline import browser, desk, page
from tests.support.axe import Axe
from tests.support.fake_desk import FakeDesk

__all__ = ["browser", "desk", "page"]

SHOWN: dict[str, Any] = {
    "id": "conversation-1", "name": "Marie Dupont", "company": "<b>Dupont</b>",
    "contact": None, "number": "+33612345678", "spoken": "06 12 34 56 78", "flag": "🇫🇷",
    "line": {"id": "line-1", "name": "Support"}, "assigned_to": None,
    "closed_at": None, "in_call": False,
}  # fmt: skip


def show(page: Page, desk: FakeDesk, role: str = "agent", theme: str = "light", **more: Any) -> None:
    desk.header = {**SHOWN, **more}
    page.goto(desk.url("header", theme=theme, conversation="conversation-1", role=role, **desk.header))
    page.wait_for_function("window.ready && window.__aircall?.status === 'online'")
    expect(page.get_by_role("heading", name="Marie Dupont")).to_be_visible()


def posted(request: Request) -> dict[str, Any]:
    return dict(request.post_data_json or {})


def test_closing_is_taken_back_with_whose_it_was(page: Page, desk: FakeDesk) -> None:
    show(page, desk, assigned_to="bo")
    desk.answers = False
    close, undo = page.get_by_role("button", name="Close", exact=True), page.get_by_role("button", name="Undo")
    with page.expect_request("**/close") as asked:
        close.click()
    desk.header = {**desk.header, "closed_at": 5}
    said = {"command": posted(asked.value)["command"], "auto": False, "assigned_to": "bo"}
    desk.event("conversation.closed", None, user="me", conversation="conversation-1", **said)
    expect(page.get_by_role("button", name="Reopen")).to_be_visible()
    expect(page.get_by_text("Closed", exact=True)).to_be_visible()
    with page.expect_request("**/reopen") as asked:
        undo.click()
    assert posted(asked.value)["assigned_to"] == "bo"
    desk.header = {**desk.header, "closed_at": None}
    back = {"command": posted(asked.value)["command"], "why": "user"}
    desk.event("conversation.reopened", None, conversation="conversation-1", **back)
    expect(close).to_be_visible()
    expect(undo).to_be_hidden()


def test_during_a_call_closing_says_why_not(page: Page, desk: FakeDesk) -> None:
    show(page, desk, in_call=True)
    close = page.get_by_role("button", name="Close", exact=True)
    expect(close).to_have_attribute("aria-disabled", "true")
    close.click(force=True)  # Playwright waits until it is enabled, people do not
    expect(page.get_by_role("alert").filter(has_text="cannot be closed during its call")).to_be_visible()
    assert not [path for path, _ in desk.requests if path.endswith("/close")]


def test_who_else_looks_is_shown_and_an_analyst_only_reads(page: Page, desk: FakeDesk) -> None:
    show(page, desk, role="analyst")
    expect(page.get_by_text("<b>Dupont</b>")).to_be_visible()
    users = [{"id": "bo", "name": "Bo Lind"}, {"id": "me", "name": "Anna Berg"}]
    desk._send({"t": "viewers", "conversation": "conversation-1", "users": users})
    expect(page.get_by_text("Bo Lind is looking at this too")).to_be_visible()
    desk._send({"t": "viewers", "conversation": "conversation-1", "users": users[1:]})
    expect(page.get_by_text("is looking at this")).to_have_count(0)
    for name in ("Close", "Call Marie Dupont"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_hidden()
    expect(page.get_by_role("combobox")).to_have_count(0)


@pytest.mark.parametrize("width", [1280, 390])
def test_who_comes_to_look_moves_nothing_and_pushes_nobody_out(page: Page, desk: FakeDesk, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    show(page, desk, company="Dupont and Daughters, Fine Bicycles")
    close = page.get_by_role("button", name="Close", exact=True)
    before = close.bounding_box()
    users = [{"id": one, "name": f"Maximiliane van der {one}"} for one in ("Aa", "Bruyn", "Cruyff", "Doorn", "Eyck")]
    desk._send({"t": "viewers", "conversation": "conversation-1", "users": users})
    words = page.get_by_text("are looking at this too")
    expect(words).to_have_attribute("title", re.compile("Maximiliane van der Eyck"))
    assert close.bounding_box() == before
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    faces = page.locator(".viewers .face").evaluate_all("all => all.map((one) => one.getBoundingClientRect().right)")
    assert len(faces) == 5
    assert max(faces) <= width


def test_without_a_power_dialer_it_says_why(page: Page, desk: FakeDesk) -> None:
    desk.refuse("/desk/dial-lists", 403, "plan", "The power dialer is not in your plan.")
    show(page, desk)
    page.get_by_role("button", name="Add to Power Dialer").click()
    expect(page.get_by_text("The power dialer is not in your plan.")).to_be_visible()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing(page: Page, desk: FakeDesk, theme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    show(page, desk, theme=theme, closed_at=5)
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
